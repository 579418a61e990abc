// The built program `fer` and what people give it by mistake: it says so before any long work, and
// waits for nothing that never comes. FER_PROGRAM names the program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <fstream>

#include "drawn_dataset.h"
#include "fer_program.h"
#include "learn/data/packed_dataset.h"
#include "scoped.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using test::fer;
using test::Outcome;
using test::ScopedFolder;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(Mistyped, CommandsAndOptionsAreGuessed) {
  const Outcome command = fer({"tain", "--data", "x"});
  EXPECT_EQ(command.code, 2);
  EXPECT_THAT(command.err, HasSubstr("\"tain\": did you mean \"train\"?"));
  const Outcome option = fer({"train", "--epcohs", "3", "--out", "x"});
  EXPECT_EQ(option.code, 2);
  EXPECT_THAT(option.err, HasSubstr("\"--epcohs\": did you mean \"--epochs\"?"));
  const Outcome other = fer({"frobnicate"});
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.err, AllOf(HasSubstr("\"frobnicate\" is no command"), HasSubstr("train")));
}

TEST(OtherFiles, AreCalledWhatTheyAre) {
  const ScopedFolder folder;
  const fs::path audio = folder.write("audio.mp3", "ID3\3, and then music");
  const fs::path out = folder.path() / "out.packed";
  const Outcome done = fer({"pack", "--data", audio, "--align", "never", "--out", out});
  EXPECT_EQ(done.code, 1);
  const Outcome eval = fer({"train", "--data", audio, "--out", folder.path() / "run"});
  EXPECT_EQ(eval.code, 1);
  EXPECT_THAT(eval.err, AllOf(HasSubstr("audio.mp3: expected a packed dataset"),
                              HasSubstr("or a video (.avi"), HasSubstr("that ends in .mp3"),
                              Not(HasSubstr("safetensors"))));
}

TEST(ImagesOfAList, AreRegularFiles) {
  const ScopedFolder folder;
  const fs::path csv = test::write_drawn_dataset(folder.path() / "faces", 4);
  ASSERT_EQ(mkfifo((csv.parent_path() / "pipe.png").c_str(), 0600), 0);
  std::ofstream(csv, std::ios::app) << "pipe.png,sad,train\n/dev/zero,sad,train\n";
  const fs::path out = folder.path() / "out.packed";
  const Outcome done =
      fer({"pack", "--data", csv, "--align", "never", "--max-unreadable", "20", "--out", out});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.err, AllOf(HasSubstr("2 of 14 images could not be read"), HasSubstr("pipe.png"),
                              HasSubstr("/dev/zero")));
  EXPECT_EQ(PackedDataset(out).size(), 12u);
}

TEST(AList, IsNoPipe) {
  const ScopedFolder folder;
  const fs::path pipe = folder.path() / "faces.csv";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const Outcome done =
      fer({"pack", "--data", pipe, "--align", "never", "--out", folder.path() / "out.packed"});
  EXPECT_EQ(done.code, 1);
  EXPECT_THAT(done.err, HasSubstr("faces.csv: expected a regular file, found a named pipe"));
}

/// What can be told without its images: they are gone.
class BeforeTheWork : public testing::Test {
 protected:
  BeforeTheWork() : csv_(test::write_drawn_dataset(folder_.path() / "faces", 8)) {}

  void remove_images() {
    for (const auto& entry : fs::directory_iterator(csv_.parent_path()))
      if (entry.path().extension() == ".png") fs::remove(entry.path());
  }
  std::vector<std::string> train(const std::string& epochs) const {
    return {"train",    "--data",    csv_,
            "--align",  "never",     "--size",
            "24",       "--network", "fernet-small",
            "--epochs", epochs,      "--batch",
            "6",        "--threads", "1",
            "--fp32",   "--out",     folder_.path() / "run"};
  }

  const ScopedFolder folder_;
  const fs::path csv_;
};

TEST_F(BeforeTheWork, ARunWithOtherSettingsIsRefused) {
  const Outcome first = fer(train("1"));
  ASSERT_EQ(first.code, 0) << first.err;
  remove_images();
  const Outcome other = fer(train("2"));
  EXPECT_EQ(other.code, 1);
  EXPECT_THAT(other.err, AllOf(HasSubstr("made with other settings (epochs 1 there, 2 here)"),
                               Not(HasSubstr("could not be read")), Not(HasSubstr("\"op\""))));
}

TEST_F(BeforeTheWork, ACountOfLabelsThatCannotBeMetIsRefused) {
  remove_images();
  const Outcome done = fer({"train", "--labeled", csv_, "--labels-per-class", "100", "--method",
                            "fixmatch", "--out", folder_.path() / "run"});
  EXPECT_EQ(done.code, 1);
  EXPECT_THAT(done.err, AllOf(HasSubstr("labels.csv: expected 100 labelled faces of each class in "
                                        "split train, found 4 of "),
                              Not(HasSubstr("could not be read"))));
}

TEST_F(BeforeTheWork, AFolderThatCannotBeIsRefused) {
  remove_images();
  const fs::path file = folder_.write("run", "no folder");
  const Outcome done = fer(train("1"));
  EXPECT_EQ(done.code, 1);
  EXPECT_THAT(done.err, HasSubstr("run: expected a folder to write to, found a file"));
}

}  // namespace
}  // namespace fer
