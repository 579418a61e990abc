#include "files/read_image.h"

#include <algorithm>
#include <cstdint>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <stdexcept>
#include <string>

#include "files/image_header.h"
#include "util/read_file.h"

namespace fer {
namespace {

constexpr int kSmallImage = 160;
constexpr int kSmallTarget = 192;

/// Larger than any photo of a face: what a decoder takes for it are 400 MB.
constexpr std::uintmax_t kMaxPixels = 1 << 27;
constexpr std::uintmax_t kMaxBytes = 256 << 20;

/// Empty where the file cannot be read: one that is not there, a folder, a pipe, a larger one.
std::string bytes_of(const std::filesystem::path& path) {
  try {
    return read_file(path, kMaxBytes);
  } catch (const std::runtime_error&) {
    return {};
  }
}

}  // namespace

cv::Mat read_image(const std::filesystem::path& path, ImageTurn turn, bool grey) {
  // Not cv::imread(), which complains on stderr of every file that it cannot read.
  std::string bytes = bytes_of(path);
  const auto size = image_size(bytes);
  // What OpenCV decodes of a file that is cut short is grey below.
  if (!size || size->pixels() > kMaxPixels || is_truncated_image(bytes)) return {};
  cv::Mat image;
  try {
    image = cv::imdecode(cv::Mat(1, static_cast<int>(bytes.size()), CV_8U, bytes.data()),
                         (grey ? cv::IMREAD_GRAYSCALE : cv::IMREAD_ANYCOLOR) |
                             (turn == ImageTurn::kAsStored ? cv::IMREAD_IGNORE_ORIENTATION : 0));
  } catch (const cv::Exception&) {
    return {};
  }
  if (image.depth() != CV_8U || (image.channels() != 1 && image.channels() != 3)) return {};
  return image;
}

cv::Mat read_shown_image(const std::filesystem::path& path) {
  cv::Mat image = read_image(path, ImageTurn::kAsShown);
  if (!image.empty() && image.channels() == 1) cv::cvtColor(image, image, cv::COLOR_GRAY2BGR);
  return image;
}

void enlarge_small(cv::Mat& image) {
  const int shorter = std::min(image.cols, image.rows);
  if (shorter >= kSmallImage) return;
  const double factor = std::max(2.0, static_cast<double>(kSmallTarget) / shorter);
  cv::resize(image, image, {}, factor, factor, cv::INTER_CUBIC);
}

FrameView view_of(const cv::Mat& image) {
  FrameView view;
  view.format = image.channels() == 1 ? PixelFormat::kGray8 : PixelFormat::kBgr;
  view.width = image.cols;
  view.height = image.rows;
  view.data[0] = image.data;
  view.stride[0] = static_cast<int>(image.step);
  return view;
}

}  // namespace fer
