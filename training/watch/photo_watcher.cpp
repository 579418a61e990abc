#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>

#include <opencv2/core/mat.hpp>
#include <optional>
#include <utility>

#include "files/read_image.h"
#include "model/atomic_file.h"
#include "util/make_folder.h"
#include "watch/inputs.h"
#include "watch/watchers.h"

namespace fer {
namespace {

constexpr GstClockTime kPullTimeout = 100 * GST_MSECOND;

std::string description(bool annotates) {
  std::string text =
      "appsrc name=source format=time ! ferdetect name=detect tracking=false ! ferinfer name=infer";
  if (annotates) text += " ! feroverlay ! videoconvert ! jpegenc quality=92";
  return text + " ! appsink name=sink sync=false";
}

/// The picture as a sample, without a copy.
Owned<GstSample> sample_of(const cv::Mat& picture, std::size_t number) {
  const Owned<GstCaps> caps(gst_caps_new_simple(
      "video/x-raw", "format", G_TYPE_STRING, "BGR", "width", G_TYPE_INT, picture.cols, "height",
      G_TYPE_INT, picture.rows, "framerate", GST_TYPE_FRACTION, 0, 1, nullptr));
  auto* owner = new cv::Mat(picture);
  const gsize bytes = owner->step[0] * static_cast<gsize>(owner->rows);
  GstBuffer* buffer =
      gst_buffer_new_wrapped_full(GST_MEMORY_FLAG_READONLY, owner->data, bytes, 0, bytes, owner,
                                  [](gpointer mat) { delete static_cast<cv::Mat*>(mat); });
  gsize offsets[GST_VIDEO_MAX_PLANES] = {0};
  gint strides[GST_VIDEO_MAX_PLANES] = {static_cast<gint>(owner->step[0])};
  gst_buffer_add_video_meta_full(buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_BGR,
                                 static_cast<guint>(picture.cols), static_cast<guint>(picture.rows),
                                 1, offsets, strides);
  GST_BUFFER_PTS(buffer) = number * GST_SECOND;
  GST_BUFFER_DURATION(buffer) = GST_SECOND;
  Owned<GstSample> sample(gst_sample_new(buffer, caps.get(), nullptr, nullptr));
  gst_buffer_unref(buffer);
  return sample;
}

}  // namespace

struct PhotoWatcher::Stream {
  Stream(const WatchSettings& settings, bool annotates)
      : thumbnails(settings.thumbnails),
        pipeline(watching_pipeline(description(annotates), settings, "photos")),
        source(element_of(pipeline, "source")),
        sink(element_of(pipeline, "sink")),
        bus(gst_element_get_bus(pipeline.get())),
        probe(
            pipeline, [this](SeenFrame frame) { seen = std::move(frame); },
            [this](double) { return thumbnails; }) {
    gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  }
  ~Stream() { gst_element_set_state(pipeline.get(), GST_STATE_NULL); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  const bool thumbnails;
  std::size_t photos = 0;
  std::optional<SeenFrame> seen;  ///< Of the photo at hand; set before its sample comes out.
  const Owned<GstElement> pipeline, source, sink;
  const Owned<GstBus> bus;
  const FrameProbe probe;
};

PhotoWatcher::PhotoWatcher(const WatchSettings& settings, bool annotates)
    : stream_(std::make_unique<Stream>(settings, annotates)) {}

PhotoWatcher::~PhotoWatcher() = default;

SeenFrame PhotoWatcher::watch(const WatchInput& photo) {
  Stream& s = *stream_;
  const cv::Mat picture = read_shown_image(photo.name);
  if (picture.empty()) {
    throw UnreadableInput(one_line(photo.name) +
                          ": expected a photo, but it cannot be decoded: it is broken, cut short "
                          "or has more than 2^30 pixels");
  }
  s.seen.reset();
  gst_app_src_push_sample(GST_APP_SRC(s.source.get()), sample_of(picture, s.photos++).get());
  Owned<GstSample> out;
  while (!out) {
    out.reset(gst_app_sink_try_pull_sample(GST_APP_SINK(s.sink.get()), kPullTimeout));
    if (out) break;
    if (const std::string why = waiting_error(s.bus.get()); !why.empty())
      throw std::runtime_error(one_line(photo.name) + ": cannot be watched: " + why);
    if (gst_app_sink_is_eos(GST_APP_SINK(s.sink.get())))
      throw std::runtime_error(one_line(photo.name) + ": cannot be watched: the stream has ended");
  }
  if (!s.seen) throw std::runtime_error(one_line(photo.name) + ": nobody looked at it");
  if (!photo.annotated.empty()) {
    GstMapInfo jpeg;
    GstBuffer* buffer = gst_sample_get_buffer(out.get());
    if (!gst_buffer_map(buffer, &jpeg, GST_MAP_READ))
      throw std::runtime_error(photo.annotated.string() + ": its overlay cannot be read");
    const std::string bytes(reinterpret_cast<const char*>(jpeg.data), jpeg.size);
    gst_buffer_unmap(buffer, &jpeg);
    make_folder(photo.annotated.parent_path());
    write_atomically(photo.annotated, {bytes});
  }
  SeenFrame frame = std::move(*s.seen);
  frame.number = 0;
  frame.time = 0;
  return frame;
}

}  // namespace fer
