// Any bytes as a model file: it is refused, or it can be folded for serving.
#include "model/stored_model.h"

#include <stdexcept>

#include "fuzz/fuzz_input.h"
#include "model/folded_network.h"
#include "model/network_layout.h"
#include "unit/model/safetensors_bytes.h"

namespace fer::test {

std::vector<std::string> seeds() {
  // The smallest network there is.
  NetworkConfig network;
  network.input_size = 16;
  network.stem_width = 1;
  network.widths = {1};
  network.depths = {1};
  network.strides = {2};
  network.attention_branches = 1;
  network.attention_reduction = 1;
  network.classes = 2;
  nlohmann::json header, model{{"network", network},
                               {"labels", {"calm", "glad"}},
                               {"mean", 0.5},
                               {"std", 0.25},
                               {"align_template", "fer"},
                               {"prior", {0.5, 0.5}},
                               {"version", "0123456789ab"},
                               {"parent", ""},
                               {"provenance", {{"seed", 1}}}};
  std::size_t offset = 0;
  for (const auto& [name, shape] : network_layout(network)) {
    std::size_t bytes = sizeof(float);
    for (const std::int64_t extent : shape) bytes *= static_cast<std::size_t>(extent);
    header[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  const auto file = [&] {
    header["__metadata__"] = {{"format", "gst-fer/1"}, {"model", model.dump()}};
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');
    return safetensors_bytes(text, std::string(offset, '\0'));
  };
  std::vector<std::string> files{file()};
  model["network"]["widths"] = {4096};  // of which there is nothing in the file
  files.push_back(file());
  model["provenance"] = nlohmann::json::parse(std::string(20, '[') + std::string(20, ']'));
  files.push_back(file());
  return files;
}

}  // namespace fer::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fer::test::MemoryFile file(data, size);
  try {
    fer::read_model_info(file.path());
    fer::fold(fer::read_stored_model(file.path()));
  } catch (const std::runtime_error&) {
    // Refused, in the documented way.
  }
  return 0;
}
