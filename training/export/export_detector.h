// The face detector for serving, and for other people's programs. docs/how-to/exporting.md.
#pragma once

#include <string>

namespace fer {

struct DetectorInfo;
struct FoldedDetector;

/// Name of the network's input; the outputs are named "faces_" and the stride of their cells.
inline constexpr char kDetectorInput[] = "pixels";

#ifdef HAVE_ONNX
/// The bytes of an ONNX file: N x 1 x height x width grey values from 0 to 255 in fp32, sides
/// multiples of 32 → for every stride of kCellStrides N x kCellValues x height/stride x
/// width/stride (vision/detection_grid.h). Throws what OnnxGraph throws.
std::string to_onnx(const FoldedDetector& detector, const DetectorInfo& info);
#endif

}  // namespace fer
