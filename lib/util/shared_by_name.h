// What all in a process share that name the same name.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace fer {

/// Finds objects by name, for as long as somebody holds them. Thread-safe.
template <typename Object>
class SharedByName {
 public:
  /// The object of this name, or what `make()` makes where there is none; others that come
  /// meanwhile wait. An empty name makes one that nobody else shares. Throws what `make()` throws.
  template <typename Make>
  std::shared_ptr<Object> get(const std::string& name, const Make& make) {
    if (name.empty()) return make();
    const std::lock_guard lock(mutex_);
    std::erase_if(objects_, [](const auto& entry) { return entry.second.expired(); });
    std::shared_ptr<Object> object = objects_[name].lock();
    if (!object) objects_[name] = object = make();
    return object;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<Object>> objects_;
};

}  // namespace fer
