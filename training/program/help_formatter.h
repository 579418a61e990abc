// What --help says of each option.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace fer {

/// CLI11's usual help, with types as people write them: {auto,always,never} and INT 16 to 512 in
/// place of what its validators call themselves.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override;
};

/// A type with its validators' descriptions, as CLI11 joins them, for people.
std::string readable_type(const std::string& type);

}  // namespace fer
