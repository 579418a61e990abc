#include "stream/mirror_agreement.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "network/model_file.h"
#include "tiny_learner.h"

namespace fer {
namespace {

Evidence evidence(int label, Random& random) {
  Evidence e;
  e.mean = {1, 0, 0};
  e.crops = {test::tiny_crop(label, 3, random)};
  return e;
}

TEST(MirrorAgreement, ComparesFacesWithTheirMirrorImages) {
  const ModelFile source = read_model(test::TinySource::get().model());
  AdaptedNetworks networks(source, 1, 0);
  SampleMemory memory(MemoryConfig(), 3);
  EXPECT_EQ(MirrorAgreement(memory, source.info, networks).of(networks.teacher()), 1)
      << "no picture, no doubt";
  Random random(1);
  for (int i = 0; i < 60; ++i) memory.add(evidence(i % 3, random));
  const MirrorAgreement mirror(memory, source.info, networks);
  // The tiny dataset's label is the height of a light, which no mirror changes.
  EXPECT_GT(mirror.of(networks.teacher()), 0.9);
  // One class whatever the face: it agrees with itself.
  auto weights = networks.teacher_weights();
  weights["head.weight"].zero_();
  networks.set_teacher(weights);
  EXPECT_EQ(mirror.of(networks.teacher()), 1);
}

}  // namespace
}  // namespace fer
