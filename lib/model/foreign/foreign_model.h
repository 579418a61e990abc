// Expression networks that others made: an ONNX file, and beside it a description of what it does
// not say itself. They serve as our own models do, and do not learn.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "export.h"
#include "model/foreign/description.h"
#include "model/foreign/network_plan.h"
#include "model/foreign/onnx_header.h"
#include "model/model_info.h"

namespace fer {

class InferenceEngine;

/// No expression network comes near it.
inline constexpr std::uintmax_t kMaxOnnxFile = 256 << 20;

/// A network and all that is known of it.
struct ForeignModel {
  ModelInfo info;  ///< As of a model of ours; the shape is that of the input and of the labels.
  NetworkDescription description;
  OnnxHeader header;
  NetworkPlan plan;
  std::string bytes;  ///< The ONNX file.
};

/// Reads both files, brings them together, and lets another process try the network. Throws
/// std::runtime_error: the file to look at, what was expected, what was found.
FER_API ForeignModel read_foreign_model(const std::filesystem::path& onnx);

/// ModelInfo::version: a hash of both files.
FER_API std::string foreign_version(const std::string& onnx, const std::string& description);

/// What computes it: crops → calibrated logits of its labels. Throws std::runtime_error with what
/// was found.
std::unique_ptr<const InferenceEngine> make_foreign_engine(const ForeignModel& model);

}  // namespace fer
