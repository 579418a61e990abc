#include "exchange/collector_name.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <random>

#include "model/atomic_file.h"
#include "model/owner_only_files.h"
#include "util/make_folder.h"
#include "util/read_file.h"

namespace fer {
namespace {

constexpr char kFile[] = "collector-name";
constexpr std::size_t kMaxName = 100;

bool is_plain(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '-' || letter == '.';
}

std::string host_name() {
  char name[65] = {};
  if (gethostname(name, sizeof name - 1) != 0) return "host";
  std::string text = name;
  std::replace_if(
      text.begin(), text.end(), [](char letter) { return !is_plain(letter); }, '_');
  return text.empty() ? "host" : text;
}

}  // namespace

std::string random_name() {
  std::random_device device;
  char text[17];
  std::snprintf(text, sizeof text, "%08x%08x", device(), device());
  return text;
}

std::string collector_name(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / kFile;
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored)) {
    std::string name = read_file(file, kMaxName);
    while (!name.empty() && !is_plain(name.back())) name.pop_back();
    if (!name.empty() && std::all_of(name.begin(), name.end(),
                                     [](char letter) { return is_plain(letter) || letter == '_'; }))
      return name;
  }
  make_folder(folder);
  const std::string name = host_name() + "-" + random_name().substr(0, 8);
  write_atomically(file, {name, "\n"});
  return name;
}

}  // namespace fer
