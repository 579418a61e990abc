// The trunk of the network as a list of oneDNN primitives for one face: weights reordered once,
// bias, sum and relu inside the convolutions, activations in whatever layout each convolution likes
// best (nearly always that of the one before it; else they are reordered between the two). A
// batch runs face by face: that is no slower than a primitive over the batch, keeps the activations
// in the processor's cache, and needs no primitives made anew when the number of faces changes.
//
// Compiled without LibTorch, whose headers may bring those of another oneDNN.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model/folded_network.h"
#include "model/inference_engine.h"
#include "util/bfloat16.h"
#include "util/omp_threads.h"
#include "util/onednn_api.h"

namespace fer {
namespace {

using dnnl::memory;
using onednn::Block;
using onednn::cpu;
using onednn::own_scratch;
using Type = memory::data_type;
using Tag = memory::format_tag;

// --- The plan: what every thread shares.

/// Blocks by purpose. The activations take turns in three of them, so that they stay in the cache.
enum BlockId { kInput, kFeatures, kReduced, kScratch, kTurn0, kTurn1, kTurn2, kBlocks };

struct Value {
  memory::desc desc;
  memory::dim channels = 0, side = 0;
  BlockId block = kInput;
};

struct Step {
  dnnl::primitive primitive;
  Value source, target;
  memory::desc scratch;
  memory weight, bias;  ///< Empty unless it is a convolution.
};

class Plan {
 public:
  Plan(const FoldedNetwork& network, Type type) : type_(type), stream_(cpu()) {
    Value x = conv(input(network), network.stem, true);
    if (network.stem_pool) x = pool(x, network.stem.padded ? 1 : 0);
    for (const FoldedBlock& block : network.blocks) {
      const Value skip = block.shortcut ? conv(x, *block.shortcut, false, x.block) : x;
      const Value y = conv(x, block.conv1, true, skip.block);
      x = block.conv2.side_after(static_cast<int>(y.side)) == skip.side
              ? conv_onto(y, block.conv2, skip)
              : conv_into(y, block.conv2, skip);
    }
    if (network.attention) {
      reduced_ = rows(conv(x, network.attention->reduce, true, x.block), kReduced);
    }
    features_ = rows(x, kFeatures);
  }

  const std::vector<Step>& steps() const { return steps_; }
  /// Bytes that each block must have.
  const std::array<std::size_t, kBlocks>& sizes() const { return sizes_; }
  /// Whether the input is one plane after the other, else a row of channels a pixel.
  bool planar_input() const { return planar_input_; }
  /// The trunk's output and, with attention, the branches' hidden maps: fp32, a row of channels a
  /// pixel.
  const Value& features() const { return features_; }
  const Value& reduced() const { return reduced_; }
  /// Name of oneDNN's kernel, of a slow one where there is one among them.
  const std::string& kernel() const { return kernel_; }

 private:
  using ConvDesc = dnnl::convolution_forward::primitive_desc;

  /// A block for activations that is neither of these.
  static BlockId other_turn(BlockId a, BlockId b = kInput) {
    if (a != kTurn0 && b != kTurn0) return kTurn0;
    return a != kTurn1 && b != kTurn1 ? kTurn1 : kTurn2;
  }

  void note(BlockId block, const memory::desc& desc) {
    sizes_[block] = std::max(sizes_[block], desc.get_size());
  }

  static memory::dims dims_of(const Value& x) { return {1, x.channels, x.side, x.side}; }

  /// The input in the layout, of the two that we write, that the stem likes better.
  Value input(const FoldedNetwork& network) {
    Value x{{}, network.channels, network.side, kInput};
    const memory::desc planes(dims_of(x), type_, Tag::nchw);
    planar_input_ = describe(x, network.stem, false, true).src_desc() == planes;
    x.desc = planar_input_ ? planes : memory::desc(dims_of(x), type_, Tag::nhwc);
    note(kInput, x.desc);
    return x;
  }

  static memory::dim side_after(const Value& x, const FoldedConv& folded) {
    return folded.side_after(static_cast<int>(x.side));
  }

  /// The convolution with all layouts as oneDNN likes them best: some of its kernels know only
  /// certain ones, and where none fits it falls back to loops that take a hundred times as long.
  ConvDesc describe(const Value& x, const FoldedConv& folded, bool sum, bool relu) const {
    const memory::dim side = side_after(x, folded);
    const memory::desc weight({folded.out, folded.in, folded.kernel, folded.kernel}, type_,
                              Tag::any);
    dnnl::post_ops ops;
    if (sum) ops.append_sum();
    if (relu) onednn::append_relu(ops);
    dnnl::primitive_attr attributes = own_scratch();
    attributes.set_post_ops(ops);
    return onednn::describe_conv(
        {dims_of(x), type_, Tag::any}, weight, {{folded.out}, Type::f32, Tag::a},
        {{1, folded.out, side, side}, type_, Tag::any}, folded.stride, folded.pad(), attributes);
  }

  /// relu(conv(x)) or conv(x). What stands in the block `keep` stays there.
  Value conv(Value x, const FoldedConv& folded, bool relu, BlockId keep = kInput) {
    const ConvDesc desc = describe(x, folded, false, relu);
    x = laid_out(x, desc.src_desc(), other_turn(x.block, keep));
    return add_conv(desc, x, folded, other_turn(x.block, keep));
  }

  /// relu(conv(x) + skip), written over skip.
  Value conv_onto(Value x, const FoldedConv& folded, Value skip) {
    const ConvDesc desc = describe(x, folded, true, true);
    x = laid_out(x, desc.src_desc(), other_turn(x.block, skip.block));
    skip = laid_out(skip, desc.dst_desc(), other_turn(x.block, skip.block));
    return add_conv(desc, x, folded, skip.block);
  }

  /// relu(skip + conv(x)), written over skip, whose maps are larger: conv(x) has zeros there.
  Value conv_into(const Value& x, const FoldedConv& folded, const Value& skip) {
    const Value y = conv(x, folded, false, skip.block);
    const memory::desc inner = skip.desc.submemory_desc(dims_of(y), {0, 0, 0, 0});
    dnnl::post_ops sum;
    sum.append_sum();
    dnnl::primitive_attr attributes = own_scratch();
    attributes.set_post_ops(sum);
    const dnnl::reorder::primitive_desc onto(cpu(), y.desc, cpu(), inner, attributes);
    Step step;
    step.primitive = dnnl::reorder(onto);
    step.source = y;
    step.target = {inner, y.channels, y.side, skip.block};
    step.scratch = onto.scratchpad_desc();
    add(std::move(step));
    const auto relu = onednn::describe_relu(skip.desc, own_scratch());
    Step last;
    last.primitive = dnnl::eltwise_forward(relu);
    last.source = skip;
    last.target = skip;
    last.scratch = relu.scratchpad_desc();
    return add(std::move(last));
  }

  Value add_conv(const ConvDesc& desc, const Value& x, const FoldedConv& folded, BlockId to) {
    if (!kernel_.starts_with("ref")) kernel_ = desc.impl_info_str();
    Step step;
    step.primitive = dnnl::convolution_forward(desc);
    step.source = x;
    step.target = {desc.dst_desc(), folded.out, side_after(x, folded), to};
    step.scratch = desc.scratchpad_desc();
    step.weight = memory(desc.weights_desc(), cpu());
    step.bias = memory(desc.bias_desc(), cpu());
    memory plain({{folded.out, folded.in, folded.kernel, folded.kernel}, Type::f32, Tag::oihw},
                 cpu(), const_cast<float*>(folded.weight.data()));
    dnnl::reorder(plain, step.weight).execute(stream_, plain, step.weight);
    stream_.wait();
    std::copy(folded.bias.begin(), folded.bias.end(),
              static_cast<float*>(step.bias.get_data_handle()));
    return add(std::move(step));
  }

  Value pool(const Value& x, memory::dim pad) {
    const memory::dim side = (x.side + 2 * pad - 3) / 2 + 1;
    const auto desc = onednn::describe_pool(x.desc, {{1, x.channels, side, side}, type_, Tag::any},
                                            pad, own_scratch());
    Step step;
    step.primitive = dnnl::pooling_forward(desc);
    step.source = x;
    step.target = {desc.dst_desc(), x.channels, side, other_turn(x.block)};
    step.scratch = desc.scratchpad_desc();
    return add(std::move(step));
  }

  /// x as plain rows of fp32.
  Value rows(const Value& x, BlockId to) {
    return laid_out(x, {dims_of(x), Type::f32, Tag::nhwc}, to);
  }

  /// x in this layout: x itself where it is in it already, else reordered into the block.
  Value laid_out(const Value& x, const memory::desc& wanted, BlockId to) {
    if (x.desc == wanted) return x;
    const dnnl::reorder::primitive_desc desc(cpu(), x.desc, cpu(), wanted, own_scratch());
    Step step;
    step.primitive = dnnl::reorder(desc);
    step.source = x;
    step.target = {wanted, x.channels, x.side, to};
    step.scratch = desc.scratchpad_desc();
    return add(std::move(step));
  }

  Value add(Step step) {
    note(step.target.block, step.target.desc);
    note(kScratch, step.scratch);
    steps_.push_back(std::move(step));
    return steps_.back().target;
  }

  const Type type_;
  dnnl::stream stream_;
  std::vector<Step> steps_;
  std::array<std::size_t, kBlocks> sizes_{};
  bool planar_input_ = false;
  Value features_, reduced_;
  std::string kernel_;
};

// --- What one thread works in.

class ExecutionContext {
 public:
  explicit ExecutionContext(const Plan& plan) : plan_(plan), stream_(cpu()) {
    for (const std::size_t size : plan.sizes()) blocks_.emplace_back(size);
    for (const Step& step : plan.steps()) {
      std::unordered_map<int, memory> arguments{
          {DNNL_ARG_FROM, on_block(step.source.desc, step.source.block)},
          {DNNL_ARG_TO, on_block(step.target.desc, step.target.block)}};
      if (step.scratch.get_size() > 0) {
        arguments.emplace(DNNL_ARG_SCRATCHPAD, on_block(step.scratch, kScratch));
      }
      if (step.weight) {
        arguments.emplace(DNNL_ARG_WEIGHTS, step.weight);
        arguments.emplace(DNNL_ARG_BIAS, step.bias);
      }
      arguments_.push_back(std::move(arguments));
    }
  }

  void execute() {
    for (std::size_t i = 0; i < arguments_.size(); ++i) {
      plan_.steps()[i].primitive.execute(stream_, arguments_[i]);
    }
    stream_.wait();
  }

  template <typename T>
  T* block(BlockId id) const {
    return static_cast<T*>(blocks_[id].get());
  }

 private:
  memory on_block(const memory::desc& desc, BlockId id) const {
    return {desc, cpu(), blocks_[id].get()};
  }

  const Plan& plan_;
  dnnl::stream stream_;
  std::vector<Block> blocks_;
  std::vector<std::unordered_map<int, memory>> arguments_;
};

// --- The small rest, in plain loops.

/// The largest of the branches' maps at one pixel.
float attention_at(const float* hidden, const FoldedConv& score) {
  const int inner = score.in / score.groups;
  float largest = -std::numeric_limits<float>::infinity();
  for (int branch = 0; branch < score.groups; ++branch) {
    float sum = score.bias[static_cast<std::size_t>(branch)];
    for (int i = branch * inner; i < (branch + 1) * inner; ++i) {
      sum += score.weight[static_cast<std::size_t>(i)] * hidden[i];
    }
    largest = std::max(largest, sum);
  }
  return 1.f / (1.f + std::exp(-largest));  // the sigmoid keeps the order
}

class OneDnnEngine : public InferenceEngine {
 public:
  OneDnnEngine(const FoldedNetwork& network, Precision precision)
      : bf16_(precision == Precision::kBf16),
        side_(static_cast<std::size_t>(network.side)),
        channels_(static_cast<std::size_t>(network.channels)),
        input_(network.input),
        classes_(static_cast<std::size_t>(network.classes)),
        head_weight_(network.head_weight),
        head_bias_(network.head_bias),
        plan_(network, bf16_ ? Type::bf16 : Type::f32) {
    if (network.attention) score_ = network.attention->score;
    for (std::size_t value = 0; value < input_.size(); ++value) {
      input_bf16_[value] = bfloat16_bits(input_[value]);
    }
    idle_.push_back(std::make_unique<ExecutionContext>(plan_));
  }

  void run(const std::uint8_t* crops, std::size_t n, float* logits) const override {
    const OneThread one_thread;
    std::unique_ptr<ExecutionContext> context = take_context();
    const std::size_t crop_bytes = channels_ * side_ * side_;
    std::vector<float> pooled(static_cast<std::size_t>(plan_.features().channels));
    for (std::size_t i = 0; i < n; ++i) {
      if (bf16_) {
        normalise(crops + i * crop_bytes, input_bf16_, context->block<std::uint16_t>(kInput));
      } else {
        normalise(crops + i * crop_bytes, input_, context->block<float>(kInput));
      }
      context->execute();
      pool(*context, pooled);
      head(pooled, logits + i * classes_);
    }
    give_back(std::move(context));
  }

  bool divisible() const override { return true; }

  std::string name() const override { return onednn::library_name() + " " + plan_.kernel(); }

 private:
  /// Planes of bytes → the input.
  template <typename T>
  void normalise(const std::uint8_t* crop, const std::array<T, 256>& table, T* to) const {
    const std::size_t pixels = side_ * side_;
    const std::size_t step = plan_.planar_input() ? 1 : channels_;
    for (std::size_t c = 0; c < channels_; ++c) {
      T* at = to + (plan_.planar_input() ? c * pixels : c);
      for (std::size_t p = 0; p < pixels; ++p) at[p * step] = table[crop[c * pixels + p]];
    }
  }

  /// The mean of the features over all pixels, weighted by the attention where there is one.
  void pool(const ExecutionContext& context, std::vector<float>& pooled) const {
    const Value& features = plan_.features();
    const auto pixels = static_cast<std::size_t>(features.side * features.side);
    const float* row = context.block<float>(features.block);
    const float* hidden = context.block<float>(plan_.reduced().block);
    std::fill(pooled.begin(), pooled.end(), 0.f);
    for (std::size_t p = 0; p < pixels; ++p, row += pooled.size()) {
      float weight = 1.f / static_cast<float>(pixels);
      if (score_) {
        weight *= attention_at(hidden, *score_);
        hidden += score_->in;
      }
      for (std::size_t c = 0; c < pooled.size(); ++c) pooled[c] += weight * row[c];
    }
  }

  void head(const std::vector<float>& pooled, float* logits) const {
    const float* weight = head_weight_.data();
    for (std::size_t k = 0; k < classes_; ++k) {
      float sum = head_bias_[k];
      for (const float feature : pooled) sum += *weight++ * feature;
      logits[k] = sum;
    }
  }

  std::unique_ptr<ExecutionContext> take_context() const {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        std::unique_ptr<ExecutionContext> context = std::move(idle_.back());
        idle_.pop_back();
        return context;
      }
    }
    return std::make_unique<ExecutionContext>(plan_);
  }

  void give_back(std::unique_ptr<ExecutionContext> context) const {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(context));
  }

  const bool bf16_;
  const std::size_t side_, channels_;
  const std::array<float, 256> input_;
  std::array<std::uint16_t, 256> input_bf16_{};
  std::optional<FoldedConv> score_;
  const std::size_t classes_;
  const std::vector<float> head_weight_, head_bias_;
  const Plan plan_;
  mutable std::mutex mutex_;
  /// Contexts that no thread uses now. Guarded by mutex_.
  mutable std::vector<std::unique_ptr<ExecutionContext>> idle_;
};

}  // namespace

std::unique_ptr<InferenceEngine> make_onednn_engine(const FoldedNetwork& network,
                                                    Precision precision) {
  const OneThread one_thread;  // primitives remember for how many threads they were made
  return std::make_unique<OneDnnEngine>(network, precision);
}

}  // namespace fer
