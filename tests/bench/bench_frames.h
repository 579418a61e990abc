// What benchmarks that play frames from memory share.
#pragma once

#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <sys/resource.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

namespace fer::bench {

/// A pipeline of gst-launch's syntax; throws what is wrong with it.
inline GstElement* parsed(const std::string& text) {
  GError* error = nullptr;
  GstElement* pipeline = gst_parse_launch(text.c_str(), &error);
  if (error == nullptr) return pipeline;
  const std::string what = error->message;
  g_clear_error(&error);
  if (pipeline != nullptr) gst_object_unref(pipeline);
  throw std::runtime_error(what);
}

/// The first `most` frames of a clip after `elements`, each a reference of the caller's.
inline std::vector<GstBuffer*> decoded(const std::string& clip, const std::string& elements,
                                       std::size_t max) {
  GstElement* pipeline =
      parsed("filesrc name=clip ! decodebin ! " + elements + " ! appsink name=frames sync=false");
  GstElement* source = gst_bin_get_by_name(GST_BIN(pipeline), "clip");
  g_object_set(source, "location", clip.c_str(), nullptr);
  gst_object_unref(source);
  GstElement* sink = gst_bin_get_by_name(GST_BIN(pipeline), "frames");
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  std::vector<GstBuffer*> frames;
  while (frames.size() < max) {
    GstSample* sample = gst_app_sink_pull_sample(GST_APP_SINK(sink));
    if (sample == nullptr) break;
    frames.push_back(gst_buffer_ref(gst_sample_get_buffer(sample)));
    gst_sample_unref(sample);
  }
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(sink);
  gst_object_unref(pipeline);
  if (frames.empty()) throw std::runtime_error(clip + ": expected a video, no frame came of it");
  return frames;
}

/// What this process has used of the processors so far, in seconds.
inline double processor_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

}  // namespace fer::bench
