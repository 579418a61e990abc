#include "program/help_formatter.h"

#include <regex>

namespace fer {

std::string readable_type(const std::string& type) {
  std::smatch found;
  // A few words: the type in front of them says nothing more.
  static const std::regex words(R"(^\w+:(\{[^{}]*\})$)");
  if (std::regex_match(type, found, words)) return found[1];
  static const std::regex range(R"(^\w+:(U?INT|FLOAT) in \[(\S+) - (\S+)\]$)");
  if (std::regex_match(type, found, range)) {
    const std::string name = found[1] == "FLOAT" ? "NUMBER" : "INT";
    return name + " " + found[2].str() + " to " + found[3].str();
  }
  static const std::regex sign(R"(^(U?INT|FLOAT):(NONNEGATIVE|POSITIVE)$)");
  if (std::regex_match(type, found, sign)) {
    const std::string name = found[1] == "FLOAT" ? "NUMBER" : "INT";
    return name + (found[2] == "POSITIVE" ? " above 0" : " from 0");
  }
  if (type == "UINT" || type == "UINT:UINT") return "INT";
  if (type == "FLOAT") return "NUMBER";
  if (type == "TEXT:FILE" || type == "TEXT:DIR") return type.substr(5);
  return type;
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  std::string text = CLI::Formatter::make_option_opts(option);
  const std::string type = get_label(option->get_type_name());
  const std::size_t at = type.empty() ? std::string::npos : text.find(type);
  if (at != std::string::npos) text.replace(at, type.size(), readable_type(type));
  return text;
}

}  // namespace fer
