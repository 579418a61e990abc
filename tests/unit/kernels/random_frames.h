// Frames of random bytes with odd pitches, and random faces in them, without OpenCV.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "kernels/warp_faces.h"

namespace fer::test {

/// How long the rows of a plane are in memory.
enum class Pitch {
  kOdd,      ///< Padded by an odd number of bytes.
  kAligned,  ///< A multiple of 256 bytes, as those who allocate pictures on a device have it.
};

/// The planes of one frame.
struct RandomFrame {
  std::vector<std::uint8_t> planes[3];
  FrameView view;

  RandomFrame(PixelFormat format, int width, int height, std::mt19937& random,
              Pitch pitch = Pitch::kOdd)
      : pitch_(pitch) {
    view.format = format;
    view.width = width;
    view.height = height;
    view.full_range = random() % 2;
    const int chroma = (width + 1) / 2, chroma_rows = (height + 1) / 2;
    add(0, width * layout_of(format).bytes, height, random);
    if (format == PixelFormat::kNv12) add(1, 2 * chroma, chroma_rows, random);
    if (format == PixelFormat::kI420) {
      add(1, chroma, chroma_rows, random);
      add(2, chroma, chroma_rows, random);
    }
    for (std::size_t i = 0; i < 3; ++i)
      view.data[i] = planes[i].empty() ? nullptr : planes[i].data();
  }

 private:
  void add(int plane, int bytes, int rows, std::mt19937& random) {
    const int pitch = pitch_ == Pitch::kOdd ? bytes + 1 + 2 * static_cast<int>(random() % 20)
                                            : (bytes + 255) / 256 * 256;
    view.stride[static_cast<std::size_t>(plane)] = pitch;
    auto& data = planes[plane];
    data.resize(static_cast<std::size_t>(pitch) * static_cast<std::size_t>(rows));
    for (auto& byte : data) byte = static_cast<std::uint8_t>(random());
  }

  Pitch pitch_;
};

/// Faces of all sizes, turns and places, some of them outside.
inline std::vector<kernels::FaceWarp> random_faces(int count, const std::vector<FrameView>& frames,
                                                   int crop_width, int crop_height,
                                                   std::mt19937& random) {
  std::uniform_real_distribution<double> share(-0.2, 1.2), turn(0, 6.28), size(-2.5, 1.5);
  std::vector<kernels::FaceWarp> faces;
  for (int i = 0; i < count; ++i) {
    const int frame = static_cast<int>(random() % frames.size());
    const FrameView& view = frames[static_cast<std::size_t>(frame)];
    const double scale = std::exp(size(random)), angle = turn(random);
    const double a = scale * std::cos(angle), b = scale * std::sin(angle);
    const double x = share(random) * view.width, y = share(random) * view.height;
    faces.push_back(kernels::face_warp(frame,
                                       {a, -b, crop_width / 2. - a * x + b * y,  //
                                        b, a, crop_height / 2. - b * x - a * y},
                                       view.width, view.height, crop_width, crop_height));
  }
  return faces;
}

}  // namespace fer::test
