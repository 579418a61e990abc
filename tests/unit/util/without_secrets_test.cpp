#include "util/without_secrets.h"

#include <gtest/gtest.h>

namespace fer {
namespace {

TEST(WithoutSecrets, HidesUserAndPassword) {
  EXPECT_EQ(without_secrets("rtsp://me:s3cret@cam:554/x"), "rtsp://***@cam:554/x");
  EXPECT_EQ(without_secrets("mqtts://me@broker"), "mqtts://***@broker");
  EXPECT_EQ(without_secrets("\"http://a:b@h/x\" and rtsp://c:d@i: gone"),
            "\"http://***@h/x\" and rtsp://***@i: gone");
}

TEST(WithoutSecrets, HidesPasswordsThatAreWrittenAsTheyAre) {
  EXPECT_EQ(without_secrets("rtsp://me:p@ss/w:rd@cam/x"), "rtsp://***@cam/x");
}

TEST(WithoutSecrets, HidesWhatQueriesCallSecret) {
  EXPECT_EQ(without_secrets("http://cam/v?user=me&passWord=x%20y&w=3"),
            "http://cam/v?user=me&passWord=***&w=3");
  EXPECT_EQ(without_secrets("https://h/?access_token=abc#there"),
            "https://h/?access_token=***#there");
  EXPECT_EQ(without_secrets("https://h/?a=1&sig&pwd="), "https://h/?a=1&sig&pwd=***");
}

TEST(WithoutSecrets, LeavesAllElseAlone) {
  for (const std::string text :
       {"", "no address", "me@example.org", "https://example.org/a?width=3", "file:///home/a@b.mp4",
        "://", "a://", "C:\\x"}) {
    EXPECT_EQ(without_secrets(text), text);
  }
}

}  // namespace
}  // namespace fer
