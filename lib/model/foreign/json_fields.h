// Objects of JSON that people write by hand: every key is known, and every value is what it should
// be, or a sentence says what is wrong.
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "util/join.h"
#include "util/nearest.h"

namespace fer {

/// One object within a file, read key by key.
class JsonFields {
 public:
  /// `place`: the keys that lead here, "input."; empty at the top.
  JsonFields(const std::filesystem::path& file, std::string place, const nlohmann::json& object)
      : file_(file), place_(std::move(place)), object_(object) {
    if (!object.is_object()) {
      fail(place_.empty() ? "" : place_.substr(0, place_.size() - 1), "an object {…}",
           shown(object));
    }
  }

  /// Throws for a key that is none of these.
  void allow(const std::vector<std::string>& keys) const {
    for (const auto& item : object_.items()) {
      if (std::find(keys.begin(), keys.end(), item.key()) != keys.end()) continue;
      const std::string meant = nearest(item.key(), keys);
      throw std::runtime_error(file_.string() + ": unknown key \"" + place_ + item.key() + "\"" +
                               (meant.empty() ? ", expected any of " + join(keys)
                                              : "; did you mean \"" + meant + "\"?"));
    }
  }

  const std::filesystem::path& file() const { return file_; }

  bool has(const char* key) const { return object_.contains(key); }

  /// Throws where the key is missing; `expected` says what should be there.
  const nlohmann::json& at(const char* key, const std::string& expected) const {
    const auto found = object_.find(key);
    if (found == object_.end()) fail(place_ + key, expected, "nothing");
    return *found;
  }

  /// The fields of an object within.
  JsonFields object(const char* key, const std::string& expected) const {
    return JsonFields(file_, place_ + key + ".", at(key, expected));
  }

  std::string text(const char* key, const std::string& expected) const {
    const auto& value = at(key, expected);
    if (!value.is_string()) fail(place_ + key, expected, shown(value));
    return value.get<std::string>();
  }

  bool flag(const char* key) const {
    const auto& value = at(key, "true or false");
    if (!value.is_boolean()) fail(place_ + key, "true or false", shown(value));
    return value.get<bool>();
  }

  /// A number, or as many as there are in a list.
  std::vector<double> numbers(const char* key, const std::string& expected) const {
    const auto& value = at(key, expected);
    std::vector<double> numbers;
    for (const auto& one : value.is_array() ? value : nlohmann::json::array({value})) {
      if (!one.is_number() || !std::isfinite(one.get<double>()))
        fail(place_ + key, expected, shown(value));
      numbers.push_back(one.get<double>());
    }
    return numbers;
  }

  double number(const char* key, double least, double most, const std::string& expected) const {
    const auto& value = at(key, expected);
    if (!value.is_number() || !(value.get<double>() >= least && value.get<double>() <= most))
      fail(place_ + key, expected, shown(value));
    return value.get<double>();
  }

  [[noreturn]] void fail(const std::string& key, const std::string& expected,
                         const std::string& found) const {
    throw std::runtime_error(file_.string() + ": " + (key.empty() ? "" : key + ": ") + "expected " +
                             expected + ", found " + found);
  }
  /// The same for a key of this object.
  [[noreturn]] void fail_at(const char* key, const std::string& expected,
                            const std::string& found) const {
    fail(place_ + key, expected, found);
  }

  /// A value as it stands in the file, cut where it is long.
  static std::string shown(const nlohmann::json& value) {
    constexpr std::size_t kMost = 60;
    const std::string text = value.dump(-1, ' ', /*ensure_ascii=*/true);
    return text.size() <= kMost ? text : text.substr(0, kMost) + "…";
  }

 private:
  const std::filesystem::path& file_;
  const std::string place_;
  const nlohmann::json& object_;
};

}  // namespace fer
