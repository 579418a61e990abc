// Expression models for other people's programs. docs/how-to/exporting.md.
#pragma once

#include <string>

#include "model/model_info.h"

namespace fer {

struct FoldedNetwork;

struct ExportOptions {
  int batch = 0;        ///< Faces a call takes; 0: as many as it gets.
  bool logits = false;  ///< Logits come out in place of probabilities.
  /// The model's prior is divided out to this power, as by to_probabilities().
  double prior_correction = kModelsPriorCorrection;
};

/// Names of the network's input and of its only output.
inline constexpr char kExportInput[] = "pixels";
const char* export_output(const ExportOptions& options);

#ifdef HAVE_ONNX
/// The bytes of an ONNX file: N x channels x side x side pixel values from 0 to 255 in fp32 →
/// N x classes, normalised as the model wants it. Throws what OnnxGraph throws.
std::string to_onnx(const FoldedNetwork& network, const ModelInfo& info,
                    const ExportOptions& options);
#endif

/// The text of a model-proc file, by which DL Streamer's gvaclassify knows how to feed that network
/// and what its outputs mean.
std::string to_model_proc(const ModelInfo& info, const ExportOptions& options);

/// One label a line, in the order of the outputs, as NNStreamer's image_labeling reads them. Throws
/// std::runtime_error for a label that has lines itself.
std::string to_label_lines(const ModelInfo& info);

}  // namespace fer
