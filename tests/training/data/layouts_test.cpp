#include "data/layouts/layouts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "error_of.h"
#include "scoped.h"

namespace fer {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using test::ScopedFolder;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

class LayoutsTest : public testing::Test {
 protected:
  fs::path root() const { return folder_.path(); }

  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((root() / name).parent_path());
    folder_.write(name, text);
  }

  /// As the commands read it: with a split valid, if need be held out.
  ImageList read(const std::string& name = "") const {
    return read_image_list(name.empty() ? root() : root() / name);
  }
  std::string refusal(const std::string& name = "") const {
    return error_of([&] { read(name); });
  }

  static std::string label(const ImageList& list, std::size_t i) {
    const int k = list.entries.at(i).label;
    return k < 0 ? "none" : list.labels.at(static_cast<std::size_t>(k));
  }
  static std::vector<std::string> labels(const ImageList& list) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < list.entries.size(); ++i) names.push_back(label(list, i));
    return names;
  }
  static std::vector<std::string> splits(const ImageList& list) {
    std::vector<std::string> names;
    for (const ImageEntry& entry : list.entries) names.push_back(entry.split);
    return names;
  }

  const ScopedFolder folder_;
};

// RAF-DB

using RafDb = LayoutsTest;

TEST_F(RafDb, IsReadWithItsNumbersFromOne) {
  std::string text;
  for (int k = 1; k <= 7; ++k)
    text += "train_0000" + std::to_string(k) + ".jpg " + std::to_string(k) + "\r\n";
  write("basic/EmoLabel/list_patition_label.txt", text + "test_0001.jpg 4\n\n");
  fs::create_directories(root() / "basic/Image/aligned");
  const ImageList list = read();
  EXPECT_EQ(list.layout, "RAF-DB");
  EXPECT_THAT(labels(list), ElementsAre("surprise", "fear", "disgust", "happiness", "sadness",
                                        "anger", "neutral", "happiness"));
  EXPECT_EQ(list.labels.size(), 7u) << "no contempt";
  EXPECT_EQ(list.entries[0].image, root() / "basic/Image/aligned/train_00001_aligned.jpg");
  EXPECT_EQ(list.entries[7].split, "test");
  for (const ImageEntry& entry : list.entries) {
    float votes = 0;
    for (float vote : entry.votes) votes += vote;
    EXPECT_EQ(votes, 1);
    EXPECT_EQ(entry.votes[static_cast<std::size_t>(entry.label)], 1);
  }
}

TEST_F(RafDb, HoldsOutASplitValid) {
  std::string text;
  for (int i = 0; i < 20; ++i) text += "train_" + std::to_string(i) + ".jpg 4\n";
  write("EmoLabel/list_patition_label.txt", text + "test_1.jpg 4\n");
  fs::create_directories(root() / "Image/original");
  const ImageList list = read();
  EXPECT_EQ(list.held_out, 2u);
  EXPECT_EQ(list.entries[0].image, root() / "Image/original/train_0.jpg") << "nothing is aligned";
}

TEST_F(RafDb, NamesFileAndLineOfWhatIsWrong) {
  const std::string file = "EmoLabel/list_patition_label.txt";
  write(file, "train_1.jpg 4\ntrain_2.jpg 8\n");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("Image/aligned"), HasSubstr("found neither")));
  fs::create_directories(root() / "Image/aligned");
  const auto complaint = [&](const char* wrong) {
    write(file, std::string("train_1.jpg 4\n") + wrong + "\n");
    return refusal();
  };
  for (const char* wrong : {"train_2.jpg 8", "train_2.jpg 0", "train_2.jpg", "train_2.jpg happy",
                            "train_2.jpg 4x", "face.jpg 4"}) {
    EXPECT_THAT(complaint(wrong), AllOf(HasSubstr("list_patition_label.txt, line 2: "),
                                        HasSubstr("from 1 to 7"), HasSubstr(wrong)));
  }
  write(file, "\n");
  EXPECT_THAT(refusal(), HasSubstr("found none"));
}

// AffectNet

using AffectNet = LayoutsTest;

/// A NumPy file of version 1.
std::string npy(const std::string& type, const std::string& data) {
  std::string header = "{'descr': '" + type + "', 'fortran_order': False, 'shape': (), }";
  header.resize(117, ' ');
  header += '\n';
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header +
         data;
}

/// Digits as NumPy keeps them: four bytes a character.
std::string npy_text(const std::string& digits) {
  std::string data;
  for (char digit : digits) data += std::string(1, digit) + std::string(3, '\0');
  return npy("<U" + std::to_string(digits.size()), data);
}

TEST_F(AffectNet, IsReadFromItsAnnotations) {
  for (int k = 0; k <= 10; ++k) {
    const std::string name = "train_set/images/" + std::to_string(100 + k) + ".jpg";
    write(name, "");
    write("train_set/annotations/" + std::to_string(100 + k) + "_exp.npy",
          npy_text(std::to_string(k)));
    write("train_set/annotations/" + std::to_string(100 + k) + "_val.npy", "not looked at");
  }
  write("val_set/images/7.jpg", "");
  write("val_set/annotations/7_exp.npy", npy_text("6"));
  const ImageList list = read();
  EXPECT_EQ(list.layout, "AffectNet");
  EXPECT_THAT(labels(list), ElementsAre("neutral", "happiness", "sadness", "surprise", "fear",
                                        "disgust", "anger", "contempt", "anger"));
  EXPECT_EQ(list.left_out, 3u) << "none, uncertain, no face";
  EXPECT_EQ(list.entries[0].image, root() / "train_set/images/100.jpg");
  EXPECT_EQ(list.entries[8].split, "valid");
  EXPECT_EQ(list.held_out, 0u);

  write("val_set/annotations/7_exp.npy", npy_text("11"));
  EXPECT_THAT(refusal(), AllOf(HasSubstr("7_exp.npy: "), HasSubstr("from 0 to 10")));
  fs::remove(root() / "val_set/annotations/7_exp.npy");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("7_exp.npy: "), HasSubstr("no such file")));
}

constexpr const char* kHeader =
    "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,"
    "valence,arousal\n";

std::string line_of(const std::string& image, const std::string& expression) {
  return image + ",10,10,90,90,1.5;2.5;3.0;4.0," + expression + ",-0.1,0.2\n";
}

TEST_F(AffectNet, IsReadFromItsFileLists) {
  std::string text = kHeader;
  for (int k = 0; k <= 10; ++k)
    text += line_of("689/" + std::to_string(k) + ".jpg", std::to_string(k));
  write("Manually_Annotated_file_lists/training.csv", text);
  // The one for validation came without a header.
  write("Manually_Annotated_file_lists/validation.csv", line_of("12/a.png", "3"));
  fs::create_directories(root() / "Manually_Annotated/Manually_Annotated_Images");
  const ImageList list = read();
  EXPECT_EQ(list.layout, "AffectNet");
  EXPECT_THAT(labels(list), ElementsAre("neutral", "happiness", "sadness", "surprise", "fear",
                                        "disgust", "anger", "contempt", "surprise"));
  EXPECT_EQ(list.left_out, 3u);
  EXPECT_EQ(list.entries[8].image,
            root() / "Manually_Annotated/Manually_Annotated_Images/12/a.png");
  EXPECT_EQ(list.entries[0].split, "train");
  EXPECT_EQ(list.entries[8].split, "valid");

  // One list alone.
  const ImageList one = read("Manually_Annotated_file_lists/validation.csv");
  ASSERT_EQ(one.entries.size(), 1u);
  EXPECT_EQ(one.entries[0].split, "valid");
  EXPECT_EQ(one.entries[0].image, root() / "Manually_Annotated/Manually_Annotated_Images/12/a.png");

  write("Manually_Annotated_file_lists/training.csv",
        kHeader + line_of("1/a.jpg", "1") + line_of("1/b.jpg", "11"));
  EXPECT_THAT(refusal(), AllOf(HasSubstr("training.csv, line 3: "), HasSubstr("from 0 to 10"),
                               HasSubstr("\"11\"")));
  write("Manually_Annotated_file_lists/training.csv", "subDirectory_filePath,valence\n1/a.jpg,1\n");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("training.csv"), HasSubstr("\"expression\"")));
}

TEST_F(LayoutsTest, ReadsOneNumberOfANumPyFile) {
  const auto number = [&](const std::string& bytes) {
    write("x.npy", bytes);
    return read_npy_number(root() / "x.npy");
  };
  EXPECT_EQ(number(npy_text("7")), 7);
  EXPECT_EQ(number(npy_text("10")), 10);
  EXPECT_EQ(number(npy("|S2", std::string("3\0", 2))), 3);
  EXPECT_EQ(number(npy("<i8", std::string("\x05\0\0\0\0\0\0\0", 8))), 5);
  EXPECT_EQ(number(npy("|u1", "\x06")), 6);
  EXPECT_EQ(number(npy("<f4", std::string("\0\0\0\x40", 4))), 2);
  for (const std::string& wrong :
       {std::string(), std::string("happy"), npy("<i8", "abc"), npy_text("seven"), npy("", "1"),
        npy(">i4", "abcd"), npy("<c8", "abcdefgh"), npy("<i4", "abcdefgh"),
        std::string("\x93NUMPY\x01\0\xff\xff{}", 12)}) {
    write("x.npy", wrong);
    EXPECT_THAT(
        error_of([&] { read_npy_number(root() / "x.npy"); }),
        AllOf(HasSubstr("x.npy: expected a NumPy file with one number"), HasSubstr("found")));
  }
}

// FER2013 and FER+

using Fer2013 = LayoutsTest;

constexpr const char* kPixels =
    "emotion,pixels,Usage\n"
    "0,1 2 3 4,Training\n"
    "1,5 6 7 8,Training\n"
    "2,9 10 11 12,Training\n"
    "3,13 14 15 16,Training\n"
    "4,17 18 19 20,Training\n"
    "5,21 22 23 24,PublicTest\n"
    "6,25 26 27 255,PrivateTest\n";

TEST_F(Fer2013, IsReadWithItsPixels) {
  write("fer2013/fer2013.csv", kPixels);
  for (const char* path : {"", "fer2013", "fer2013/fer2013.csv"}) {
    const ImageList list = read(path);
    EXPECT_EQ(list.layout, "FER2013") << path;
    EXPECT_THAT(labels(list), ElementsAre("anger", "disgust", "fear", "happiness", "sadness",
                                          "surprise", "neutral"));
    EXPECT_THAT(splits(list),
                ElementsAre("train", "train", "train", "train", "train", "valid", "test"));
    EXPECT_THAT(list.entries[6].pixels, ElementsAre(25, 26, 27, 255));
    EXPECT_THAT(list.entries[6].image.string(), EndsWith("fer2013.csv, line 8"));
  }
}

TEST_F(Fer2013, MayLackLabels) {
  write("test.csv", "pixels\n1 2 3 4\n5 6 7 8\n");
  const ImageList list = read("test.csv");
  EXPECT_THAT(labels(list), ElementsAre("none", "none"));
  EXPECT_THAT(splits(list), ElementsAre("train", "train"));
  EXPECT_FALSE(list.labels.empty());
}

TEST_F(Fer2013, NamesFileAndLineOfWhatIsWrong) {
  const auto complaint = [&](const std::string& line) {
    write("fer2013.csv", "emotion, Usage, pixels\n0,Training,1 2 3 4\n" + line + "\n");
    return refusal();
  };
  const std::string where = "fer2013.csv, line 3: ";
  EXPECT_THAT(complaint("7,Training,1 2 3 4"),
              AllOf(HasSubstr(where), HasSubstr("from 0 to 6"), HasSubstr("\"7\"")));
  EXPECT_THAT(complaint("happy,Training,1 2 3 4"), HasSubstr("\"happy\""));
  EXPECT_THAT(complaint("0,Training,1 2 256 4"), AllOf(HasSubstr(where), HasSubstr("\"256\"")));
  EXPECT_THAT(complaint("0,Training,1 2 x 4"), AllOf(HasSubstr(where), HasSubstr("\"x\"")));
  EXPECT_THAT(complaint("0,Training,1 2 3"),
              AllOf(HasSubstr(where), HasSubstr("square"), HasSubstr("found 3")));
  EXPECT_THAT(complaint("0,Training"), AllOf(HasSubstr(where), HasSubstr("3 fields")));
  write("fer2013.csv", "emotion,pixels,Usage\n");
  EXPECT_THAT(refusal(), HasSubstr("found none"));
}

using FerPlus = LayoutsTest;

constexpr const char* kVotes =
    "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"
    "Training,fer0000000.png,4,0,0,1,3,2,0,0,0,0\n"
    "Training,fer0000001.png,0,8,2,0,0,0,0,0,0,0\n"
    "Training,,0,0,0,0,0,0,0,0,0,10\n"
    "Training,fer0000003.png,3,0,0,0,3,0,0,0,4,0\n"
    "Training,fer0000004.png,0,0,0,0,0,0,0,6,0,4\n"
    "PublicTest,fer0000005.png,1,0,0,0,0,0,9,0,0,0\n"
    "PrivateTest,fer0000006.png,0,0,0,5,0,5,0,0,0,0\n";

TEST_F(FerPlus, TakesItsVotesForThePixelsOfFer2013) {
  write("fer2013.csv", kPixels);
  write("fer2013new.csv", kVotes);
  for (const char* path : {"", "fer2013new.csv"}) {
    const ImageList list = read(path);
    EXPECT_EQ(list.layout, "FER+") << path;
    EXPECT_THAT(list.labels, ElementsAre("neutral", "happiness", "surprise", "sadness", "anger",
                                         "disgust", "fear", "contempt"));
    EXPECT_THAT(labels(list),
                ElementsAre("neutral", "happiness", "none", "contempt", "fear", "none"));
    EXPECT_EQ(list.left_out, 1u);
    EXPECT_THAT(list.entries[0].votes, ElementsAre(4, 0, 0, 1, 3, 2, 0, 0));
    EXPECT_THAT(list.entries[0].pixels, ElementsAre(1, 2, 3, 4));
    EXPECT_THAT(list.entries[2].pixels, ElementsAre(13, 14, 15, 16)) << "past what is left out";
    EXPECT_THAT(splits(list), ElementsAre("train", "train", "train", "train", "valid", "test"));
  }
}

TEST_F(FerPlus, NamesWhatDoesNotFitTogether) {
  write("fer2013new.csv", kVotes);
  EXPECT_THAT(refusal("fer2013new.csv"), AllOf(HasSubstr("fer2013new.csv: "),
                                               HasSubstr("no pixels"), HasSubstr("fer2013.csv")));
  const std::string pixels = kPixels, votes = kVotes;
  write("fer2013.csv", pixels + "0,1 2 3 4,PrivateTest\n");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("fer2013.csv, line 9: "), HasSubstr("found more")));
  write("fer2013.csv", pixels);
  write("fer2013new.csv", votes + "PrivateTest,a.png,1,0,0,0,0,0,0,0,0,0\n");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("fer2013new.csv, line 9: "), HasSubstr("found more")));
  std::string other = votes;
  other.replace(other.find("PublicTest"), 10, "Training");
  write("fer2013new.csv", other);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("fer2013new.csv, line 7: "), HasSubstr("in its order")));
  other = votes;
  other.replace(other.find(",8,"), 3, ",x,");
  write("fer2013new.csv", other);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("fer2013new.csv, line 3: "), HasSubstr("\"x\"")));
}

TEST_F(LayoutsTest, LeavesOtherDataToOthers) {
  write("labels.csv", "image,label\na.png,happy\n");
  EXPECT_FALSE(read_known_layout(root()).has_value());
  EXPECT_FALSE(read_known_layout(root() / "labels.csv").has_value());
  EXPECT_EQ(read("labels.csv").layout, "");
}

}  // namespace
}  // namespace fer
