#include "network/aten_engine.h"

#include <torch/types.h>
#include <torch/version.h>

#include <exception>

#include "model/folded_network.h"
#include "network/cuda_graph.h"
#include "network/cuda_graph_runner.h"
#include "network/device_stream.h"
#include "network/torch_threads.h"
#include "util/first_line.h"

namespace fer {
namespace {

torch::Tensor tensor_of(const std::vector<float>& values, std::vector<std::int64_t> shape,
                        torch::TensorOptions options) {
  return torch::from_blob(const_cast<float*>(values.data()), shape)
      .to(options, false, /*copy=*/true);
}

/// A convolution with everything that does not change from call to call.
struct Conv {
  torch::Tensor weight, bias;
  std::vector<std::int64_t> stride, padding;
  std::int64_t groups = 1;

  Conv() = default;
  Conv(const FoldedConv& conv, torch::TensorOptions options)
      : weight(tensor_of(conv.weight, {conv.out, conv.in / conv.groups, conv.kernel, conv.kernel},
                         options)
                   .contiguous(at::MemoryFormat::ChannelsLast)),
        bias(tensor_of(conv.bias, {conv.out}, options)),
        stride(2, conv.stride),
        padding(2, conv.pad()),
        groups(conv.groups) {}

  torch::Tensor operator()(const torch::Tensor& x) const {
    // Left to itself, LibTorch 1.13 sends small batches past oneDNN, to a path that takes some ten
    // times as long.
    if (x.is_cpu() && at::globalContext().hasMKLDNN()) {
      return at::mkldnn_convolution(x, weight, bias, padding, stride, {1, 1}, groups);
    }
    return at::conv2d(x, weight, bias, stride, padding, {1, 1}, groups);
  }
};

struct Block {
  Conv conv1, conv2, shortcut;
  bool identity = true;

  torch::Tensor operator()(const torch::Tensor& x) const {
    torch::Tensor y = conv2(conv1(x).relu_());
    if (identity) return y.add_(x).relu_();
    torch::Tensor sum = shortcut(x);
    if (sum.sizes() == y.sizes()) return y.add_(sum).relu_();
    sum.slice(2, 0, y.size(2)).slice(3, 0, y.size(3)).add_(y);
    return sum.relu_();
  }
};

class AtenEngine : public InferenceEngine {
 public:
  AtenEngine(const FoldedNetwork& network, Precision precision, torch::Device device)
      : side_(network.side),
        channels_(network.channels),
        pool_(network.stem_pool),
        pool_pad_(network.stem.padded ? 1 : 0),
        options_(torch::TensorOptions()
                     .dtype(precision == Precision::kBf16 ? torch::kBFloat16 : torch::kFloat32)
                     .device(device)),
        stream_(device, Urgency::kServing) {
    const c10::InferenceMode inference;
    const DeviceStream::Scope on_stream(stream_);
    const torch::TensorOptions fp32 = options_.dtype(torch::kFloat32);
    input_ = tensor_of({network.input.begin(), network.input.end()}, {256}, options_);
    stem_ = Conv(network.stem, options_);
    for (const FoldedBlock& folded : network.blocks) {
      Block block;
      block.conv1 = Conv(folded.conv1, options_);
      block.conv2 = Conv(folded.conv2, options_);
      block.identity = !folded.shortcut;
      if (folded.shortcut) block.shortcut = Conv(*folded.shortcut, options_);
      blocks_.push_back(std::move(block));
    }
    if (network.attention) {
      attends_ = true;
      reduce_ = Conv(network.attention->reduce, options_);
      score_ = Conv(network.attention->score, options_);
    }
    head_weight_ = tensor_of(network.head_weight, {network.classes, network.width}, fp32).t();
    head_bias_ = tensor_of(network.head_bias, {network.classes}, fp32);
    if (device.is_cuda()) record();
  }

  void run(const std::uint8_t* crops, std::size_t n, float* logits) const override {
    const c10::InferenceMode inference;
    const OneTorchThread one_thread;
    const DeviceStream::Scope on_stream(stream_);
    const auto count = static_cast<std::int64_t>(n);
    if (graphs_ && graphs_->run(crops, count, logits)) return;
    const torch::Tensor bytes = torch::from_blob(const_cast<std::uint8_t*>(crops),
                                                 {count, channels_, side_, side_}, torch::kUInt8)
                                    .to(options_.device());
    torch::from_blob(logits, {count, head_bias_.size(0)}).copy_(forward(bytes));
  }

  bool divisible() const override { return options_.device().is_cpu(); }

  std::string name() const override {
    const std::string library = "LibTorch " TORCH_VERSION;
    if (!options_.device().is_cuda()) return library;
    return library + " on " + options_.device().str() +
           (graphs_ ? " with CUDA graphs" : " without CUDA graphs (" + no_graphs_ + ")");
  }

 private:
  torch::Tensor forward(const torch::Tensor& bytes) const {
    torch::Tensor x = input_.index_select(0, bytes.flatten().to(torch::kInt64))
                          .view(bytes.sizes())
                          .contiguous(at::MemoryFormat::ChannelsLast);
    x = stem_(x).relu_();
    if (pool_) x = torch::max_pool2d(x, 3, 2, pool_pad_);
    for (const Block& block : blocks_) x = block(x);
    if (attends_) {
      const torch::Tensor maps = score_(reduce_(x).relu_()).sigmoid_();
      x = x * maps.amax(1, /*keepdim=*/true);
    }
    const torch::Tensor pooled = x.to(torch::kFloat32).mean({2, 3});
    return torch::addmm(head_bias_, pooled, head_weight_);
  }

  /// Serving does without where a device refuses.
  void record() {
    const Capture capture = open_capture(no_graphs_);
    if (!capture) return;
    if (!stream_.own()) {
      no_graphs_ = "as many models as LibTorch has streams are laid out on the device";
      return;
    }
    try {
      graphs_ = std::make_unique<CudaGraphRunner>(
          [this](const torch::Tensor& bytes) { return forward(bytes); },
          std::vector<std::int64_t>{channels_, side_, side_}, options_.device(), capture);
    } catch (const std::exception& error) {
      no_graphs_ = first_line(error.what());
    }
  }

  const std::int64_t side_, channels_;
  const bool pool_;
  const std::int64_t pool_pad_;
  const torch::TensorOptions options_;
  const DeviceStream stream_;
  torch::Tensor input_;  ///< Normalised value of each pixel value.
  Conv stem_;
  std::vector<Block> blocks_;
  bool attends_ = false;
  Conv reduce_, score_;
  torch::Tensor head_weight_, head_bias_;
  std::unique_ptr<CudaGraphRunner> graphs_;  ///< Null: every kernel is started by itself.
  std::string no_graphs_;                    ///< Why.
};

}  // namespace

std::unique_ptr<InferenceEngine> make_aten_engine(const FoldedNetwork& network, Precision precision,
                                                  const std::string& device) {
  return std::make_unique<AtenEngine>(network, precision, torch::Device(device));
}

}  // namespace fer
