#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <stdexcept>

#include "commands/commands.h"
#include "files/disk_space.h"
#include "learn/detection/detection_dataset.h"
#include "program/finite_range.h"
#include "terminal/output_files.h"
#include "terminal/progress.h"
#ifdef HAVE_VISION
#include "data/image_list.h"
#include "data/scene_list.h"
#include "files/read_image.h"
#include "vision/detector.h"
#endif

namespace fer {
namespace {

namespace fs = std::filesystem;

struct Options {
  fs::path data, out, teacher;
  std::vector<fs::path> portraits;
  int max_portraits = 2000;
  double max_unreadable = 5;  ///< Percent.
};

#ifdef HAVE_VISION
/// Portraits show a face this sure, or they are left out; what is weaker is a region to ignore.
constexpr float kSurePortrait = 0.8f;
constexpr float kPerhaps = 0.3f;

template <typename Index>
Index index_of(std::vector<std::string>& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  const auto index = found - names.begin();
  if (index > 255) throw std::runtime_error("more than 255 different splits or sources");
  if (found == names.end()) names.push_back(name);
  return static_cast<Index>(index);
}

std::span<const std::uint8_t> pixels_of(const cv::Mat& grey) {
  return {grey.data, grey.total()};
}

SceneFace face_of(const Face& face) {
  SceneFace made;
  made.x = face.box.x;
  made.y = face.box.y;
  made.width = face.box.width;
  made.height = face.box.height;
  made.score = face.score;
  made.sure = face.score >= kSurePortrait;
  for (std::size_t k = 0; k < face.landmarks->size(); ++k) {
    made.points[2 * k] = (*face.landmarks)[k].x;
    made.points[2 * k + 1] = (*face.landmarks)[k].y;
  }
  return made;
}

class Packer {
 public:
  explicit Packer(const Options& options) : options_(options) {}

  void add_scenes() {
    const std::vector<SceneEntry> entries = read_scene_list(options_.data);
    double bytes = 0;
    Progress progress("reading photos");
    for (std::size_t i = 0; i < entries.size(); ++i) {
      stop_if_requested();
      progress.update(static_cast<double>(i), static_cast<double>(entries.size()));
      const SceneEntry& entry = entries[i];
      const cv::Mat grey = read_image(entry.image, ImageTurn::kAsStored, /*grey=*/true);
      if (grey.empty()) {
        note_unreadable(entry.image);
        continue;
      }
      Scene scene;
      scene.width = grey.cols;
      scene.height = grey.rows;
      scene.faces = entry.faces;
      scene.split = index_of<std::uint8_t>(info_.splits, entry.split);
      scene.source = index_of<std::uint8_t>(info_.sources, entry.source);
      scene.tempting = entry.tempting;
      writer_.add(scene, pixels_of(grey));
      bytes += static_cast<double>(grey.total());
    }
    progress.clear();
    const fs::path folder = fs::absolute(options_.out).parent_path();
    require_space(folder, bytes, "free some or name another folder with --out");
    if (static_cast<double>(unreadable_) >
        options_.max_unreadable / 100 * static_cast<double>(entries.size())) {
      throw std::runtime_error(options_.data.string() + ": " + std::to_string(unreadable_) +
                               " of " + std::to_string(entries.size()) +
                               " photos could not be read (" + example_.string() +
                               ", …), more than --max-unreadable allows");
    }
    fs::path name = fs::weakly_canonical(options_.data);
    if (!fs::is_directory(name)) name = name.parent_path();
    info_.source = name.filename().string();
  }

  /// Images of one face each, enlarged, with what a detector finds in them, for split train.
  void add_portraits(const fs::path& path) {
    ImageList list = read_image_list(path);
    // Nothing that anybody will be tested on, and nothing twice.
    std::erase_if(list.entries, [](const ImageEntry& entry) {
      return entry.duplicate || (entry.split != "train" && entry.split != "stream");
    });
    if (list.entries.empty())
      throw std::runtime_error(path.string() + ": it has no images of split train or stream");
    const fs::path teacher =
        options_.teacher.empty() ? find_detector_model().path : options_.teacher;
    if (teacher.empty()) throw std::runtime_error("--portraits needs a detector with landmarks");
    const auto detector = open_detector(teacher);
    DetectorConfig config;
    config.score_threshold = kPerhaps;
    const std::string source = fs::weakly_canonical(path).parent_path().filename().string();
    const std::size_t count =
        std::min(list.entries.size(), static_cast<std::size_t>(options_.max_portraits));
    Progress progress("reading portraits");
    for (std::size_t i = 0; i < count; ++i) {
      stop_if_requested();
      progress.update(static_cast<double>(i), static_cast<double>(count));
      // Spread over the whole list, which may be in some order.
      cv::Mat grey =
          read_image(list.entries[i * list.entries.size() / count].image, ImageTurn::kAsShown,
                     /*grey=*/true);
      if (grey.empty()) continue;
      enlarge_small(grey);
      std::vector<Face> faces = detector->detect(view_of(grey), config);
      std::erase_if(faces, [](const Face& face) { return !face.landmarks; });
      if (faces.empty() || faces[0].score < kSurePortrait) continue;
      Scene scene;
      scene.width = grey.cols;
      scene.height = grey.rows;
      for (const Face& face : faces) scene.faces.push_back(face_of(face));
      scene.split = index_of<std::uint8_t>(info_.splits, "train");
      scene.source = index_of<std::uint8_t>(info_.sources, source);
      writer_.add(scene, pixels_of(grey));
      ++portraits_;
    }
    progress.clear();
    info_.source += ", portraits of " + source;
  }

  void write() {
    writer_.write(options_.out, info_);
    if (unreadable_ > 0)
      std::fprintf(stderr, "warning: %zu photos could not be read (%s, …) and are left out\n",
                   unreadable_, example_.c_str());
    std::printf("%s: %zu photos, %zu of them portraits\n", options_.out.c_str(), writer_.size(),
                portraits_);
  }

 private:
  void note_unreadable(const fs::path& image) {
    if (unreadable_++ == 0) example_ = image;
  }

  const Options& options_;
  DetectionDatasetWriter writer_;
  SceneInfo info_;
  std::size_t unreadable_ = 0, portraits_ = 0;
  fs::path example_;
};

void run(const Options& o) {
  std::vector<fs::path> read = o.portraits;
  const fs::path folder = fs::is_directory(o.data) ? o.data : o.data.parent_path();
  read.insert(read.end(), {o.data, folder / "labels.csv", folder / "faces.csv", o.teacher});
  require_outputs({o.out}, read);
  Packer packer(o);
  packer.add_scenes();
  for (const fs::path& portraits : o.portraits) packer.add_portraits(portraits);
  packer.write();
}
#else
void run(const Options&) {
  throw std::runtime_error("this program was built without OpenCV and cannot decode images");
}
#endif

}  // namespace

void add_pack_detector(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand(
      "pack", "Decode photos with faces once into one file that a detector is trained from.");
  c->add_option("--data", o->data,
                "A folder that holds labels.csv (image, split), faces.csv (image, box, landmarks) "
                "and the images, or the path of labels.csv")
      ->required();
  c->add_option("--portraits", o->portraits,
                "CSV files of images that show one face each, as for expressions; their split "
                "train or stream is added, as far as a detector finds the face");
  c->add_option("--max-portraits", o->max_portraits, "At most so many of each such file")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  c->add_option("--teacher", o->teacher,
                "The detector that looks at portraits; otherwise one is looked for");
  c->add_option("--max-unreadable", o->max_unreadable,
                "Percent of the photos that may be unreadable; more is an error")
      ->check(finite_range(0, 100))
      ->capture_default_str();
  c->add_option("--out", o->out, "The file to write")->required();
  c->callback([o] { run(*o); });
}

}  // namespace fer
