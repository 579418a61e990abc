#include "frame-record.h"

#include <cmath>
#include <nlohmann/json.hpp>

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
          {"unsure", expression.unsure}};
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
                  {"y_max", rounded(face.y + face.h)}}}}}};
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
  const Json json{{"timestamp", record.timestamp ? Json(*record.timestamp) : Json()},
                  {"resolution", resolution_of(record)},
                  {"objects", std::move(objects)}};
  // Text that is no UTF-8 would throw; it gets replacement characters.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace fer
