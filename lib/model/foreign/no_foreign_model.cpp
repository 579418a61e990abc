// In a build without OpenCV, nothing computes networks of others.
#include <stdexcept>

#include "model/foreign/foreign_model.h"
#include "model/inference_engine.h"

namespace fer {
namespace {

[[noreturn]] void refuse_onnx(const std::filesystem::path& onnx) {
  throw std::runtime_error(onnx.string() +
                           ": expected a model of gst-fer's own (.fer), found an ONNX network, "
                           "which this gst-fer cannot compute: it was built without OpenCV");
}

}  // namespace

ForeignModel read_foreign_model(const std::filesystem::path& onnx) {
  refuse_onnx(onnx);
}

std::unique_ptr<const InferenceEngine> make_foreign_engine(const ForeignModel& model) {
  refuse_onnx(model.info.network.name);
}

}  // namespace fer
