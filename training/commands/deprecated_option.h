// Options that were renamed.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

namespace fer {

/// Takes the option's old name, too: it sets the same value, says on standard error what the option
/// is called now, and does not appear in the help.
template <typename Value>
CLI::Option* add_deprecated(CLI::App& command, const std::string& old_name, Value& value,
                            const std::string& new_name) {
  return command
      .add_option_function<Value>(old_name,
                                  [&value, old_name, new_name](const Value& given) {
                                    std::fprintf(stderr, "note: %s is deprecated; use %s\n",
                                                 old_name.c_str(), new_name.c_str());
                                    value = given;
                                  })
      ->group("");
}

}  // namespace fer
