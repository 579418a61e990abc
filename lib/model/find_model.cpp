#include "model/find_model.h"

#include <stdexcept>
#include <string>

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

std::filesystem::path require_expression_model() {
  const auto found = find_expression_model();
  if (found.empty()) {
    throw std::runtime_error(std::string("no model was named and no ") + kExpressionModel +
                             " was found; name one, or a folder that holds it in FER_MODELS");
  }
  return found;
}

}  // namespace fer
