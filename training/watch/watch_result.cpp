#include "watch/watch_result.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>
#include <vector>

namespace fer {
namespace {

using nlohmann::json;

const std::pair<const char*, std::size_t WatchResult::*> kCounts[] = {
    {"inputs", &WatchResult::inputs},  {"frames", &WatchResult::frames},
    {"faces", &WatchResult::faces},    {"empty_frames", &WatchResult::empty_frames},
    {"people", &WatchResult::people},  {"unsure", &WatchResult::unsure},
    {"dropped", &WatchResult::dropped}};

std::string counted(std::size_t count, const char* one, const char* many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

std::string percent(std::size_t part, std::size_t whole) {
  const double share = whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
  return std::to_string(std::lround(100 * share)) + " %";
}

}  // namespace

void to_json(json& json, const WatchResult& result) {
  json = {{"name", result.name},       {"kind", static_cast<int>(result.kind)},
          {"error", result.error},     {"stopped", result.stopped},
          {"seconds", result.seconds}, {"work_seconds", result.work_seconds},
          {"labels", result.labels}};
  for (const auto& [name, count] : kCounts) json[name] = result.*count;
}

void from_json(const json& json, WatchResult& result) {
  json.at("name").get_to(result.name);
  result.kind = static_cast<WatchKind>(json.at("kind").get<int>());
  json.at("error").get_to(result.error);
  json.at("stopped").get_to(result.stopped);
  json.at("seconds").get_to(result.seconds);
  json.at("work_seconds").get_to(result.work_seconds);
  json.at("labels").get_to(result.labels);
  for (const auto& [name, count] : kCounts) json.at(name).get_to(result.*count);
}

void add_counts(WatchResult& sum, const WatchResult& other) {
  for (const auto& [name, count] : kCounts) sum.*count += other.*count;
  sum.seconds += other.seconds;
  sum.work_seconds += other.work_seconds;
  sum.stopped = sum.stopped || other.stopped;
  for (const auto& [label, count] : other.labels) sum.labels[label] += count;
}

WatchTally::WatchTally(const WatchInput& input) {
  result_.name = input.name;
  result_.kind = input.kind;
}

void WatchTally::add(const SeenFrame& frame) {
  ++result_.frames;
  if (frame.faces.empty()) ++result_.empty_frames;
  for (const FaceRecord& face : frame.faces) {
    ++result_.faces;
    if (face.track_id == 0 || ids_.insert(face.track_id).second) ++result_.people;
    if (!face.expression) continue;
    if (classes_.empty()) classes_ = face.expression->labels;
    if (face.expression->unsure) {
      ++result_.unsure;
    } else {
      ++result_.labels[face.expression->label];
    }
  }
}

std::string summary_line(const WatchResult& result) {
  std::string line = one_line(result.name) + ": ";
  if (!result.error.empty() && result.frames == 0) return line + "could not be watched";
  char text[64];
  if (result.kind != WatchKind::kPhoto) {
    std::snprintf(text, sizeof text, "%.1f s, ", result.seconds);
    line += text + counted(result.frames, "frame", "frames") + ", " +
            counted(result.people, "person", "people");
  } else {
    line += counted(result.faces, "face", "faces");
  }
  std::vector<std::pair<std::size_t, std::string>> labels;
  for (const auto& [label, count] : result.labels) labels.emplace_back(count, label);
  std::sort(labels.rbegin(), labels.rend());
  for (const auto& [count, label] : labels)
    line += ", " + percent(count, result.faces) + " " + label;
  if (result.unsure > 0) line += ", " + percent(result.unsure, result.faces) + " unsure";
  if (result.kind != WatchKind::kPhoto && result.empty_frames > 0)
    line += "; nobody in " + percent(result.empty_frames, result.frames) + " of the frames";
  if (result.dropped > 0) line += "; " + counted(result.dropped, "frame", "frames") + " dropped";
  return line + (result.stopped ? "; stopped before its end" : "");
}

std::string speed_text(const WatchResult& result, double seconds) {
  if (seconds <= 0 || result.frames == 0) return "";
  char text[96];
  const double rate = static_cast<double>(result.frames) / seconds;
  if (result.seconds > 0) {
    std::snprintf(text, sizeof text, "%.0f frames a second, %.1f times real time", rate,
                  result.seconds / seconds);
  } else {
    std::snprintf(text, sizeof text, "%.0f pictures a second", rate);
  }
  return text;
}

}  // namespace fer
