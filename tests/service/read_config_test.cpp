#include "config/read_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "config/problems.h"
#include "error_of.h"
#include "scoped.h"

namespace fer {
namespace {

using test::error_of;
using test::ScopedFolder;
using test::ScopedVariable;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class ReadConfigTest : public testing::Test {
 protected:
  ServiceConfig read(const std::string& text) const {
    return read_service_config(folder_.write("cameras.toml", text));
  }
  /// What is wrong, with the folder's name taken away.
  std::string wrong(const std::string& text) const {
    std::string message = error_of([&] { read(text); });
    const std::string folder = folder_.path().string() + "/";
    for (std::size_t at; (at = message.find(folder)) != std::string::npos;)
      message.erase(at, folder.size());
    return message;
  }

  const ScopedFolder folder_;
};

TEST_F(ReadConfigTest, ACameraNeedsANameAndAnAddressAlone) {
  const ServiceConfig config = read("[[camera]]\nname = \"a\"\nuri = \"file:///tmp/a.mp4\"\n");
  ASSERT_EQ(config.cameras.size(), 1u);
  EXPECT_EQ(config.cameras[0].name, "a");
  EXPECT_EQ(config.cameras[0].slot, "default");
  ASSERT_EQ(config.slots.size(), 1u);
  EXPECT_FALSE(config.slots[0].learns);
  EXPECT_TRUE(config.page.enabled);
  EXPECT_EQ(config.page.host, "127.0.0.1");
  EXPECT_EQ(config.page.port, 8787);
}

TEST_F(ReadConfigTest, SettingsOfElementsAreTheirPropertiesAndPathsBeginAtTheFile) {
  const ServiceConfig config = read(R"([[slot]]
name = "s"
[slot.learn]
max-cpu = 0.5
checkpoint-dir = "learnt"
[[camera]]
name = "a"
uri = "file:///tmp/a.mp4"
tags = ["hall", "north"]
fps = 7.5
[camera.detect]
detect-width = 320
[camera.classify]
precision = "fp32"
[[camera.records]]
method = "file"
location = "a.jsonl"
)");
  const CameraConfig& camera = config.cameras.at(0);
  EXPECT_EQ(camera.slot, "s");
  EXPECT_THAT(camera.tags, ElementsAre("hall", "north"));
  EXPECT_EQ(camera.fps, 7.5);
  EXPECT_THAT(camera.detect, ElementsAre(ElementSetting{"detect-width", "320"}));
  EXPECT_THAT(camera.classify, ElementsAre(ElementSetting{"precision", "fp32"}));
  ASSERT_EQ(camera.records.size(), 1u);
  EXPECT_THAT(camera.records[0],
              testing::Contains(ElementSetting{"location", folder_.path() / "a.jsonl"}));
  ASSERT_TRUE(config.slots.at(0).learns);
  EXPECT_THAT(config.slots[0].learn,
              testing::Contains(ElementSetting{"checkpoint-dir", folder_.path() / "learnt"}));
}

TEST_F(ReadConfigTest, EveryProblemIsToldByItsLine) {
  EXPECT_EQ(wrong(R"([[camera]]
name = "a"
uri = "lobby.mp4"
fsp = 3
[[camera]]
name = "a"
uri = "file:///b.mp4"
slot = "hose"
)"),
            "cameras.toml:3: camera \"a\": uri: \"lobby.mp4\" has no scheme; write file:///… with "
            "the whole path, or rtsp://…\n"
            "cameras.toml:4: camera \"a\": unknown key fsp; did you mean fps?\n"
            "cameras.toml:6: camera \"a\": name: line 2 has a camera of this name already\n"
            "cameras.toml:8: camera \"a\": slot: there is no [[slot]] \"hose\"; expected one of "
            "default");
}

TEST_F(ReadConfigTest, ValuesOfAnotherTypeOrBeyondTheirRangeAreProblems) {
  const std::string head = "[[camera]]\nname = \"a\"\nuri = \"file:///a\"\n";
  EXPECT_EQ(wrong(head + "fps = \"ten\"\n"),
            "cameras.toml:4: camera \"a\": fps: expected a number, found a string");
  EXPECT_EQ(wrong(head + "frozen_after = 0\n"),
            "cameras.toml:4: camera \"a\": frozen_after: 0: expected a number from 1 to 3600");
  EXPECT_EQ(wrong(head + "fps = nan\n"),
            "cameras.toml:4: camera \"a\": fps: nan: expected a number from 0 to 1000");
  EXPECT_THAT(wrong(head + "[camera.detect]\ndetect-with = 3\n"),
              HasSubstr("cameras.toml:5: camera \"a\": detect: detect-with: ferdetect has no such "
                        "property; did you mean detect-width?"));
  EXPECT_THAT(wrong(head + "[camera.detect]\ndetect-width = -3\n"),
              HasSubstr("-3: expected an integer from 0 to 16384"));
  EXPECT_THAT(wrong(head + "[camera.classify]\nprecision = \"fp8\"\n"),
              HasSubstr("fp8: expected one of auto, fp32, bf16"));
  EXPECT_THAT(wrong(head + "[camera.classify]\nmodel-slot = \"x\"\n"),
              HasSubstr("fer run sets this property of ferinfer itself"));
}

TEST_F(ReadConfigTest, AFileThatIsNoTomlIsToldByLine) {
  EXPECT_THAT(wrong("[[camera]]\nname = \n"), testing::StartsWith("cameras.toml:2: "));
  EXPECT_EQ(wrong("[page]\nport = 3\n"),
            "cameras.toml:1: the file: no camera: write a [[camera]] with a name and a uri\n"
            "cameras.toml:2: [page]: unknown key port; expected one of address, certificate, "
            "clients, enabled, hosts, key, picture_rate, picture_width, pictures, token_file");
}

TEST_F(ReadConfigTest, APageBeyondThisMachineNeedsATokenAndTls) {
  EXPECT_THAT(wrong("[page]\naddress = \"0.0.0.0:8787\"\n[[camera]]\nname=\"a\"\n"
                    "uri=\"file:///a\"\n"),
              HasSubstr("cameras.toml:2: [page]: address: 0.0.0.0 can be reached from other "
                        "machines, which takes token_file, certificate and key"));
}

TEST_F(ReadConfigTest, ATokenThatOthersCanReadIsAProblem) {
  const auto token = folder_.write("token", "0123456789abcdef\n");
  chmod(token.c_str(), 0644);
  const std::string text =
      "[page]\ntoken_file = \"token\"\n[[camera]]\nname=\"a\"\n"
      "uri=\"file:///a\"\n";
  EXPECT_EQ(wrong(text),
            "cameras.toml:2: [page]: token_file: token can be read or written by "
            "others; run chmod 600 on it");
  chmod(token.c_str(), 0600);
  EXPECT_EQ(read(text).page.token_file, token);
}

TEST_F(ReadConfigTest, APasswordInAFileThatOthersCanReadIsAProblemAndIsNotQuoted) {
  const auto file = folder_.write(
      "cameras.toml", "[[camera]]\nname=\"a\"\nuri=\"rtsp://admin:hunter2@192.0.2.1/s\"\n");
  chmod(file.c_str(), 0644);
  const std::string message = error_of([&] { read_service_config(file); });
  EXPECT_THAT(message, HasSubstr(":3: camera \"a\": uri: the address holds a password, and others "
                                 "can read this file"));
  EXPECT_THAT(message, Not(HasSubstr("hunter2")));
  chmod(file.c_str(), 0600);
  EXPECT_EQ(read_service_config(file).cameras.size(), 1u);
}

TEST_F(ReadConfigTest, TwoCamerasDoNotWriteToOneFile) {
  const auto camera = [](const std::string& name) {
    return "[[camera]]\nname=\"" + name + "\"\nuri=\"file:///a\"\n" +
           "records = [{method=\"file\", location=\"x.jsonl\"}]\n";
  };
  EXPECT_THAT(
      wrong(camera("a") + camera("b")),
      HasSubstr("cameras.toml:8: camera \"b\": records: x.jsonl is written by camera \"a\""));
}

TEST_F(ReadConfigTest, PathsMayBeginAtAVariableOfTheEnvironment) {
  const ScopedVariable state("STATE_DIRECTORY", "/var/lib/gst-fer");
  const ServiceConfig config = read(
      "[[slot]]\nname=\"s\"\n[slot.learn]\n"
      "checkpoint-dir=\"$STATE_DIRECTORY/s\"\n"
      "[[camera]]\nname=\"a\"\nuri=\"file:///a\"\n");
  EXPECT_THAT(config.slots.at(0).learn,
              ElementsAre(ElementSetting{"checkpoint-dir", "/var/lib/gst-fer/s"}));
}

TEST_F(ReadConfigTest, ACameraThatMovedToAnotherLineIsTheSame) {
  const std::string camera = "[[camera]]\nname=\"a\"\nuri=\"file:///a\"\n";
  EXPECT_EQ(read(camera).cameras[0], read("# more\n\n" + camera).cameras[0]);
  EXPECT_FALSE(read(camera).cameras[0] == read(camera + "fps = 3\n").cameras[0]);
}

}  // namespace
}  // namespace fer
