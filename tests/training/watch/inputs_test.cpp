#include "watch/inputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "error_of.h"
#include "scoped.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using test::ScopedFolder;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> names_of(const FoundInputs& found) {
  std::vector<std::string> names;
  for (const WatchUnit& unit : found.units)
    for (const WatchInput& input : unit) names.push_back(fs::path(input.name).filename().string());
  return names;
}

TEST(WatchInputs, AFolderStandsForThePhotosAndVideosInItAndBelow) {
  const ScopedFolder folder;
  fs::create_directories(folder.path() / "b");
  for (const char* name : {"c.mp4", "a.JPG", "notes.txt", ".hidden.jpg", "b/d.png"})
    folder.write(name, "x");
  const FoundInputs found = find_inputs({folder.path().string()}, "", {});
  EXPECT_THAT(names_of(found), ElementsAre("a.JPG", "d.png", "c.mp4"));
  EXPECT_EQ(found.units.size(), 2u) << "photos are taken together, a video alone";
  EXPECT_EQ(found.units[0][0].kind, WatchKind::kPhoto);
  EXPECT_EQ(found.units[1][0].kind, WatchKind::kVideo);
  EXPECT_TRUE(found.unreadable.empty());
}

TEST(WatchInputs, WhatIsNotThereIsNamedAndTheRestIsFound) {
  const ScopedFolder folder;
  fs::create_directories(folder.path() / "empty");
  const std::string photo = folder.write("a.jpg", "x").string();
  const std::string gone = (folder.path() / "line\nbreak.mp4").string();
  const FoundInputs found =
      find_inputs({gone, (folder.path() / "empty").string(), "/dev/video-gone", photo}, "", {});
  EXPECT_THAT(names_of(found), ElementsAre("a.jpg"));
  ASSERT_EQ(found.unreadable.size(), 3u);
  EXPECT_THAT(found.unreadable[0], HasSubstr("line\\nbreak.mp4: no such file"));
  EXPECT_THAT(found.unreadable[1], HasSubstr("found none in it"));
  EXPECT_THAT(found.unreadable[2], HasSubstr("expected a camera"));
}

TEST(WatchInputs, OutputsBelowAFolderAreNoInputs) {
  const ScopedFolder folder;
  fs::create_directories(folder.path() / "drawn");
  for (const char* name : {"a.jpg", "drawn/a.jpg"}) folder.write(name, "x");
  const fs::path drawn = folder.path() / "drawn";
  const FoundInputs found = find_inputs({folder.path().string()}, drawn, {drawn});
  EXPECT_THAT(names_of(found), ElementsAre("a.jpg"));
}

TEST(WatchInputs, EachInputHasAnOverlayOfItsOwnName) {
  const ScopedFolder one, two;
  one.write("a.png", "x");
  one.write("b.MP4", "x");
  two.write("b.MP4", "x");
  const FoundInputs found =
      find_inputs({one.path().string(), two.path().string(), "https://x.org/live?k=1"}, "out", {});
  std::vector<std::string> drawn;
  for (const WatchUnit& unit : found.units) drawn.push_back(unit[0].annotated.string());
  EXPECT_THAT(drawn, ElementsAre("out/a.png.jpg", "out/b.MP4", "out/b-2.MP4", "out/live.mp4"));
}

TEST(WatchInputs, AnOverlayNeverReplacesAnInput) {
  const ScopedFolder folder;
  folder.write("a.jpg", "x");
  EXPECT_THAT(error_of([&] { find_inputs({folder.path().string()}, folder.path(), {}); }),
              HasSubstr("would be lost"));
}

TEST(WatchInputs, NamesStandInOneLine) {
  EXPECT_EQ(one_line("a\nb\x1b[2J"), "a\\nb\\x1b[2J");
}

}  // namespace
}  // namespace fer
