// Things that everybody who names them alike shares.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace fer {

/// Hands out one thing per name, which lives as long as somebody holds it. An empty name makes one
/// that nobody else shares. Thread-safe.
template <typename Thing>
class SharedByName {
 public:
  /// `make()` gives a std::shared_ptr<Thing>; called where there is none of this name yet. What it
  /// throws is passed on.
  template <typename Make>
  std::shared_ptr<Thing> get(const std::string& name, const Make& make) {
    if (name.empty()) return make();
    const std::lock_guard lock(mutex_);
    std::erase_if(things_, [](const auto& entry) { return entry.second.expired(); });
    std::shared_ptr<Thing> thing = things_[name].lock();
    if (!thing) things_[name] = thing = make();
    return thing;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<Thing>> things_;
};

}  // namespace fer
