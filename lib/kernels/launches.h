// The launches that kernel_table.cu gathers. See KernelTable and each CPU form.
#pragma once

#include <cstddef>

#include "kernels/kernel_table.h"

namespace fer::kernels {

std::size_t pseudo_label_workspace();
const char* pseudo_label_step_on(const PseudoLabelStep& step, Stream stream);

std::size_t augment_workspace(const Augment& augment);
const char* augment_on(const Augment& augment, Stream stream);
const char* blend_shapes_on(const BlendShapes& blend, Stream stream);
const char* decode_detections_on(const DecodeDetections& decode, Stream stream);
const char* resize_luma_on(const ResizeLuma& resize, Stream stream);
const char* run_layer_on(const RunLayer& layer, Stream stream);
const char* warp_faces_on(const WarpFaces& warp, Stream stream);

}  // namespace fer::kernels
