// Tells where one scene ends and another begins.
#pragma once

#include <opencv2/core/mat.hpp>

namespace fer {

/// Compares small grey thumbnails of the pictures that a detector looked at. Two thumbnails belong
/// to different scenes where they hardly correlate, or where they correlate weakly and their grey
/// levels are distributed otherwise. Brightness and contrast alone cut nothing: a flash or a change
/// of exposure is the same scene. A flat picture (black, or a flash that fills it) says nothing,
/// and the next one is compared with what came before it.
class SceneCut {
 public:
  /// Whether this picture begins another scene than the last one's. `picture` is CV_8UC1 or CV_8UC3
  /// in BGR, of any size. The first picture begins none.
  bool begins(const cv::Mat& picture);

  /// Forgets the last picture.
  void reset() { last_.release(); }

 private:
  cv::Mat small_, last_;  ///< CV_8UC1, kWidth x kHeight.
};

}  // namespace fer
