// Makes what the tests of the pipelines work on: a clip of a face that we drew, as raw BGR frames
// on standard output, and a model that sees happiness in every face.
//
//   pipeline-test-files clip WIDTH HEIGHT FRAMES
//   pipeline-test-files model FILE
//   pipeline-test-files labelled FILE [WITHOUT]   a packed dataset that fits the model, less a
//   class
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "data/drawn_face.h"
#include "learn/data/packed_dataset.h"
#include "model/labels.h"
#include "unit/model/model_support.h"

namespace {

/// A face that sways over the picture, 60 % of it high.
bool write_clip(cv::Size size, int frames) {
  for (int i = 0; i < frames; ++i) {
    cv::Mat picture = fer::test::drawn_background(size);
    const float sway = std::sin(0.1f * static_cast<float>(i));
    fer::test::draw_face_at(picture, {{(0.5f + 0.1f * sway) * static_cast<float>(size.width),
                                       0.5f * static_cast<float>(size.height)},
                                      0.6f * static_cast<float>(size.height),
                                      sway});
    const std::size_t bytes = picture.total() * picture.elemSize();
    if (std::fwrite(picture.data, 1, bytes, stdout) != bytes) return false;
  }
  return true;
}

int label_id(const std::string& name) {
  const auto& labels = fer::ferplus_labels();
  return static_cast<int>(std::find(labels.begin(), labels.end(), name) - labels.begin());
}

/// Four faces of each expression but one in the splits train and valid; noise will do.
void write_labelled(const std::string& path, const std::string& without) {
  const fer::NetworkConfig network = fer::test::tiny_config();
  fer::PackedInfo info;
  info.crops.side = network.input_size;
  info.labels = fer::ferplus_labels();
  info.splits = {"train", "valid"};
  std::vector<fer::PackedRow> rows;
  for (std::size_t i = 0; i < 8 * info.labels.size(); ++i) {
    if (info.labels[i % info.labels.size()] == without) continue;
    fer::PackedRow row;
    row.crop = fer::test::random_bytes(static_cast<std::size_t>(info.crops.side * info.crops.side),
                                       static_cast<unsigned>(i));
    row.label = static_cast<int>(i % info.labels.size());
    row.votes.assign(info.labels.size(), 0.f);
    row.votes[i % info.labels.size()] = 1;
    row.split = static_cast<std::uint8_t>(i / info.labels.size() % 2);
    rows.push_back(std::move(row));
  }
  fer::write_packed(path, info, rows);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string job = argc > 1 ? argv[1] : "";
  if (job == "clip" && argc == 5) {
    return write_clip({std::atoi(argv[2]), std::atoi(argv[3])}, std::atoi(argv[4])) ? 0 : 1;
  }
  if (job == "model" && argc == 3) {
    fer::test::write_constant_model(argv[2], label_id("happiness"));
    return 0;
  }
  if (job == "labelled" && (argc == 3 || argc == 4)) {
    write_labelled(argv[2], argc == 4 ? argv[3] : "");
    return 0;
  }
  std::fprintf(stderr,
               "usage: pipeline-test-files clip WIDTH HEIGHT FRAMES | model FILE | labelled FILE "
               "[WITHOUT]\n");
  return 2;
}
