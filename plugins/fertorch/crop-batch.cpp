#include "crop-batch.h"

#include <opencv2/core.hpp>

namespace fer {

CropSpec crop_spec(const ModelInfo& model) {
  CropSpec spec;
  spec.align_template =
      model.align_template == "arcface" ? AlignTemplate::kArcFace : AlignTemplate::kFer;
  spec.width = spec.height = model.network.input_size;
  spec.grey = model.network.channels == 1;
  return spec;
}

bool same_crops(const ModelInfo& a, const ModelInfo& b) {
  return a.align_template == b.align_template && a.network.input_size == b.network.input_size &&
         a.network.channels == b.network.channels;
}

void CropBatch::start(const ModelInfo& model) {
  spec_ = crop_spec(model);
  bytes_.clear();
}

void CropBatch::add_face(const FrameView& frame, const Face& face) {
  crop_face(frame, face, spec_, crop_);
  append();
}

void CropBatch::add_whole(const FrameView& frame) {
  crop_whole(frame, spec_, crop_);
  append();
}

void CropBatch::append() {
  const std::size_t plane = crop_.total(), begin = bytes_.size();
  bytes_.resize(begin + plane * static_cast<std::size_t>(crop_.channels()));
  std::vector<cv::Mat> planes;
  for (std::size_t at = begin; at < bytes_.size(); at += plane) {
    planes.emplace_back(crop_.size(), CV_8UC1, bytes_.data() + at);
  }
  cv::split(crop_, planes);
}

}  // namespace fer
