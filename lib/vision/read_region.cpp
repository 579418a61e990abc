#include "vision/read_region.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "vision/frame_memory.h"
#include "vision/pixel_layout.h"
#include "vision/shown_frame.h"
#include "vision/turn_picture.h"

namespace fer {
namespace {

/// A plane as a cv::Mat header on the frame's memory; OpenCV has no const view, nobody writes to
/// it.
cv::Mat plane(const FrameView& frame, int index, cv::Size size, int type) {
  return {size, type, const_cast<std::uint8_t*>(frame.data[index]),
          static_cast<std::size_t>(frame.stride[index])};
}

/// How many samples cover so many pixels.
int samples_over(int pixels, int pixels_a_sample) {
  return (pixels + pixels_a_sample - 1) / pixels_a_sample;
}

void scale(const cv::Mat& from, cv::Size size, cv::Mat& to) {
  if (from.size() == size) {
    to = from;
    return;
  }
  // The means first, where one side shrinks: interpolation would leave pixels out.
  const cv::Size means(std::min(size.width, from.cols), std::min(size.height, from.rows));
  if (means == size) {
    cv::resize(from, to, size, 0, 0, cv::INTER_AREA);
  } else if (means == from.size()) {
    cv::resize(from, to, size, 0, 0, cv::INTER_LINEAR);
  } else {
    cv::Mat smaller;
    cv::resize(from, smaller, means, 0, 0, cv::INTER_AREA);
    cv::resize(smaller, to, size, 0, 0, cv::INTER_LINEAR);
  }
}

/// Stretches limited range: v -> (v - zero) * 255 / span + centre.
void stretch(cv::Mat& samples, double zero, double span, double centre) {
  cv::Mat stretched;  // not in place: `samples` may be the frame's own memory
  const double gain = 255.0 / span;
  samples.convertTo(stretched, CV_8U, gain, centre - zero * gain);
  samples = stretched;
}

/// The samples among which a component lies, as one picture of `step` channels.
cv::Mat samples_with(const FrameView& frame, const YuvLayout& layout,
                     const ComponentLayout& component, bool chroma, const cv::Rect& region) {
  const int columns = chroma ? layout.chroma_columns : 1, rows = chroma ? layout.chroma_rows : 1;
  const int type = CV_MAKETYPE(layout.sample_bytes == 2 ? CV_16U : CV_8U, component.step);
  const cv::Size size(samples_over(frame.width, columns), samples_over(frame.height, rows));
  const cv::Point first(region.x / columns, region.y / rows);
  const cv::Point end(samples_over(region.x + region.width, columns),
                      samples_over(region.y + region.height, rows));
  return plane(frame, component.plane, size, type)(cv::Rect(first, end));
}

/// One component out of scaled samples, in eight bits.
cv::Mat component_of(const cv::Mat& samples, const YuvLayout& layout,
                     const ComponentLayout& component) {
  cv::Mat alone = samples;
  if (samples.channels() > 1) {
    cv::Mat one;
    cv::extractChannel(samples, one, component.offset);
    alone = one;
  }
  if (layout.sample_bytes == 1) return alone;
  cv::Mat bytes;
  alone.convertTo(bytes, CV_8U, 1. / (1 << layout.excess_bits));
  return bytes;
}

void read_luma(const FrameView& frame, const cv::Rect& region, cv::Size size, cv::Mat& out) {
  const YuvLayout layout = yuv_layout_of(frame.format);
  const bool plain = layout.y.step == 1 && layout.sample_bytes == 1;
  cv::Mat among, &scaled = plain ? out : among;
  scale(samples_with(frame, layout, layout.y, false, region), size, scaled);
  if (!plain) out = component_of(scaled, layout, layout.y);
  if (!frame.full_range) stretch(out, 16, 219, 0);
}

void read_yuv(const FrameView& frame, const cv::Rect& region, cv::Size size, Colour colour,
              cv::Mat& out) {
  const YuvLayout layout = yuv_layout_of(frame.format);
  cv::Mat samples[3];  // Y, Cr, Cb
  read_luma(frame, region, size, samples[0]);
  cv::Mat among;
  scale(samples_with(frame, layout, layout.cr, true, region), size, among);
  samples[1] = component_of(among, layout, layout.cr);
  if (layout.cb.plane != layout.cr.plane) {
    cv::Mat others;
    scale(samples_with(frame, layout, layout.cb, true, region), size, others);
    among = others;
  }
  samples[2] = component_of(among, layout, layout.cb);
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
  if (frame.memory && !lies_on_devices(frame.format)) {
    throw std::invalid_argument("frames of this pixel format cannot be read on a device");
  }
  std::array<int, 3> min_stride{};
  if (layout.red >= 0) {
    min_stride[0] = frame.width * layout.bytes;
  } else {
    const YuvLayout yuv = yuv_layout_of(frame.format);
    const auto need = [&](const ComponentLayout& component, int pixels_a_sample) {
      int& bytes = min_stride[static_cast<std::size_t>(component.plane)];
      bytes = std::max(
          bytes, samples_over(frame.width, pixels_a_sample) * component.step * yuv.sample_bytes);
    };
    need(yuv.y, 1);
    if (frame.format != PixelFormat::kGray8) {
      need(yuv.cb, yuv.chroma_columns);
      need(yuv.cr, yuv.chroma_columns);
    }
  }
  if (layout.red < 0 && yuv_layout_of(frame.format).sample_bytes == 2 &&
      (frame.stride[0] % 2 != 0 || frame.stride[1] % 2 != 0 || frame.stride[2] % 2 != 0)) {
    throw std::invalid_argument("a plane of samples of 16 bits has an odd stride");
  }
  for (int i = 0; i < 3; ++i) {
    if (min_stride[i] > 0 && (frame.data[i] == nullptr || frame.stride[i] < min_stride[i])) {
      throw std::invalid_argument("plane " + std::to_string(i) +
                                  " of the frame is missing or its " + "stride of " +
                                  std::to_string(frame.stride[i]) + " bytes is shorter than " +
                                  std::to_string(min_stride[i]));
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

void read_shown(const FrameView& frame, cv::Size size, Colour colour, cv::Mat& out) {
  const cv::Rect whole(0, 0, frame.width, frame.height);
  if (frame.orientation == Orientation::kIdentity) {
    read_region(frame, whole, size, colour, out);
    return;
  }
  const bool swaps = swaps_axes(frame.orientation);
  cv::Mat stored;
  read_region(frame, whole, swaps ? cv::Size(size.height, size.width) : size, colour, stored);
  if (out.u == nullptr) out.release();
  turn_picture(stored, frame.orientation, out);
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
