#include "overlay-composition.h"

#include <algorithm>
#include <vector>

namespace fer {
namespace {

bool touch(const Rect& a, const Rect& b) {
  return a.x <= b.right() && b.x <= a.right() && a.y <= b.bottom() && b.y <= a.bottom();
}

Rect around(const Rect& a, const Rect& b) {
  const int left = std::min(a.x, b.x), top = std::min(a.y, b.y);
  return {left, top, std::max(a.right(), b.right()) - left, std::max(a.bottom(), b.bottom()) - top};
}

/// Rectangles that hold all shapes and do not touch one another.
std::vector<Rect> groups_of(const kernels::BlendShapes& shapes) {
  std::vector<Rect> groups;
  for (int i = 0; i < shapes.count; ++i) {
    const kernels::Shape& shape = shapes.shapes[i];
    Rect group{shape.x, shape.y, shape.width, shape.height};
    // What grows may touch what it did not touch before.
    for (bool grew = true; grew;) {
      const auto touching = std::find_if(groups.begin(), groups.end(),
                                         [&](const Rect& other) { return touch(group, other); });
      grew = touching != groups.end();
      if (!grew) break;
      group = around(group, *touching);
      groups.erase(touching);
    }
    groups.push_back(group);
  }
  return groups;
}

/// Draws the shapes of a group on a picture of its own.
GstVideoOverlayRectangle* rectangle_of(const kernels::BlendShapes& all, const Rect& group) {
  const auto stride = static_cast<gsize>(group.w) * 4;
  GstBuffer* pixels =
      gst_buffer_new_allocate(nullptr, stride * static_cast<gsize>(group.h), nullptr);
  gst_buffer_memset(pixels, 0, 0, gst_buffer_get_size(pixels));
  gst_buffer_add_video_meta(pixels, GST_VIDEO_FRAME_FLAG_NONE,
                            GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB, static_cast<guint>(group.w),
                            static_cast<guint>(group.h));
  std::vector<kernels::Shape> shapes;
  for (int i = 0; i < all.count; ++i) {
    kernels::Shape shape = all.shapes[i];
    if (!touch(group, {shape.x, shape.y, shape.width, shape.height})) continue;
    shape.x -= group.x;
    shape.y -= group.y;
    shapes.push_back(shape);
  }
  GstMapInfo map;
  if (gst_buffer_map(pixels, &map, GST_MAP_READWRITE)) {
    kernels::BlendShapes blend = all;
    blend.canvas.planes[0].data = map.data;
    blend.canvas.planes[0].stride = static_cast<int>(stride);
    blend.canvas.width = group.w;
    blend.canvas.height = group.h;
    blend.shapes = shapes.data();
    blend.count = static_cast<int>(shapes.size());
    blend.x = blend.y = 0;
    blend.width = group.w;
    blend.height = group.h;
    kernels::blend_shapes(blend);
    gst_buffer_unmap(pixels, &map);
  }
  GstVideoOverlayRectangle* rectangle = gst_video_overlay_rectangle_new_raw(
      pixels, group.x, group.y, static_cast<guint>(group.w), static_cast<guint>(group.h),
      GST_VIDEO_OVERLAY_FORMAT_FLAG_NONE);
  gst_buffer_unref(pixels);
  return rectangle;
}

}  // namespace

GstVideoFrame CompositionCanvas::empty_frame(const GstVideoInfo& info) {
  GstVideoFrame frame{};
  gst_video_info_set_format(&frame.info, GST_VIDEO_OVERLAY_COMPOSITION_FORMAT_RGB,
                            static_cast<guint>(GST_VIDEO_INFO_WIDTH(&info)),
                            static_cast<guint>(GST_VIDEO_INFO_HEIGHT(&info)));
  GST_VIDEO_INFO_PAR_N(&frame.info) = GST_VIDEO_INFO_PAR_N(&info);
  GST_VIDEO_INFO_PAR_D(&frame.info) = GST_VIDEO_INFO_PAR_D(&info);
  return frame;
}

CompositionCanvas::CompositionCanvas(const GstVideoInfo& info, Orientation orientation)
    : canvas_(empty_frame(info), orientation) {}

GstVideoOverlayComposition* CompositionCanvas::composition(
    GstVideoOverlayComposition* before) const {
  const kernels::BlendShapes shapes = canvas_.shapes();
  GstVideoOverlayComposition* composition =
      before != nullptr ? gst_video_overlay_composition_copy(before) : nullptr;
  for (const Rect& group : groups_of(shapes)) {
    GstVideoOverlayRectangle* rectangle = rectangle_of(shapes, group);
    if (composition == nullptr) {
      composition = gst_video_overlay_composition_new(rectangle);
    } else {
      gst_video_overlay_composition_add_rectangle(composition, rectangle);
    }
    gst_video_overlay_rectangle_unref(rectangle);
  }
  return composition;
}

}  // namespace fer
