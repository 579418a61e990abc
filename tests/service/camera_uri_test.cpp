#include "config/camera_uri.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fer {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(CameraUri, WhatGStreamerReadsIsACamera) {
  EXPECT_EQ(why_no_camera("file:///tmp/a.mp4"), "");
  EXPECT_EQ(why_no_camera("rtsp://user:word@192.0.2.1:554/stream?channel=1"), "");
}

TEST(CameraUri, WhatIsNoAddressIsToldWithWhatToWrite) {
  EXPECT_EQ(why_no_camera("/dev/video0"),
            "\"/dev/video0\" has no scheme; write v4l2:///dev/video0");
  EXPECT_EQ(why_no_camera("/srv/a.mp4"), "\"/srv/a.mp4\" has no scheme; write file:///srv/a.mp4");
  EXPECT_THAT(why_no_camera("gopher://x"), HasSubstr("no GStreamer element reads gopher://"));
  EXPECT_THAT(why_no_camera("file://a.mp4"), HasSubstr("whole path"));
  EXPECT_THAT(why_no_camera("admin:hunter2@cam/1"), Not(HasSubstr("hunter2")));
}

TEST(Redactor, NeitherUserNorPasswordNorQueryIsShown) {
  const Redactor redactor("rtsp://admin:hun%20ter2@192.0.2.1:554/s?key=abc123");
  EXPECT_EQ(redactor.shown(), "rtsp://192.0.2.1:554/s");
  EXPECT_EQ(redactor("no route to rtsp://admin:hun%20ter2@192.0.2.1:554/s?key=abc123"),
            "no route to rtsp://192.0.2.1:554/s");
  EXPECT_EQ(redactor("password hun ter2 or hun%20ter2 refused"), "password *** or *** refused");
  EXPECT_EQ(redactor("GET /s?key=abc123"), "GET /s");
}

TEST(Redactor, APasswordWithAnAtAndASlashIsHiddenAsAWhole) {
  const Redactor redactor("rtsp://admin:p@ss/w@192.0.2.1/s");
  EXPECT_THAT(redactor.shown(), Not(HasSubstr("ss/w")));
  EXPECT_THAT(redactor("rtsp://admin:p@ss/w@192.0.2.1/s failed"), Not(HasSubstr("ss/w")));
}

TEST(Redactor, APasswordOfAFileIsHidden) {
  const Redactor redactor("rtsp://192.0.2.1/s", "se cret");
  EXPECT_EQ(redactor("se cret, se%20cret"), "***, ***");
}

TEST(Credentials, AreEncodedAndReplaceThoseOfTheAddress) {
  EXPECT_EQ(with_credentials("rtsp://old:one@cam/s?x=1", "me", "a b@c"),
            "rtsp://me:a%20b%40c@cam/s?x=1");
  EXPECT_EQ(with_credentials("rtsp://cam/s", "", ""), "rtsp://cam/s");
}

}  // namespace
}  // namespace fer
