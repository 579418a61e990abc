// Any bytes as a safetensors file: it is refused, or every byte that it points at can be read.
#include <stdexcept>

#include "fuzz/fuzz_input.h"
#include "model/safetensors.h"
#include "unit/model/safetensors_bytes.h"

namespace fer::test {
namespace {

void read_all(const std::filesystem::path& path, FileAccess access) {
  try {
    const SafetensorsFile file(path, access);
    volatile unsigned sum = 0;
    for (const auto& [name, view] : file.tensors()) {
      const auto* bytes = static_cast<const unsigned char*>(view.data);
      for (std::size_t i = 0; i < view.bytes; ++i) sum = sum + bytes[i];
    }
  } catch (const std::runtime_error&) {
    // Refused, in the documented way.
  }
}

}  // namespace

std::vector<std::string> seeds() {
  const std::string data(64, '\1');
  return {
      safetensors_bytes("{}", ""),
      safetensors_bytes(R"({"__metadata__":{"format":"pt","a":"b"}})", ""),
      safetensors_bytes(R"({"t":{"dtype":"F32","shape":[4,4],"data_offsets":[0,64]}}       )",
                        data),
      safetensors_bytes(R"({"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]},)"
                        R"("b":{"dtype":"BF16","shape":[2,0,3],"data_offsets":[2,2]},)"
                        R"("c":{"dtype":"I64","shape":[1],"data_offsets":[8,16]},)"
                        R"("d":{"dtype":"F16","shape":[1,2],"data_offsets":[4,8]}}  )",
                        data),
      safetensors_bytes(R"({"t":{"dtype":"F32","shape":[18446744073709551615],)"
                        R"("data_offsets":[18446744073709551608,8]}})",
                        data),
      safetensors_bytes(std::string(1000, '[') + std::string(1000, ']'), ""),
  };
}

}  // namespace fer::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fer::test::MemoryFile file(data, size);
  fer::test::read_all(file.path(), fer::FileAccess::kMapped);
  fer::test::read_all(file.path(), fer::FileAccess::kRead);
  return 0;
}
