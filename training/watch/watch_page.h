// What was watched as one page: who was seen when, and what their faces showed.
#pragma once

#include <string>

#include "watch/watch_run.h"

namespace fer {

/// The page (report/page/page.h). Long videos are drawn in pieces of time, of which each has the
/// mean of its frames. Throws std::runtime_error where Chart.js or a part is missing.
std::string watch_page(const WatchRun& run);

}  // namespace fer
