#include "crop-batch.h"

namespace fer {

CropSpec crop_spec(const ModelInfo& model) {
  CropSpec spec;
  spec.align_template = align_template_named(model.align_template);
  spec.width = spec.height = model.network.input_size;
  spec.grey = model.network.channels == 1;
  return spec;
}

bool same_crops(const ModelInfo& a, const ModelInfo& b) {
  return a.crops() == b.crops();
}

void CropBatch::start(const ModelInfo& model) {
  spec_ = crop_spec(model);
  bytes_.clear();
}

void CropBatch::add_faces(const FrameView& frame, const std::vector<Face>& faces) {
  append_crops(frame, faces, spec_, bytes_);
}

void CropBatch::add_whole(const FrameView& frame) {
  append_whole(frame, spec_, bytes_);
}

}  // namespace fer
