#include "learn/run/run_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "error_of.h"
#include "model/safetensors.h"
#include "scoped.h"

namespace fer {
namespace {

using nlohmann::json;
using test::error_of;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(RunSettings, AreRefusedBeforeTheDataAreRead) {
  const test::ScopedFolder folder;
  const json known{{"epochs", 20}, {"seed", 1}, {"method", {{"tau", 0.9}}}};
  EXPECT_EQ(error_of([&] { require_same_settings(folder.path(), known); }), "") << "a new run";
  const json state{
      {"config",
       {{"epochs", 40}, {"seed", 1}, {"method", {{"tau", 0.9}}}, {"network", {{"classes", 8}}}}}};
  const std::uint8_t byte = 1;
  write_safetensors(folder.path() / "checkpoint", {{"t", {DType::kU8, {1}, &byte, 1}}},
                    {{"format", "gst-fer-checkpoint/1"}, {"state", state.dump()}});
  const std::string error = error_of([&] { require_same_settings(folder.path(), known); });
  EXPECT_THAT(error, AllOf(HasSubstr("checkpoint: was made with other settings (epochs 40 there, "
                                     "20 here); use them"),
                           Not(HasSubstr("network")), Not(HasSubstr("\"op\""))));
  EXPECT_EQ(error_of([&] { require_same_settings(folder.path(), {{"epochs", 40}}); }), "");
}

TEST(RunSettings, TellTheFirstFewDifferences) {
  json there, here;
  for (int i = 0; i < 8; ++i) {
    const std::string name = std::string("a").append(std::to_string(i));
    there[name] = i;
    here[name] = i + 1;
  }
  EXPECT_THAT(settings_difference(there, here),
              AllOf(HasSubstr("a0 0 there, 1 here"), HasSubstr("; and 3 more")));
  EXPECT_EQ(settings_difference(there, there), "");
  EXPECT_EQ(settings_difference({{"init", "x"}}, json::object()), "init \"x\" there, none here");
  EXPECT_EQ(settings_difference({{"init", "x"}}, json::object(), /*common=*/true), "");
}

}  // namespace
}  // namespace fer
