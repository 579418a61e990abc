#include "config/toml_table.h"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <utility>

#include "util/nearest.h"

namespace fer {
namespace {

std::string number_text(double number) {
  std::ostringstream text;
  text << number;
  return text.str();
}

}  // namespace

std::string kind_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a number";
    case toml::node_type::boolean:
      return "a boolean";
    default:
      return "a date or time";
  }
}

std::string suggestion(const std::string& given, const std::set<std::string>& names) {
  if (const std::string near = nearest(given, {names.begin(), names.end()}); !near.empty())
    return "; did you mean " + near + "?";
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return "; expected one of " + all;
}

std::size_t TomlTable::line_of(const std::string& key) const {
  const toml::node* found = table_.get(key);
  return found ? found->source().begin.line : line();
}

const toml::node* TomlTable::node(const std::string& key) {
  known_.insert(key);
  return table_.get(key);
}

void TomlTable::problem(const std::string& key, const std::string& text) {
  problems_.push_back({line_of(key), name_ + ": " + (key.empty() ? "" : key + ": ") + text});
}

std::string TomlTable::text(const std::string& key, const std::string& otherwise) {
  const toml::node* found = node(key);
  if (!found) return otherwise;
  if (const auto value = found->value_exact<std::string>()) {
    if (value->find('\0') == std::string::npos) return *value;
    problem(key, "a string with a zero byte in it");
    return otherwise;
  }
  problem(key, "expected a string, found " + kind_of(*found));
  return otherwise;
}

bool TomlTable::flag(const std::string& key, bool otherwise) {
  const toml::node* found = node(key);
  if (!found) return otherwise;
  if (const auto value = found->value_exact<bool>()) return *value;
  problem(key, "expected true or false, found " + kind_of(*found));
  return otherwise;
}

double TomlTable::number(const std::string& key, double otherwise, double min, double max) {
  const toml::node* found = node(key);
  if (!found) return otherwise;
  if (!found->is_number()) {
    problem(key, "expected a number, found " + kind_of(*found));
    return otherwise;
  }
  const double value = found->value<double>().value_or(otherwise);
  // Asked this way round, what is not a number is outside, too.
  if (value >= min && value <= max) return value;
  problem(key, number_text(value) + ": expected a number from " + number_text(min) + " to " +
                   number_text(max));
  return otherwise;
}

int TomlTable::whole(const std::string& key, int otherwise, int min, int max) {
  const double value = number(key, otherwise, min, max);
  if (value == std::floor(value)) return static_cast<int>(value);
  problem(key, number_text(value) + ": expected a whole number");
  return otherwise;
}

std::vector<std::string> TomlTable::texts(const std::string& key) {
  std::vector<std::string> all;
  const toml::node* found = node(key);
  if (!found) return all;
  const toml::array* array = found->as_array();
  if (!array) {
    problem(key, "expected an array of strings, found " + kind_of(*found));
    return all;
  }
  for (const toml::node& one : *array) {
    if (const auto value = one.value_exact<std::string>()) {
      all.push_back(*value);
    } else {
      problem(key, "expected strings alone, found " + kind_of(one));
    }
  }
  return all;
}

const toml::table* TomlTable::table(const std::string& key) {
  const toml::node* found = node(key);
  if (!found) return nullptr;
  if (!found->is_table()) problem(key, "expected a table, found " + kind_of(*found));
  return found->as_table();
}

std::vector<const toml::table*> TomlTable::tables(const std::string& key) {
  std::vector<const toml::table*> all;
  const toml::node* found = node(key);
  if (!found) return all;
  const toml::array* array = found->as_array();
  if (!array) {
    problem(key, "expected an array of tables, found " + kind_of(*found));
    return all;
  }
  for (const toml::node& one : *array) {
    if (one.is_table()) {
      all.push_back(one.as_table());
    } else {
      problem(key, "expected tables alone, found " + kind_of(one));
    }
  }
  return all;
}

void TomlTable::finish() {
  for (const auto& [key, value] : table_) {
    const std::string name(key.str());
    if (known_.contains(name)) continue;
    problems_.push_back(
        {key.source().begin.line, name_ + ": unknown key " + name + suggestion(name, known_)});
  }
}

}  // namespace fer
