#include "data/read_image.h"

#include <algorithm>
#include <climits>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <sstream>

#include "data/truncated_image.h"

namespace fer {
namespace {

constexpr int kSmallImage = 160;
constexpr int kSmallTarget = 192;

/// Empty where the file cannot be read: one that is not there, a folder.
std::string bytes_of(const std::filesystem::path& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return bytes.str();
}

/// 8UC1 or 8UC3; empty where that is not to be had.
cv::Mat decoded(const std::filesystem::path& path, int flags) {
  // Not cv::imread(), which complains on stderr of every file that it cannot read.
  std::string bytes = bytes_of(path);
  // What OpenCV decodes of such a file is grey below.
  if (bytes.empty() || bytes.size() > INT_MAX || is_truncated_image(bytes)) return {};
  cv::Mat image;
  try {
    image = cv::imdecode(cv::Mat(1, static_cast<int>(bytes.size()), CV_8U, bytes.data()), flags);
  } catch (const cv::Exception&) {
    return {};
  }
  if (image.depth() != CV_8U || (image.channels() != 1 && image.channels() != 3)) return {};
  return image;
}

}  // namespace

cv::Mat read_image(const std::filesystem::path& path, bool grey) {
  return decoded(
      path, (grey ? cv::IMREAD_GRAYSCALE : cv::IMREAD_ANYCOLOR) | cv::IMREAD_IGNORE_ORIENTATION);
}

cv::Mat read_upright_image(const std::filesystem::path& path) {
  return decoded(path, cv::IMREAD_COLOR);
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
