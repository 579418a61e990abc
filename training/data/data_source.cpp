#include "data/data_source.h"

#include <array>
#include <fstream>
#include <stdexcept>

#include "files/csv_reader.h"
#include "files/file_kind.h"
#include "util/join.h"
#include "util/read_file.h"
#ifdef HAVE_VISION
#include "data/read_dataset.h"
#include "files/temporary_folder.h"
#endif

namespace fer {
namespace {

namespace fs = std::filesystem;

/// Throws std::runtime_error where the file is of no kind that we read. A packed dataset begins
/// with the length of its header, and that with a brace.
void require_known_kind(const fs::path& path) {
  require_regular_file(path);
  std::ifstream file(path, std::ios::binary);
  std::array<char, 9> begin{};
  file.read(begin.data(), begin.size());
  if (file.gcount() == static_cast<std::streamsize>(begin.size()) && begin.back() == '{') return;
  const std::string ending = path.extension().string();
  throw std::runtime_error(
      path.string() +
      ": expected a packed dataset (see fer pack), a folder of images, a CSV (.csv) or a video (" +
      join({video_endings().begin(), video_endings().end()}) + "), found a file " +
      (ending.empty() ? "without an ending" : "that ends in " + ending) + " and is none of them");
}

}  // namespace

double packed_bytes(std::size_t count, const CropFormat& shape, std::size_t labels) {
  const double row = static_cast<double>(shape.bytes()) +
                     static_cast<double>(labels) * sizeof(float) + sizeof(std::int64_t) + 3;
  return 4096 + static_cast<double>(count) * row;
}

bool is_image_list(const fs::path& path) {
  return fs::is_directory(path) || lower(path.extension().string()) == ".csv";
}

#ifdef HAVE_VISION
DataSource::DataSource(const fs::path& path, AlignMode mode, const CropFormat& shape,
                       const ReadOptions& options) {
  if (!is_image_list(path) && !is_video(path)) {
    require_known_kind(path);
    data_ = std::make_unique<PackedDataset>(path);
    return;
  }
  was_packed_ = false;
  const TemporaryFolder folder;
  const fs::path packed = folder.path() / "faces.packed";
  {
    const FaceRows faces =
        read_dataset(path, mode, shape, options, folder.path(),
                     "name another folder in TMPDIR, or pack them once by: fer pack");
    unreadable_ = faces.unreadable;
    write_packed(packed, faces.info, faces.rows);
  }
  // Mapped, it needs no name: the folder goes now, and nothing is left behind by whatever comes.
  data_ = std::make_unique<PackedDataset>(packed, path.string());
}
#else
DataSource::DataSource(const fs::path& path, AlignMode, const CropFormat&, const ReadOptions&) {
  if (is_image_list(path) || is_video(path)) {
    throw std::runtime_error(path.string() +
                             ": expected a packed dataset, since this program was built without "
                             "OpenCV; make one by `fer pack` where it has it");
  }
  require_known_kind(path);
  data_ = std::make_unique<PackedDataset>(path);
}
#endif

}  // namespace fer
