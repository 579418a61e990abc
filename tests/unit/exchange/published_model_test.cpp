#include "exchange/published_model.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "exchange/refused_message.h"
#include "model/find_model.h"
#include "model/model_info.h"
#include "scoped.h"

namespace fer {
namespace {

using std::chrono::milliseconds;
using Time = PublishedModel::Time;

const Time kBegin{};
const Time kLater = kBegin + milliseconds(1500);

class PublishedModelTest : public testing::Test {
 protected:
  PublishedModelTest() {
    std::filesystem::copy(find_expression_model(), served_);
    version_ = read_model_info(served_).version;
  }
  std::string other_model() const {
    ModelMessage other{"door", "ffffffffffff", version_, "another", "", "other bytes"};
    return encode_model(other);
  }

  const test::ScopedFolder folder_;
  const std::filesystem::path served_ = folder_.path() / "served.fer";
  std::string version_;
};

TEST_F(PublishedModelTest, PublishesTheWholeFileWhereTheBrokerKeepsNone) {
  PublishedModel model("door", "me", served_, "source");
  model.connected(kBegin);
  EXPECT_FALSE(model.due(version_, false, kBegin + milliseconds(100)));
  const auto message = model.due(version_, false, kLater);
  ASSERT_TRUE(message);
  const ModelMessage sent = decode_model(*message, "door");
  EXPECT_EQ(sent.version, version_);
  std::ifstream file(served_, std::ios::binary);
  EXPECT_EQ(sent.file, std::string(std::istreambuf_iterator<char>(file), {}));
  model.heard(*message);
  EXPECT_EQ(model.version(), version_);
  EXPECT_FALSE(model.due(version_, false, kLater + milliseconds(60000)));
}

TEST_F(PublishedModelTest, TriesAgainWhereNothingComesBack) {
  PublishedModel model("door", "me", served_, "source");
  model.connected(kBegin);
  ASSERT_TRUE(model.due(version_, false, kLater));
  EXPECT_FALSE(model.due(version_, false, kLater + milliseconds(1000)));
  EXPECT_TRUE(model.due(version_, false, kLater + milliseconds(6000)));
}

TEST_F(PublishedModelTest, ASourceThatNobodyAskedForReplacesNothingThatWasLearnt) {
  PublishedModel model("door", "me", served_, version_);
  model.connected(kBegin);
  model.heard(other_model());
  EXPECT_FALSE(model.due(version_, /*decided=*/false, kLater));
  EXPECT_TRUE(model.due(version_, /*decided=*/true, kLater));
}

TEST_F(PublishedModelTest, ReplacesWhatIsNoModelOfTheSlot) {
  PublishedModel model("door", "me", served_, version_);
  model.connected(kBegin);
  EXPECT_THROW(model.heard("rubbish"), RefusedMessage);
  EXPECT_TRUE(model.due(version_, false, kLater));
}

TEST_F(PublishedModelTest, WaitsForTheFileOfWhatServes) {
  PublishedModel model("door", "me", served_, "source");
  model.connected(kBegin);
  EXPECT_FALSE(model.due("aaaaaaaaaaaa", true, kLater));
  EXPECT_TRUE(model.due(version_, true, kLater));
}

}  // namespace
}  // namespace fer
