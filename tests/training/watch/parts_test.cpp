#include "watch/parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "content.h"
#include "error_of.h"
#include "scoped.h"
#include "training/watch/watch_faces.h"
#include "watch/row_files.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using test::content;
using test::ScopedFolder;
using test::watched_face;
using test::watched_frame;
using testing::HasSubstr;
using testing::StartsWith;

WatchUnit unit_of(const std::string& name, std::uintmax_t bytes) {
  WatchInput input;
  input.name = name;
  input.bytes = bytes;
  return {input};
}

/// A part with two faces in two frames.
void write_part(const fs::path& file, const std::string& input) {
  PartWriter part(file);
  WatchTally tally(unit_of(input, 1)[0]);
  for (SeenFrame frame : {watched_frame(0, {watched_face(1, 1)}),
                          watched_frame(1, {watched_face(1, 0, /*unsure=*/true)})}) {
    frame.thumbnail = "jpeg";
    tally.add(frame);
    part.add(input, frame);
  }
  part.end(tally.result(), tally.classes());
  part.commit();
}

TEST(Parts, AreFoundAgainByTheSameInputAndSettings) {
  const ScopedFolder folder;
  const Parts parts(folder.path() / "a.csv", "model 1"), other(folder.path() / "a.csv", "model 2");
  EXPECT_EQ(parts.done(unit_of("a", 5)), parts.done(unit_of("a", 5)));
  EXPECT_NE(parts.done(unit_of("a", 5)), parts.done(unit_of("a", 6)));
  EXPECT_NE(parts.done(unit_of("a", 5)), parts.done(unit_of("b", 5)));
  EXPECT_NE(parts.done(unit_of("a", 5)), other.done(unit_of("a", 5)));
  EXPECT_NE(parts.done(unit_of("a", 5)), parts.stopped(unit_of("a", 5)));
}

TEST(Parts, AreThereOnceCommittedAndTheirOwnersAlone) {
  const ScopedFolder folder;
  const Parts parts(folder.path() / "a.csv", "");
  parts.make(false);
  const fs::path file = parts.done(unit_of("a", 5));
  { PartWriter begun(file); }
  EXPECT_FALSE(fs::exists(file));
  write_part(file, "a");
  struct stat found {};
  ASSERT_EQ(::stat(file.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u);
  parts.make(/*restart=*/true);
  EXPECT_FALSE(fs::exists(file));
}

TEST(Parts, GiveBackRowsThumbnailsAndCounts) {
  const ScopedFolder folder;
  const fs::path file = folder.path() / "part";
  write_part(file, "a");
  PartReader reader;
  int rows = 0, thumbnails = 0, ends = 0;
  reader.on_row = [&](const auto& row) { rows += row["face_id"] == 1; };
  reader.on_thumbnail = [&](const std::string& input, const Thumbnail& one) {
    thumbnails += input == "a" && one.jpeg_base64 == "anBlZw==";
  };
  reader.on_end = [&](const WatchResult& result, const std::vector<std::string>& classes) {
    ++ends;
    EXPECT_EQ(result.frames, 2u);
    EXPECT_EQ(result.people, 1u);
    EXPECT_EQ(result.unsure, 1u);
    EXPECT_EQ(result.labels, (std::map<std::string, std::size_t>{{"happiness", 1}}));
    EXPECT_EQ(classes, ferplus_labels());
  };
  reader.read(file);
  EXPECT_EQ(rows, 2);
  EXPECT_EQ(thumbnails, 2);
  EXPECT_EQ(ends, 1);
}

TEST(Parts, ThatAreDamagedAreNamed) {
  const ScopedFolder folder;
  const fs::path file = folder.write("part", "{\"input\":");
  PartReader reader;
  reader.on_row = [](const auto&) {};
  EXPECT_THAT(test::error_of([&] { reader.read(file); }), HasSubstr("--restart"));
}

TEST(RowFiles, HoldAllPartsUnderOneHeader) {
  const ScopedFolder folder;
  WatchRun run;
  for (const char* name : {"a", "b"}) {
    run.parts.push_back(folder.path() / name);
    write_part(run.parts.back(), name);
  }
  write_rows_csv(folder.path() / "rows.csv", run);
  const std::string csv = content(folder.path() / "rows.csv");
  EXPECT_THAT(csv, StartsWith("input,frame,timestamp,face_id,FaceRectX,"));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 5);
  EXPECT_THAT(csv, HasSubstr("\na,0,0.0,1,50.0,20.0,20.0,40.0,0.875,60.0,30.0,70.0,40.0,"));
  write_rows_jsonl(folder.path() / "rows.jsonl", run);
  const std::string lines = content(folder.path() / "rows.jsonl");
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 4);
  EXPECT_EQ(lines.find("jpeg"), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(lines.substr(0, lines.find('\n')))["label"], "happiness");
}

}  // namespace
}  // namespace fer
