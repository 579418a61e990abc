// The faces of a buffer as metadata, in the three dialects that docs/reference/metadata.md
// describes.
#pragma once

#include <gst/gst.h>
#include <gst/video/video.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "vision/shown_frame.h"

namespace fer {

/// Name of the GstCustomMeta that is the authoritative record.
inline constexpr char kFacesMetaName[] = "fer-faces";

/// What a model says of a face. `probabilities` stand in the order of `labels`.
struct Expression {
  std::string label;
  int label_id = -1;
  std::vector<float> probabilities;
  std::vector<std::string> labels;  ///< Names of all classes, one a probability; may be empty.
  std::string model_version;
  guint age = 0;  ///< Frames since this was inferred.
  /// The label is not to be relied on: its probability lies below the model's operating point, or
  /// the face cannot be seen well.
  bool unsure = false;

  /// The probability of the label; 0 where there are no probabilities.
  double confidence() const;
};

/// Under which name a face is counted: its label, or "unsure".
inline std::string counted_as(const Expression& expression) {
  return expression.unsure ? "unsure" : expression.label;
}

/// One face of a buffer. Coordinates are shares of the frame's width and height; the box lies in
/// [0, 1], landmarks may lie a little outside of the frame.
struct FaceRecord {
  gint roi_id = 0;       ///< Its region-of-interest meta; 0: face_meta_write() finds a free one.
  guint64 track_id = 0;  ///< 0: not tracked.
  double x = 0, y = 0, w = 0, h = 0;
  double confidence = 0;
  std::optional<std::array<double, 10>>
      landmarks;  ///< x0 y0 … x4 y4, in the order of vision/face.h.
  std::optional<Expression> expression;
  bool clear = true;  ///< False: nobody can tell how the face is turned.
};

/// A face's box in pixels, at least one pixel large and inside the frame.
struct PixelBox {
  gint x, y, w, h;
};
PixelBox pixel_box(const FaceRecord& face, gint width, gint height);

/// Registers the custom meta with GStreamer, once a process, whichever plugin comes first. Call it
/// from plugin_init.
void face_meta_register();

/// The faces of a buffer; empty where it carries none. nullopt where no analyser has looked at it.
/// Foreign or malformed entries are checked and left out, with a warning in the log.
std::optional<std::vector<FaceRecord>> face_meta_read(GstBuffer* buffer);

/// The geometry of the frame in which the faces of a buffer were found: its size as stored, its
/// pixels' aspect, and how it was turned to be seen upright. nullopt where nobody told (no record,
/// or one of an earlier version of gst-fer).
std::optional<FrameGeometry> face_meta_geometry(GstBuffer* buffer);

/// How the frame with these faces is to be turned; as it is stored where nobody told.
Orientation face_meta_orientation(GstBuffer* buffer);

/// Replaces the faces of a writable buffer, in all dialects: the custom meta, region-of-interest
/// metas (DL Streamer's parameters) and, where built with it, GstAnalytics. Regions and analytics
/// of other elements are left alone. `info` is the frame's. Without an orientation, that of the
/// record that is replaced stays. Boxes are clipped to the frame; faces
/// whose numbers are not finite or whose box is empty are left out, with a warning in the log.
void face_meta_write(GstBuffer* buffer, const GstVideoInfo& info,
                     const std::vector<FaceRecord>& faces,
                     std::optional<Orientation> orientation = std::nullopt);

}  // namespace fer
