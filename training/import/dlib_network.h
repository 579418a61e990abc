// Reads the weights of dlib's face recognition network.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace fer {

/// A convolution followed by a scale and a shift a channel, as dlib publishes it.
struct PublishedConv {
  int in = 0, out = 0, kernel = 0;
  std::vector<float> weight;        ///< out x in x kernel x kernel.
  std::vector<float> bias;          ///< out.
  std::vector<float> scale, shift;  ///< out: relu(scale · (conv + bias) + shift).
};

/// `dlib_face_recognition_resnet_model_v1.dat` (Davis King, 2017, CC0). docs: dlib,
/// dnn_face_recognition_ex.cpp.
struct PublishedFaceNetwork {
  std::vector<PublishedConv> convs;  ///< Input first: the stem, then two of each residual block.
  std::vector<float> embedding;      ///< 256 x 128: pooled features to the descriptor.
};

/// Name and length of the file that read_dlib_network() expects.
inline constexpr char kDlibFile[] = "dlib_face_recognition_resnet_model_v1.dat";
inline constexpr std::uintmax_t kDlibBytes = 22466066;

/// True where the build has dlib.
bool has_dlib();

/// Reads the file. Throws std::runtime_error: file, what was expected, what was found; also where
/// the build has no dlib.
PublishedFaceNetwork read_dlib_network(const std::filesystem::path& path);

/// The descriptor that dlib itself computes of an RGB image of 150 x 150 pixels, planar: 128
/// values. For comparison.
std::vector<float> dlib_descriptor(const std::filesystem::path& path,
                                   std::span<const std::uint8_t> rgb);

}  // namespace fer
