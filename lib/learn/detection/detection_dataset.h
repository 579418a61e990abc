// Photos with the faces in them, decoded once, for training a face detector.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "export.h"
#include "model/safetensors.h"

namespace fer {

class BlockChecksums;

/// Coordinates beyond this are no pixels.
inline constexpr float kLargestCoordinate = 1e6f;

/// A face as a teacher saw it, in pixels of its photo.
struct SceneFace {
  float x = 0, y = 0, width = 0, height = 0;  ///< May reach past the photo's edges.
  std::array<float, 10> points{};             ///< Five landmarks in the order of vision/face.h.
  float score = 1;                            ///< The teacher's, in (0, 1].
  bool sure = true;  ///< False: perhaps a face. Neither to be found nor to be passed over.
};

/// A photo on its way in. One without faces is known to have none.
struct Scene {
  int width = 0, height = 0;
  std::vector<SceneFace> faces;
  std::uint8_t split = 0;   ///< Index into SceneInfo::splits.
  std::uint8_t source = 0;  ///< Index into SceneInfo::sources.
  bool tempting = false;    ///< Teachers saw faces where there are none.
};

/// What holds for all photos.
struct SceneInfo {
  std::vector<std::string> splits;
  std::vector<std::string> sources;  ///< The collections that the photos come from.
  std::string source;                ///< For people: where they were read from.
};

/// Collects photos and writes them as one file (safetensors).
class FER_API DetectionDatasetWriter {
 public:
  /// `pixels`: height x width grey values. Throws std::invalid_argument where something does not
  /// fit: sizes, a face that is no box, a number that is none.
  void add(const Scene& scene, std::span<const std::uint8_t> pixels);
  std::size_t size() const { return widths_.size(); }

  /// Writes atomically. Throws std::invalid_argument where there are no photos or an index is out
  /// of range, std::runtime_error where the file cannot be written.
  void write(const std::filesystem::path& path, const SceneInfo& info) const;

 private:
  std::vector<std::uint8_t> pixels_;
  std::vector<std::int64_t> widths_, heights_, face_counts_;
  std::vector<float> faces_;
  std::vector<std::uint8_t> sure_, splits_, sources_, tempting_;
};

/// Such a file, memory-mapped.
class FER_API DetectionDataset {
 public:
  /// Every length and number is checked. Throws std::runtime_error: file, what was expected, what
  /// was found.
  explicit DetectionDataset(const std::filesystem::path& path);
  ~DetectionDataset();

  const SceneInfo& info() const { return info_; }
  std::size_t size() const { return scenes_.size(); }
  int width(std::size_t photo) const { return scenes_[photo].width; }
  int height(std::size_t photo) const { return scenes_[photo].height; }
  /// Throws std::runtime_error where they are not what was written, or the file became shorter.
  std::span<const std::uint8_t> pixels(std::size_t photo) const;
  std::span<const SceneFace> faces(std::size_t photo) const { return scenes_[photo].faces; }
  const std::string& split(std::size_t photo) const;
  const std::string& source(std::size_t photo) const;
  bool tempting(std::size_t photo) const { return scenes_[photo].tempting; }
  /// Photos of a split. Throws std::runtime_error that lists the splits.
  std::vector<std::size_t> photos(const std::string& split) const;

 private:
  std::unique_ptr<SafetensorsFile> file_;
  std::unique_ptr<const BlockChecksums> checksums_;
  SceneInfo info_;
  std::vector<Scene> scenes_;
  std::vector<std::size_t> offsets_;  ///< Of each photo's pixels.
  const std::uint8_t* pixels_ = nullptr;
};

}  // namespace fer
