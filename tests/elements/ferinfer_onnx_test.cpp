// ferinfer with a network of others: an ONNX file and its description.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <opencv2/imgproc.hpp>
#include <string>
#include <vector>

#include "data/tiny_onnx.h"
#include "element_test.h"
#include "made_up_faces.h"
#include "scoped.h"
#include "unit/model/wait_for.h"

namespace fer {
namespace {

using namespace test;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

const cv::Size kSize(320, 160);

/// The brighter a face, the happier.
constexpr char kDescription[] = R"({
  "input": {"color_space": "GREY", "layout": "nchw", "range": [-1, 1]},
  "output": {"type": "logits"},
  "labels": ["sad", "happy", "neutral"]
})";

/// Outputs -gain v, gain v and 0.5, of the value v in the middle of the crop.
std::string brightness_net(float gain = 4) {
  TinyOnnx net = picking_onnx({1, 1, 8, 8}, {36, 36, 36});
  net.weight[0][36] = -gain;
  net.weight[1][36] = gain;
  net.weight[2][36] = 0;
  net.bias[2] = 0.5f;
  return net.bytes();
}

/// Dark on the left, bright on the right.
cv::Mat two_halves() {
  cv::Mat picture(kSize, CV_8UC3, cv::Scalar::all(20));
  picture.colRange(kSize.width / 2, kSize.width).setTo(cv::Scalar::all(235));
  return picture;
}

class FerInferOnnx : public testing::Test {
 protected:
  std::string write(const std::string& onnx = brightness_net(),
                    const std::string& description = kDescription) const {
    folder_.write("net.json", description);
    return folder_.write("net.onnx", onnx).string();
  }
  void play(const std::string& model, Properties properties = {}) {
    properties.emplace_back("model", model);
    properties.emplace_back("smoothing", "0");
    harness_ = std::make_unique<Harness>(make_element("ferinfer", properties));
    harness_->set_caps(video_caps("GRAY8", kSize.width, kSize.height));
  }
  /// What it says of a dark face and a bright one.
  std::vector<FaceRecord> label() {
    BufferPtr frame =
        with_faces(make_frame(two_halves(), "GRAY8", Layout::kPacked, number_++),
                   video_info("GRAY8", kSize.width, kSize.height),
                   {face_at(0.1, 0.2, 0.25, 0.5, 1), face_at(0.65, 0.2, 0.25, 0.5, 2)});
    EXPECT_EQ(harness_->push(std::move(frame)), GST_FLOW_OK);
    const BufferPtr out = harness_->try_pull();
    return out ? faces_of(out.get()) : std::vector<FaceRecord>();
  }
  GstElement* element() { return harness_->element(); }
  std::string text_stat(const char* field) {
    const StructurePtr stats = property<StructurePtr>(element(), "stats");
    const char* text = gst_structure_get_string(stats.get(), field);
    return text == nullptr ? "" : text;
  }

  ScopedFolder folder_;
  std::unique_ptr<Harness> harness_;
  int number_ = 0;
};

TEST_F(FerInferOnnx, LabelsTheFacesOfAFrameInOneBatch) {
  play(write());
  const auto faces = label();
  ASSERT_EQ(faces.size(), 2u);
  ASSERT_TRUE(faces[0].expression && faces[1].expression);
  EXPECT_EQ(faces[0].expression->label, "sadness");
  EXPECT_EQ(faces[1].expression->label, "happiness");
  EXPECT_EQ(faces[0].expression->labels,
            (std::vector<std::string>{"sadness", "happiness", "neutral"}));
  // v = 235 / 255 · 2 - 1 = 0.843; e^3.373 / (e^-3.373 + e^3.373 + e^0.5)
  EXPECT_NEAR(faces[1].expression->confidence(), 0.945, 0.002);
  EXPECT_EQ(faces[0].expression->model_version, text_stat("model-version"));
  EXPECT_EQ(stat(element(), "batches"), 1);
  EXPECT_EQ(stat(element(), "inferences"), 2);
  EXPECT_THAT(text_stat("engine"), testing::AnyOf(StartsWith("OpenCV "), StartsWith("ONNX ")));
}

TEST_F(FerInferOnnx, MarksLabelsUnsureByTheDescription) {
  std::string description = kDescription;
  description.insert(1, R"("operating_points": [0.5, 0.99, null],)");
  play(write(brightness_net(), description));
  const auto faces = label();
  ASSERT_EQ(faces.size(), 2u);
  EXPECT_FALSE(faces[0].expression->unsure);
  EXPECT_TRUE(faces[1].expression->unsure);
}

TEST_F(FerInferOnnx, SaysWhatIsWrongWithADescription) {
  EXPECT_THAT(start_error("ferinfer", {{"model", write(brightness_net(), "{}")}}),
              AllOf(HasSubstr("net.json"), HasSubstr("input: expected an object")));
  const auto lonely = folder_.write("lonely.onnx", brightness_net());
  EXPECT_THAT(start_error("ferinfer", {{"model", lonely.string()}}),
              HasSubstr("expected its description beside it, lonely.json"));
}

TEST_F(FerInferOnnx, KeepsTheModelWhereABadOneReplacesIt) {
  const std::string path = write();
  play(path);
  const std::string version = label().at(0).expression->model_version;
  write("no network");
  ASSERT_TRUE(wait_for([&] {
    label();
    return stat(element(), "load-errors") == 1;
  }));
  label();
  const MessagePtr warning = harness_->messages().wait(GST_MESSAGE_WARNING);
  ASSERT_TRUE(warning);
  EXPECT_THAT(message_text(warning.get()),
              AllOf(HasSubstr("serves on"), HasSubstr("net.onnx: expected an ONNX network")));
  EXPECT_EQ(label().at(1).expression->model_version, version);
  // A good one follows without a frame lost.
  write(brightness_net(-4));
  ASSERT_TRUE(wait_for([&] {
    label();
    return stat(element(), "swaps") == 1;
  }));
  const auto faces = label();
  EXPECT_EQ(faces.at(0).expression->label, "happiness");
  EXPECT_NE(faces.at(0).expression->model_version, version);
}

#ifdef HAVE_FERLEARN
TEST_F(FerInferOnnx, CannotBeLearntOn) {
  EXPECT_THAT(start_error("ferlearn", {{"source-model", write()}, {"model-slot", "onnx"}}),
              AllOf(HasSubstr("net.onnx: expected a model of gst-fer's own (.fer)"),
                    HasSubstr("does not learn")));
}
#endif

}  // namespace
}  // namespace fer
