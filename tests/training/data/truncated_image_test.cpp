#include "data/truncated_image.h"

#include <gtest/gtest.h>

#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "data/drawn_face.h"
#include "data/read_image.h"
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
  EXPECT_FALSE(read_image(folder.write("whole.jpg", whole)).empty());
  EXPECT_TRUE(read_image(folder.write("half.jpg", whole.substr(0, whole.size() / 2))).empty());
}

}  // namespace
}  // namespace fer
