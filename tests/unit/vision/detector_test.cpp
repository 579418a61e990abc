#include "vision/detector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>

#include "content.h"
#include "data/drawn_face.h"
#include "detector_models.h"
#include "raw_frame.h"
#include "scoped.h"
#include "util/sha256.h"
#include "vision/onnx_checksum.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using test::grey_view;
using test::haar_path;
using test::overlap;
using test::RawFrame;
using test::ScopedFolder;
using test::ScopedVariable;
using test::yunet_path;

constexpr const char* kYuNetFile = "face_detection_yunet_2022mar.onnx";
constexpr const char* kNewerYuNetFile = "face_detection_yunet_2023mar.onnx";

std::string message_of(const fs::path& model) {
  try {
    open_detector(model);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "opened";
}

/// Just enough of protobuf's wire format to write a small ONNX file.
std::string field(int number, const std::string& bytes) {
  std::string out(1, static_cast<char>(number << 3 | 2));
  for (std::size_t size = bytes.size();; size >>= 7) {
    out += static_cast<char>((size & 0x7f) | (size > 0x7f ? 0x80 : 0));
    if (size <= 0x7f) break;
  }
  return out + bytes;
}
std::string field(int number, int value) {
  std::string out(1, static_cast<char>(number << 3));
  for (;; value >>= 7) {
    out += static_cast<char>((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    if (value <= 0x7f) return out;
  }
}

/// A network of one Relu per output, all fed by the 1x3x128x128 input.
std::string tiny_onnx(const std::vector<std::string>& outputs) {
  std::string shape;
  for (const int size : {1, 3, 128, 128}) shape += field(1, field(1, size));
  const auto value = [&](const std::string& name) {
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)));
  };
  std::string graph;
  for (const std::string& output : outputs) {
    graph += field(1, field(1, "input") + field(2, output) + field(3, output) + field(4, "Relu"));
  }
  graph += field(2, "tiny") + field(11, value("input"));
  for (const std::string& output : outputs) graph += field(12, value(output));
  return field(1, 7) + field(7, graph) + field(8, field(1, "") + field(2, 11));
}

using testing::AllOf;
using testing::HasSubstr;

TEST(OpenDetector, SaysWhatIsWrongWithTheFile) {
  const ScopedFolder folder;
  EXPECT_THAT(message_of(folder.path() / "none.onnx"),
              AllOf(HasSubstr("none.onnx"), HasSubstr("expected"), HasSubstr("no such file")));
  EXPECT_THAT(message_of(folder.path()), HasSubstr("a directory"));
  EXPECT_THAT(message_of(folder.write("model.bin", "x")), HasSubstr("ends in .bin"));
  EXPECT_THAT(message_of(folder.write("model", "x")), HasSubstr("without extension"));
  EXPECT_THAT(message_of(folder.write("empty.onnx", "")),
              AllOf(HasSubstr("empty.onnx"), HasSubstr("YuNet"), HasSubstr("found")));
  EXPECT_THAT(message_of(folder.write("text.onnx", "this is no network\n")),
              AllOf(HasSubstr("text.onnx"), HasSubstr("YuNet"), HasSubstr("found")));
  EXPECT_THAT(message_of(folder.write("empty.xml", "")), HasSubstr("expected an OpenCV cascade"));
  EXPECT_THAT(message_of(folder.write("text.xml", "this is no cascade\n")),
              HasSubstr("expected an OpenCV cascade"));
  EXPECT_THAT(message_of(folder.write("other.xml",
                                      "<?xml version=\"1.0\"?>\n<opencv_storage>"
                                      "<a>1</a></opencv_storage>\n")),
              HasSubstr("expected an OpenCV cascade"));
}

TEST(OpenDetector, RefusesAnotherNetwork) {
  const ScopedFolder folder;
  EXPECT_THAT(message_of(folder.write("other.onnx", tiny_onnx({"probabilities"}))),
              AllOf(HasSubstr("other.onnx"), HasSubstr("YuNet"), HasSubstr("probabilities")));
}

TEST(OpenDetector, RefusesYuNetsNamesWithOtherShapes) {
  const ScopedFolder folder;
  for (const auto& names : {std::vector<std::string>{"loc", "conf", "iou"},
                            {"cls_8", "cls_16", "cls_32", "obj_8", "obj_16", "obj_32", "bbox_8",
                             "bbox_16", "bbox_32", "kps_8", "kps_16", "kps_32"}}) {
    EXPECT_THAT(message_of(folder.write("shapes.onnx", tiny_onnx(names))),
                AllOf(HasSubstr("shapes.onnx"), HasSubstr("values in place of")));
  }
}

TEST(OpenDetector, RefusesOurNamesWithOtherShapes) {
  const ScopedFolder folder;
  const std::string network = tiny_onnx({"faces_8", "faces_16", "faces_32"});
  EXPECT_THAT(message_of(folder.write("shapes.onnx", with_onnx_checksum(network))),
              AllOf(HasSubstr("shapes.onnx"), HasSubstr("expected our own face detector"),
                    HasSubstr("faces_8 is not 15 values")));
}

TEST(OpenDetector, RefusesOurOwnWithoutItsChecksum) {
  const ScopedFolder folder;
  const fs::path own = test::own_detector_path();
  if (own.empty()) GTEST_SKIP() << "no face-detector.onnx here";
  const std::string bytes = test::content(own);
  EXPECT_THAT(message_of(folder.write("earlier.onnx", bytes.substr(0, bytes.size() - 78))),
              AllOf(HasSubstr("without its checksum"), HasSubstr("fer export --onnx")));
  std::string changed = bytes;
  changed[changed.size() / 2] ^= 1;
  EXPECT_THAT(message_of(folder.write("changed.onnx", changed)), HasSubstr("its checksum differs"));
  // What was written by others is no less good for it.
  EXPECT_EQ(message_of(folder.write("again.onnx", with_onnx_checksum(bytes))), "opened");
}

// One byte of a weight: the network runs as well as the one that was published, with other faces.
TEST(OpenDetector, RefusesAChangedYuNetUnlessItsOwnerVouchesForIt) {
  const fs::path yunet = yunet_path();
  if (yunet.empty()) GTEST_SKIP() << "no YuNet here; scripts/models gets it";
  std::string changed = test::content(yunet);
  changed[changed.size() / 2] ^= 1;
  const ScopedFolder folder;
  const fs::path file = folder.write("mine.onnx", changed);
  const std::string said = message_of(file);
  EXPECT_THAT(said, AllOf(HasSubstr("nobody vouches for"),
                          HasSubstr("sha256sum mine.onnx > mine.onnx.sha256")));
  folder.write("mine.onnx.sha256", sha256(changed) + "  mine.onnx\n");
  EXPECT_EQ(message_of(file), "opened");
  folder.write("mine.onnx.sha256", std::string(64, '0') + "  mine.onnx\n");
  EXPECT_THAT(message_of(file), HasSubstr("other content than"));
}

TEST(OpenDetector, SurvivesAFileThatEndsTheProcessWhichOpensIt) {
  const ScopedFolder folder;
  // A shape of 2^62 values: what OpenCV makes of it differs by release, a crash among others.
  std::string tensor;
  for (int i = 0; i < 2; ++i) tensor += std::string("\x08") + std::string(8, '\xff') + "\x01";
  const std::string graph =
      field(1, field(1, "input") + field(1, "w") + field(2, "cls_8") + field(4, "Conv")) +
      field(2, "hostile") + field(5, tensor + field(2, 1) + field(8, "w") + field(9, "xxxx")) +
      field(11, field(1, "input")) + field(12, field(1, "cls_8"));
  const std::string file = field(1, 7) + field(7, graph) + field(8, field(1, "") + field(2, 11));
  EXPECT_THAT(message_of(folder.write("hostile.onnx", file)), HasSubstr("hostile.onnx: expected"));
}

TEST(OpenDetector, WaitsForNoPipe) {
  const ScopedFolder folder;
  const fs::path pipe = folder.path() / "pipe.onnx";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(message_of(pipe), HasSubstr("expected a regular file, found a named pipe"));
}

TEST(OpenDetector, SaysWhatAModelFileOfOursIs) {
  const ScopedFolder folder;
  EXPECT_THAT(message_of(folder.write("fernet.fer", "x")),
              AllOf(HasSubstr("fernet.fer: expected a face detector"),
                    HasSubstr("expression model"), HasSubstr("fer export")));
}

TEST(OpenDetector, RefusesATruncatedFile) {
  const fs::path model = yunet_path();
  if (model.empty()) GTEST_SKIP() << "no YuNet here; scripts/models gets it";
  std::ifstream stream(model, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(stream)), {});
  const ScopedFolder folder;
  for (const double share : {0.1, 0.5, 0.99}) {
    const auto size = static_cast<std::size_t>(share * static_cast<double>(bytes.size()));
    EXPECT_THAT(message_of(folder.write("cut.onnx", bytes.substr(0, size))),
                AllOf(HasSubstr("cut.onnx"), HasSubstr("YuNet"), HasSubstr("found")));
  }
}

TEST(FindDetectorModel, LooksInTheFoldersOfTheVariableInOrder) {
  const ScopedFolder first, second;
  const fs::path wanted = second.write(kYuNetFile, "x");
  const ScopedVariable variable("FER_MODELS",
                                first.path().string() + "::" + second.path().string());
  const DetectorModel found = find_detector_model();
  EXPECT_EQ(found.path, wanted);
  EXPECT_TRUE(found.remedy.empty());
  const fs::path sooner = first.write(kYuNetFile, "x");
  EXPECT_EQ(find_detector_model().path, sooner);
}

TEST(FindDetectorModel, TakesTheReleaseThatFacesWereAlignedWith) {
  const ScopedFolder first, second;
  const ScopedVariable variable("FER_MODELS", first.path().string() + ":" + second.path().string());
  second.write(kYuNetFile, "x");
  const fs::path newer = first.write(kNewerYuNetFile, "x");
  EXPECT_EQ(find_detector_model().path, newer) << "the folder comes first";
  const fs::path wanted = first.write(kYuNetFile, "x");
  EXPECT_EQ(find_detector_model().path, wanted);
}

TEST(FindDetectorModel, YuNetGoesBeforeOurOwn) {
  const ScopedFolder folder, other;
  const fs::path yunet = folder.write(kYuNetFile, "");
  folder.write("face-detector.onnx", "");
  const fs::path own = other.write("face-detector.onnx", "");
  const ScopedVariable variable("FER_MODELS", folder.path().string());
  EXPECT_EQ(find_detector_model().path, yunet);
  // A folder that was named first goes before what a later one holds.
  const ScopedVariable both("FER_MODELS", other.path().string() + ":" + folder.path().string());
  EXPECT_EQ(find_detector_model().path, own);
}

TEST(FindDetectorModel, YuNetInTheCacheGoesBeforeWhatShips) {
  const ScopedFolder cache;
  const ScopedVariable models("FER_MODELS", ""), variable("XDG_CACHE_HOME", cache.path().string());
  const fs::path folder = cache.path() / "gst-fer" / "models";
  fs::create_directories(folder);
  std::ofstream(folder / "face-detector.onnx") << "";
  EXPECT_EQ(find_detector_model().path.filename(), "face-detector.onnx");
  std::ofstream(folder / kYuNetFile) << "";
  EXPECT_EQ(find_detector_model().path, folder / kYuNetFile);
}

TEST(FindDetectorModel, WhatShipsMayLieElsewhere) {
  const ScopedFolder folder;
  const fs::path own = folder.write("face-detector.onnx", "");
  const ScopedVariable models("FER_MODELS", ""), cache("XDG_CACHE_HOME", "/nonexistent"),
      shipped("FER_SHIPPED_MODELS", folder.path().string());
  EXPECT_EQ(find_detector_model().path, own);
}

TEST(FindDetectorModel, FallbackComesWithARemedy) {
  const ScopedVariable models("FER_MODELS", "/nonexistent");
  const ScopedVariable cache("XDG_CACHE_HOME", "/nonexistent");
  const ScopedVariable shipped("FER_SHIPPED_MODELS", "/nonexistent");
  const DetectorModel found = find_detector_model();
  EXPECT_THAT(found.remedy, AllOf(HasSubstr(kYuNetFile), HasSubstr("scripts/models")));
  if (haar_path().empty()) {
    EXPECT_THAT(found.remedy, HasSubstr("opencv-data"));
  } else {
    EXPECT_EQ(found.path.extension(), ".xml");
  }
}

/// Runs with every detector; a test is skipped where the model is missing.
class EveryDetector : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const fs::path path = GetParam() == "yunet_2022"   ? yunet_path(kYuNetFile)
                          : GetParam() == "yunet_2023" ? yunet_path(kNewerYuNetFile)
                          : GetParam() == "fer"        ? test::own_detector_path()
                                                       : haar_path();
    if (path.empty()) GTEST_SKIP() << "no model for " << GetParam() << " here";
    detector_ = open_detector(path);
  }

  static bool has_landmarks() { return GetParam() != "haar"; }

  std::unique_ptr<Detector> detector_;
};

TEST_P(EveryDetector, SaysItsName) {
  EXPECT_EQ(detector_->name(), GetParam().starts_with("yunet") ? "yunet" : GetParam());
}

TEST_P(EveryDetector, FindsADrawnFaceInEveryFormat) {
  for (const cv::Size size : {cv::Size(160, 120), cv::Size(321, 241), cv::Size(960, 540)}) {
    test::DrawnFace drawn;
    const cv::Mat picture = test::draw_face(size, &drawn);
    for (const test::NamedFormat& format : test::kAllFormats) {
      for (const bool full_range : {true, false}) {
        const auto faces =
            detector_->detect(RawFrame(picture, format.format, full_range).view(), {});
        ASSERT_EQ(faces.size(), 1u) << format.name << size;
        EXPECT_GT(overlap(faces[0].box, drawn.box), 0.6f);
        EXPECT_GT(faces[0].score, 0.6f);
        EXPECT_LE(faces[0].score, 1.f);
        ASSERT_EQ(faces[0].landmarks.has_value(), has_landmarks());
        if (faces[0].landmarks) {
          for (std::size_t i = 0; i < 5; ++i) {
            EXPECT_LT(cv::norm((*faces[0].landmarks)[i] - drawn.landmarks[i]),
                      0.08f * drawn.box.height);
          }
        }
      }
    }
  }
}

TEST_P(EveryDetector, AcceptsFramesOfAnySize) {
  const cv::Mat large = test::draw_face({2000, 300});
  for (const cv::Size size : {cv::Size(1, 1), cv::Size(2, 1), cv::Size(1, 300), cv::Size(2000, 1),
                              cv::Size(19, 21), cv::Size(127, 128), cv::Size(129, 33)}) {
    const cv::Mat picture = large({{0, 0}, size}).clone();
    for (const PixelFormat format : {PixelFormat::kGray8, PixelFormat::kNv12, PixelFormat::kBgrx}) {
      for (const int detect_width : {0, 1, 7, 640}) {
        EXPECT_NO_THROW(
            detector_->detect(RawFrame(picture, format).view(), {.detect_width = detect_width}))
            << size << " " << detect_width;
      }
    }
  }
}

TEST_P(EveryDetector, LooksForSmallFacesInFramesOfAnySize) {
  const cv::Mat large = test::draw_face({4000, 300});
  for (const cv::Size size : {cv::Size(1, 1), cv::Size(2, 1), cv::Size(4000, 1), cv::Size(19, 21),
                              cv::Size(1700, 200), cv::Size(4000, 300)}) {
    const cv::Mat picture = large({{0, 0}, size}).clone();
    for (const int detect_width : {0, 7, 640}) {
      EXPECT_NO_THROW(detector_->detect(RawFrame(picture, PixelFormat::kNv12).view(),
                                        {.detect_width = detect_width, .small_faces = true}))
          << size << " " << detect_width;
    }
  }
}

TEST_P(EveryDetector, NeverWritesToAFrame) {
  // The second frame shrinks to the first one's size: a detector that kept the first one's memory
  // as its working picture would write to it.
  const cv::Mat small = test::draw_face({320, 240}), large = test::draw_face({640, 480});
  for (const test::NamedFormat& format : test::kAllFormats) {
    const RawFrame first(small, format.format, true, 0), second(large, format.format, true, 0);
    const FrameView& view = first.view();
    const std::vector<std::uint8_t> before(view.data[0], view.data[0] + view.stride[0] * 240);
    detector_->detect(view, {.detect_width = 320});
    detector_->detect(second.view(), {.detect_width = 320});
    const std::vector<std::uint8_t> after(view.data[0], view.data[0] + view.stride[0] * 240);
    EXPECT_EQ(before, after) << format.name;
  }
}

TEST_P(EveryDetector, RefusesAFrameWithoutPixels) {
  EXPECT_THROW(detector_->detect({}, {}), std::invalid_argument);
}

TEST_P(EveryDetector, FindsNothingInFlatPictures) {
  for (const cv::Size size : {cv::Size(640, 360), cv::Size(360, 640), cv::Size(100, 100)}) {
    for (const int grey : {0, 1, 16, 128, 160, 255}) {
      const cv::Mat picture(size, CV_8UC1, cv::Scalar(grey));
      EXPECT_TRUE(detector_->detect(grey_view(picture), {}).empty()) << size << " " << grey;
    }
  }
}

TEST_P(EveryDetector, HonoursItsSettings) {
  cv::Mat picture = test::drawn_background({640, 360});
  const test::DrawnFace big = test::draw_face_at(picture, {{160, 180}, 200});
  const test::DrawnFace small = test::draw_face_at(picture, {{480, 180}, 80});
  const RawFrame frame(picture, PixelFormat::kNv12);
  const auto both = detector_->detect(frame.view(), {});
  ASSERT_EQ(both.size(), 2u);
  EXPECT_GE(both[0].score, both[1].score);
  const auto only_big = detector_->detect(frame.view(), {.min_face_size = 120});
  ASSERT_EQ(only_big.size(), 1u);
  EXPECT_GT(overlap(only_big[0].box, big.box), 0.5f);
  const auto best = detector_->detect(frame.view(), {.max_faces = 1});
  ASSERT_EQ(best.size(), 1u);
  EXPECT_EQ(best[0].box, both[0].box);
  EXPECT_TRUE(detector_->detect(frame.view(), {.score_threshold = 1.1f}).empty());
  EXPECT_EQ(detector_->detect(frame.view(), {.detect_width = 320}).size(), 2u);
  EXPECT_GT(overlap(small.box, both[0].box) + overlap(small.box, both[1].box), 0.5f);
}

TEST_P(EveryDetector, ClipsBoxesToTheFrame) {
  const cv::Mat whole = test::draw_face({400, 400});
  const cv::Mat picture = whole({105, 90, 190, 200}).clone();  // the face fills it
  const RawFrame frame(picture, PixelFormat::kBgr);
  for (const Face& face : detector_->detect(frame.view(), {})) {
    EXPECT_GE(face.box.x, 0);
    EXPECT_GE(face.box.y, 0);
    EXPECT_LE(face.box.br().x, 190.001f);
    EXPECT_LE(face.box.br().y, 200.001f);
  }
}

TEST(OwnDetector, FindsSmallFacesByACloserLook) {
  const auto detector = open_detector(test::own_detector_path());
  cv::Mat picture = test::drawn_background({640, 360});
  const test::DrawnFace big = test::draw_face_at(picture, {{140, 180}, 200});
  const test::DrawnFace small = test::draw_face_at(picture, {{480, 180}, 16});
  ASSERT_LT(small.box.height, detector->small_face());
  for (const test::NamedFormat& format : test::kAllFormats) {
    const RawFrame frame(picture, format.format);
    const auto far = detector->detect(frame.view(), {});
    ASSERT_EQ(far.size(), 1u) << format.name;
    EXPECT_GT(overlap(far[0].box, big.box), 0.5f);
    const auto near = detector->detect(frame.view(), {.small_faces = true});
    ASSERT_EQ(near.size(), 2u) << format.name;
    EXPECT_GT(overlap(near[0].box, big.box), 0.5f);
    EXPECT_GT(overlap(near[1].box, small.box), 0.5f);
    EXPECT_LT(cv::norm((*near[1].landmarks)[2] - small.landmarks[2]), 0.15f * small.box.height);
  }
  // A large face is found once, though both looks show it.
  EXPECT_EQ(detector
                ->detect(RawFrame(test::draw_face({320, 180}), PixelFormat::kNv12).view(),
                         {.small_faces = true})
                .size(),
            1u);
}

INSTANTIATE_TEST_SUITE_P(Detectors, EveryDetector,
                         testing::Values("fer", "yunet_2022", "yunet_2023", "haar"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace fer
