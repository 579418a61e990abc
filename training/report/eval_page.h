// What `fer eval` found, as a page.
#pragma once

#include <string>

#include "report/eval_report.h"

namespace fer {

/// Figures with their intervals, recall of each class, the confusion matrix, how sure the model is
/// against how often it is right, and whatever else was asked for. Throws as
/// require_chart_library() does.
std::string eval_page(const EvalReport& report);

}  // namespace fer
