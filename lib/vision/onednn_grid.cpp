// The detector's layers as oneDNN primitives for one size of input: weights reordered once, bias
// and relu inside the convolutions, activations in whatever layout each of them likes best.
#include <algorithm>
#include <list>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>

#include "util/omp_threads.h"
#include "util/onednn_api.h"
#include "vision/grid_network.h"

namespace fer {
namespace {

using dnnl::memory;
using onednn::Block;
using onednn::cpu;
using Type = memory::data_type;
using Tag = memory::format_tag;

/// What stands between two layers.
struct Value {
  memory::desc desc;
  memory::dim channels = 0, height = 0, width = 0;
  std::size_t block = 0;
};

/// A primitive and the blocks that it works on. The last one is for scratch.
struct Step {
  dnnl::primitive primitive;
  struct Argument {
    int name;
    memory::desc desc;
    std::size_t block;
  };
  std::vector<Argument> arguments;
  memory weight, bias;  ///< Empty unless it is a convolution.
};

constexpr std::size_t kInput = 0, kScratch = 1;

/// All that follows from the size of the input.
class Plan {
 public:
  Plan(const GridLayers& network, memory::dim height, memory::dim width)
      : stream_(cpu()), sizes_{0, 0}, left_(network.layers.size() + 1) {
    for (const GridLayer& layer : network.layers) {
      ++left(layer.input);
      if (layer.other >= 0) ++left(layer.other);
    }
    for (const int output : network.outputs) ++left(output);
    Value input{{{1, 1, height, width}, Type::f32, Tag::nchw}, 1, height, width, kInput};
    need(kInput, input.desc);
    values_.push_back(input);
    for (const GridLayer& layer : network.layers) add(layer);
    for (const int output : network.outputs) outputs_.push_back(planar(output));
    for (const std::size_t size : sizes_) blocks_.emplace_back(size);
    for (const Step& step : steps_) {
      std::unordered_map<int, memory> arguments;
      for (const auto& [name, desc, block] : step.arguments)
        arguments.emplace(name, memory(desc, cpu(), blocks_[block].get()));
      if (step.weight) {
        arguments.emplace(DNNL_ARG_WEIGHTS, step.weight);
        arguments.emplace(DNNL_ARG_BIAS, step.bias);
      }
      arguments_.push_back(std::move(arguments));
    }
  }

  bool fits(const cv::Mat& input) const {
    return input.size[2] == values_[0].height && input.size[3] == values_[0].width;
  }

  void run(const cv::Mat& input, std::vector<cv::Mat>& outputs) {
    const auto* from = input.ptr<float>();
    std::copy_n(from, input.total(), static_cast<float*>(blocks_[kInput].get()));
    for (std::size_t i = 0; i < steps_.size(); ++i)
      steps_[i].primitive.execute(stream_, arguments_[i]);
    stream_.wait();
    outputs.clear();
    for (const Value& output : outputs_) {
      const int shape[] = {1, static_cast<int>(output.channels), static_cast<int>(output.height),
                           static_cast<int>(output.width)};
      outputs.emplace_back(4, shape, CV_32F, blocks_[output.block].get());
    }
  }

 private:
  int& left(int value) { return left_[static_cast<std::size_t>(value)]; }
  const Value& value(int index) const { return values_[static_cast<std::size_t>(index)]; }

  void need(std::size_t block, const memory::desc& desc) {
    sizes_[block] = std::max(sizes_[block], desc.get_size());
  }

  /// A block that nobody needs any more, the one that was used last, which the cache still holds.
  std::size_t take(const memory::desc& desc) {
    if (free_.empty()) {
      free_.push_back(sizes_.size());
      sizes_.push_back(0);
    }
    const std::size_t block = free_.back();
    free_.pop_back();
    need(block, desc);
    return block;
  }

  void done_with(int index) {
    if (--left(index) == 0 && value(index).block != kInput) free_.push_back(value(index).block);
  }

  void add(const GridLayer& layer) {
    switch (layer.kind) {
      case GridLayer::kConv:
        values_.push_back(conv(layer));
        break;
      case GridLayer::kEnlarge:
        values_.push_back(enlarge(value(layer.input)));
        break;
      case GridLayer::kAdd:
        values_.push_back(sum(layer));
        break;
    }
    done_with(layer.input);
    if (layer.other >= 0) done_with(layer.other);
  }

  Value conv(const GridLayer& layer) {
    const Value& from = value(layer.input);
    const bool filters = layer.in == 1 && layer.out == from.channels && from.channels > 1;
    if (!layer.whole() || (!filters && layer.in != from.channels))
      throw std::runtime_error("a convolution of another kind");
    const memory::dim k = layer.kernel;
    const memory::dims shape = filters ? memory::dims{layer.out, 1, 1, k, k}
                                       : memory::dims{layer.out, from.channels, k, k};
    const auto after = [&](memory::dim side) {
      return convolved_side(static_cast<int>(side), layer.kernel, layer.stride, layer.pad);
    };
    Value to{{}, layer.out, after(from.height), after(from.width), 0};
    dnnl::post_ops ops;
    if (layer.relu) onednn::append_relu(ops);
    dnnl::primitive_attr attributes = onednn::own_scratch();
    attributes.set_post_ops(ops);
    const memory::dims source_shape{1, from.channels, from.height, from.width},
        target_shape{1, layer.out, to.height, to.width};
    const auto describe = [&](const memory::desc& source, Tag target) {
      return onednn::describe_conv(
          source, {shape, Type::f32, Tag::any}, {{layer.out}, Type::f32, Tag::a},
          {target_shape, Type::f32, target}, layer.stride, layer.pad, attributes);
    };
    auto desc = describe(layer.input == 0 ? from.desc : any_layout(source_shape), Tag::any);
    // After the first convolution, whose kernels know blocks of channels alone: a filter a channel
    // that reads blocks saves a reorder of the largest map.
    for (const Tag blocks : {Tag::nChw16c, Tag::nChw8c}) {
      if (!filters || desc.src_desc() == from.desc ||
          from.desc != memory::desc(source_shape, Type::f32, blocks))
        continue;
      auto blocked = describe(from.desc, blocks);
      if (!onednn::is_plain(blocked)) desc = blocked;
    }
    // OpenCV is faster then.
    if (onednn::is_plain(desc)) throw std::runtime_error("no kernel of oneDNN fits this processor");
    // Held until after the convolution, so that it does not write over what it reads.
    const Value source = laid_out(from, desc.src_desc());
    to.desc = desc.dst_desc();
    to.block = take(to.desc);
    Step step;
    step.primitive = dnnl::convolution_forward(desc);
    step.arguments = {{DNNL_ARG_SRC, source.desc, source.block}, {DNNL_ARG_DST, to.desc, to.block}};
    step.weight = memory(desc.weights_desc(), cpu());
    step.bias = memory(desc.bias_desc(), cpu());
    memory plain({shape, Type::f32, filters ? Tag::goihw : Tag::oihw}, cpu(),
                 const_cast<float*>(layer.weight.data()));
    dnnl::reorder(plain, step.weight).execute(stream_, plain, step.weight);
    stream_.wait();
    std::copy_n(layer.bias.data(), layer.out, static_cast<float*>(step.bias.get_data_handle()));
    add(std::move(step), desc.scratchpad_desc());
    if (source.block != from.block) free_.push_back(source.block);
    return to;
  }

  static memory::desc any_layout(const memory::dims& shape) { return {shape, Type::f32, Tag::any}; }

  Value enlarge(const Value& from) {
    const memory::dim height = 2 * from.height, width = 2 * from.width;
    const auto desc = onednn::describe_resampling(
        from.desc, {{1, from.channels, height, width}, Type::f32, Tag::any}, onednn::own_scratch());
    Value to{desc.dst_desc(), from.channels, height, width, 0};
    to.block = take(to.desc);
    Step step;
    step.primitive = dnnl::resampling_forward(desc);
    step.arguments = {{DNNL_ARG_SRC, from.desc, from.block}, {DNNL_ARG_DST, to.desc, to.block}};
    add(std::move(step), desc.scratchpad_desc());
    return to;
  }

  Value sum(const GridLayer& layer) {
    const Value &a = value(layer.input), b = laid_out(value(layer.other), a.desc);
    if (layer.relu || a.channels != b.channels || a.height != b.height || a.width != b.width)
      throw std::runtime_error("a sum of another kind");
    const auto desc = onednn::describe_sum(a.desc, b.desc, onednn::own_scratch());
    Value to{a.desc, a.channels, a.height, a.width, 0};
    to.block = take(to.desc);
    Step step;
    step.primitive = dnnl::sum(desc);
    step.arguments = {{DNNL_ARG_MULTIPLE_SRC, a.desc, a.block},
                      {DNNL_ARG_MULTIPLE_SRC + 1, b.desc, b.block},
                      {DNNL_ARG_DST, to.desc, to.block}};
    add(std::move(step), desc.scratchpad_desc());
    if (b.block != value(layer.other).block) free_.push_back(b.block);
    return to;
  }

  /// x in this layout: x itself where it is in it already.
  Value laid_out(const Value& x, const memory::desc& wanted) {
    if (x.desc == wanted) return x;
    const dnnl::reorder::primitive_desc desc(cpu(), x.desc, cpu(), wanted, onednn::own_scratch());
    Value to{wanted, x.channels, x.height, x.width, take(wanted)};
    Step step;
    step.primitive = dnnl::reorder(desc);
    step.arguments = {{DNNL_ARG_FROM, x.desc, x.block}, {DNNL_ARG_TO, wanted, to.block}};
    add(std::move(step), desc.scratchpad_desc());
    return to;
  }

  /// An output, plane by plane, in a block that stays its own.
  Value planar(int index) {
    const Value& x = value(index);
    return laid_out(x, {{1, x.channels, x.height, x.width}, Type::f32, Tag::nchw});
  }

  void add(Step step, const memory::desc& scratch) {
    if (scratch.get_size() > 0) {
      need(kScratch, scratch);
      step.arguments.push_back({DNNL_ARG_SCRATCHPAD, scratch, kScratch});
    }
    steps_.push_back(std::move(step));
  }

  dnnl::stream stream_;
  std::vector<Value> values_, outputs_;
  std::vector<Step> steps_;
  std::vector<std::size_t> sizes_;  ///< Of each block, in bytes.
  std::vector<std::size_t> free_;   ///< Blocks that nobody needs.
  std::vector<int> left_;           ///< Uses of each value that are still to come.
  std::vector<Block> blocks_;
  std::vector<std::unordered_map<int, memory>> arguments_;
};

/// Sizes that are looked at in turns: a stream's, that of the closer look, and those of one face.
constexpr std::size_t kPlans = 4;

class OneDnnGrid final : public GridNetwork {
 public:
  explicit OneDnnGrid(GridLayers layers) : layers_(std::move(layers)) {}

  void run(const cv::Mat& input, std::vector<cv::Mat>& outputs) override {
    const OneThread one_thread;  // Primitives remember for how many threads they were made.
    const auto plan =
        std::find_if(plans_.begin(), plans_.end(), [&](const Plan& p) { return p.fits(input); });
    if (plan == plans_.end()) {
      plans_.emplace_front(layers_, input.size[2], input.size[3]);
      if (plans_.size() > kPlans) plans_.pop_back();
    } else {
      plans_.splice(plans_.begin(), plans_, plan);
    }
    plans_.front().run(input, outputs);
  }

  std::string name() const override { return onednn::library_name(); }

 private:
  const GridLayers layers_;
  std::list<Plan> plans_;  ///< The one that ran last first.
};

}  // namespace

std::unique_ptr<GridNetwork> make_onednn_grid(const GridLayers& layers) {
  return std::make_unique<OneDnnGrid>(layers);
}

}  // namespace fer
