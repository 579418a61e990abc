#include "frame-faces.h"

#include <utility>

#include "face-geometry.h"
#include "faces-on-frame.h"

namespace fer {
namespace {

/// The face that a whole frame is, with what is known of it where the frame says so.
std::vector<FaceRecord> whole_frame(std::optional<std::vector<FaceRecord>> faces) {
  FaceRecord face;
  if (faces && faces->size() == 1) face = faces->front();
  face.x = face.y = 0;
  face.w = face.h = 1;
  if (face.confidence <= 0) face.confidence = 1;
  return {face};
}

}  // namespace

GType region_type() {
  static const GEnumValue values[] = {
      {static_cast<gint>(Region::kRoiList), "The faces in the frame's metadata", "roi-list"},
      {static_cast<gint>(Region::kFullFrame), "The whole frame is one face", "full-frame"},
      {0, nullptr, nullptr}};
  return enum_type("FerInferenceRegion", values);
}

std::optional<std::vector<FaceRecord>> faces_of_frame(GstElement* element, Region region,
                                                      GstBuffer* buffer, const GstVideoInfo& info,
                                                      WarningLimiter& no_record) {
  if (region == Region::kFullFrame) return whole_frame(face_meta_read(buffer));
  auto faces = faces_on_frame(element, buffer, GST_VIDEO_INFO_WIDTH(&info),
                              GST_VIDEO_INFO_HEIGHT(&info), no_record);
  if (!faces) {
    warn_limited(element, no_record,
                 "Nobody has looked for faces in these frames, so that there are none to look at: "
                 "put ferdetect before this element, or set inference-region=full-frame where each "
                 "frame is one face.");
    return std::nullopt;
  }
  if (faces->empty()) return std::nullopt;
  return faces;
}

void cut_faces(const FrameView& frame, Region region, const std::vector<FaceRecord*>& faces,
               const ModelInfo& model, CropBatch& crops) {
  crops.start(model);
  if (region == Region::kFullFrame) {
    for (std::size_t i = 0; i < faces.size(); ++i) crops.add_whole(frame);
    return;
  }
  std::vector<Face> in_pixels;
  for (const FaceRecord* face : faces)
    in_pixels.push_back(face_in_pixels(*face, geometry_of(frame)));
  crops.add_faces(frame, in_pixels);
}

}  // namespace fer
