// Images of drawn faces on disk, for what reads images.
#pragma once

#include <filesystem>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <vector>

#include "data/drawn_face.h"

namespace fer::test {

/// Writes one drawn face, 160 px, that smiles (1), looks sad (-1) or neither (0). `variant` moves
/// it a little.
inline void write_face(const std::filesystem::path& path, float mouth_curve, int variant = 0) {
  cv::Mat picture = drawn_background({160, 160});
  draw_face_at(picture, {.centre = {80.f + static_cast<float>(variant % 5) - 2, 80},
                         .height = 100.f + static_cast<float>(variant % 7),
                         .mouth_curve = mouth_curve,
                         .tilt = static_cast<float>(variant % 3) - 1});
  std::filesystem::create_directories(path.parent_path());
  cv::imwrite(path.string(), picture);
}

/// Writes `each` faces of three expressions with a labels.csv (split train, every fourth valid and
/// test) and returns the path of that.
inline std::filesystem::path write_drawn_dataset(const std::filesystem::path& folder, int each) {
  struct Expression {
    const char* name;
    float mouth_curve;
  };
  std::filesystem::create_directories(folder);
  std::ofstream csv(folder / "labels.csv");
  csv << "image,label,split\n";
  for (const Expression& expression :
       {Expression{"neutral", 0}, Expression{"happy", 1}, Expression{"sad", -1}}) {
    for (int i = 0; i < each; ++i) {
      const std::string name = std::string(expression.name) + std::to_string(i) + ".png";
      write_face(folder / name, expression.mouth_curve, i);
      const char* split = i % 4 == 2 ? "valid" : i % 4 == 3 ? "test" : "train";
      csv << name << ',' << expression.name << ',' << split << '\n';
    }
  }
  return folder / "labels.csv";
}

}  // namespace fer::test
