// One camera's GStreamer pipeline, from its address to its records and pictures.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cameras/expression_timeline.h"
#include "cameras/latest_picture.h"
#include "config/camera_uri.h"
#include "config/service_config.h"

namespace fer {

/// What a pipeline needs besides its camera's settings.
struct CameraShared {
  SlotConfig slot;
  std::string metrics;  ///< host:port; empty: none.
  bool pictures = true;
  int picture_width = 640;
  double picture_rate = 5;
  bool operator==(const CameraShared&) const = default;
};

/// Source, decoder, detector, classifier, learner and records; beside them, pictures for the page,
/// which are made only while somebody looks. Runs from its construction to its destruction.
class CameraPipeline {
 public:
  /// Told of each frame, on the streaming thread: the labels and the faces. Must not wait.
  using OnFrame = std::function<void(const std::vector<std::string>&, std::vector<SeenExpression>)>;

  /// Begins to play. Throws std::runtime_error where the pipeline cannot be made, without secrets.
  CameraPipeline(const CameraConfig& camera, const CameraShared& shared, const Redactor& redactor,
                 OnFrame on_frame, std::shared_ptr<LatestPicture> picture);
  /// Stops, and ends its threads.
  ~CameraPipeline();
  CameraPipeline(const CameraPipeline&) = delete;
  CameraPipeline& operator=(const CameraPipeline&) = delete;

  struct News {
    enum Kind { kNothing, kWarning, kEnded, kFailed } kind = kNothing;
    std::string text;  ///< Without secrets.
  };
  /// What the pipeline says next; waits for it until `timeout`.
  News wait(std::chrono::milliseconds timeout);

  /// Makes pictures, or none.
  void make_pictures(bool wanted);

  /// Whether the stream says how long it is, as recordings do.
  bool has_length();
  /// For recordings that end: plays from the beginning. False where that cannot be.
  bool rewind();

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace fer
