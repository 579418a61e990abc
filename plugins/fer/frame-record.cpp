#include "frame-record.h"

#include <array>
#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

namespace fer {
namespace {

using Json = nlohmann::ordered_json;

/// Six decimals say all there is to say, and "0.9" reads better than a float's 0.89999997615814209.
double rounded(double value) {
  return std::round(value * 1e6) / 1e6;
}

/// By label where the record names the classes, else in the model's order.
Json probabilities_of(const Expression& expression) {
  const auto& numbers = expression.probabilities;
  const bool named = !numbers.empty() && expression.labels.size() == numbers.size();
  Json probabilities = named ? Json::object() : Json::array();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const double number = rounded(static_cast<double>(numbers[i]));
    if (named) {
      probabilities[expression.labels[i]] = number;
    } else {
      probabilities.push_back(number);
    }
  }
  return probabilities;
}

Json emotion_of(const Expression& expression) {
  return {{"label", expression.label},
          {"label_id", expression.label_id},
          {"confidence", rounded(expression.confidence())},
          {"probabilities", probabilities_of(expression)},
          {"model_version", expression.model_version},
          {"unsure", expression.unsure},
          {"age", expression.age}};
}

/// Points by their names, as shares of the frame's width and height. "Right" is the person's.
Json landmarks_of(const std::array<double, 10>& points) {
  constexpr std::array<const char*, 5> kNames{"right_eye", "left_eye", "nose", "mouth_right",
                                              "mouth_left"};
  Json landmarks = Json::object();
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    landmarks[kNames[i]] = {rounded(points[2 * i]), rounded(points[2 * i + 1])};
  }
  return landmarks;
}

/// 2026-11-30T13:41:05.123456Z, which sorts as text and which every language reads.
std::string utc_text(std::int64_t unix_ns) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::int64_t part = (unix_ns % kSecond + kSecond) % kSecond;
  const auto whole = static_cast<std::time_t>((unix_ns - part) / kSecond);
  std::tm parts{};
  gmtime_r(&whole, &parts);
  std::array<char, 32> date{};
  std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S.", &parts);
  const std::string micros = std::to_string(part / 1000);
  return date.data() + std::string(6 - micros.size(), '0') + micros + "Z";
}

Json object_of(const FaceRecord& face, gint width, gint height) {
  const PixelBox box = pixel_box(face, width, height);
  Json object{{"x", box.x},
              {"y", box.y},
              {"w", box.w},
              {"h", box.h},
              {"roi_type", "face"},
              {"id", face.track_id != 0 ? Json(face.track_id) : Json()},
              {"detection",
               {{"confidence", rounded(face.confidence)},
                {"bounding_box",
                 {{"x_min", rounded(face.x)},
                  {"y_min", rounded(face.y)},
                  {"x_max", rounded(face.x + face.w)},
                  {"y_max", rounded(face.y + face.h)}}}}},
              // Of what can be known of the picture of a face: whether it shows how the face is
              // turned.
              {"quality", {{"clear", face.clear}}}};
  if (face.landmarks) object["detection"]["landmarks"] = landmarks_of(*face.landmarks);
  if (face.expression) object["emotion"] = emotion_of(*face.expression);
  return object;
}

/// The size of the frame as it is stored, in whose pixels the boxes are, and how it is to be seen
/// where that is not as it is stored.
Json resolution_of(const FrameRecord& record) {
  Json resolution{{"width", record.width}, {"height", record.height}};
  if (record.pixel_aspect != 1) resolution["pixel_aspect"] = rounded(record.pixel_aspect);
  if (record.orientation != Orientation::kIdentity)
    resolution["orientation"] = static_cast<int>(record.orientation);
  return resolution;
}

}  // namespace

std::string to_json(const FrameRecord& record) {
  Json objects = Json::array();
  for (const FaceRecord& face : record.faces) {
    objects.push_back(object_of(face, record.width, record.height));
  }
  Json json{{"timestamp", record.timestamp ? Json(*record.timestamp) : Json()},
            {"resolution", resolution_of(record)},
            {"objects", std::move(objects)}};
  if (record.time) {
    json["utc"] = utc_text(record.time->unix_ns);
    json["utc_from"] = record.time->of_camera ? "camera" : "clock";
  }
  if (record.origin) {
    if (!record.origin->source.empty()) json["source"] = record.origin->source;
    if (!record.origin->tags.empty()) json["tags"] = record.origin->tags;
    json["run"] = record.origin->run;
  }
  if (record.frame > 0) json["frame"] = record.frame;
  // Text that is no UTF-8 would throw; it gets replacement characters.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::map<std::string, std::string> parse_tags(const std::string& text) {
  std::map<std::string, std::string> tags;
  std::istringstream in(text);
  for (std::string tag; std::getline(in, tag, ',');) {
    const std::size_t equals = tag.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw std::runtime_error(std::string("The tags \"") + text +
                               "\" are not key=value,key=value: \"" + tag + "\" has no " +
                               (equals == 0 ? "key" : "=") + ".");
    }
    if (!tags.emplace(tag.substr(0, equals), tag.substr(equals + 1)).second) {
      throw std::runtime_error(std::string("The tags \"") + text + "\" name " +
                               tag.substr(0, equals) + " twice.");
    }
  }
  return tags;
}

}  // namespace fer
