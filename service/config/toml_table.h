// A table of a TOML file, read key by key; what is wrong is noted by line rather than thrown, so
// that one look at the file tells all.
#pragma once

#include <toml++/toml.h>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/problems.h"

namespace fer {

class TomlTable {
 public:
  /// `name`: of the table for messages, as "[page]" or "camera \"door\"". Both references must
  /// outlive it.
  TomlTable(const toml::table& table, std::string name, std::vector<Problem>& problems)
      : table_(table), name_(std::move(name)), problems_(problems) {}

  const std::string& name() const { return name_; }
  void rename(std::string name) { name_ = std::move(name); }
  std::size_t line() const { return table_.source().begin.line; }
  /// Of the key's value; the table's own where it has no such key.
  std::size_t line_of(const std::string& key) const;
  bool has(const std::string& key) const { return table_.contains(key); }

  /// The value, or `otherwise` where there is no such key. One of another type is a problem.
  std::string text(const std::string& key, const std::string& otherwise = {});
  bool flag(const std::string& key, bool otherwise);
  /// Whole or not; outside of [min, max] is a problem.
  double number(const std::string& key, double otherwise, double min, double max);
  int whole(const std::string& key, int otherwise, int min, int max);
  std::vector<std::string> texts(const std::string& key);
  /// Null where there is none.
  const toml::table* table(const std::string& key);
  /// Tables of an array ([[key]]), in order.
  std::vector<const toml::table*> tables(const std::string& key);
  /// Any value; null where there is none.
  const toml::node* node(const std::string& key);

  /// Notes a problem of the key, or of the table.
  void problem(const std::string& key, const std::string& text);
  void problem(const std::string& text) { problem("", text); }

  /// Keys that nobody asked for are problems, with the nearest of those that were asked for.
  void finish();

 private:
  const toml::table& table_;
  std::string name_;
  std::vector<Problem>& problems_;
  std::set<std::string> known_;
};

/// "a string", "an integer", … for messages.
std::string kind_of(const toml::node& node);

/// "; did you mean NAME?", or which names there are.
std::string suggestion(const std::string& given, const std::set<std::string>& names);

}  // namespace fer
