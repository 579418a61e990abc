// Turns pictures in the processor's memory.
#pragma once

#include <opencv2/core.hpp>

#include "vision/frame.h"

namespace fer {

/// The stored picture as it is shown, which `orientation` says. `shown` must not share the memory
/// of `stored`, unless nothing is turned: it then is another header on it.
inline void turn_picture(const cv::Mat& stored, Orientation orientation, cv::Mat& shown) {
  switch (orientation) {
    case Orientation::kIdentity:
      shown = stored;
      break;
    case Orientation::k90Right:
      cv::rotate(stored, shown, cv::ROTATE_90_CLOCKWISE);
      break;
    case Orientation::k180:
      cv::rotate(stored, shown, cv::ROTATE_180);
      break;
    case Orientation::k90Left:
      cv::rotate(stored, shown, cv::ROTATE_90_COUNTERCLOCKWISE);
      break;
    case Orientation::kFlipHorizontal:
      cv::flip(stored, shown, 1);
      break;
    case Orientation::kFlipVertical:
      cv::flip(stored, shown, 0);
      break;
    case Orientation::kTranspose:
      cv::transpose(stored, shown);
      break;
    case Orientation::kTransverse: {
      cv::Mat turned;
      cv::rotate(stored, turned, cv::ROTATE_180);
      cv::transpose(turned, shown);
      break;
    }
  }
}

}  // namespace fer
