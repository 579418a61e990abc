// Makes raw frames for tests: one picture in any pixel format, with padded strides.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <opencv2/imgproc.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "vision/frame.h"
#include "vision/pixel_layout.h"

namespace fer::test {

struct NamedFormat {
  PixelFormat format = PixelFormat::kGray8;
  const char* name = "";
};

/// Formats that the kernels read, too.
inline constexpr std::array<NamedFormat, 13> kDeviceFormats = {{{PixelFormat::kGray8, "GRAY8"},
                                                                {PixelFormat::kNv12, "NV12"},
                                                                {PixelFormat::kI420, "I420"},
                                                                {PixelFormat::kRgb, "RGB"},
                                                                {PixelFormat::kBgr, "BGR"},
                                                                {PixelFormat::kRgbx, "RGBx"},
                                                                {PixelFormat::kBgrx, "BGRx"},
                                                                {PixelFormat::kXrgb, "xRGB"},
                                                                {PixelFormat::kXbgr, "xBGR"},
                                                                {PixelFormat::kRgba, "RGBA"},
                                                                {PixelFormat::kBgra, "BGRA"},
                                                                {PixelFormat::kArgb, "ARGB"},
                                                                {PixelFormat::kAbgr, "ABGR"}}};

inline constexpr std::array<NamedFormat, 21> kAllFormats = [] {
  std::array<NamedFormat, 21> all = {{{PixelFormat::kNv21, "NV21"},
                                      {PixelFormat::kYv12, "YV12"},
                                      {PixelFormat::kYuy2, "YUY2"},
                                      {PixelFormat::kUyvy, "UYVY"},
                                      {PixelFormat::kY42b, "Y42B"},
                                      {PixelFormat::kY444, "Y444"},
                                      {PixelFormat::kP010, "P010_10LE"},
                                      {PixelFormat::kI42010, "I420_10LE"}}};
  std::copy(kDeviceFormats.begin(), kDeviceFormats.end(), all.begin() + 8);
  return all;
}();

inline void PrintTo(const NamedFormat& format, std::ostream* out) {
  *out << format.name;
}

/// Owns the planes of one frame. Each plane is an allocation of its own that ends with its last
/// pixel, so that a sanitizer sees who reads too far; the padding of the rows holds noise.
class RawFrame {
 public:
  /// `picture` is CV_8UC3 in BGR order.
  RawFrame(const cv::Mat& picture, PixelFormat format, bool full_range = true, int padding = 13) {
    view_.format = format;
    view_.width = picture.cols;
    view_.height = picture.rows;
    view_.full_range = full_range;
    const int luma_from = full_range ? 0 : 16;
    const double luma_gain = full_range ? 1 : 219. / 255, chroma_gain = full_range ? 1 : 224. / 255;
    const auto luma = [&](int x, int y) {
      const cv::Vec3b& p = picture.at<cv::Vec3b>(y, x);
      return 0.299 * p[2] + 0.587 * p[1] + 0.114 * p[0];
    };
    // The mean over the pixels of a sample, those at an odd border counted twice. Channel 0: Cb
    // from blue, 1: Cr from red.
    const auto chroma_at = [&](int x, int y, int channel, const YuvLayout& layout) {
      double sum = 0;
      for (int j = y * layout.chroma_rows; j < (y + 1) * layout.chroma_rows; ++j) {
        for (int i = x * layout.chroma_columns; i < (x + 1) * layout.chroma_columns; ++i) {
          const int u = std::min(i, picture.cols - 1), v = std::min(j, picture.rows - 1);
          const cv::Vec3b& p = picture.at<cv::Vec3b>(v, u);
          sum += channel == 0 ? (p[0] - luma(u, v)) * 0.564 : (p[2] - luma(u, v)) * 0.713;
        }
      }
      const int count = layout.chroma_columns * layout.chroma_rows;
      return cv::saturate_cast<std::uint8_t>(128 + sum / count * chroma_gain);
    };
    if (layout_of(format).red < 0) {
      const YuvLayout layout = yuv_layout_of(format);
      const auto luma_at = [&](int x, int y) {
        return cv::saturate_cast<std::uint8_t>(luma_from + luma_gain * luma(x, y));
      };
      put(layout, layout.y, 1, 1, padding, luma_at);
      if (format == PixelFormat::kGray8) return;
      for (const int channel : {0, 1}) {
        put(layout, channel == 0 ? layout.cb : layout.cr, layout.chroma_columns, layout.chroma_rows,
            padding, [&](int x, int y) { return chroma_at(x, y, channel, layout); });
      }
      return;
    }
    const std::string order = byte_order(format);
    std::array<int, 4> channel_of{-1, -1, -1, -1};  // of each byte, in B, G, R
    for (std::size_t i = 0; i < order.size(); ++i) {
      const auto channel = std::string("BGR").find(order[i]);
      if (channel != std::string::npos) channel_of[i] = static_cast<int>(channel);
    }
    fill(0, picture.size(), static_cast<int>(order.size()), padding, [&](int x, int y, int c) {
      const int channel = channel_of[static_cast<std::size_t>(c)];
      // What is no colour must not matter.
      return channel < 0 ? static_cast<std::uint8_t>(x * 7 + y)
                         : picture.at<cv::Vec3b>(y, x)[channel];
    });
  }

  const FrameView& view() const { return view_; }

 private:
  static std::string byte_order(PixelFormat format) {
    switch (format) {
      case PixelFormat::kRgb:
        return "RGB";
      case PixelFormat::kBgr:
        return "BGR";
      case PixelFormat::kRgbx:
      case PixelFormat::kRgba:
        return "RGBA";
      case PixelFormat::kBgrx:
      case PixelFormat::kBgra:
        return "BGRA";
      case PixelFormat::kXrgb:
      case PixelFormat::kArgb:
        return "ARGB";
      default:
        return "ABGR";
    }
  }

  static int samples_over(int pixels, int pixels_a_sample) {
    return (pixels + pixels_a_sample - 1) / pixels_a_sample;
  }

  /// Writes one component's samples among those of its plane.
  template <typename Sample>
  void put(const YuvLayout& layout, const ComponentLayout& component, int columns, int rows,
           int padding, Sample sample) {
    const int width = samples_over(view_.width, columns), height = samples_over(view_.height, rows);
    const int bytes = width * component.step * layout.sample_bytes;
    auto& memory = memory_[static_cast<std::size_t>(component.plane)];
    if (memory.empty()) {
      // Packed formats have luma and chroma in one plane, whose rows hold whole pairs of pixels.
      const int pairs = component.step == 2 && columns == 1 ? samples_over(width, 2) * 4 : bytes;
      // Samples of two bytes lie at even addresses.
      const int stride = pairs + padding / layout.sample_bytes * layout.sample_bytes;
      memory.resize(static_cast<std::size_t>(stride) * (height - 1) + pairs);
      for (std::size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<std::uint8_t>(i * 89);
      view_.data[static_cast<std::size_t>(component.plane)] = memory.data();
      view_.stride[static_cast<std::size_t>(component.plane)] = stride;
    }
    for (int y = 0; y < height; ++y) {
      std::uint8_t* row =
          memory.data() +
          static_cast<std::size_t>(y) * view_.stride[static_cast<std::size_t>(component.plane)];
      for (int x = 0; x < width; ++x) {
        std::uint8_t* at = row + (x * component.step + component.offset) * layout.sample_bytes;
        const unsigned value = static_cast<unsigned>(sample(x, y)) << layout.excess_bits;
        at[0] = static_cast<std::uint8_t>(value);
        if (layout.sample_bytes == 2) at[1] = static_cast<std::uint8_t>(value >> 8);
      }
    }
  }

  template <typename Sample>
  void fill(int plane, cv::Size size, int channels, int padding, Sample sample) {
    const int stride = size.width * channels + padding;
    auto& memory = memory_[static_cast<std::size_t>(plane)];
    memory.resize(static_cast<std::size_t>(stride) * (size.height - 1) + size.width * channels);
    for (std::size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<std::uint8_t>(i * 89);
    for (int y = 0; y < size.height; ++y) {
      for (int x = 0; x < size.width; ++x) {
        for (int c = 0; c < channels; ++c) {
          memory[static_cast<std::size_t>(y) * stride + x * channels + c] = sample(x, y, c);
        }
      }
    }
    view_.data[static_cast<std::size_t>(plane)] = memory.data();
    view_.stride[static_cast<std::size_t>(plane)] = stride;
  }

  FrameView view_;
  std::array<std::vector<std::uint8_t>, 3> memory_;
};

/// A view of a CV_8UC1 picture, which must outlive it.
inline FrameView grey_view(const cv::Mat& picture) {
  FrameView view;
  view.width = picture.cols;
  view.height = picture.rows;
  view.data[0] = picture.data;
  view.stride[0] = static_cast<int>(picture.step);
  return view;
}

}  // namespace fer::test
