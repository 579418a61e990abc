// What the files of a learner's checkpoints are called.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

namespace fer {

/// `NNNNNNNN.fer` and `NNNNNNNN.state`, counted up with eight digits or more; `NNNNNNNN.good.…` for
/// models that served.
struct CheckpointName {
  static constexpr char kModel[] = ".fer", kState[] = ".state";

  std::int64_t number = 0;
  bool good = false;

  std::string file(const char* ending) const {
    char text[48];
    std::snprintf(text, sizeof text, "%08lld%s%s", static_cast<long long>(number),
                  good ? ".good" : "", ending);
    return text;
  }

  /// nullopt for any other name. `ending`: gets kModel or kState.
  static std::optional<CheckpointName> parse(std::string_view name,
                                             std::string_view* ending = nullptr) {
    CheckpointName parsed;
    for (const std::string_view end : {kModel, kState}) {
      if (!name.ends_with(end)) continue;
      const auto [stop, failed] =
          std::from_chars(name.data(), name.data() + name.size(), parsed.number);
      parsed.good = name.ends_with(std::string(".good") + std::string(end));
      // What it would be written as, and nothing that only looks alike.
      if (failed != std::errc() || parsed.number < 0 ||
          parsed.file(std::string(end).c_str()) != name)
        return std::nullopt;
      if (ending) *ending = end == kModel ? kModel : kState;
      return parsed;
    }
    return std::nullopt;
  }

  /// Whether a crash left this temporary file of write_atomically() for one of ours:
  /// `.NNNNNNNN.fer.123`.
  static bool is_temporary(std::string_view name) {
    const auto dot = name.rfind('.');
    return name.starts_with('.') && dot > 0 && dot + 1 < name.size() &&
           name.find_first_not_of("0123456789", dot + 1) == std::string_view::npos &&
           parse(name.substr(1, dot - 1)).has_value();
  }
};

}  // namespace fer
