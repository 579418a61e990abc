// Image files as pixels.
#pragma once

#include <filesystem>
#include <opencv2/core/mat.hpp>

#include "vision/frame.h"

namespace fer {

enum class ImageTurn {
  kAsStored,  ///< For datasets with boxes, which refer to stored pixels.
  kAsShown,   ///< As the EXIF tag says that the picture is turned; every viewer does so.
};

/// Decodes a PNG, JPEG, BMP, WebP, TIFF or PNM file to 8UC1 or 8UC3 (BGR). `grey`: 8UC1 always (of
/// a JPEG its luma, as in video). Empty where the file is no regular one, has more than 256 MiB or
/// 2^27 pixels, cannot be read, is no such image, or is cut short; nothing is printed then.
cv::Mat read_image(const std::filesystem::path& path, ImageTurn turn, bool grey = false);

/// Decodes an image as every viewer shows it: 8UC3 (BGR), turned as its EXIF data says. Empty as
/// read_image() has it.
cv::Mat read_shown_image(const std::filesystem::path& path);

/// Enlarges images whose shorter side is below 160 px to twice the size or more: detectors find
/// next to no face in FER+'s 48 px as they are, and 99 to 100 % at four times that.
void enlarge_small(cv::Mat& image);

/// A frame of an image that read_image() gave.
FrameView view_of(const cv::Mat& image);

}  // namespace fer
