// All cameras and slots that run now.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cameras/camera.h"
#include "config/service_config.h"
#include "slots/slot.h"

namespace fer {

/// Brings what runs in line with a file: what the file leaves as it was goes on untouched. apply()
/// and stop() belong to one thread; the rest may be asked by any.
class Fleet {
 public:
  ~Fleet() { stop(); }

  /// What a change of the file did, for people.
  struct Changes {
    int started = 0, stopped = 0, kept = 0;  ///< Cameras.
  };
  /// Starts, stops and restarts cameras and slots. Throws std::runtime_error where a slot cannot be
  /// made; the cameras of the others run then.
  Changes apply(const ServiceConfig& config);
  void stop();

  std::vector<std::shared_ptr<Camera>> cameras() const;  ///< In the file's order.
  std::vector<std::shared_ptr<Slot>> slots() const;
  /// Null where there is none of this name.
  std::shared_ptr<Camera> camera(const std::string& name) const;
  std::shared_ptr<Slot> slot(const std::string& name) const;

 private:
  mutable std::mutex mutex_;  ///< Held for copies of the lists.
  std::vector<std::shared_ptr<Camera>> cameras_;
  std::vector<std::shared_ptr<Slot>> slots_;
};

}  // namespace fer
