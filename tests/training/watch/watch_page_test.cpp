#include "watch/watch_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scoped.h"
#include "training/page_data.h"
#include "training/watch/watch_faces.h"

namespace fer {
namespace {

using test::PageData;
using test::ScopedFolder;
using test::watched_face;
using test::watched_frame;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class WatchPageTest : public testing::Test {
 protected:
  /// Adds an input with these frames, half a second apart.
  void add(const std::string& name, WatchKind kind, const std::vector<SeenFrame>& frames) {
    WatchInput input;
    input.name = name;
    input.kind = kind;
    WatchTally tally(input);
    run_.parts.push_back(folder_.path() / std::to_string(run_.parts.size()));
    PartWriter part(run_.parts.back());
    for (const SeenFrame& frame : frames) {
      tally.add(frame);
      part.add(name, frame);
      if (kind != WatchKind::kPhoto) tally.result().seconds = frame.time + 0.5;
    }
    part.end(tally.result(), tally.classes());
    part.commit();
    run_.results.push_back(tally.result());
  }

  const ScopedFolder folder_;
  WatchRun run_;
};

TEST_F(WatchPageTest, ShowsWhoWasSeenWhenAndWhatTheyShowed) {
  add("clips/a.mp4", WatchKind::kVideo,
      {watched_frame(0, {watched_face(1, 1), watched_face(2, 3)}),
       watched_frame(1, {watched_face(1, 0, /*unsure=*/true)}), watched_frame(2, {}),
       watched_frame(3, {watched_face(1, 1)})});
  const PageData page(watch_page(run_));
  EXPECT_THAT(page.texts("heading"), Contains("a.mp4"));
  const auto seen = page.block("watched");
  ASSERT_EQ(seen["people"].size(), 2u);
  EXPECT_EQ(seen["people"][0]["name"], "person 1");
  EXPECT_EQ(seen["people"][0]["times"].size(), 3u) << "a gap where the person was not seen";
  EXPECT_EQ(seen["people"][0]["top"], (nlohmann::json{1, -1, 1}));
  EXPECT_EQ(seen["people"][1]["top"], nlohmann::json{3});
  EXPECT_TRUE(seen["thumbnails"].empty()) << "nobody asked for pictures";
  const auto labels = page.block("bars", "What the faces showed");
  EXPECT_EQ(labels["categories"].back(), "unsure");
  EXPECT_EQ(labels["series"][0]["values"],
            (nlohmann::json{0.0, 0.5, 0.0, 0.25, 0.0, 0.0, 0.0, 0.0, 0.25}));
  EXPECT_THAT(page.rows(), Contains("1|0:00 to 0:01|3|happiness|100.0 %|33.3 %"));
}

TEST_F(WatchPageTest, LongVideosAreDrawnInPieces) {
  std::vector<SeenFrame> frames;
  for (std::size_t i = 0; i < 20000; ++i)
    frames.push_back(watched_frame(i, {watched_face(1, static_cast<int>(i % 2))}));
  add("long.mp4", WatchKind::kVideo, frames);
  const auto seen = PageData(watch_page(run_)).block("watched");
  EXPECT_LE(seen["people"][0]["times"].size(), 1501u);
  EXPECT_NEAR(seen["people"][0]["shares"][700][0], 0.5, 0.1) << "the mean of its frames";
}

TEST_F(WatchPageTest, PhotosShareATable) {
  add("photos/a.jpg", WatchKind::kPhoto, {watched_frame(0, {watched_face(0, 1)})});
  add("photos/b.jpg", WatchKind::kPhoto, {watched_frame(0, {})});
  run_.unreadable.push_back("c.jpg: expected a photo");
  const PageData page(watch_page(run_));
  EXPECT_THAT(page.rows(), Contains("photos/a.jpg|1|1 happiness|0"));
  EXPECT_THAT(page.rows(), Contains("photos/b.jpg|0||0"));
  EXPECT_THAT(page.texts("warning"), Contains("c.jpg: expected a photo"));
  EXPECT_TRUE(page.block("watched").is_null());
}

TEST_F(WatchPageTest, NamesOfFilesEndNoScript) {
  add("</script><script>alert(1)</script>.mp4", WatchKind::kVideo,
      {watched_frame(0, {watched_face(1, 1)})});
  EXPECT_THAT(watch_page(run_), Not(HasSubstr("<script>alert")));
}

}  // namespace
}  // namespace fer
