#include "face-placement.h"

#include <gst/video/video.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace fer {
namespace {

/// Regions hold whole pixels, rounded once more where the frame was scaled.
constexpr int kRounding = 2;

/// The region of a face; null where it is gone.
const GstVideoRegionOfInterestMeta* region_of(GstBuffer* buffer, const FaceRecord& face) {
  return face.roi_id > 0 ? gst_buffer_get_video_region_of_interest_meta_id(buffer, face.roi_id)
                         : nullptr;
}

/// The face where its region lies, its landmarks moved along.
FaceRecord moved_to(const FaceRecord& face, const GstVideoRegionOfInterestMeta& region, gint width,
                    gint height) {
  FaceRecord moved = face;
  moved.x = std::clamp(static_cast<double>(region.x) / width, 0., 1.);
  moved.y = std::clamp(static_cast<double>(region.y) / height, 0., 1.);
  moved.w = std::min(static_cast<double>(region.w) / width, 1 - moved.x);
  moved.h = std::min(static_cast<double>(region.h) / height, 1 - moved.y);
  if (moved.landmarks) {
    auto& points = *moved.landmarks;
    for (std::size_t i = 0; i < points.size(); i += 2) {
      points[i] = moved.x + (points[i] - face.x) * moved.w / face.w;
      points[i + 1] = moved.y + (points[i + 1] - face.y) * moved.h / face.h;
    }
  }
  return moved;
}

bool stands_at(const GstVideoRegionOfInterestMeta& region, const PixelBox& box) {
  const auto near = [](guint value, gint expected) {
    return std::abs(static_cast<gint64>(value) - expected) <= kRounding;
  };
  return near(region.x, box.x) && near(region.y, box.y) &&
         near(region.x + region.w, box.x + box.w) && near(region.y + region.h, box.y + box.h);
}

}  // namespace

std::optional<PlacedFaces> place_faces(GstBuffer* buffer, gint width, gint height) {
  const auto faces = face_meta_read(buffer);
  if (!faces) return std::nullopt;
  PlacedFaces placed;
  for (const FaceRecord& face : *faces) {
    const GstVideoRegionOfInterestMeta* region = region_of(buffer, face);
    if (region == nullptr) {
      // A record without regions is somebody else's own.
      if (face.roi_id > 0)
        ++placed.lost;
      else
        placed.faces.push_back(face);
    } else if (stands_at(*region, pixel_box(face, width, height))) {
      placed.faces.push_back(face);
    } else if (region->w > 0 && region->h > 0 && region->x < static_cast<guint>(width) &&
               region->y < static_cast<guint>(height)) {
      placed.faces.push_back(moved_to(face, *region, width, height));
    }
  }
  return placed;
}

}  // namespace fer
