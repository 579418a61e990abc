// Comma-separated values.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace fer {

/// Without spaces and tabs at both ends.
std::string trimmed(const std::string& text);
/// A field of RFC 4180: in quotes where the text has commas, quotes or line breaks.
std::string csv_field(const std::string& text);
/// ASCII letters in lower case.
std::string lower(std::string text);

/// Throws std::runtime_error, which `where` begins, for a name that is no UTF-8: a file of another
/// encoding.
void require_utf8(const std::string& name, const std::string& where);

/// Reads the records of RFC 4180: quotes, doubled quotes, line breaks inside quotes; lines that end
/// in LF or CRLF. All complaints are std::runtime_error with file and line.
class CsvReader {
 public:
  explicit CsvReader(const std::filesystem::path& path);

  /// The first record, trimmed, without a byte order mark. Throws where there is none. Later
  /// records must have as many fields.
  std::vector<std::string> header();

  /// False at the end. Empty lines are skipped.
  bool next(std::vector<std::string>& fields);

  /// "FILE, line N: ", the line where the last record began.
  std::string where() const;

 private:
  bool read(std::vector<std::string>& fields);

  const std::filesystem::path path_;
  std::ifstream in_;
  std::size_t columns_ = 0;  ///< 0: any number.
  int line_ = 1, record_line_ = 1;
};

}  // namespace fer
