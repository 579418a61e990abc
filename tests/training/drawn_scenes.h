// Photos of drawn faces on disk, for what reads scenes.
#pragma once

#include <filesystem>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <string>

#include "data/drawn_face.h"

namespace fer::test {

/// Writes `count` photos of 160 x 128 px with labels.csv and faces.csv. Every third has no face;
/// of the rest each has one, 60 to 90 px high. Splits go train, train, valid, train, test.
inline void write_drawn_scenes(const std::filesystem::path& folder, int count) {
  std::filesystem::create_directories(folder / "images");
  std::ofstream labels(folder / "labels.csv"), faces(folder / "faces.csv");
  labels << "image,split,source,dropped_false\n";
  faces << "image,x,y,w,h,score,right_eye_x,right_eye_y,left_eye_x,left_eye_y,nose_x,nose_y,"
           "right_mouth_x,right_mouth_y,left_mouth_x,left_mouth_y,sure\n";
  const char* splits[] = {"train", "train", "valid", "train", "test"};
  for (int i = 0; i < count; ++i) {
    const std::string name = "photo" + std::to_string(i) + ".png";
    cv::Mat picture = drawn_background({160, 128});
    const bool empty = i % 3 == 1;
    if (!empty) {
      const DrawnFace face =
          draw_face_at(picture, {.centre = {60.f + static_cast<float>(i * 7 % 40), 64},
                                 .height = 60.f + static_cast<float>(i * 11 % 30)});
      faces << name << ',' << face.box.x << ',' << face.box.y << ',' << face.box.width << ','
            << face.box.height << ",0.9";
      for (const cv::Point2f& point : face.landmarks) faces << ',' << point.x << ',' << point.y;
      faces << ",1\n";
    }
    cv::imwrite((folder / "images" / name).string(), picture);
    labels << name << ',' << splits[i % 5] << ",drawn," << (empty ? 1 : 0) << '\n';
  }
}

}  // namespace fer::test
