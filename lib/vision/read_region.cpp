#include "vision/read_region.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "vision/frame_memory.h"
#include "vision/pixel_layout.h"

namespace fer {
namespace {

/// A plane as a cv::Mat header on the frame's memory; OpenCV has no const view, nobody writes to
/// it.
cv::Mat plane(const FrameView& frame, int index, cv::Size size, int type) {
  return {size, type, const_cast<std::uint8_t*>(frame.data[index]),
          static_cast<std::size_t>(frame.stride[index])};
}

cv::Size chroma_size(const FrameView& frame) {
  return {(frame.width + 1) / 2, (frame.height + 1) / 2};
}

/// The chroma samples that cover a region of the luma plane.
cv::Rect chroma_region(const cv::Rect& region) {
  const cv::Point first(region.x / 2, region.y / 2);
  const cv::Point end((region.x + region.width + 1) / 2, (region.y + region.height + 1) / 2);
  return {first, end};
}

void scale(const cv::Mat& from, cv::Size size, cv::Mat& to) {
  if (from.size() == size) {
    to = from;
    return;
  }
  const bool shrinks = size.width <= from.cols && size.height <= from.rows;
  cv::resize(from, to, size, 0, 0, shrinks ? cv::INTER_AREA : cv::INTER_LINEAR);
}

/// Stretches limited range: v -> (v - zero) * 255 / span + centre.
void stretch(cv::Mat& samples, double zero, double span, double centre) {
  cv::Mat stretched;  // not in place: `samples` may be the frame's own memory
  const double gain = 255.0 / span;
  samples.convertTo(stretched, CV_8U, gain, centre - zero * gain);
  samples = stretched;
}

void read_luma(const FrameView& frame, const cv::Rect& region, cv::Size size, cv::Mat& out) {
  scale(plane(frame, 0, {frame.width, frame.height}, CV_8UC1)(region), size, out);
  if (!frame.full_range) stretch(out, 16, 219, 0);
}

void read_yuv(const FrameView& frame, const cv::Rect& region, cv::Size size, Colour colour,
              cv::Mat& out) {
  cv::Mat samples[3];  // Y, Cr, Cb
  read_luma(frame, region, size, samples[0]);
  const cv::Rect chroma = chroma_region(region);
  if (frame.format == PixelFormat::kNv12) {
    cv::Mat both, parts[2];
    scale(plane(frame, 1, chroma_size(frame), CV_8UC2)(chroma), size, both);
    cv::split(both, parts);
    samples[1] = parts[1];
    samples[2] = parts[0];
  } else {
    scale(plane(frame, 2, chroma_size(frame), CV_8UC1)(chroma), size, samples[1]);
    scale(plane(frame, 1, chroma_size(frame), CV_8UC1)(chroma), size, samples[2]);
  }
  if (!frame.full_range) {
    stretch(samples[1], 128, 224, 128);
    stretch(samples[2], 128, 224, 128);
  }
  cv::Mat merged;
  cv::merge(samples, 3, merged);
  cv::cvtColor(merged, out, colour == Colour::kRgb ? cv::COLOR_YCrCb2RGB : cv::COLOR_YCrCb2BGR);
}

void read_rgb(const FrameView& frame, const PixelLayout& layout, const cv::Rect& region,
              cv::Size size, Colour colour, cv::Mat& out) {
  cv::Mat pixels;
  scale(plane(frame, 0, {frame.width, frame.height}, CV_8UC(layout.bytes))(region), size, pixels);
  const bool blue_first = layout.blue < layout.red;
  if (layout.bytes == 4) {
    cv::Mat rgb(pixels.size(), CV_8UC3);
    const int first = std::min(layout.red, layout.blue);
    const int from_to[] = {first, 0, layout.green, 1, first + 2, 2};
    cv::mixChannels(&pixels, 1, &rgb, 1, from_to, 3);
    pixels = rgb;
  }
  if (colour == Colour::kGrey) {
    cv::cvtColor(pixels, out, blue_first ? cv::COLOR_BGR2GRAY : cv::COLOR_RGB2GRAY);
  } else if (blue_first != (colour == Colour::kBgr)) {
    cv::cvtColor(pixels, out, cv::COLOR_BGR2RGB);
  } else {
    out = pixels;
  }
}

}  // namespace

void check_frame(const FrameView& frame) {
  const PixelLayout layout = layout_of(frame.format);
  if (frame.width < 1 || frame.height < 1) {
    throw std::invalid_argument("a frame of " + std::to_string(frame.width) + "x" +
                                std::to_string(frame.height) + " has no pixels");
  }
  const int chroma_bytes = chroma_size(frame).width;
  const std::array<int, 3> min = {
      frame.width * layout.bytes,
      frame.format == PixelFormat::kNv12   ? 2 * chroma_bytes
      : frame.format == PixelFormat::kI420 ? chroma_bytes
                                           : 0,
      frame.format == PixelFormat::kI420 ? chroma_bytes : 0,
  };
  for (int i = 0; i < 3; ++i) {
    if (min[i] > 0 && (frame.data[i] == nullptr || frame.stride[i] < min[i])) {
      throw std::invalid_argument(
          "plane " + std::to_string(i) + " of the frame is missing or its " + "stride of " +
          std::to_string(frame.stride[i]) + " bytes is shorter than " + std::to_string(min[i]));
    }
  }
}

void read_region(const FrameView& frame, const cv::Rect& region, cv::Size size, Colour colour,
                 cv::Mat& out) {
  // A header that a former call left on that call's frame must not be written through.
  if (out.u == nullptr) out.release();
  if (frame.memory) {
    read_from_device(
        frame,
        plan_region(region.x, region.y, region.width, region.height, size.width, size.height),
        colour, size, out);
    return;
  }
  const PixelLayout layout = layout_of(frame.format);
  if (layout.red >= 0) {
    read_rgb(frame, layout, region, size, colour, out);
  } else if (colour == Colour::kGrey) {
    read_luma(frame, region, size, out);
  } else if (frame.format == PixelFormat::kGray8) {
    cv::Mat grey;
    read_luma(frame, region, size, grey);
    cv::cvtColor(grey, out, cv::COLOR_GRAY2BGR);
  } else {
    read_yuv(frame, region, size, colour, out);
  }
}

void read_from_device(const FrameView& frame, const CropPlan& plan, Colour colour, cv::Size size,
                      cv::Mat& out) {
  const bool grey = colour == Colour::kGrey;
  out.create(size, grey ? CV_8UC1 : CV_8UC3);
  if (grey && out.isContinuous()) {
    frame.memory->cut(frame, {&plan, 1}, {1, size.width, size.height}, out.data);
    return;
  }
  const int channels = grey ? 1 : 3;
  cv::Mat planes(channels * size.height, size.width, CV_8UC1);
  frame.memory->cut(frame, {&plan, 1}, {channels, size.width, size.height}, planes.data);
  std::vector<cv::Mat> parts;
  for (int i = 0; i < channels; ++i)
    parts.push_back(planes.rowRange(i * size.height, (i + 1) * size.height));
  if (colour == Colour::kBgr) std::swap(parts.front(), parts.back());
  cv::merge(parts, out);
}

}  // namespace fer
