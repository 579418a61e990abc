#include "report/report.h"

#include <utility>

#include "report/line_chart.h"

namespace fer {
namespace {

constexpr const char* kStyle = R"css(
body { font: 15px/1.5 system-ui, sans-serif; color: #21262d; margin: 2em auto; max-width: 1180px; padding: 0 1em }
h1 { font-size: 1.5em } h2 { font-size: 1.2em; border-top: 1px solid #d0d7de; padding-top: 1em; margin-top: 2em }
table { border-collapse: collapse; margin: 1em 0 } th, td { padding: .25em .8em; text-align: right; border-bottom: 1px solid #d0d7de }
th:first-child, td:first-child, .text { text-align: left } td.best { font-weight: 600 }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(420px, 1fr)); gap: 1.5em }
svg { width: 100%; height: auto }
table.confusion td, table.confusion th { text-align: center; border: 1px solid #fff; padding: .2em .5em; font-size: 13px }
table.confusion th:first-child { text-align: right } pre { background: #f6f8fa; padding: .8em; overflow-x: auto; font-size: 13px }
.warning { background: #fff4ce; padding: .5em .8em }
)css";

std::string page(const std::string& title, const std::string& body) {
  return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
         "<meta name=\"viewport\" content=\"width=device-width\">"
         "<title>" +
         escaped(title) + "</title><style>" + kStyle + kChartStyle + "</style></head><body>\n" +
         body + "</body></html>\n";
}

}  // namespace

std::string report_page(const std::vector<RunLog>& runs, const std::vector<LearnerRun>& learners,
                        const std::string& score) {
  std::string body;
  if (!runs.empty()) body += training_section(runs, score);
  if (!learners.empty()) body += learner_section(learners);
  const char* title = learners.empty() ? "Training runs"
                      : runs.empty()   ? "Learners"
                                       : "Training runs and learners";
  return page(title, body);
}

std::string learner_page(const std::string& name, std::vector<nlohmann::json> snapshots) {
  return page(name, learner_section({{name, std::move(snapshots)}}));
}

}  // namespace fer
