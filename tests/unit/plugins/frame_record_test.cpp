#include "frame-record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "error_of.h"

namespace fer {
namespace {

using test::error_of;
using testing::HasSubstr;
using Json = nlohmann::json;

FaceRecord plain_face() {
  FaceRecord face;
  face.track_id = 7;
  face.x = 0.25;
  face.y = 0.5;
  face.w = 0.125;
  face.h = 0.25;
  face.confidence = 0.9;
  return face;
}

FaceRecord glad_face() {
  FaceRecord face = plain_face();
  face.expression = Expression{"glad", 1, {0.1f, 0.7f, 0.2f}, {"calm", "glad", "sad"}, "v3", 4};
  return face;
}

TEST(FrameRecord, HasThePromisedForm) {
  EXPECT_EQ(
      to_json({1234567890123, 640, 360, {glad_face()}}),
      R"({"timestamp":1234567890123,"resolution":{"width":640,"height":360},"objects":[)"
      R"({"x":160,"y":180,"w":80,"h":90,"roi_type":"face","id":7,)"
      R"("detection":{"confidence":0.9,"bounding_box":)"
      R"({"x_min":0.25,"y_min":0.5,"x_max":0.375,"y_max":0.75}},"quality":{"clear":true},)"
      R"("emotion":{"label":"glad","label_id":1,"confidence":0.7,)"
      R"("probabilities":{"calm":0.1,"glad":0.7,"sad":0.2},"model_version":"v3","unsure":false,)"
      R"("age":4}}]})");
}

TEST(FrameRecord, LeavesOutWhatIsNotKnown) {
  EXPECT_EQ(to_json({std::nullopt, 4, 2, {}}),
            R"({"timestamp":null,"resolution":{"width":4,"height":2},"objects":[]})");
  FaceRecord face = plain_face();
  face.track_id = 0;
  const Json object = Json::parse(to_json({0, 640, 360, {face}}))["objects"][0];
  EXPECT_FALSE(object.contains("emotion"));
  EXPECT_TRUE(object["id"].is_null());
}

TEST(FrameRecord, ListsProbabilitiesOfClassesWithoutNames) {
  FaceRecord face = glad_face();
  face.expression->labels.clear();
  const Json named = Json::parse(to_json({0, 640, 360, {face}}))["objects"][0]["emotion"];
  EXPECT_EQ(named["probabilities"], Json::parse("[0.1,0.7,0.2]"));
  face.expression->probabilities.clear();
  const Json bare = Json::parse(to_json({0, 640, 360, {face}}))["objects"][0]["emotion"];
  EXPECT_EQ(bare["probabilities"], Json::array());
  EXPECT_EQ(bare["confidence"], 0);
}

TEST(FrameRecord, SaysWhatIsUnsure) {
  FaceRecord face = glad_face();
  face.expression->unsure = true;
  EXPECT_EQ(Json::parse(to_json({0, 640, 360, {face}}))["objects"][0]["emotion"]["unsure"], true);
}

TEST(FrameRecord, SaysHowAFrameIsSeenThatIsNotSeenAsItIsStored) {
  const FrameRecord record{0, 720, 576, {}, 64. / 45, Orientation::k90Right};
  EXPECT_EQ(Json::parse(to_json(record))["resolution"],
            Json::parse(R"({"width":720,"height":576,"pixel_aspect":1.422222,"orientation":1})"));
}

TEST(FrameRecord, SaysWhenAndFromWhereItIs) {
  FrameRecord record{0, 640, 360, {}};
  record.origin = std::make_shared<RecordOrigin>(
      RecordOrigin{"door", {{"site", "north"}, {"floor", "2"}}, "a-run"});
  record.time = FrameTime{1796046065'000'001'999, true};
  record.frame = 17;
  const Json json = Json::parse(to_json(record));
  EXPECT_EQ(json["utc"], "2026-11-30T13:41:05.000001Z");
  EXPECT_EQ(json["utc_from"], "camera");
  EXPECT_EQ(json["source"], "door");
  EXPECT_EQ(json["tags"], Json::parse(R"({"floor":"2","site":"north"})"));
  EXPECT_EQ(json["run"], "a-run");
  EXPECT_EQ(json["frame"], 17);
  record.time = FrameTime{-1, false};
  EXPECT_EQ(Json::parse(to_json(record))["utc"], "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(Json::parse(to_json(record))["utc_from"], "clock");
}

TEST(FrameRecord, NamesTheLandmarks) {
  FaceRecord face = plain_face();
  face.landmarks = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1};
  face.clear = false;
  const Json object = Json::parse(to_json({0, 640, 360, {face}}))["objects"][0];
  EXPECT_EQ(object["detection"]["landmarks"],
            Json::parse(R"({"right_eye":[0.1,0.2],"left_eye":[0.3,0.4],"nose":[0.5,0.6],
                            "mouth_right":[0.7,0.8],"mouth_left":[0.9,1.0]})"));
  EXPECT_EQ(object["quality"]["clear"], false);
}

TEST(Tags, AreKeysAndValues) {
  using Tags = std::map<std::string, std::string>;
  EXPECT_EQ(parse_tags(""), Tags());
  EXPECT_EQ(parse_tags("site=north,floor=,note=a=b"),
            (Tags{{"site", "north"}, {"floor", ""}, {"note", "a=b"}}));
  EXPECT_THAT(error_of([] { parse_tags("site=north,floor"); }), HasSubstr("\"floor\" has no ="));
  EXPECT_THAT(error_of([] { parse_tags("=north"); }), HasSubstr("no key"));
  EXPECT_THAT(error_of([] { parse_tags("a=1,a=2"); }), HasSubstr("twice"));
}

TEST(FrameRecord, KeepsTheOrderOfFaces) {
  std::vector<FaceRecord> faces(50, plain_face());
  for (std::size_t i = 0; i < faces.size(); ++i) faces[i].track_id = 100 - i;
  const Json objects = Json::parse(to_json({0, 640, 360, faces}))["objects"];
  ASSERT_EQ(objects.size(), 50u);
  for (std::size_t i = 0; i < objects.size(); ++i) EXPECT_EQ(objects[i]["id"], 100 - i);
}

TEST(FrameRecord, KeepsLargeNumbersExact) {
  FaceRecord face = plain_face();
  face.track_id = std::numeric_limits<guint64>::max();
  const Json json =
      Json::parse(to_json({std::numeric_limits<std::uint64_t>::max(), 640, 360, {face}}));
  EXPECT_EQ(json["timestamp"], std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(json["objects"][0]["id"], std::numeric_limits<guint64>::max());
}

TEST(FrameRecord, EscapesAnyText) {
  for (const std::string label : {"quote\"", "back\\slash", "two\nlines", "nul \x01", "über", ""}) {
    FaceRecord face = glad_face();
    face.expression->label = face.expression->labels[1] = face.expression->model_version = label;
    const std::string line = to_json({0, 640, 360, {face}});
    EXPECT_EQ(line.find('\n'), std::string::npos);
    const Json emotion = Json::parse(line)["objects"][0]["emotion"];
    EXPECT_EQ(emotion["label"], label);
    EXPECT_EQ(emotion["model_version"], label);
    EXPECT_NEAR(emotion["probabilities"][label].get<double>(), 0.7, 1e-9);
  }
}

TEST(FrameRecord, ReplacesWhatIsNoUtf8) {
  FaceRecord face = glad_face();
  face.expression->label = "bad \xff\xfe byte";
  const Json emotion = Json::parse(to_json({0, 640, 360, {face}}))["objects"][0]["emotion"];
  EXPECT_EQ(emotion["label"], "bad \xef\xbf\xbd\xef\xbf\xbd byte");
}

TEST(FrameRecord, NeverWritesWhatIsNoNumber) {
  FaceRecord face = glad_face();
  face.confidence = std::nan("");
  face.expression->probabilities = {std::numeric_limits<float>::infinity(), std::nanf(""), 0.5f};
  const std::string line = to_json({0, 640, 360, {face}});
  EXPECT_EQ(line.find("nan"), std::string::npos);
  EXPECT_EQ(line.find("inf"), std::string::npos);
  const Json object = Json::parse(line)["objects"][0];
  EXPECT_TRUE(object["detection"]["confidence"].is_null());
  EXPECT_TRUE(object["emotion"]["probabilities"]["calm"].is_null());
  EXPECT_EQ(object["emotion"]["probabilities"]["sad"], 0.5);
}

}  // namespace
}  // namespace fer
