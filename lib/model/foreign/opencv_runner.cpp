#include <algorithm>
#include <mutex>
#include <opencv2/core/utility.hpp>
#include <opencv2/core/version.hpp>
#include <opencv2/dnn.hpp>
#include <stdexcept>
#include <vector>

#include "model/foreign/network_plan.h"
#include "model/foreign/network_runner.h"

namespace fer {
namespace {

/// Runs a batch face by face: OpenCV plans its memory anew whenever the number of faces changes,
/// and files with one face a call take no more.
class OpenCvRunner final : public NetworkRunner {
 public:
  OpenCvRunner(const std::string& onnx, const NetworkPlan& plan)
      : input_size_(plan.input_size()), output_(plan.output) {
    for (const std::int64_t extent : plan.input_shape(1))
      shape_.push_back(static_cast<int>(extent));
    guarded([&] {
      net_ = cv::dnn::readNetFromONNX(onnx.data(), onnx.size());
      net_.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
      net_.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
      const std::vector<float> black(input_size_);
      outputs_ = forward(black.data()).total();
    });
    if (outputs_ == 0) throw std::runtime_error("a network without an output");
  }

  void run(const float* input, std::size_t n, float* outputs) const override {
    guarded([&] {
      const std::lock_guard lock(mutex_);
      for (std::size_t i = 0; i < n; ++i) {
        const cv::Mat values = forward(input + i * input_size_);
        if (values.total() != outputs_)
          throw std::runtime_error("a network whose number of outputs changes");
        std::copy_n(values.ptr<float>(), outputs_, outputs + i * outputs_);
      }
    });
  }

  std::size_t outputs() const override { return outputs_; }
  bool divisible() const override { return false; }
  std::string name() const override { return "OpenCV " CV_VERSION; }

 private:
  template <typename Work>
  static void guarded(const Work& work) {
    try {
      work();
    } catch (const cv::Exception& error) {
      throw std::runtime_error("a file that OpenCV " CV_VERSION " cannot run (" + error.err + ")");
    }
  }

  /// What the network says of one input, in one piece.
  cv::Mat forward(const float* input) const {
    // OpenCV only reads it.
    net_.setInput(cv::Mat(shape_, CV_32F, const_cast<float*>(input)));
    cv::Mat values;
    // On this thread alone, as our own models: OpenCV runs loops within a loop one after the other.
    // Spread over its threads, a face waits for all of them, which on a busy machine takes longest.
    cv::parallel_for_(cv::Range(0, 1), [&](const cv::Range&) { values = net_.forward(output_); });
    if (values.type() != CV_32F) throw std::runtime_error("a network whose output is not fp32");
    return values.isContinuous() ? values : values.clone();
  }

  const std::size_t input_size_;
  const std::string output_;
  std::vector<int> shape_;
  std::size_t outputs_ = 0;
  mutable std::mutex mutex_;
  mutable cv::dnn::Net net_;  ///< Guarded by mutex_: it computes in memory of its own.
};

}  // namespace

std::unique_ptr<const NetworkRunner> open_runner(const std::string& onnx, const NetworkPlan& plan) {
  return std::make_unique<OpenCvRunner>(onnx, plan);
}

}  // namespace fer
