// The elements of gst-fer as a part of a pipeline, and what comes out of them.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "files/gst_handles.h"
#include "watch/face_row.h"

namespace fer {

/// What the elements are told.
struct WatchSettings {
  std::filesystem::path model;  ///< Of ferinfer; empty: the one that ships.
  int detect_width = 0;         ///< Of ferdetect; 0: its own default.
  int inference_interval = 1;   ///< Of ferdetect: it looks at each n-th frame of a video.
  int reclassify_interval = 5;  ///< Of ferinfer.
  double max_seconds = 0;       ///< Of each video or camera, from its beginning; 0: all.
  bool thumbnails = false;
};

/// Makes GStreamer and our elements ready and holds the model, which all pipelines share, in
/// memory. Throws std::runtime_error where an element, the detector or the model is missing.
class WatchElements {
 public:
  explicit WatchElements(const WatchSettings& settings);
  ~WatchElements();
  WatchElements(const WatchElements&) = delete;
  WatchElements& operator=(const WatchElements&) = delete;

  /// Names the model and the detector, for whoever must know whether results are of the same ones.
  const std::string& identity() const { return identity_; }

 private:
  Owned<GstElement> pipeline_;
  std::string identity_;
};

/// A pipeline from its description, which has the elements "detect" and "infer"; these are told
/// `settings`. Throws std::runtime_error that `name` begins.
Owned<GstElement> watching_pipeline(const std::string& description, const WatchSettings& settings,
                                    const std::string& name);

/// The element of a pipeline that has it.
Owned<GstElement> element_of(const Owned<GstElement>& pipeline, const char* name);

/// Calls `on_frame` for each frame that leaves the element "infer", on the stream's thread, with a
/// thumbnail where `wants_thumbnail` says so of its time. It must outlive the pipeline.
class FrameProbe {
 public:
  FrameProbe(const Owned<GstElement>& pipeline, std::function<void(SeenFrame)> on_frame,
             std::function<bool(double time)> wants_thumbnail);

 private:
  static GstPadProbeReturn on_data(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  void see(GstPad* pad, GstBuffer* buffer);

  const std::function<void(SeenFrame)> on_frame_;
  const std::function<bool(double time)> wants_thumbnail_;
  std::size_t frames_ = 0;
  double last_time_ = 0;
};

/// The first error that waits on the pipeline's bus; empty: none.
std::string waiting_error(GstBus* bus);

}  // namespace fer
