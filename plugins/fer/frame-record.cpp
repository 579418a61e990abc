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

Json emotion_of(const Expression& expression) {
  Json probabilities = Json::array();
  for (const float probability : expression.probabilities) {
    probabilities.push_back(rounded(static_cast<double>(probability)));
  }
  return {{"label", expression.label},
          {"label_id", expression.label_id},
          {"confidence", rounded(expression.confidence())},
          {"probabilities", std::move(probabilities)},
          {"model_version", expression.model_version}};
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

}  // namespace

std::string to_json(const FrameRecord& record) {
  Json objects = Json::array();
  for (const FaceRecord& face : record.faces) {
    objects.push_back(object_of(face, record.width, record.height));
  }
  const Json json{{"timestamp", record.timestamp ? Json(*record.timestamp) : Json()},
                  {"resolution", {{"width", record.width}, {"height", record.height}}},
                  {"objects", std::move(objects)}};
  // Text that is no UTF-8 would throw; it gets replacement characters.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace fer
