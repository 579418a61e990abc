#include <cstdio>
#include <nlohmann/json.hpp>

#include "commands/commands.h"
#include "learn/device/compute_device.h"
#include "learn/distributed/process_group.h"
#include "model/device_name.h"
#include "network/cuda_graph.h"
#include "network/runtime_info.h"
#include "program/findings.h"
#include "util/json_text.h"
#ifdef HAVE_ONNX
#include "export/onnx_graph.h"
#endif

namespace fer {
namespace {

void look_at_cuda(Findings& findings) {
  std::string fallback;
  const torch::Device device(resolve_device("auto", &fallback));
  if (!device.is_cuda()) {
    findings.push_back({Verdict::kNote, "CUDA",
                        fallback.empty() ? "no driver; everything runs on the CPU" : fallback, ""});
    return;
  }
  findings.push_back({Verdict::kGood, "CUDA", "LibTorch finds a device", ""});
  std::string refusal;
  if (kernels_for(device, &refusal)) {
    findings.push_back({Verdict::kGood, "libfer-cuda", "its kernels run there", ""});
  } else {
    findings.push_back({Verdict::kNote, "libfer-cuda",
                        "the processor makes views and pseudo-labels: " + refusal, ""});
  }
  if (open_capture(refusal)) {
    findings.push_back({Verdict::kGood, "CUDA graphs", "batches of faces are started at once", ""});
  } else {
    findings.push_back({Verdict::kNote, "CUDA graphs",
                        "batches of faces are started kernel by kernel: " + refusal, ""});
  }
}

Findings look() {
  const RuntimeInfo torch = runtime_info();
  Findings findings{{Verdict::kGood, "LibTorch",
                     torch.torch_version + ", " + std::to_string(torch.threads) + " threads", ""}};
  if (!torch.onednn) {
    findings.push_back({Verdict::kWarning, "LibTorch's oneDNN", "LibTorch was built without it",
                        "training is slow; take a LibTorch that has it (-Dtorch_dir=)"});
  }
  look_at_cuda(findings);
  if (ProcessGroup::available()) {
    findings.push_back({Verdict::kGood, "Gloo", "fer train can run in several processes", ""});
  } else {
    findings.push_back({Verdict::kNote, "Gloo", "this program was built without it",
                        "install libgloo-dev and build again to train in several processes"});
  }
#ifdef HAVE_ONNX
  findings.push_back({Verdict::kGood, "ONNX", OnnxGraph::library_version(), ""});
#else
  findings.push_back({Verdict::kNote, "ONNX", "this program was built without it",
                      "install libonnx-dev and libprotobuf-dev and build again to export models"});
#endif
  return findings;
}

}  // namespace

void add_learning_doctor(CLI::App& app) {
  CLI::App* c = app.add_subcommand("doctor", "Say what is there of what learning needs, as JSON.");
  c->callback([] { std::printf("%s\n", json_text(findings_json(look())).c_str()); });
}

}  // namespace fer
