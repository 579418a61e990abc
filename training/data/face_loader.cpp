#include "data/face_loader.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <opencv2/core.hpp>
#include <stdexcept>

#include "files/read_image.h"
#include "terminal/interrupt.h"
#include "terminal/progress.h"
#include "util/join.h"

namespace fer {
namespace {

/// So many unreadable images are named.
constexpr std::size_t kNamed = 3;

/// For people: where rows came from.
std::string source_name(const std::filesystem::path& path) {
  std::filesystem::path name = std::filesystem::weakly_canonical(path);
  if (name.filename() == "labels.csv") name = name.parent_path();
  return name.filename().string();
}

/// The image's name as the dataset has it: relative to the folder, or to the CSV's folder.
std::string image_name(const std::filesystem::path& image, const std::filesystem::path& dataset) {
  const bool folder = std::filesystem::is_directory(dataset);
  const auto name = image.lexically_relative(folder ? dataset : dataset.parent_path());
  return name.empty() ? image.generic_string() : name.generic_string();
}

}  // namespace

CropSpec crop_spec_of(const CropFormat& shape) {
  CropSpec spec;
  spec.align_template = align_template_named(shape.align_template);
  spec.width = spec.height = shape.side;
  spec.grey = shape.channels == 1;
  return spec;
}

FaceLoader::FaceLoader(AlignMode mode, const CropFormat& shape) : spec_(crop_spec_of(shape)) {
  if (mode == AlignMode::kNever) return;
  const DetectorModel model = find_detector_model();
  const bool landmarks = !model.path.empty() && model.remedy.empty();
  if (landmarks) {
    detector_ = open_detector(model.path);
  } else if (mode == AlignMode::kAlways) {
    throw std::runtime_error("--align always needs a face detector with landmarks: " +
                             model.remedy);
  }
}

std::optional<FaceLoader::Crop> FaceLoader::load(const std::filesystem::path& path) {
  cv::Mat image = read_image(path, ImageTurn::kAsShown);
  if (image.empty()) return std::nullopt;
  return crop_of(image);
}

std::optional<FaceLoader::Crop> FaceLoader::load(const ImageEntry& entry) {
  if (entry.pixels.empty()) return load(entry.image);
  const auto side = static_cast<int>(std::lround(std::sqrt(entry.pixels.size())));
  cv::Mat image(side, side, CV_8UC1);
  std::copy_n(entry.pixels.begin(), image.total(), image.data);
  return crop_of(image);
}

FaceLoader::Crop FaceLoader::crop_of(cv::Mat image) {
  enlarge_small(image);
  Crop crop;
  const FrameView view = view_of(image);
  if (detector_) {
    DetectorConfig config;
    config.score_threshold = 0.5f;
    std::vector<Face> faces = detector_->detect(view, config);
    std::erase_if(faces, [](const Face& face) { return !face.landmarks; });
    if (!faces.empty()) {
      // Stills show one person: the largest face, not a bystander's.
      const Face& face =
          *std::max_element(faces.begin(), faces.end(), [](const Face& a, const Face& b) {
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

FaceRows read_faces(const std::filesystem::path& path, const ImageList& list, AlignMode mode,
                    const CropFormat& shape, const ReadOptions& options) {
  FaceLoader loader(mode, shape);
  if (mode == AlignMode::kAuto && !loader.aligns()) {
    std::fprintf(stderr,
                 "warning: no face detector with landmarks was found, so whole images are taken "
                 "and nothing is aligned; %s\n",
                 find_detector_model().remedy.c_str());
  }
  if (!list.layout.empty())
    std::fprintf(stderr, "note: %s: read as %s\n", path.c_str(), list.layout.c_str());
  if (list.left_out > 0) {
    std::fprintf(stderr,
                 "note: %zu images are left out, of which it says that they show none of "
                 "the expressions\n",
                 list.left_out);
  }
  FaceRows faces;
  faces.info.crops = shape;
  faces.info.labels = list.labels;
  faces.info.source = source_name(path);
  faces.info.columns = options.columns;
  std::vector<std::string> unreadable;
  std::map<std::string, std::int64_t> persons;  ///< Numbered as they come.
  Progress progress("reading faces");
  faces.rows.reserve(list.entries.size());
  for (std::size_t i = 0; i < list.entries.size(); ++i) {
    stop_if_requested();
    const ImageEntry& entry = list.entries[i];
    progress.update(static_cast<double>(i), static_cast<double>(list.entries.size()));
    const auto crop = loader.load(entry);
    if (!crop) {
      ++faces.unreadable;
      if (unreadable.size() < kNamed) unreadable.push_back(entry.image.string());
      continue;
    }
    PackedRow row;
    row.votes = entry.votes;
    row.label = entry.label;
    row.duplicate = entry.duplicate;
    row.aligned = crop->aligned;
    row.image = image_name(entry.image, path);
    row.columns = entry.columns;
    if (!entry.person.empty())
      row.person = persons.emplace(entry.person, persons.size()).first->second;
    auto& splits = faces.info.splits;
    auto split = std::find(splits.begin(), splits.end(), entry.split);
    if (split == splits.end()) {
      if (splits.size() == 255)
        throw std::runtime_error(path.string() + ": more than 255 different splits");
      split = splits.insert(split, entry.split);
    }
    row.split = static_cast<std::uint8_t>(split - splits.begin());
    append_planar(crop->image, row.crop);
    faces.rows.push_back(std::move(row));
  }
  progress.clear();
  const std::size_t all = list.entries.size();
  if (faces.unreadable > 0) {
    const std::string sentence = std::to_string(faces.unreadable) + " of " + std::to_string(all) +
                                 " images could not be read (" + join(unreadable) +
                                 (faces.unreadable > unreadable.size() ? ", …)" : ")");
    const double share = static_cast<double>(faces.unreadable) / static_cast<double>(all);
    if (share > options.max_unreadable || faces.rows.empty())
      throw std::runtime_error(path.string() + ": " + sentence +
                               ", more than --max-unreadable of pack and eval allows");
    std::fprintf(stderr, "warning: %s and are left out\n", sentence.c_str());
  }
  if (list.unknown_labels > 0) {
    std::fprintf(stderr, "warning: %zu images have a label that names no expression (%s)\n",
                 list.unknown_labels, join(list.unknown_examples).c_str());
  }
  if (list.held_out > 0) {
    std::fprintf(stderr, "note: there is no split valid; %zu images were put into it\n",
                 list.held_out);
  }
  return faces;
}

}  // namespace fer
