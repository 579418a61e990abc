#include "data/image_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <stdexcept>

#include "error_of.h"
#include "scoped.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using test::ScopedFolder;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

/// Files in a folder of their own.
class ImageListTest : public testing::Test {
 protected:
  ImageList csv(const std::string& text, const std::string& split = "") const {
    return read_image_list(folder_.write("labels.csv", text), split);
  }

  /// The message of what reading this CSV throws, without the folder.
  /// Without the folder, which it must begin with.
  std::string error_of(const std::string& text, const std::string& split = "") const {
    const std::string message = test::error_of([&] { csv(text, split); });
    if (message.empty()) return "";
    const std::string start = folder_.path().string() + "/";
    EXPECT_EQ(message.rfind(start, 0), 0u) << message;
    return message.substr(start.size());
  }

  /// Makes empty files: what is in them is nobody's business here.
  ImageList folders(const std::vector<std::string>& files) const {
    for (const std::string& file : files) {
      fs::create_directories((folder_.path() / file).parent_path());
      folder_.write(file, "");
    }
    return read_image_list(folder_.path());
  }

  std::map<std::string, std::string> splits(const ImageList& list) const {
    std::map<std::string, std::string> splits;
    for (const ImageEntry& entry : list.entries)
      splits[fs::relative(entry.image, folder_.path()).string()] = entry.split;
    return splits;
  }

  const ScopedFolder folder_;
};

std::vector<int> labels_of(const ImageList& list) {
  std::vector<int> labels;
  for (const ImageEntry& entry : list.entries) labels.push_back(entry.label);
  return labels;
}

TEST_F(ImageListTest, KeepsFurtherColumnsThatAreAskedFor) {
  const auto path = folder_.write("labels.csv",
                                  "image,age,label,camera\n"
                                  "1.png, 31 ,happiness,left\n"
                                  "2.png,,neutral,right\n");
  const ImageList list = read_image_list(path, "", true, {"camera", "age"});
  ASSERT_EQ(list.entries.size(), 2u);
  EXPECT_THAT(list.entries[0].columns, ElementsAre("left", "31"));
  EXPECT_THAT(list.entries[1].columns, ElementsAre("right", ""));
  EXPECT_TRUE(read_image_list(path).entries[0].columns.empty());
  EXPECT_THAT(test::error_of([&] { read_image_list(path, "", true, {"sex"}); }),
              testing::AllOf(HasSubstr("labels.csv, line 1"), HasSubstr("\"sex\""),
                             HasSubstr("image, age, label, camera")));
  fs::create_directories(folder_.path() / "faces/happy");
  folder_.write("faces/happy/1.png", "");
  EXPECT_THAT(test::error_of([&] { read_image_list(folder_.path() / "faces", "", true, {"sex"}); }),
              testing::AllOf(HasSubstr("faces: expected a CSV"), HasSubstr("\"sex\"")));
}

TEST_F(ImageListTest, ReadsLabelsAndSplits) {
  const ImageList list =
      csv("image,label,split\n"
          "a/1.png,happiness,train\n"
          "2.png,neutral,valid\n");
  EXPECT_THAT(list.labels, ElementsAre("neutral", "happiness"));
  ASSERT_EQ(list.entries.size(), 2u);
  EXPECT_EQ(list.entries[0].image, folder_.path() / "a/1.png");
  EXPECT_EQ(list.entries[0].label, 1);
  EXPECT_THAT(list.entries[0].votes, ElementsAre(0, 1));
  EXPECT_EQ(list.entries[0].split, "train");
  EXPECT_FALSE(list.entries[0].duplicate);
  EXPECT_EQ(list.entries[1].split, "valid");
  EXPECT_EQ(list.held_out, 0u);
}

TEST_F(ImageListTest, UnderstandsAliasesInAnyOrderAndCase) {
  const ImageList list =
      csv("Person, Emotion ,FILE,Usage\n"
          "x,Happy,1.png,Training\n"
          "x, SAD,2.png,PublicTest\n"
          "x,angry,3.png,PrivateTest\n"
          "x,Surprised,4.png,val\n"
          "x,disgusted,5.png,dev\n"
          "x,fearful,6.png,stream\n");
  EXPECT_THAT(list.labels,
              ElementsAre("happiness", "surprise", "sadness", "anger", "disgust", "fear"));
  EXPECT_THAT(labels_of(list), ElementsAre(0, 2, 3, 1, 4, 5));
  EXPECT_EQ(list.entries[0].split, "train");
  EXPECT_EQ(list.entries[1].split, "valid");
  EXPECT_EQ(list.entries[2].split, "test");
  EXPECT_EQ(list.entries[3].split, "valid");
  EXPECT_EQ(list.entries[4].split, "valid");
  EXPECT_EQ(list.entries[5].split, "stream");
}

TEST_F(ImageListTest, ReadsQuotesByteOrderMarkAndCrlf) {
  const ImageList list =
      csv("\xef\xbb\xbf\"image\",\"label\",note\r\n"
          "\"a, b.png\",happy,\"two\r\nlines\"\r\n"
          "\r\n"
          "\"say \"\"hi\"\".png\",sad,\r\n"
          "last.png,neutral,no line end");
  ASSERT_EQ(list.entries.size(), 3u);
  EXPECT_EQ(list.entries[0].image.filename(), "a, b.png");
  EXPECT_EQ(list.entries[1].image.filename(), "say \"hi\".png");
  EXPECT_EQ(list.entries[2].image.filename(), "last.png");
  EXPECT_THAT(labels_of(list), ElementsAre(1, 2, 0));
}

TEST_F(ImageListTest, TakesAbsolutePathsAsTheyAre) {
  EXPECT_EQ(csv("image,label\n/pictures/1.png,sad\n").entries[0].image, "/pictures/1.png");
}

TEST_F(ImageListTest, CountsVotes) {
  const ImageList list =
      csv("image,neutral,happy,sadness,unknown,not_face,duplicate\n"
          "1.png,6,3,1,0,0,\n"     // a majority
          "2.png,4,4,2,0,0,yes\n"  // a tie
          "3.png,1,2,0,7,0,\n"     // nobody knows
          "4.png,3,2,0,0,3,\n"     // a tie with "no face"
          "5.png,0,0,0,0,0,\n"     // nobody was asked
          "6.png,0,0.5,0,0,0,\n");
  EXPECT_THAT(list.labels, ElementsAre("neutral", "happiness", "sadness"));
  EXPECT_THAT(labels_of(list), ElementsAre(0, -1, -1, -1, -1, 1));
  EXPECT_THAT(list.entries[0].votes, ElementsAre(6, 3, 1));
  EXPECT_THAT(list.entries[2].votes, ElementsAre(1, 2, 0));
  EXPECT_FALSE(list.entries[0].duplicate);
  EXPECT_TRUE(list.entries[1].duplicate);
}

TEST_F(ImageListTest, KeepsAllVotedLabelsInTheirOrder) {
  const ImageList list =
      csv("image,contempt,fear,disgust,anger,sadness,surprise,happiness,neutral\n"
          "1.png,0,0,0,0,0,0,0,9\n"
          "2.png,9,0,0,0,0,0,0,0\n");
  EXPECT_THAT(list.labels, ElementsAre("neutral", "happiness", "surprise", "sadness", "anger",
                                       "disgust", "fear", "contempt"));
  EXPECT_THAT(labels_of(list), ElementsAre(0, 7));
}

TEST_F(ImageListTest, IsNotMisledByOneColumnThatIsCalledAfterAnExpression) {
  const ImageList list = csv("image,label,calm\n1.png,sad,x\n2.png,happy,y\n");
  EXPECT_THAT(list.labels, ElementsAre("happiness", "sadness"));
}

TEST_F(ImageListTest, CountsLabelsThatItDoesNotKnow) {
  const ImageList list =
      csv("image,label\n1.png,sad\n2.png,hungry\n3.png,\n4.png,hungry\n5.png,tired\n6.png,happy\n");
  EXPECT_EQ(list.unknown_labels, 3u);
  EXPECT_THAT(list.unknown_examples, ElementsAre("hungry", "tired"));
  EXPECT_THAT(labels_of(list), ElementsAre(1, -1, -1, -1, -1, 0));
}

TEST_F(ImageListTest, NamesLineAndExpectation) {
  EXPECT_EQ(error_of(""), "labels.csv: expected a header, found nothing");
  EXPECT_EQ(error_of("\n\n"), "labels.csv: expected a header, found nothing");
  EXPECT_EQ(error_of("image,label\n"), "labels.csv: expected rows below its header, found none");
  EXPECT_THAT(error_of("\n\npicture,label\n1.png,sad\n"),
              AllOf(HasSubstr("labels.csv, line 3: expected a header with a column \"image\""),
                    HasSubstr("found: picture, label")));
  EXPECT_THAT(error_of("image,label,split\n1.png,sad,pr\xfc"
                       "fung\n"),
              AllOf(HasSubstr("labels.csv, line 2: expected UTF-8"), HasSubstr("iconv")));
  EXPECT_THAT(error_of("image,mood\n1.png,sad\n"), HasSubstr("either \"label\" or"));
  EXPECT_EQ(error_of("image,file,label\n1.png,1.png,sad\n"),
            "labels.csv, line 1: columns \"image\" and \"file\" say the same");
  EXPECT_EQ(error_of("image,label\n1.png,sad\n2.png\n"),
            "labels.csv, line 3: expected 2 fields, found 1");
  // A record is named by the line where it begins.
  EXPECT_EQ(error_of("image,label\n\"1\n2.png\",sad\n\n\"3\n4\",sad,5\n"),
            "labels.csv, line 5: expected 2 fields, found 3");
  EXPECT_EQ(error_of("image,label\n1.png,sad\n2.png,\"sad\n3.png,sad\n"),
            "labels.csv, line 3: a quote is opened and never closed");
  EXPECT_EQ(error_of("image,label\n,sad\n"),
            "labels.csv, line 2: expected a path in column \"image\", found nothing");
  EXPECT_EQ(error_of("image,label\n1.png,hungry\n"),
            "labels.csv: no row has a label that names an expression; found, for example, "
            "\"hungry\"");
  for (const char* votes : {"many", "", "3x", "-1", "nan", "1e9"}) {
    EXPECT_EQ(error_of(std::string("image,happy,sad\n1.png,1,2\n2.png,1,") + votes + "\n"),
              std::string("labels.csv, line 3: expected a count of votes in column \"sad\", found "
                          "\"") +
                  votes + "\"");
  }
}

TEST_F(ImageListTest, SaysWhatIsNotThere) {
  try {
    read_image_list(folder_.path() / "none.csv");
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("none.csv: no such file or folder"));
  }
}

TEST_F(ImageListTest, KeepsTheSplitThatIsAskedFor) {
  const std::string text =
      "image,label,split\n1.png,sad,train\n2.png,happy,valid\n3.png,angry,test\n4.png,sad,test\n";
  const ImageList list = csv(text, "test");
  ASSERT_EQ(list.entries.size(), 2u);
  EXPECT_EQ(list.entries[0].image.filename(), "3.png");
  // The labels are the whole list's, so that a label means the same in each split.
  EXPECT_THAT(list.labels, ElementsAre("happiness", "sadness", "anger"));
  EXPECT_EQ(csv(text, "Validation").entries.size(), 1u);
  EXPECT_EQ(error_of(text, "eval"),
            "labels.csv: it has no split \"eval\"; it has \"test\", \"train\", \"valid\"");
}

TEST_F(ImageListTest, NeedsNoLabelsWhereNobodyAsksForThem) {
  const fs::path file = folder_.write("labels.csv", "image,person\na.png,Ann\nb.png,\n");
  EXPECT_THAT(test::error_of([&] { read_image_list(file); }), HasSubstr("label"));
  const ImageList list = read_image_list(file, "", /*labelled=*/false);
  ASSERT_EQ(list.entries.size(), 2u);
  EXPECT_EQ(list.entries[0].person, "Ann");
  EXPECT_EQ(list.entries[1].person, "");
  EXPECT_EQ(list.entries[0].label, -1);
  EXPECT_EQ(list.labels.size(), 8u);
  EXPECT_EQ(list.held_out, 0u);
}

TEST_F(ImageListTest, HoldsOutATenthOfEachClassWhereThereIsNoSplit) {
  std::string text = "image,label\n";
  for (int i = 0; i < 40; ++i)
    text += std::to_string(i) + ".png," + (i < 30 ? "happy" : "sad") + "\n";
  text += "40.png,fear\n";
  const ImageList list = csv(text);
  std::map<std::string, std::map<int, int>> counts;
  for (const ImageEntry& entry : list.entries) ++counts[entry.split][entry.label];
  EXPECT_EQ(list.held_out, 4u);
  EXPECT_EQ(counts["valid"], (std::map<int, int>{{0, 3}, {1, 1}}));
  EXPECT_EQ(counts["train"], (std::map<int, int>{{0, 27}, {1, 9}, {2, 1}}));
  EXPECT_EQ(counts.size(), 2u);
  // The same ones next time, and wherever the folder lies.
  EXPECT_EQ(splits(csv(text)), splits(list));
}

TEST_F(ImageListTest, HoldsOutOfTrainOnlyAndOnlyWhereNothingIsCalledValid) {
  std::string text = "image,label,split\n";
  for (int i = 0; i < 20; ++i)
    text += std::to_string(i) + ".png,sad," + (i < 10 ? "train" : "test") + "\n";
  const ImageList list = csv(text);
  EXPECT_EQ(list.held_out, 1u);
  for (std::size_t i = 10; i < 20; ++i) EXPECT_EQ(list.entries[i].split, "test");
  EXPECT_EQ(csv(text + "20.png,sad,valid\n").held_out, 0u);
  EXPECT_EQ(csv("image,label,split\n1.png,sad,stream\n2.png,sad,eval\n").held_out, 0u);
}

TEST_F(ImageListTest, ReadsAFolderAClass) {
  const ImageList list = folders({"happy/b.jpg", "happy/a.PNG", "sad/c.jpeg", "sad/notes.txt",
                                  "sad/._c.jpeg", "others/d.png", "e.png"});
  EXPECT_THAT(list.labels, ElementsAre("happiness", "sadness"));
  ASSERT_EQ(list.entries.size(), 3u);
  EXPECT_EQ(list.entries[0].image, folder_.path() / "happy/a.PNG");
  EXPECT_THAT(labels_of(list), ElementsAre(0, 0, 1));
  EXPECT_THAT(list.entries[2].votes, ElementsAre(0, 1));
  EXPECT_EQ(list.unknown_labels, 2u);
  EXPECT_THAT(list.unknown_examples, testing::Contains("others"));
}

TEST_F(ImageListTest, ReadsAFolderASplitAboveThem) {
  const ImageList list = folders({"Train/happy/1.png", "train/sad/2.png", "val/happy/3.png",
                                  "test/sad/person1/4.png", "test/extra/happy/5.png"});
  EXPECT_EQ(splits(list), (std::map<std::string, std::string>{{"Train/happy/1.png", "train"},
                                                              {"train/sad/2.png", "train"},
                                                              {"val/happy/3.png", "valid"},
                                                              {"test/sad/person1/4.png", "test"},
                                                              {"test/extra/happy/5.png", "test"}}));
  EXPECT_EQ(list.held_out, 0u);
}

TEST_F(ImageListTest, DoesNotMindASlashBehindTheFolder) {
  folders({"happy/1.png", "sad/2.png"});
  const ImageList list = read_image_list(folder_.path() / "");
  EXPECT_THAT(labels_of(list), ElementsAre(0, 1));
}

TEST_F(ImageListTest, SaysHowAFolderShouldLook) {
  try {
    folders({"1.png", "cats/2.png"});
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr(folder_.path().string()),
                                    HasSubstr("expected a folder for each expression")));
  }
}

TEST(CanonicalSplit, LeavesOtherNamesAlone) {
  EXPECT_EQ(canonical_split("VALIDATION"), "valid");
  EXPECT_EQ(canonical_split("training"), "train");
  EXPECT_EQ(canonical_split("Fold 3"), "Fold 3");
  EXPECT_EQ(canonical_split(""), "");
}

}  // namespace
}  // namespace fer
