// Image files as pixels.
#pragma once

#include <filesystem>
#include <opencv2/core/mat.hpp>

#include "vision/frame.h"

namespace fer {

/// Decodes an image as it is stored: 8UC1 or 8UC3 (BGR), no EXIF turn, since labels and boxes of
/// datasets refer to stored pixels. `grey`: 8UC1 always (of a JPEG its luma, as in video). Empty
/// where the file cannot be read, is no such image, or is cut short; nothing is printed then.
cv::Mat read_image(const std::filesystem::path& path, bool grey = false);

/// Decodes an image as people are meant to see it: 8UC3 (BGR), turned as its EXIF data says. Empty
/// as read_image() has it.
cv::Mat read_upright_image(const std::filesystem::path& path);

/// Enlarges images whose shorter side is below 160 px to twice the size or more: detectors find
/// next to no face in FER+'s 48 px as they are, and 99 to 100 % at four times that.
void enlarge_small(cv::Mat& image);

/// A frame of an image that read_image() gave.
FrameView view_of(const cv::Mat& image);

}  // namespace fer
