#include "data/data_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <stdexcept>

#include "data/tiny_dataset.h"
#include "error_of.h"
#include "files/disk_space.h"
#include "scoped.h"
#include "terminal/interrupt.h"
#ifdef HAVE_VISION
#include "drawn_dataset.h"
#endif

namespace fer {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using test::ScopedFolder;
using testing::AllOf;
using testing::HasSubstr;

TEST(DataSource, OpensPackedDatasetsAsTheyAre) {
  const ScopedFolder folder;
  const fs::path path = folder.path() / "tiny.packed";
  write_packed(path, test::tiny_info(), test::tiny_rows(3));
  const DataSource source(path, AlignMode::kNever, {.side = 48});
  EXPECT_TRUE(source.was_packed());
  EXPECT_EQ(source.data().info().crops.side, test::kTinySide);
  EXPECT_EQ(source.unreadable(), 0u);
}

TEST(DataSource, NamesWhatItCannotOpen) {
  EXPECT_THAT(error_of([] { DataSource("/none.packed", AlignMode::kNever, {}); }),
              HasSubstr("/none.packed: cannot be opened"));
  EXPECT_THAT(error_of([] { DataSource("/none.csv", AlignMode::kNever, {}); }),
              HasSubstr("/none.csv: "));
}

#ifdef HAVE_VISION
TEST(DataSource, LeavesNothingInTheTemporaryFolder) {
  const ScopedFolder folder, temporary;
  const test::ScopedVariable variable("TMPDIR", temporary.path().string());
  const fs::path csv = test::write_drawn_dataset(folder.path(), 4);
  const DataSource source(csv, AlignMode::kNever, {.side = 24});
  EXPECT_FALSE(source.was_packed());
  EXPECT_TRUE(fs::is_empty(temporary.path()));
  EXPECT_EQ(source.data().size(), 12u);
  EXPECT_EQ(source.data().info().crops.side, 24);
  // Still there, though it has no name any more; and errors name the CSV.
  EXPECT_GT(source.data().crop(11)[0], 0);
  EXPECT_THAT(error_of([&] { source.data().rows("other"); }), HasSubstr(csv.string() + ": "));
}

TEST(DataSource, ReadsOneSplitWhereOneIsAskedFor) {
  const ScopedFolder folder;
  // Unreadable images of other splits do not matter.
  const fs::path csv = folder.write(
      "labels.csv", "image,label,split\na.png,happy,test\na.png,sad,test\nb.png,sad,train\n");
  test::write_face(folder.path() / "a.png", 0);
  const DataSource source(csv, AlignMode::kNever, {.side = 24}, {.split = "test"});
  EXPECT_EQ(source.data().size(), 2u);
  EXPECT_EQ(source.data().info().labels.size(), 2u);
}

TEST(DataSource, ReadsPixelsThatStandInACsv) {
  const ScopedFolder folder;
  std::string dark, bright;
  for (int i = 0; i < 48 * 48; ++i) {
    dark += "40 ";
    bright += "200 ";
  }
  const fs::path csv = folder.write("fer2013.csv", "emotion,pixels,Usage\n3," + dark +
                                                       ",Training\n4," + bright + ",PrivateTest\n");
  testing::internal::CaptureStderr();
  const DataSource source(csv, AlignMode::kNever, {.side = 24});
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("fer2013.csv: read as FER2013"));
  const PackedDataset& data = source.data();
  ASSERT_EQ(data.size(), 2u);
  EXPECT_EQ(data.info().labels, (std::vector<std::string>{"happiness", "sadness"}));
  for (std::uint8_t pixel : data.crop(0)) ASSERT_EQ(pixel, 40);
  for (std::uint8_t pixel : data.crop(1)) ASSERT_EQ(pixel, 200);
  EXPECT_EQ(data.label(1), 1);
  EXPECT_EQ(data.split(1), "test");
}

TEST(DataSource, LeavesNothingWhenItIsStopped) {
  const ScopedFolder folder, temporary;
  const test::ScopedVariable variable("TMPDIR", temporary.path().string());
  const fs::path csv = test::write_drawn_dataset(folder.path(), 4);
  stop_requested = true;
  EXPECT_THROW(DataSource(csv, AlignMode::kNever, {}), Interrupted);
  stop_requested = false;
  EXPECT_TRUE(fs::is_empty(temporary.path()));
}

TEST(DataSource, NamesTheRemedyForATemporaryFolderThatIsNone) {
  const ScopedFolder folder;
  const test::ScopedVariable variable("TMPDIR", (folder.path() / "none").string());
  const fs::path csv = test::write_drawn_dataset(folder.path(), 1);
  try {
    DataSource(csv, AlignMode::kNever, {});
    FAIL();
  } catch (const std::exception& error) {
    EXPECT_THAT(error.what(), HasSubstr("TMPDIR"));
  }
}
#endif

TEST(RequireSpace, SaysHowMuchIsMissing) {
  const ScopedFolder folder;
  EXPECT_EQ(error_of([&] { require_space(folder.path(), 1, "free some"); }), "");
  EXPECT_THAT(error_of([&] { require_space(folder.path(), 1e20, "free some"); }),
              AllOf(HasSubstr(folder.path().string()), HasSubstr("need 100000000000.0 GB"),
                    HasSubstr("are free; free some")));
}

TEST(PackedBytes, ForetellTheSizeOfTheFile) {
  const ScopedFolder folder;
  const auto rows = test::tiny_rows(60);
  write_packed(folder.path() / "tiny.packed", test::tiny_info(), rows);
  const double expected = packed_bytes(rows.size(), {.side = test::kTinySide}, 3);
  const auto size = static_cast<double>(fs::file_size(folder.path() / "tiny.packed"));
  EXPECT_LE(size, expected);
  EXPECT_GT(size, 0.9 * expected);
}

TEST(IsImageList, KnowsFoldersAndCsv) {
  const ScopedFolder folder;
  EXPECT_TRUE(is_image_list(folder.path()));
  EXPECT_TRUE(is_image_list("labels.csv"));
  EXPECT_TRUE(is_image_list("LABELS.CSV"));
  EXPECT_FALSE(is_image_list("faces.packed"));
}

}  // namespace
}  // namespace fer
