// ONNX files, written node by node.
//
// A part of the program, not of libfer: who serves a model needs neither the ONNX library nor its
// protobuf. What is written keeps to what OpenCV 4.6 reads, the oldest reader that we care for.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace fer {

struct FoldedConv;

/// A tensor of the graph, by its name.
struct OnnxValue {
  std::string name;
};

/// Sizes of a tensor. A name stands for a size that is settled when the network runs.
struct OnnxDim {
  int size = 0;
  std::string free = {};  ///< The name; empty: it is `size`.
};

/// Builds a network: every call adds a node and gives back what comes out of it. Tensors are fp32,
/// images N x C x H x W. Constants of the same values are stored once, however often a part is
/// added.
class OnnxGraph {
 public:
  /// The version of ONNX's operators, and the release of the library that the build has.
  static constexpr int kOpset = 11;
  static std::string library_version();

  /// With `compact`, weights of convolutions and linear layers take two bytes each: a whole number
  /// of steps, 1/32512 of the largest of their tensor, which readers turn into fp32 as they load
  /// the file. (OpenCV 4.6 reads no fp16.)
  explicit OnnxGraph(const std::string& name, bool compact = false);
  ~OnnxGraph();
  OnnxGraph(const OnnxGraph&) = delete;
  OnnxGraph& operator=(const OnnxGraph&) = delete;

  OnnxValue input(const std::string& name, const std::vector<OnnxDim>& shape);
  /// Names a value and makes it an output. Not for inputs, and once a value.
  void output(const OnnxValue& value, const std::string& name, const std::vector<OnnxDim>& shape);
  /// A key and a text of the file's own metadata.
  void describe(const std::string& key, const std::string& text);

  /// x · factor + shift, every element.
  OnnxValue scale(const OnnxValue& x, float factor, float shift);
  OnnxValue conv(const OnnxValue& x, const FoldedConv& conv);
  OnnxValue relu(const OnnxValue& x);
  OnnxValue sigmoid(const OnnxValue& x);
  /// Of the same shape.
  OnnxValue add(const OnnxValue& x, const OnnxValue& y);
  /// Of the same shape.
  OnnxValue multiply(const OnnxValue& x, const OnnxValue& y);
  /// The single channel of x, `channels` times. For multiply(): OpenCV 4.6 reads a Mul that repeats
  /// by itself, but then takes batches of one size only.
  OnnxValue repeat_channel(const OnnxValue& x, int channels);
  /// The largest of one or more values of the same shape, element by element.
  OnnxValue max(const std::vector<OnnxValue>& values);
  /// So many rows of zeros below, and as many columns to the right.
  OnnxValue pad_end(const OnnxValue& x, int rows);
  /// `padded`: by half the kernel.
  OnnxValue max_pool(const OnnxValue& x, int kernel, int stride, bool padded);
  /// Left and right exchanged; images of `width` pixels. A product with a constant: OpenCV 4.6
  /// takes no slice that runs backwards.
  OnnxValue mirror(const OnnxValue& x, int width);
  /// Every pixel becomes factor x factor pixels.
  OnnxValue upsample(const OnnxValue& x, int factor);
  /// N x C x H x W → N x C.
  OnnxValue average(const OnnxValue& x);
  /// N x in → N x out. `weight` is out x in, `bias` has `out` values.
  OnnxValue linear(const OnnxValue& x, std::span<const float> weight, std::span<const float> bias);
  /// Of each row.
  OnnxValue softmax(const OnnxValue& x);

  /// The bytes of the file, the checksum of vision/onnx_checksum.h at their end. Throws
  /// std::runtime_error where ONNX's own checker finds the graph wrong.
  std::string to_bytes() const;

 private:
  struct Content;
  std::unique_ptr<Content> content_;
};

}  // namespace fer
