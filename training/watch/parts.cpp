#include "watch/parts.h"

#include <glib.h>

#include <fstream>
#include <stdexcept>
#include <system_error>

#include "model/owner_only_files.h"
#include "util/json_text.h"

namespace fer {
namespace {

namespace fs = std::filesystem;

/// How a line begins that is no row.
constexpr char kThumbnail[] = "{\"thumbnail\":", kEnd[] = "{\"end\":";

/// Files that are made meanwhile are their owner's alone.
const fs::path& for_owner(const fs::path& file, const OwnerOnlyFiles& /*meanwhile*/) {
  return file;
}

std::string base64(const std::string& bytes) {
  gchar* text = g_base64_encode(reinterpret_cast<const guchar*>(bytes.data()), bytes.size());
  std::string encoded = text;
  g_free(text);
  return encoded;
}

}  // namespace

PartWriter::PartWriter(const fs::path& file) : file_(for_owner(file, OwnerOnlyFiles())) {}

void PartWriter::add(const std::string& input, const SeenFrame& frame) {
  for (std::size_t i = 0; i < frame.faces.size(); ++i)
    file_.append(json_text(face_row(input, frame, frame.faces[i], i + 1)) + "\n");
  if (frame.thumbnail.empty()) return;
  const nlohmann::ordered_json line{
      {"thumbnail", base64(frame.thumbnail)}, {"input", input}, {"time", frame.time}};
  file_.append(json_text(line) + "\n");
}

void PartWriter::end(const WatchResult& result, const std::vector<std::string>& classes) {
  const nlohmann::ordered_json line{{"end", nlohmann::json(result)}, {"classes", classes}};
  file_.append(json_text(line) + "\n");
}

void PartWriter::commit() {
  file_.commit();
}

void PartReader::read(const fs::path& file) const {
  std::ifstream in(file);
  if (!in) throw std::runtime_error(file.string() + ": cannot be read");
  try {
    for (std::string line; std::getline(in, line);) take(line);
  } catch (const nlohmann::json::exception&) {
    throw std::runtime_error(file.string() +
                             ": is damaged; --restart begins anew without what is there");
  }
}

void PartReader::take(const std::string& line) const {
  if (line.starts_with(kEnd)) {
    const auto json = nlohmann::json::parse(line);
    if (on_end)
      on_end(json.at("end").get<WatchResult>(), json.at("classes").get<std::vector<std::string>>());
  } else if (line.starts_with(kThumbnail)) {
    if (!on_thumbnail) return;
    const auto json = nlohmann::json::parse(line);
    on_thumbnail(json.at("input").get<std::string>(),
                 {json.at("time").get<double>(), json.at("thumbnail").get<std::string>()});
  } else {
    if (on_row_line) on_row_line(line);
    if (on_row) on_row(nlohmann::ordered_json::parse(line));
  }
}

Parts::Parts(const fs::path& output, std::string settings)
    : folder_(output.string() + ".parts"), settings_(std::move(settings)) {}

void Parts::make(bool restart) const {
  std::error_code error;
  if (restart) fs::remove_all(folder_, error);
  if (!error) fs::create_directories(folder_, error);
  if (!error) fs::permissions(folder_, fs::perms::owner_all, error);
  if (error)
    throw std::runtime_error(folder_.string() + ": cannot be made: " + error.message() +
                             "; results are collected in it");
}

fs::path Parts::done(const WatchUnit& unit) const {
  return named(unit, ".jsonl");
}

fs::path Parts::stopped(const WatchUnit& unit) const {
  return named(unit, ".stopped.jsonl");
}

void Parts::remove() const {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

fs::path Parts::named(const WatchUnit& unit, const char* ending) const {
  std::string about = settings_;
  for (const WatchInput& input : unit) {
    about += '\0' + input.name + '\0' + std::to_string(input.bytes) + '\0' +
             std::to_string(input.modified) + '\0' + input.annotated.string();
  }
  gchar* sum = g_compute_checksum_for_data(
      G_CHECKSUM_SHA256, reinterpret_cast<const guchar*>(about.data()), about.size());
  const std::string name(sum, 24);
  g_free(sum);
  return folder_ / (name + ending);
}

}  // namespace fer
