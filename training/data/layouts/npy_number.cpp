#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>

#include "data/layouts/layouts.h"
#include "util/read_file.h"

namespace fer {
namespace {

constexpr std::uintmax_t kMaxBytes = 1 << 20;
constexpr std::string_view kMagic = "\x93NUMPY";

template <typename T>
double value_of(const std::string& bytes) {
  static_assert(std::endian::native == std::endian::little);
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return static_cast<double>(value);
}

/// What stands between the quotes behind 'descr'; empty where there are none.
std::string type_of(const std::string& header) {
  const auto key = header.find("'descr'");
  const auto open = key == std::string::npos ? key : header.find('\'', key + 7);
  const auto close = open == std::string::npos ? open : header.find('\'', open + 1);
  return close == std::string::npos ? std::string() : header.substr(open + 1, close - open - 1);
}

}  // namespace

double read_npy_number(const std::filesystem::path& path) {
  const auto fail = [&](const std::string& found) -> double {
    throw std::runtime_error(path.string() + ": expected a NumPy file with one number, found " +
                             found);
  };
  if (!std::filesystem::exists(path)) return fail("no such file");
  const std::string bytes = read_file(path, kMaxBytes);
  if (bytes.size() < 12 || bytes.compare(0, kMagic.size(), kMagic) != 0)
    return fail("another file");
  // Version 1 counts the header in two bytes, later ones in four.
  const std::size_t start = bytes[6] == 1 ? 10 : 12;
  std::size_t length = 0;
  for (std::size_t i = start; i-- > 8;) length = length << 8 | static_cast<unsigned char>(bytes[i]);
  if (length > bytes.size() - start) return fail("one that is cut short");
  const std::string type = type_of(bytes.substr(start, length));
  const std::string data = bytes.substr(start + length);
  if (type.size() < 3 || type[0] == '>') return fail("one of type \"" + type + "\"");
  const std::string_view kind(type.c_str() + 1);
  int size = 0;
  std::from_chars(kind.data() + 1, kind.data() + kind.size(), size);
  if (kind[0] == 'U' || kind[0] == 'S') {
    // Text: UCS-4, or bytes; of digits either has its digit in the first byte of a character.
    const std::size_t width = kind[0] == 'U' ? 4 : 1;
    if (size < 1 || data.size() != static_cast<std::size_t>(size) * width)
      return fail("more or less than one text");
    std::string text;
    for (std::size_t i = 0; i < data.size() && data[i] != '\0'; i += width) text += data[i];
    int number = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), number).ptr;
    if (text.empty() || end != text.data() + text.size()) return fail("\"" + text + "\"");
    return number;
  }
  if (data.size() != static_cast<std::size_t>(size)) return fail("more or less than one number");
  if (kind == "i1") return value_of<std::int8_t>(data);
  if (kind == "u1") return value_of<std::uint8_t>(data);
  if (kind == "i2") return value_of<std::int16_t>(data);
  if (kind == "i4") return value_of<std::int32_t>(data);
  if (kind == "i8") return value_of<std::int64_t>(data);
  if (kind == "f4") return value_of<float>(data);
  if (kind == "f8") return value_of<double>(data);
  return fail("one of type \"" + type + "\"");
}

}  // namespace fer
