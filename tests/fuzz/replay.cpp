// Runs a fuzz target without a fuzzer: on the files that the command line names (found crashes), or
// else on the target's seeds and on the same few thousand mutations of them every time.
//
//   safetensors-replay [FILE…]
//   safetensors-replay --write-seeds FOLDER      a corpus for the fuzzer to begin with
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "fuzz/fuzz_input.h"
#include "fuzz/mutated.h"

namespace {

constexpr int kMutations = 4000;

void run(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

/// Makes the length field fit the header again, so that mutations get past it.
std::string repaired(std::string bytes, std::size_t data_size) {
  if (bytes.size() < 8 + data_size) return bytes;
  const std::uint64_t length = bytes.size() - 8 - data_size;
  std::memcpy(bytes.data(), &length, 8);
  return bytes;
}

std::size_t data_size(const std::string& seed) {
  std::uint64_t header = 0;
  std::memcpy(&header, seed.data(), 8);
  return seed.size() - 8 - header;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> seeds = fer::test::seeds();
  if (argc == 3 && std::strcmp(argv[1], "--write-seeds") == 0) {
    std::filesystem::create_directories(argv[2]);
    for (std::size_t i = 0; i < seeds.size(); ++i) {
      std::ofstream(std::filesystem::path(argv[2]) / ("seed-" + std::to_string(i)),
                    std::ios::binary)
          << seeds[i];
    }
    return 0;
  }
  for (int i = 1; i < argc; ++i) {
    std::ifstream in(argv[i], std::ios::binary);
    run({std::istreambuf_iterator<char>(in), {}});
  }
  if (argc > 1) return 0;
  std::mt19937 random(1);
  for (const std::string& seed : seeds) {
    run(seed);
    for (int i = 0; i < kMutations; ++i) {
      const std::string bytes = fer::test::mutated(seed, random);
      run(i % 4 == 0 ? bytes : repaired(bytes, data_size(seed)));
    }
  }
  std::printf("%zu seeds, %d mutations of each\n", seeds.size(), kMutations);
  return 0;
}
