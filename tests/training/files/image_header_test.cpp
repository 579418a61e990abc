#include "files/image_header.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>

#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "data/drawn_face.h"
#include "files/read_image.h"
#include "scoped.h"

namespace fer {
namespace {

std::string encoded(const char* ending, int side = 64) {
  cv::Mat picture = test::drawn_background({side, side});
  std::vector<std::uint8_t> bytes;
  cv::imencode(ending, picture, bytes);
  return {bytes.begin(), bytes.end()};
}

TEST(ImageEnd, SeesThatAFileIsCutShort) {
  for (const char* ending : {".jpg", ".png"}) {
    const std::string whole = encoded(ending);
    EXPECT_FALSE(is_truncated_image(whole)) << ending;
    EXPECT_FALSE(is_truncated_image(whole + std::string("\0\0behind", 8))) << ending;
    for (std::size_t size = 8; size < whole.size() - 5; size += 7)
      EXPECT_TRUE(is_truncated_image(whole.substr(0, size))) << ending << ", " << size << " bytes";
  }
  EXPECT_FALSE(is_truncated_image("BM, and so on"));
  EXPECT_FALSE(is_truncated_image(""));
}

TEST(ImageEnd, DoesNotTakeAThumbnailsEndForTheImages) {
  const std::string whole = encoded(".jpg"), thumbnail = encoded(".jpg", 16);
  const std::size_t length = thumbnail.size() + 2;
  std::string with = whole.substr(0, 2) + "\xff\xe1";
  with += static_cast<char>(length >> 8);
  with += static_cast<char>(length & 0xff);
  with += thumbnail + whole.substr(2);
  EXPECT_FALSE(is_truncated_image(with));
  EXPECT_TRUE(is_truncated_image(with.substr(0, with.size() - 9)));
}

TEST(ImageEnd, IsAskedForBeforeAnImageIsDecoded) {
  const test::ScopedFolder folder;
  const std::string whole = encoded(".jpg");
  EXPECT_FALSE(read_image(folder.write("whole.jpg", whole), ImageTurn::kAsStored).empty());
  const auto half = folder.write("half.jpg", whole.substr(0, whole.size() / 2));
  EXPECT_TRUE(read_image(half, ImageTurn::kAsStored).empty());
}

TEST(ImageSize, IsThatOfTheDecodedImage) {
  for (const char* ending : {".jpg", ".png", ".bmp", ".webp", ".tif", ".pgm", ".ppm"}) {
    std::vector<std::uint8_t> bytes;
    cv::imencode(ending, cv::Mat(37, 53, CV_8UC(ending == std::string(".pgm") ? 1 : 3), 7), bytes);
    const auto size = image_size({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    ASSERT_TRUE(size) << ending;
    EXPECT_EQ(size->width, 53u) << ending;
    EXPECT_EQ(size->height, 37u) << ending;
    // A header that is cut off says nothing, or at least nothing wild.
    for (std::size_t kept = 0; kept < std::min<std::size_t>(bytes.size(), 40); ++kept)
      image_size({reinterpret_cast<const char*>(bytes.data()), kept});
  }
  EXPECT_FALSE(image_size("no image"));
  EXPECT_FALSE(image_size(""));
}

TEST(ReadImage, DecodesNoMoreThanAPhotoHas) {
  const test::ScopedFolder folder;
  // A file of 200 kB for 1.2 GB of pixels: so says its header.
  std::string bomb = encoded(".png");
  for (const std::size_t at : {16, 20}) bomb.replace(at, 4, std::string("\0\0\x4e\x20", 4));
  EXPECT_EQ(image_size(bomb)->pixels(), 400'000'000u);
  EXPECT_TRUE(read_image(folder.write("bomb.png", bomb), ImageTurn::kAsShown).empty());
}

TEST(ReadImage, TakesRegularFilesAlone) {
  const test::ScopedFolder folder;
  const auto pipe = folder.path() / "pipe.png";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_TRUE(read_image(pipe, ImageTurn::kAsShown).empty());
  EXPECT_TRUE(read_image("/dev/zero", ImageTurn::kAsShown).empty());
  EXPECT_TRUE(read_image(folder.path(), ImageTurn::kAsShown).empty());
  EXPECT_TRUE(read_image(folder.path() / "none.png", ImageTurn::kAsShown).empty());
}

TEST(ReadImage, TurnsAsTheCameraWasHeld) {
  const test::ScopedFolder folder;
  std::vector<std::uint8_t> bytes;
  cv::imencode(".jpg", cv::Mat(32, 64, CV_8UC1, 7), bytes);
  const std::string plain(bytes.begin(), bytes.end());
  // APP1 with one EXIF entry: orientation 6, "turn it to the right".
  const std::string exif(
      "\xff\xe1\x00\x22"
      "Exif\0\0"
      "MM\0\x2a\0\0\0\x08"
      "\0\x01"
      "\x01\x12\0\x03\0\0\0\x01\0\x06\0\0"
      "\0\0\0\0",
      36);
  const auto turned = folder.write("turned.jpg", plain.substr(0, 2) + exif + plain.substr(2));
  EXPECT_EQ(read_image(turned, ImageTurn::kAsStored).size(), cv::Size(64, 32));
  EXPECT_EQ(read_image(turned, ImageTurn::kAsShown).size(), cv::Size(32, 64));
}

}  // namespace
}  // namespace fer
