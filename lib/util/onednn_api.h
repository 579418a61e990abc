// What differs between oneDNN 2 and 3, and what is always the same for us: inference on the
// processor, square kernels, scratch memory of our own.
//
// Only for what is compiled without LibTorch, whose headers may bring those of another oneDNN.
#pragma once

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>

namespace fer::onednn {

inline const dnnl::engine& cpu() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

/// oneDNN's own scratch memory belongs to the thread that made the primitive; ours runs on any.
inline dnnl::primitive_attr own_scratch() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

inline void append_relu(dnnl::post_ops& ops) {
#if DNNL_VERSION_MAJOR >= 3
  ops.append_eltwise(dnnl::algorithm::eltwise_relu, 0.f, 0.f);
#else
  ops.append_eltwise(1.f, dnnl::algorithm::eltwise_relu, 0.f, 0.f);
#endif
}

inline dnnl::convolution_forward::primitive_desc describe_conv(
    const dnnl::memory::desc& source, const dnnl::memory::desc& weight,
    const dnnl::memory::desc& bias, const dnnl::memory::desc& target, dnnl::memory::dim stride,
    dnnl::memory::dim pad, const dnnl::primitive_attr& attributes) {
  const dnnl::memory::dims strides{stride, stride}, padding{pad, pad};
  const auto kind = dnnl::prop_kind::forward_inference;
  const auto how = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
  return {cpu(), kind, how, source, weight, bias, target, strides, padding, padding, attributes};
#else
  return {{kind, how, source, weight, bias, target, strides, padding, padding}, attributes, cpu()};
#endif
}

/// The largest of 3 x 3, each second one. The end is padded as far as the target needs.
inline dnnl::pooling_forward::primitive_desc describe_pool(const dnnl::memory::desc& source,
                                                           const dnnl::memory::desc& target,
                                                           dnnl::memory::dim pad,
                                                           const dnnl::primitive_attr& attributes) {
  const dnnl::memory::dims two{2, 2}, three{3, 3}, pads{pad, pad};
  const auto kind = dnnl::prop_kind::forward_inference;
  const auto how = dnnl::algorithm::pooling_max;
#if DNNL_VERSION_MAJOR >= 3
  return {cpu(), kind, how, source, target, two, three, {0, 0}, pads, pads, attributes};
#else
  return {{kind, how, source, target, two, three, pads, pads}, attributes, cpu()};
#endif
}

/// relu, in place.
inline dnnl::eltwise_forward::primitive_desc describe_relu(const dnnl::memory::desc& maps,
                                                           const dnnl::primitive_attr& attributes) {
  const auto kind = dnnl::prop_kind::forward_inference;
  const auto how = dnnl::algorithm::eltwise_relu;
#if DNNL_VERSION_MAJOR >= 3
  return {cpu(), kind, how, maps, maps, 0.f, 0.f, attributes};
#else
  return {{kind, how, maps, 0.f}, attributes, cpu()};
#endif
}

/// The nearest pixel, to the target's size.
inline dnnl::resampling_forward::primitive_desc describe_resampling(
    const dnnl::memory::desc& source, const dnnl::memory::desc& target,
    const dnnl::primitive_attr& attributes) {
  const auto kind = dnnl::prop_kind::forward_inference;
  const auto how = dnnl::algorithm::resampling_nearest;
#if DNNL_VERSION_MAJOR >= 3
  return {cpu(), kind, how, source, target, attributes};
#else
  return {{kind, how, source, target}, attributes, cpu()};
#endif
}

/// a + b, in a's layout.
inline dnnl::sum::primitive_desc describe_sum(const dnnl::memory::desc& a,
                                              const dnnl::memory::desc& b,
                                              const dnnl::primitive_attr& attributes) {
#if DNNL_VERSION_MAJOR >= 3
  return {cpu(), a, {1.f, 1.f}, {a, b}, attributes};
#else
  return {a, {1.f, 1.f}, {a, b}, cpu(), attributes};
#endif
}

/// True for plain loops, which oneDNN falls back to where no kernel fits, and which take a hundred
/// times as long.
inline bool is_plain(const dnnl::convolution_forward::primitive_desc& desc) {
  return std::string(desc.impl_info_str()).starts_with("ref");
}

/// "oneDNN 2.6.3".
inline std::string library_name() {
  const dnnl_version_t* version = dnnl_version();
  return "oneDNN " + std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
         std::to_string(version->patch);
}

/// Memory that oneDNN works in, zeros at first.
class Block {
 public:
  explicit Block(std::size_t bytes)
      : data_(std::aligned_alloc(kAlignment, (bytes / kAlignment + 1) * kAlignment)) {
    if (!data_) throw std::bad_alloc();
    std::memset(data_.get(), 0, bytes);
  }
  void* get() const { return data_.get(); }

 private:
  static constexpr std::size_t kAlignment = 64;
  struct Free {
    void operator()(void* data) const { std::free(data); }
  };
  std::unique_ptr<void, Free> data_;
};

}  // namespace fer::onednn
