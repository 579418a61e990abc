#include "face_loader.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <stdexcept>

#include "progress.h"

namespace fer {
namespace {

/// Images below this are enlarged before detection: FER+'s 48 px are found at four times the size
/// (99 to 100 % of them, and next to none as they are).
constexpr int kSmallImage = 160;
constexpr int kSmallTarget = 192;

FrameView view_of(const cv::Mat& bgr) {
  FrameView view;
  view.format = bgr.channels() == 1 ? PixelFormat::kGray8 : PixelFormat::kBgr;
  view.width = bgr.cols;
  view.height = bgr.rows;
  view.data[0] = bgr.data;
  view.stride[0] = static_cast<int>(bgr.step);
  return view;
}

}  // namespace

FaceLoader::FaceLoader(AlignMode mode, const CropSpec& spec) : spec_(spec) {
  if (mode == AlignMode::kNever) return;
  const DetectorModel model = find_detector_model();
  const bool landmarks = !model.path.empty() && model.remedy.empty();
  if (landmarks) {
    detector_ = open_detector(model.path);
  } else if (mode == AlignMode::kAlways) {
    throw std::runtime_error("alignment needs a face detector with landmarks. " + model.remedy);
  }
}

std::optional<FaceLoader::Crop> FaceLoader::load(const std::filesystem::path& path) {
  // No EXIF turn: labels and boxes of datasets refer to pixels as they are stored.
  cv::Mat image;
  try {
    image = cv::imread(path.string(), cv::IMREAD_ANYCOLOR | cv::IMREAD_IGNORE_ORIENTATION);
  } catch (const cv::Exception&) {
    return std::nullopt;
  }
  if (image.empty() || image.depth() != CV_8U || (image.channels() != 1 && image.channels() != 3))
    return std::nullopt;
  if (std::min(image.cols, image.rows) < kSmallImage) {
    const double factor = std::max(2.0, static_cast<double>(kSmallTarget) / std::min(image.cols, image.rows));
    cv::resize(image, image, {}, factor, factor, cv::INTER_CUBIC);
  }
  Crop crop;
  const FrameView view = view_of(image);
  if (detector_) {
    DetectorConfig config;
    config.score_threshold = 0.5f;
    std::vector<Face> faces = detector_->detect(view, config);
    std::erase_if(faces, [](const Face& face) { return !face.landmarks; });
    if (!faces.empty()) {
      // Stills show one person: the largest face, not a bystander's.
      const Face& face = *std::max_element(faces.begin(), faces.end(), [](const Face& a, const Face& b) {
        return a.box.area() * a.score < b.box.area() * b.score;
      });
      crop_face(view, face, spec_, crop.image);
      crop.aligned = true;
      return crop;
    }
  }
  crop_whole(view, spec_, crop.image);
  return crop;
}

std::vector<PackedRow> load_rows(const ImageList& list, FaceLoader& loader, PackedInfo& info,
                                 const std::function<void(std::size_t)>& on_progress,
                                 std::size_t& unreadable) {
  info.labels = list.labels;
  info.splits.clear();
  unreadable = 0;
  std::vector<PackedRow> rows;
  for (std::size_t i = 0; i < list.entries.size(); ++i) {
    const ImageEntry& entry = list.entries[i];
    on_progress(i);
    const auto crop = loader.load(entry.image);
    if (!crop) {
      ++unreadable;
      continue;
    }
    PackedRow row;
    row.votes = entry.votes;
    row.label = entry.label;
    row.duplicate = entry.duplicate;
    row.aligned = crop->aligned;
    auto split = std::find(info.splits.begin(), info.splits.end(), entry.split);
    if (split == info.splits.end()) {
      if (info.splits.size() == 255) throw std::runtime_error("more than 255 different splits");
      split = info.splits.insert(split, entry.split);
    }
    row.split = static_cast<std::uint8_t>(split - info.splits.begin());
    std::vector<cv::Mat> planes;
    cv::split(crop->image, planes);
    for (const cv::Mat& plane : planes)
      row.crop.insert(row.crop.end(), plane.datastart, plane.dataend);
    rows.push_back(std::move(row));
  }
  return rows;
}

DataSource::DataSource(const std::filesystem::path& path, AlignMode mode, const CropSpec& spec) {
  path_ = path;
  if (std::filesystem::is_directory(path) || path.extension() == ".csv") {
    const ImageList list = read_image_list(path);
    FaceLoader loader(mode, spec);
    PackedInfo info;
    info.channels = spec.grey ? 1 : 3;
    info.side = spec.width;
    info.align_template = spec.align_template == AlignTemplate::kFer ? "fer" : "arcface";
    info.source = path.filename().string();
    if (info.source == "labels.csv") info.source = path.parent_path().filename().string();
    std::size_t unreadable = 0;
    std::vector<PackedRow> rows;
    {
      Progress progress("reading faces");
      rows = load_rows(list, loader, info,
                       [&](std::size_t done) { progress.update(done, list.entries.size()); }, unreadable);
    }
    if (unreadable)
      std::fprintf(stderr, "warning: %zu of %zu images could not be read and are left out\n", unreadable,
                   list.entries.size());
    if (list.unknown_labels)
      std::fprintf(stderr, "warning: %zu images have a label that names no expression\n", list.unknown_labels);
    path_ = std::filesystem::temp_directory_path() / ("fer-" + std::to_string(::getpid()) + ".packed");
    temporary_ = true;
    write_packed(path_, info, rows);
  }
  data_ = std::make_unique<PackedDataset>(path_);
}

DataSource::~DataSource() {
  std::error_code ignored;
  if (temporary_) std::filesystem::remove(path_, ignored);
}

}  // namespace fer
