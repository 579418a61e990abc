#include "data/read_dataset.h"

#include <stdexcept>

#include "data/face_loader.h"
#include "data/image_list.h"
#include "files/disk_space.h"
#include "files/file_kind.h"
#ifdef HAVE_VIDEO
#include "data/video_faces.h"
#endif

namespace fer {

FaceRows read_dataset(const std::filesystem::path& path, AlignMode mode, const CropFormat& shape,
                      const ReadOptions& options, const std::filesystem::path& folder,
                      const std::string& remedy) {
  if (is_video(path)) {
    if (!options.columns.empty()) {
      throw std::runtime_error(path.string() + ": expected a CSV with a column \"" +
                               options.columns[0] + "\", found a video, which has no columns");
    }
#ifdef HAVE_VIDEO
    return read_video_faces(path, shape, options);
#else
    throw std::runtime_error(path.string() +
                             ": this program was built without GStreamer and cannot read videos");
#endif
  }
  const ImageList list = read_image_list(path, options.split, options.labelled, options.columns);
  require_space(folder, packed_bytes(list.entries.size(), shape, list.labels.size()), remedy);
  return read_faces(path, list, mode, shape, options);
}

}  // namespace fer
