#include "learn/run/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "content.h"
#include "error_of.h"
#include "model/safetensors.h"
#include "scoped.h"

namespace fer {
namespace {

using test::error_of;
using test::ScopedFolder;
using testing::HasSubstr;

Checkpoint example() {
  Checkpoint checkpoint;
  checkpoint.tensors["network.stem"] = torch::arange(12, torch::kFloat32).view({1, 3, 2, 2});
  checkpoint.tensors["counter"] = torch::tensor({std::int64_t{1} << 40});
  checkpoint.tensors["half"] = torch::tensor({0.5f, -3.f}).to(torch::kBFloat16);
  checkpoint.state = {{"epoch", 3}, {"best", {{"accuracy", 0.5}}}, {"note", "ä \"quoted\""}};
  return checkpoint;
}

TEST(Checkpoint, GivesBackWhatWasWritten) {
  const ScopedFolder folder;
  const Checkpoint written = example();
  write_checkpoint(folder.path() / "checkpoint", written);
  const Checkpoint read = read_checkpoint(folder.path() / "checkpoint");
  EXPECT_EQ(read.state, written.state);
  ASSERT_EQ(read.tensors.size(), written.tensors.size());
  for (const auto& [name, tensor] : written.tensors) {
    EXPECT_EQ(read.tensors.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(torch::equal(read.tensors.at(name), tensor)) << name;
  }
}

TEST(Checkpoint, WritesTensorsInAnyMemoryOrder) {
  const ScopedFolder folder;
  Checkpoint checkpoint = example();
  torch::Tensor& stem = checkpoint.tensors["network.stem"];
  const torch::Tensor expected = stem.clone();
  stem = stem.contiguous(torch::MemoryFormat::ChannelsLast).requires_grad_();
  ASSERT_FALSE(stem.is_contiguous());
  write_checkpoint(folder.path() / "checkpoint", checkpoint);
  EXPECT_TRUE(torch::equal(read_checkpoint(folder.path() / "checkpoint").tensors.at("network.stem"),
                           expected));
}

TEST(Checkpoint, RefusesWhatIsNoLongerWhatWasWritten) {
  const ScopedFolder folder;
  const auto path = folder.path() / "checkpoint";
  write_checkpoint(path, example());
  const std::string whole = test::content(path);
  const std::string state = "epoch";
  for (const std::size_t at : {whole.size() - 1, whole.find(state) + state.size() + 3}) {
    std::string broken = whole;
    broken[at] ^= 1;
    ASSERT_NE(broken, whole);
    folder.write("checkpoint", broken);
    EXPECT_THAT(error_of([&] { read_checkpoint(path); }), HasSubstr("checksum")) << at;
  }
}

TEST(Checkpoint, OwnsItsTensors) {
  const ScopedFolder folder;
  const auto path = folder.path() / "checkpoint";
  write_checkpoint(path, example());
  Checkpoint read = read_checkpoint(path);
  std::filesystem::remove(path);
  read.tensors["network.stem"].fill_(1);
  EXPECT_EQ(read.tensors["network.stem"].sum().item<float>(), 12);
}

TEST(Checkpoint, ReplacesTheOneBefore) {
  const ScopedFolder folder;
  const auto path = folder.path() / "checkpoint";
  write_checkpoint(path, example());
  Checkpoint next = example();
  next.state["epoch"] = 4;
  write_checkpoint(path, next);
  EXPECT_EQ(read_checkpoint(path).state["epoch"], 4);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(Checkpoint, NamesFilesThatAreNone) {
  const ScopedFolder folder;
  EXPECT_THAT(error_of([&] { read_checkpoint(folder.path() / "none"); }), HasSubstr("none: "));
  EXPECT_THAT(error_of([&] { read_checkpoint(folder.write("text", "not a checkpoint at all")); }),
              HasSubstr("text: expected a safetensors file"));
  const auto other = folder.path() / "other";
  write_safetensors(other, {}, {{"format", "gst-fer/1"}});
  EXPECT_THAT(error_of([&] { read_checkpoint(other); }),
              HasSubstr("other: expected metadata \"state\""));
  write_safetensors(other, {}, {{"state", "{"}});
  EXPECT_THAT(error_of([&] { read_checkpoint(other); }), HasSubstr("other: expected a checkpoint"));
}

}  // namespace
}  // namespace fer
