#include "data/face_loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/imgcodecs.hpp>
#include <sstream>
#include <stdexcept>

#include "detector_models.h"
#include "drawn_dataset.h"
#include "scoped.h"
#include "terminal/interrupt.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using test::ScopedFolder;
using testing::HasSubstr;

double mean_difference(const cv::Mat& a, const cv::Mat& b) {
  return cv::norm(a, b, cv::NORM_L1) / static_cast<double>(a.total() * a.channels());
}

cv::Mat face_image(cv::Point2f centre, float height, float tilt) {
  cv::Mat picture = test::drawn_background({240, 240});
  test::draw_face_at(picture, {.centre = centre, .height = height, .tilt = tilt});
  return picture;
}

TEST(FaceLoader, ScalesWholeImages) {
  const ScopedFolder folder;
  // Left half dark, right half bright, in grey; one shade in colour.
  cv::Mat grey(200, 300, CV_8UC1, cv::Scalar(40));
  grey.colRange(150, 300).setTo(200);
  const cv::Mat bgr(200, 300, CV_8UC3, cv::Scalar(10, 20, 30));
  const fs::path grey_path = folder.path() / "grey.png", bgr_path = folder.path() / "colour.png";
  cv::imwrite(grey_path.string(), grey);
  cv::imwrite(bgr_path.string(), bgr);

  FaceLoader loader(AlignMode::kNever, {.side = 24, .channels = 1});
  EXPECT_FALSE(loader.aligns());
  const auto crop = loader.load(grey_path);
  ASSERT_TRUE(crop);
  EXPECT_FALSE(crop->aligned);
  ASSERT_EQ(crop->image.size(), cv::Size(24, 24));
  ASSERT_EQ(crop->image.type(), CV_8UC1);
  EXPECT_EQ(crop->image.at<uchar>(12, 3), 40);
  EXPECT_EQ(crop->image.at<uchar>(12, 20), 200);

  FaceLoader colour(AlignMode::kNever, {.side = 24, .channels = 3});
  const auto rgb = colour.load(bgr_path);
  ASSERT_TRUE(rgb);
  ASSERT_EQ(rgb->image.type(), CV_8UC3);
  EXPECT_EQ(rgb->image.at<cv::Vec3b>(12, 12), cv::Vec3b(30, 20, 10));
  EXPECT_EQ(colour.load(grey_path)->image.at<cv::Vec3b>(12, 3), cv::Vec3b(40, 40, 40));
}

TEST(FaceLoader, HasNothingForWhatIsNoImageAndSaysNothingByItself) {
  const ScopedFolder folder;
  FaceLoader loader(AlignMode::kNever, {});
  testing::internal::CaptureStderr();
  EXPECT_FALSE(loader.load(folder.path() / "none.png"));
  EXPECT_FALSE(loader.load(folder.write("text.png", "no image")));
  EXPECT_FALSE(loader.load(folder.write("empty.png", "")));
  EXPECT_FALSE(loader.load(folder.path()));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(FaceLoader, BringsFacesToTheSamePlace) {
  if (test::landmark_detector_path().empty())
    GTEST_SKIP() << "no face detector with landmarks was found; see FER_MODELS";
  const ScopedFolder folder;
  const fs::path straight = folder.path() / "a.png", moved = folder.path() / "b.png";
  cv::imwrite(straight.string(), face_image({120, 120}, 150, 0));
  cv::imwrite(moved.string(), face_image({135, 105}, 120, 12));
  FaceLoader loader(AlignMode::kAlways, {.side = 48, .channels = 1});
  EXPECT_TRUE(loader.aligns());
  const auto a = loader.load(straight), b = loader.load(moved);
  ASSERT_TRUE(a && b);
  EXPECT_TRUE(a->aligned);
  EXPECT_TRUE(b->aligned);
  FaceLoader plain(AlignMode::kNever, {.side = 48, .channels = 1});
  const double aligned = mean_difference(a->image, b->image);
  const double whole = mean_difference(plain.load(straight)->image, plain.load(moved)->image);
  // The landmarks of a drawn face are off by a pixel or two, so not all of it goes.
  EXPECT_LT(aligned, 0.8 * whole) << "aligned: " << aligned << ", whole images: " << whole;
}

TEST(FaceLoader, FindsFacesInImagesThatAreTooSmallForTheDetector) {
  if (test::landmark_detector_path().empty())
    GTEST_SKIP() << "no face detector with landmarks was found; see FER_MODELS";
  const ScopedFolder folder;
  cv::Mat small;
  cv::resize(face_image({120, 120}, 200, 0), small, {48, 48}, 0, 0, cv::INTER_AREA);
  cv::imwrite((folder.path() / "small.png").string(), small);
  FaceLoader loader(AlignMode::kAuto, {});
  EXPECT_TRUE(loader.load(folder.path() / "small.png")->aligned);
}

TEST(FaceLoader, TakesTheWholeImageWhereThereIsNoFace) {
  if (test::landmark_detector_path().empty())
    GTEST_SKIP() << "no face detector with landmarks was found; see FER_MODELS";
  const ScopedFolder folder;
  cv::imwrite((folder.path() / "empty.png").string(), test::drawn_background({200, 200}));
  FaceLoader loader(AlignMode::kAlways, {});
  const auto crop = loader.load(folder.path() / "empty.png");
  ASSERT_TRUE(crop);
  EXPECT_FALSE(crop->aligned);
}

/// Reads a list without alignment, and what that says on stderr or throws.
std::pair<FaceRows, std::string> read_quietly(const fs::path& path, const ReadOptions& options) {
  testing::internal::CaptureStderr();
  FaceRows rows;
  std::string error;
  try {
    rows = read_faces(path, read_image_list(path), AlignMode::kNever,
                      {.side = 16, .channels = 3, .align_template = "arcface"}, options);
  } catch (const std::exception& e) {
    error = e.what();
  }
  std::string said = testing::internal::GetCapturedStderr() + error;
  // OpenCV has a line of its own for each file that it cannot open.
  std::string ours;
  std::istringstream lines(said);
  for (std::string line; std::getline(lines, line);)
    if (line.rfind("[ WARN", 0) != 0) ours += line + "\n";
  return {rows, ours};
}

TEST(ReadFaces, PacksWhatTheListSays) {
  const ScopedFolder folder;
  cv::imwrite((folder.path() / "a.png").string(),
              cv::Mat(200, 200, CV_8UC3, cv::Scalar(10, 20, 30)));
  const fs::path csv = folder.write("labels.csv",
                                    "image,happy,sad,split,duplicate\n"
                                    "a.png,7,2,test,\na.png,3,3,train,x\na.png,0,9,test,\n");
  const auto [faces, said] = read_quietly(csv, {});
  EXPECT_THAT(faces.info.labels, testing::ElementsAre("happiness", "sadness"));
  EXPECT_THAT(faces.info.splits, testing::ElementsAre("test", "train"));
  EXPECT_EQ(faces.info.crops.align_template, "arcface");
  EXPECT_EQ(faces.info.source, folder.path().filename());
  ASSERT_EQ(faces.rows.size(), 3u);
  // Planes, one after the other, in the order R, G, B.
  ASSERT_EQ(faces.rows[0].crop.size(), 3u * 16 * 16);
  EXPECT_EQ(faces.rows[0].crop[0], 30);
  EXPECT_EQ(faces.rows[0].crop[256], 20);
  EXPECT_EQ(faces.rows[0].crop[512], 10);
  EXPECT_THAT(faces.rows[0].votes, testing::ElementsAre(7, 2));
  EXPECT_EQ(faces.rows[0].label, 0);
  EXPECT_EQ(faces.rows[1].label, -1);
  EXPECT_TRUE(faces.rows[1].duplicate);
  EXPECT_EQ(faces.rows[2].split, 0);
}

/// A list of 20 faces of which some cannot be read.
fs::path list_with_broken(const ScopedFolder& folder, int broken) {
  cv::imwrite((folder.path() / "good.png").string(), test::drawn_background({32, 32}));
  std::string text = "image,label,split\n";
  for (int i = 0; i < 20; ++i)
    text += (i < broken ? "broken" + std::to_string(i) + ".png" : std::string("good.png")) +
            (i % 2 ? ",happy,valid\n" : ",sad,train\n");
  return folder.write("labels.csv", text);
}

TEST(ReadFaces, LeavesAFewUnreadableImagesOut) {
  const ScopedFolder folder;
  const auto [faces, said] = read_quietly(list_with_broken(folder, 1), {});
  EXPECT_EQ(faces.rows.size(), 19u);
  EXPECT_EQ(faces.unreadable, 1u);
  EXPECT_THAT(said, testing::AllOf(HasSubstr("1 of 20 images could not be read"),
                                   HasSubstr("broken0.png)")));
}

TEST(ReadFaces, RefusesMany) {
  const ScopedFolder folder;
  const fs::path csv = list_with_broken(folder, 5);
  const auto [faces, said] = read_quietly(csv, {});
  EXPECT_TRUE(faces.rows.empty());
  EXPECT_THAT(
      said, testing::AllOf(HasSubstr("labels.csv: 5 of 20 images could not be read"),
                           HasSubstr("broken0.png"), HasSubstr("broken2.png, …)"),
                           testing::Not(HasSubstr("broken3.png")), HasSubstr("--max-unreadable")));
  EXPECT_EQ(read_quietly(csv, {.split = {}, .max_unreadable = 0.25}).first.rows.size(), 15u);
  // None at all is never enough.
  EXPECT_THAT(read_quietly(list_with_broken(folder, 20), {.split = {}, .max_unreadable = 1}).second,
              HasSubstr("20 of 20"));
}

TEST(ReadFaces, SpeaksOfLabelsThatItDoesNotKnowAndOfImagesHeldOut) {
  const ScopedFolder folder;
  cv::imwrite((folder.path() / "a.png").string(), test::drawn_background({32, 32}));
  const auto [faces, said] = read_quietly(
      folder.write("labels.csv", "image,label\na.png,sad\na.png,sad\na.png,hungry\n"), {});
  EXPECT_EQ(faces.rows.size(), 3u);
  EXPECT_THAT(said, testing::AllOf(HasSubstr("1 images have a label that names no expression "
                                             "(hungry)"),
                                   HasSubstr("1 images were put into it")));
}

TEST(ReadFaces, StopsWhenAskedTo) {
  const ScopedFolder folder;
  const fs::path csv = list_with_broken(folder, 0);
  stop_requested = true;
  EXPECT_THROW(read_faces(csv, read_image_list(csv), AlignMode::kNever, {}, {}), Interrupted);
  stop_requested = false;
}

}  // namespace
}  // namespace fer
