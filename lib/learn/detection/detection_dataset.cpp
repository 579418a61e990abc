#include "learn/detection/detection_dataset.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "model/block_checksums.h"
#include "model/file_formats.h"
#include "util/json_text.h"

namespace fer {
namespace {

using nlohmann::json;

constexpr std::int64_t kLargestSide = 16384;
/// Numbers of a face in the file: box, landmarks, score.
constexpr std::size_t kFaceNumbers = 15;

/// Empty where the face is sound.
std::string fault_of(const SceneFace& face) {
  const auto sound = [](float v) { return std::isfinite(v) && std::abs(v) < kLargestCoordinate; };
  if (!sound(face.x) || !sound(face.y) || !sound(face.width) || !sound(face.height) ||
      !(face.width > 0 && face.height > 0))
    return "a face's box is none";
  if (!std::all_of(face.points.begin(), face.points.end(), sound))
    return "a face's landmarks are no pixels";
  if (!(face.score > 0 && face.score <= 1)) return "a face's score is not in (0, 1]";
  return "";
}

std::string fault_of(std::int64_t width, std::int64_t height) {
  if (width >= 1 && width <= kLargestSide && height >= 1 && height <= kLargestSide) return "";
  return "a side is not in [1, " + std::to_string(kLargestSide) + "]";
}

}  // namespace

void DetectionDatasetWriter::add(const Scene& scene, std::span<const std::uint8_t> pixels) {
  std::string fault = fault_of(scene.width, scene.height);
  if (fault.empty() && pixels.size() != static_cast<std::size_t>(scene.width) *
                                            static_cast<std::size_t>(scene.height))
    fault = "the pixels do not fit the photo's size";
  for (const SceneFace& face : scene.faces)
    if (fault.empty()) fault = fault_of(face);
  if (!fault.empty()) throw std::invalid_argument("DetectionDatasetWriter: " + fault);
  pixels_.insert(pixels_.end(), pixels.begin(), pixels.end());
  widths_.push_back(scene.width);
  heights_.push_back(scene.height);
  face_counts_.push_back(static_cast<std::int64_t>(scene.faces.size()));
  for (const SceneFace& face : scene.faces) {
    faces_.insert(faces_.end(), {face.x, face.y, face.width, face.height});
    faces_.insert(faces_.end(), face.points.begin(), face.points.end());
    faces_.push_back(face.score);
    sure_.push_back(face.sure);
  }
  splits_.push_back(scene.split);
  sources_.push_back(scene.source);
  tempting_.push_back(scene.tempting);
}

void DetectionDatasetWriter::write(const std::filesystem::path& path, const SceneInfo& info) const {
  if (widths_.empty()) throw std::invalid_argument("DetectionDatasetWriter: expected photos");
  for (std::size_t i = 0; i < widths_.size(); ++i) {
    if (splits_[i] >= info.splits.size() || sources_[i] >= info.sources.size())
      throw std::invalid_argument("DetectionDatasetWriter: split or source out of range");
  }
  const auto view = [](DType dtype, std::vector<std::int64_t> shape, const auto& data) {
    return TensorView{dtype, std::move(shape), data.data(), data.size() * sizeof(data[0])};
  };
  const auto n = static_cast<std::int64_t>(widths_.size());
  const auto faces = static_cast<std::int64_t>(sure_.size());
  write_with_checksums(
      path,
      {{"pixels", view(DType::kU8, {static_cast<std::int64_t>(pixels_.size())}, pixels_)},
       {"widths", view(DType::kI64, {n}, widths_)},
       {"heights", view(DType::kI64, {n}, heights_)},
       {"face_counts", view(DType::kI64, {n}, face_counts_)},
       {"faces", view(DType::kF32, {faces, static_cast<std::int64_t>(kFaceNumbers)}, faces_)},
       {"sure", view(DType::kU8, {faces}, sure_)},
       {"splits", view(DType::kU8, {n}, splits_)},
       {"sources", view(DType::kU8, {n}, sources_)},
       {"tempting", view(DType::kU8, {n}, tempting_)}},
      {{"format", kScenesFormat},
       {"splits", json_text(json(info.splits))},
       {"sources", json_text(json(info.sources))},
       {"source", as_utf8(info.source)}});
}

DetectionDataset::DetectionDataset(const std::filesystem::path& path)
    : file_(std::make_unique<SafetensorsFile>(path)) {
  const auto fail = [&](const std::string& what) {
    throw std::runtime_error(path.string() + ": " + what);
  };
  if (!has_format(*file_, kScenesFormat)) {
    fail(std::string("expected photos with faces (format ") + kScenesFormat + "), found " +
         content_of(*file_) + "; make one with: fer pack --task detect");
  }
  checksums_ = std::make_unique<BlockChecksums>(*file_, path.string(),
                                                file_->meta("format") == kScenesFormat);
  // The pixels are checked photo by photo.
  for (const auto& [tensor, view] : file_->tensors()) {
    if (tensor != "pixels" && tensor != kChecksumTensor) checksums_->need(view);
  }
  try {
    info_.splits = json::parse(file_->meta("splits")).get<std::vector<std::string>>();
    info_.sources = json::parse(file_->meta("sources")).get<std::vector<std::string>>();
  } catch (const json::exception& error) {
    fail(std::string("its metadata is broken: ") + error.what());
  }
  info_.source = file_->meta("source");

  const TensorView& widths = file_->at("widths", DType::kI64, 1);
  const std::int64_t n = widths.shape[0];
  if (n == 0) fail("it has no photos");
  const auto column = [&](const char* name, DType dtype) {
    const TensorView& view = file_->at(name, dtype, 1);
    if (view.shape[0] != n) fail(std::string(name) + ": expected one entry a photo");
    return view.data;
  };
  const auto* width = static_cast<const std::int64_t*>(widths.data);
  const auto* height = static_cast<const std::int64_t*>(column("heights", DType::kI64));
  const auto* count = static_cast<const std::int64_t*>(column("face_counts", DType::kI64));
  const auto* split = static_cast<const std::uint8_t*>(column("splits", DType::kU8));
  const auto* source = static_cast<const std::uint8_t*>(column("sources", DType::kU8));
  const auto* tempting = static_cast<const std::uint8_t*>(column("tempting", DType::kU8));
  const TensorView& faces = file_->at("faces", DType::kF32, 2);
  const TensorView& sure = file_->at("sure", DType::kU8, 1);
  const TensorView& pixels = file_->at("pixels", DType::kU8, 1);
  if (faces.shape[1] != static_cast<std::int64_t>(kFaceNumbers) ||
      sure.shape[0] != faces.shape[0]) {
    fail("faces: expected " + std::to_string(kFaceNumbers) + " numbers and one \"sure\" a face");
  }
  pixels_ = static_cast<const std::uint8_t*>(pixels.data);
  std::size_t offset = 0;
  std::int64_t face = 0;
  scenes_.reserve(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) {
    const std::string where = "photo " + std::to_string(i) + ": ";
    if (const std::string fault = fault_of(width[i], height[i]); !fault.empty())
      fail(where + fault);
    if (split[i] >= info_.splits.size() || source[i] >= info_.sources.size())
      fail(where + "split or source out of range");
    if (count[i] < 0 || count[i] > faces.shape[0] - face) fail(where + "more faces than there are");
    Scene scene;
    scene.width = static_cast<int>(width[i]);
    scene.height = static_cast<int>(height[i]);
    scene.split = split[i];
    scene.source = source[i];
    scene.tempting = tempting[i] != 0;
    for (const std::int64_t end = face + count[i]; face < end; ++face) {
      const auto at = static_cast<std::size_t>(face);
      const float* numbers = static_cast<const float*>(faces.data) + at * kFaceNumbers;
      SceneFace& made = scene.faces.emplace_back();
      made.x = numbers[0];
      made.y = numbers[1];
      made.width = numbers[2];
      made.height = numbers[3];
      std::copy_n(numbers + 4, made.points.size(), made.points.begin());
      made.score = numbers[kFaceNumbers - 1];
      made.sure = static_cast<const std::uint8_t*>(sure.data)[at] != 0;
      if (const std::string fault = fault_of(made); !fault.empty()) fail(where + fault);
    }
    offsets_.push_back(offset);
    offset += static_cast<std::size_t>(scene.width) * static_cast<std::size_t>(scene.height);
    if (offset > pixels.bytes) fail(where + "more pixels than there are");
    scenes_.push_back(std::move(scene));
  }
  if (offset != pixels.bytes) fail("more pixels than its photos have");
  if (face != faces.shape[0]) fail("more faces than its photos have");
}

DetectionDataset::~DetectionDataset() = default;

std::span<const std::uint8_t> DetectionDataset::pixels(std::size_t photo) const {
  const Scene& scene = scenes_[photo];
  const std::span<const std::uint8_t> pixels{
      pixels_ + offsets_[photo],
      static_cast<std::size_t>(scene.width) * static_cast<std::size_t>(scene.height)};
  checksums_->need(pixels.data(), pixels.size());
  return pixels;
}

const std::string& DetectionDataset::split(std::size_t photo) const {
  return info_.splits[scenes_[photo].split];
}

const std::string& DetectionDataset::source(std::size_t photo) const {
  return info_.sources[scenes_[photo].source];
}

std::vector<std::size_t> DetectionDataset::photos(const std::string& split) const {
  const auto found = std::find(info_.splits.begin(), info_.splits.end(), split);
  if (found == info_.splits.end()) {
    throw std::runtime_error(file_->path().string() + ": it has no split \"" + split +
                             "\"; it has " + json(info_.splits).dump());
  }
  const auto index = static_cast<std::size_t>(found - info_.splits.begin());
  std::vector<std::size_t> photos;
  for (std::size_t i = 0; i < scenes_.size(); ++i)
    if (scenes_[i].split == index) photos.push_back(i);
  return photos;
}

}  // namespace fer
