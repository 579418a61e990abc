// A policy's name and settings, as people write them.
#pragma once

#include <map>
#include <string>

namespace fer {

/// "dta", or with settings: "dta:beta=0.95,t-min=0.7".
class PolicyOptions {
 public:
  /// `kind` is what error sentences call it ("threshold policy"). Throws std::runtime_error for
  /// text of another form.
  PolicyOptions(std::string kind, const std::string& text);

  const std::string& name() const { return name_; }

  /// A setting, or `fallback` where the text does not name it. Throws std::runtime_error for a
  /// value outside [low, high].
  double get(const std::string& key, double fallback, double low, double high);

  /// Throws std::runtime_error that lists the settings where the text names one that was not asked
  /// for by get().
  void check_all_known() const;

  /// All settings that were asked for, with the values that hold.
  const std::map<std::string, double>& values() const { return values_; }

 private:
  std::string kind_, name_;
  std::map<std::string, double> given_, values_;
};

}  // namespace fer
