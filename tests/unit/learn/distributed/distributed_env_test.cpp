#include "learn/distributed/distributed_env.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <list>
#include <map>

#include "error_of.h"
#include "scoped.h"

namespace fer {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// The environment that says where a process stands; what a test does not set is empty.
class DistributedEnvTest : public testing::Test {
 protected:
  DistributedEnvTest() {
    for (const char* name : {"RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR",
                             "MASTER_PORT", "TORCHELASTIC_USE_AGENT_STORE"})
      set(name, "");
  }

  void set(const char* name, const std::string& value) { variables_.emplace_back(name, value); }

  void set_second_of_three() {
    set("RANK", "1");
    set("WORLD_SIZE", "3");
    set("MASTER_ADDR", "node-0");
    set("MASTER_PORT", "29500");
  }

 private:
  // Put back last first.
  struct Reversed : std::list<test::ScopedVariable> {
    ~Reversed() {
      while (!empty()) pop_back();
    }
  } variables_;
};

TEST_F(DistributedEnvTest, IsNoneForOneProcess) {
  EXPECT_FALSE(distributed_env());
  set("WORLD_SIZE", "1");
  EXPECT_FALSE(distributed_env());
  require_one_process("this");
}

TEST_F(DistributedEnvTest, HasANumberOnItsMachine) {
  set_second_of_three();
  EXPECT_EQ(distributed_env()->local_rank, 0);  // one a machine
  set("LOCAL_WORLD_SIZE", "2");
  EXPECT_EQ(distributed_env()->local_rank, 1);
  set("LOCAL_RANK", "0");
  EXPECT_EQ(distributed_env()->local_rank, 0);
  set("LOCAL_RANK", "3");
  EXPECT_THAT(test::error_of([] { distributed_env(); }), HasSubstr("LOCAL_RANK=3"));
}

TEST(DeviceOfProcess, IsTheOneOfItsNumber) {
  DistributedEnv env;
  env.size = 2;
  env.local_rank = 1;
  EXPECT_EQ(device_of(env, "auto"), "cpu");
  EXPECT_EQ(device_of(env, "cpu"), "cpu");
  EXPECT_THAT(test::error_of([&] { device_of(env, "gpu"); }), HasSubstr("device \"gpu\""));
  const std::string refusal = test::error_of([&] { EXPECT_EQ(device_of(env, "cuda"), "cuda:1"); });
  if (!refusal.empty()) {
    EXPECT_THAT(refusal, HasSubstr("device cuda:1: "));
  }
}

TEST_F(DistributedEnvTest, IsWhatTheEnvironmentSays) {
  set_second_of_three();
  const DistributedEnv env = distributed_env().value();
  EXPECT_EQ(env.rank, 1);
  EXPECT_EQ(env.size, 3);
  EXPECT_EQ(env.local_size, 1);
  EXPECT_EQ(env.host, "node-0");
  EXPECT_EQ(env.port, 29500);
  set("LOCAL_WORLD_SIZE", "2");
  EXPECT_EQ(distributed_env()->local_size, 2);
  EXPECT_THAT(test::error_of([] { require_one_process("fer sing"); }),
              AllOf(HasSubstr("WORLD_SIZE=3"), HasSubstr("fer sing runs in one process")));
}

TEST_F(DistributedEnvTest, LeavesItsPortToTorchrun) {
  set_second_of_three();
  set("TORCHELASTIC_USE_AGENT_STORE", "True");
  EXPECT_EQ(distributed_env()->port, 29501);
  set("MASTER_PORT", "65535");
  EXPECT_THAT(test::error_of([] { distributed_env(); }),
              AllOf(HasSubstr("MASTER_PORT=65535"), HasSubstr("1 to 65534")));
}

TEST_F(DistributedEnvTest, NamesTheVariableThatMakesNoSense) {
  const auto error = [] { return test::error_of([] { distributed_env(); }); };
  set("WORLD_SIZE", "many");
  EXPECT_THAT(error(), HasSubstr("WORLD_SIZE=many: expected"));
  set("WORLD_SIZE", "0");
  EXPECT_THAT(error(), HasSubstr("WORLD_SIZE=0: expected"));

  set("WORLD_SIZE", "3");
  EXPECT_THAT(error(),
              AllOf(HasSubstr("RANK is not set, though WORLD_SIZE is 3"), HasSubstr("0 to 2")));
  set("RANK", "3");
  EXPECT_THAT(error(), HasSubstr("RANK=3, though WORLD_SIZE is 3: expected"));
  set("RANK", "1x");
  EXPECT_THAT(error(), HasSubstr("RANK=1x"));
  set("RANK", "1");
  EXPECT_THAT(error(), HasSubstr("MASTER_ADDR is not set"));
  set("MASTER_ADDR", "localhost");
  EXPECT_THAT(error(), HasSubstr("MASTER_PORT is not set"));
  set("MASTER_PORT", "70000");
  EXPECT_THAT(error(), HasSubstr("MASTER_PORT=70000"));
  set("MASTER_PORT", "29500");
  EXPECT_EQ(error(), "");
  set("LOCAL_WORLD_SIZE", "4");
  EXPECT_THAT(error(), HasSubstr("LOCAL_WORLD_SIZE=4"));
}

}  // namespace
}  // namespace fer
