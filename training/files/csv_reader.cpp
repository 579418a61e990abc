#include "files/csv_reader.h"

#include <algorithm>
#include <cctype>
#include <stdexcept>

#include "util/json_text.h"
#include "util/read_file.h"

namespace fer {
namespace {

/// FER2013 has the pixels of an image in a field, of some 9 kB.
constexpr std::size_t kMaxField = 16 << 20;

}  // namespace

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string field = "\"";
  for (const char c : text) {
    if (c == '"') field += '"';
    field += c;
  }
  return field + '"';
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

void require_utf8(const std::string& name, const std::string& where) {
  const std::string found = as_utf8(name);
  if (found == name) return;
  throw std::runtime_error(where + "expected UTF-8, found \"" + found +
                           "\"; convert the file, say by iconv -t UTF-8");
}

CsvReader::CsvReader(const std::filesystem::path& path) : path_(path) {
  // Before it is opened: a pipe would wait for its other end.
  require_regular_file(path);
  in_.open(path, std::ios::binary);
  if (!in_) throw std::runtime_error(path.string() + ": cannot be opened");
}

std::vector<std::string> CsvReader::header() {
  std::vector<std::string> names;
  if (!next(names)) throw std::runtime_error(path_.string() + ": expected a header, found nothing");
  if (names[0].rfind("\xef\xbb\xbf", 0) == 0) names[0].erase(0, 3);
  for (std::string& name : names) name = trimmed(name);
  columns_ = names.size();
  return names;
}

bool CsvReader::next(std::vector<std::string>& fields) {
  do {
    if (!read(fields)) return false;
  } while (fields.size() == 1 && fields[0].empty());
  if (columns_ > 0 && fields.size() != columns_) {
    throw std::runtime_error(where() + "expected " + std::to_string(columns_) + " fields, found " +
                             std::to_string(fields.size()));
  }
  return true;
}

std::string CsvReader::where() const {
  return path_.string() + ", line " + std::to_string(record_line_) + ": ";
}

bool CsvReader::read(std::vector<std::string>& fields) {
  fields.assign(1, "");
  record_line_ = line_;
  bool quoted = false, any = false;
  for (int c; (c = in_.get()) != EOF;) {
    any = true;
    if (c == '\n') ++line_;
    if (quoted) {
      if (c != '"') {
        fields.back() += static_cast<char>(c);
        if (fields.back().size() > kMaxField) {
          throw std::runtime_error(where() + "a field has more than " + std::to_string(kMaxField) +
                                   " bytes; is a quote opened that is never closed?");
        }
      } else if (in_.peek() == '"') {
        fields.back() += static_cast<char>(in_.get());
      } else {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      fields.emplace_back();
    } else if (c == '\n') {
      break;
    } else if (c != '\r' || in_.peek() != '\n') {
      fields.back() += static_cast<char>(c);
    }
  }
  if (quoted) throw std::runtime_error(where() + "a quote is opened and never closed");
  return any;
}

}  // namespace fer
