#include <onnxruntime_cxx_api.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "model/foreign/network_plan.h"
#include "model/foreign/network_runner.h"

namespace fer {
namespace {

std::string library_name() {
  return std::string("ONNX Runtime ") + OrtGetApiBase()->GetVersionString();
}

/// Whose log goes nowhere below errors; one a process, as ONNX Runtime wants it.
Ort::Env& environment() {
  static Ort::Env one(ORT_LOGGING_LEVEL_ERROR, "gst-fer");
  return one;
}

/// What `work` gives; its failures as sentences.
template <typename Work>
auto guarded(const Work& work) {
  try {
    return work();
  } catch (const Ort::Exception& error) {
    throw std::runtime_error("a file that " + library_name() + " cannot run (" + error.what() +
                             ")");
  }
}

/// A thread computes alone, as our own models do: batches are divided among threads instead.
class OnnxRuntimeRunner final : public NetworkRunner {
 public:
  OnnxRuntimeRunner(const std::string& onnx, const NetworkPlan& plan)
      : plan_(plan), session_(open(onnx)) {
    const std::vector<float> black(plan.input_size());
    outputs_ = guarded(
        [&] { return call(black.data(), 1).GetTensorTypeAndShapeInfo().GetElementCount(); });
    if (outputs_ == 0) throw std::runtime_error("a network without an output");
  }

  void run(const float* input, std::size_t n, float* outputs) const override {
    const std::size_t at_once = plan_.any_batch ? n : 1;
    for (std::size_t done = 0; done < n; done += at_once) {
      guarded([&] {
        const Ort::Value values = call(input + done * plan_.input_size(), at_once);
        if (values.GetTensorTypeAndShapeInfo().GetElementCount() != at_once * outputs_)
          throw std::runtime_error("a network whose number of outputs changes");
        std::copy_n(values.GetTensorData<float>(), at_once * outputs_, outputs + done * outputs_);
        return 0;
      });
    }
  }

  std::size_t outputs() const override { return outputs_; }
  bool divisible() const override { return true; }
  std::string name() const override { return library_name(); }

 private:
  static Ort::Session open(const std::string& onnx) {
    return guarded([&] {
      Ort::SessionOptions options;
      options.SetIntraOpNumThreads(1);
      options.SetInterOpNumThreads(1);
      options.SetGraphOptimizationLevel(GraphOptimizationLevel::ORT_ENABLE_ALL);
      return Ort::Session(environment(), onnx.data(), onnx.size(), options);
    });
  }

  /// What the network says of n inputs: a tensor of fp32.
  Ort::Value call(const float* input, std::size_t n) const {
    const std::vector<std::int64_t> shape = plan_.input_shape(n);
    const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    // ONNX Runtime only reads it.
    const Ort::Value pixels = Ort::Value::CreateTensor<float>(
        memory, const_cast<float*>(input), n * plan_.input_size(), shape.data(), shape.size());
    const char* inputs[] = {plan_.input.c_str()};
    const char* outputs[] = {plan_.output.c_str()};
    std::vector<Ort::Value> values =
        session_.Run(Ort::RunOptions{nullptr}, inputs, &pixels, 1, outputs, 1);
    if (!values[0].IsTensor() || values[0].GetTensorTypeAndShapeInfo().GetElementType() !=
                                     ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT)
      throw std::runtime_error("a network whose output is not fp32");
    return std::move(values[0]);
  }

  const NetworkPlan plan_;
  mutable Ort::Session session_;  ///< Run() may be called from several threads, and is not const.
  std::size_t outputs_ = 0;
};

}  // namespace

std::unique_ptr<const NetworkRunner> open_runner(const std::string& onnx, const NetworkPlan& plan) {
  return std::make_unique<OnnxRuntimeRunner>(onnx, plan);
}

}  // namespace fer
