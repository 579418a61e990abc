#include "model/find_model.h"

#include "vision/model_paths.h"

namespace fer {

std::filesystem::path find_expression_model() {
  for (const std::filesystem::path& folder : model_folders()) {
    std::error_code ignored;
    if (std::filesystem::is_regular_file(folder / kExpressionModel, ignored)) {
      return folder / kExpressionModel;
    }
  }
  return {};
}

}  // namespace fer
