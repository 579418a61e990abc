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

namespace fer::test {

struct NamedFormat {
  PixelFormat format;
  const char* name;
};

inline constexpr std::array<NamedFormat, 13> kAllFormats = {{{PixelFormat::kGray8, "GRAY8"},
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
    const cv::Size chroma((picture.cols + 1) / 2, (picture.rows + 1) / 2);
    const int luma_from = full_range ? 0 : 16;
    const double luma_gain = full_range ? 1 : 219. / 255, chroma_gain = full_range ? 1 : 224. / 255;
    const auto luma = [&](int x, int y) {
      const cv::Vec3b& p = picture.at<cv::Vec3b>(y, x);
      return 0.299 * p[2] + 0.587 * p[1] + 0.114 * p[0];
    };
    const auto chroma_at = [&](int x, int y, int channel) {  // 0: Cb from blue, 1: Cr from red
      double sum = 0;
      for (const int j : {2 * y, std::min(2 * y + 1, picture.rows - 1)}) {
        for (const int i : {2 * x, std::min(2 * x + 1, picture.cols - 1)}) {
          const cv::Vec3b& p = picture.at<cv::Vec3b>(j, i);
          sum += channel == 0 ? (p[0] - luma(i, j)) * 0.564 : (p[2] - luma(i, j)) * 0.713;
        }
      }
      return cv::saturate_cast<std::uint8_t>(128 + sum / 4 * chroma_gain);
    };
    switch (format) {
      case PixelFormat::kGray8:
      case PixelFormat::kNv12:
      case PixelFormat::kI420:
        fill(0, picture.size(), 1, padding, [&](int x, int y, int) {
          return cv::saturate_cast<std::uint8_t>(luma_from + luma_gain * luma(x, y));
        });
        if (format == PixelFormat::kNv12) fill(1, chroma, 2, padding, chroma_at);
        if (format == PixelFormat::kI420) {
          for (const int plane : {1, 2}) {
            fill(plane, chroma, 1, padding,
                 [&](int x, int y, int) { return chroma_at(x, y, plane - 1); });
          }
        }
        break;
      default: {
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
    }
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
