#include "data/scene_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "error_of.h"
#include "scoped.h"

namespace fer {
namespace {

using test::error_of;
using test::ScopedFolder;
using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kHeader =
    "image,x,y,w,h,score,right_eye_x,right_eye_y,left_eye_x,left_eye_y,nose_x,nose_y,"
    "right_mouth_x,right_mouth_y,left_mouth_x,left_mouth_y,sure\n";

class SceneListTest : public testing::Test {
 protected:
  void write(const std::string& labels, const std::string& faces) const {
    folder_.write("labels.csv", labels);
    folder_.write("faces.csv", faces);
  }
  std::string complaint() const {
    return error_of([&] { read_scene_list(folder_.path()); });
  }
  const ScopedFolder folder_;
};

TEST_F(SceneListTest, ReadsPhotosAndTheirFaces) {
  write("image,split,source,dropped_false\na.jpg,Training,one,0\nb.jpg,val,two,2\nc.jpg,test,,0\n",
        std::string(kHeader) + "a.jpg,-1.5,2,3,4,0.75,1,2,3,4,5,6,7,8,9,10,1\n" +
            "c.jpg,1,2,3,4,1,1,2,3,4,5,6,7,8,9,10,0\n" +
            "a.jpg,10,20,30,40,0.5,1,2,3,4,5,6,7,8,9,10,1\n");
  std::filesystem::create_directory(folder_.path() / "images");
  const std::vector<SceneEntry> scenes = read_scene_list(folder_.path());
  ASSERT_EQ(scenes.size(), 3u);
  EXPECT_EQ(scenes[0].image, folder_.path() / "images" / "a.jpg");
  EXPECT_EQ(scenes[0].split, "train");
  EXPECT_EQ(scenes[0].source, "one");
  EXPECT_FALSE(scenes[0].tempting);
  ASSERT_EQ(scenes[0].faces.size(), 2u);
  const SceneFace& face = scenes[0].faces[0];
  EXPECT_EQ(face.x, -1.5f);
  EXPECT_EQ(face.height, 4);
  EXPECT_EQ(face.score, 0.75f);
  EXPECT_TRUE(face.sure);
  EXPECT_EQ(face.points[0], 1);
  EXPECT_EQ(face.points[9], 10);
  EXPECT_EQ(scenes[1].split, "valid");
  EXPECT_TRUE(scenes[1].tempting);
  EXPECT_TRUE(scenes[1].faces.empty());
  ASSERT_EQ(scenes[2].faces.size(), 1u);
  EXPECT_FALSE(scenes[2].faces[0].sure);

  EXPECT_EQ(read_scene_list(folder_.path() / "labels.csv", "valid").size(), 1u);
  EXPECT_THAT(error_of([&] { read_scene_list(folder_.path(), "none"); }), HasSubstr("\"none\""));
}

TEST_F(SceneListTest, ImagesMayLieBesideTheFile) {
  write("image,split\na.jpg,train\n", kHeader);
  EXPECT_EQ(read_scene_list(folder_.path())[0].image, folder_.path() / "a.jpg");
}

TEST_F(SceneListTest, SaysWhatIsWrongAndWhere) {
  const std::string labels = "image,split\na.jpg,train\n";
  write("image,source\na.jpg,x\n", kHeader);
  EXPECT_THAT(complaint(), AllOf(HasSubstr("labels.csv, line 1"), HasSubstr("split")));
  write("image,split\na.jpg,train\na.jpg,train\n", kHeader);
  EXPECT_THAT(complaint(), AllOf(HasSubstr("labels.csv, line 3"), HasSubstr("earlier line")));
  write(labels, "image,x,y,w,h\n");
  EXPECT_THAT(complaint(), AllOf(HasSubstr("faces.csv, line 1"), HasSubstr("right_eye_x")));
  const auto row = [&](const std::string& text) {
    write(labels, kHeader + text + "\n");
    return complaint();
  };
  EXPECT_THAT(row("b.jpg,1,2,3,4,1,1,2,3,4,5,6,7,8,9,10,1"),
              AllOf(HasSubstr("faces.csv, line 2"), HasSubstr("b.jpg does not stand in")));
  EXPECT_THAT(row("a.jpg,one,2,3,4,1,1,2,3,4,5,6,7,8,9,10,1"), HasSubstr("found \"one\""));
  EXPECT_THAT(row("a.jpg,nan,2,3,4,1,1,2,3,4,5,6,7,8,9,10,1"), HasSubstr("found \"nan\""));
  EXPECT_THAT(row("a.jpg,1e30,2,3,4,1,1,2,3,4,5,6,7,8,9,10,1"),
              AllOf(HasSubstr("faces.csv, line 2"), HasSubstr("found \"1e30\"")));
  EXPECT_THAT(row("a.jpg,1,2,0,4,1,1,2,3,4,5,6,7,8,9,10,1"), HasSubstr("above 0"));
  EXPECT_THAT(row("a.jpg,1,2,3,4,7,1,2,3,4,5,6,7,8,9,10,1"), HasSubstr("score"));
  EXPECT_THAT(row("a.jpg,1,2"), HasSubstr("fields"));
  write(
      "image,split\na.jpg,pr\xfc"
      "fung\n",
      kHeader);
  EXPECT_THAT(complaint(), AllOf(HasSubstr("labels.csv, line 2"), HasSubstr("UTF-8")));
  write("image,split\n", kHeader);
  EXPECT_THAT(complaint(), HasSubstr("no photos"));
  std::filesystem::remove(folder_.path() / "faces.csv");
  EXPECT_THAT(complaint(), AllOf(HasSubstr("faces.csv"), HasSubstr("cannot be opened")));
}

}  // namespace
}  // namespace fer
