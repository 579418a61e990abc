#include "report/learner_report.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "report/line_chart.h"
#include "report/report_text.h"
#include "stream/learner_log.h"
#include "util/join.h"

namespace fer {
namespace {

using nlohmann::json;

/// Points of a curve: a log of weeks has more than a screen has pixels.
constexpr std::size_t kMaxPoints = 600;
constexpr std::size_t kMaxDecisions = 100;

constexpr char kPromoted[] = "promoted", kRolledBack[] = "rolled back", kReset[] = "reset";
constexpr char kSourceColour[] = "#777777", kServingColour[] = "#0072b2",
               kCandidateColour[] = "#e69f00", kPromotedColour[] = "#009e73",
               kRolledBackColour[] = "#d55e00";

std::string text_of(const json& entry, const std::string& key) {
  const auto found = entry.find(key);
  return found != entry.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string count_text(double count) {
  return std::isfinite(count) ? std::to_string(static_cast<std::int64_t>(count)) : "–";
}

/// What it says of each class; an empty object where it says nothing.
const json& classes_of(const json& entry) {
  static const json none = json::object();
  const auto found = entry.find("classes");
  return found != entry.end() && found->is_object() ? *found : none;
}

double step_of(const json& entry) {
  return number_of(entry, "steps");
}

/// Decisions so far. A reset is none that is counted.
double decisions_of(const json& entry) {
  double all = 0;
  for (const char* key : {"promotions", "kept", "rollbacks"}) {
    const double count = number_of(entry, key);
    if (std::isfinite(count)) all += count;
  }
  return all;
}

/// Whether something was decided between the two looks; `before` is null for the first one.
bool is_decision(const json* before, const json& entry) {
  if (text_of(entry, "decision").empty()) return false;
  if (before == nullptr) return decisions_of(entry) == 1;
  if (text_of(entry, "decision") == kReset) return text_of(*before, "decision") != kReset;
  return decisions_of(entry) > decisions_of(*before);
}

/// All of a run, less what holds no step.
std::vector<const json*> all_of(const LearnerRun& run) {
  std::vector<const json*> all;
  for (const json& entry : run.snapshots)
    if (std::isfinite(step_of(entry))) all.push_back(&entry);
  return all;
}

/// Those that hold a decision, oldest first.
std::vector<const json*> decisions_in(const std::vector<const json*>& entries) {
  std::vector<const json*> found;
  const json* before = nullptr;
  for (const json* entry : entries) {
    if (is_decision(before, *entry)) found.push_back(entry);
    before = entry;
  }
  return found;
}

/// What a curve is drawn through: steps never fall, as they do where a learner went on from an
/// earlier state or began anew.
std::vector<const json*> curve_of(const std::vector<const json*>& entries) {
  std::vector<const json*> kept;
  for (const json* entry : entries) {
    while (!kept.empty() && step_of(*kept.back()) > step_of(*entry)) kept.pop_back();
    kept.push_back(entry);
  }
  if (kept.size() <= kMaxPoints) return kept;
  std::vector<const json*> thinned;
  for (std::size_t i = 0; i < kMaxPoints; ++i)
    thinned.push_back(kept[i * (kept.size() - 1) / (kMaxPoints - 1)]);
  return thinned;
}

template <typename Value>
Series series_of(const std::vector<const json*>& curve, std::string name, const Value& value,
                 std::string colour = "") {
  Series series{std::move(name), {}, std::move(colour)};
  for (const json* entry : curve) series.points.emplace_back(step_of(*entry), value(*entry));
  return series;
}

bool shows_anything(const std::vector<Series>& all) {
  return std::any_of(all.begin(), all.end(), [](const Series& one) {
    return std::any_of(one.points.begin(), one.points.end(),
                       [](const auto& point) { return std::isfinite(point.second); });
  });
}

std::string chart(const ChartSpec& spec, const std::vector<Series>& series) {
  return shows_anything(series) ? line_chart(spec, series) : "";
}

/// What the canary says of source, serving model and candidate. `what`: "score" or "accuracy".
std::string canary_chart(const std::vector<const json*>& curve,
                         const std::vector<const json*>& decisions, const std::string& title,
                         const std::string& what) {
  // Zero stands for what was not measured.
  const auto measured = [&](const char* who) {
    return [key = std::string(who) + "_" + what](const json& entry) {
      const double score = number_of(entry, key);
      return score > 0 ? score : NAN;
    };
  };
  ChartSpec spec{title, "step", /*shares=*/true, /*fit=*/true, {}};
  Marks promoted{kPromoted, kPromotedColour, {}}, rolled_back{kRolledBack, kRolledBackColour, {}};
  for (const json* entry : decisions) {
    const std::string decision = text_of(*entry, "decision");
    if (decision == kPromoted) promoted.at.emplace_back(step_of(*entry), text_of(*entry, "reason"));
    if (decision == kRolledBack || decision == kReset)
      rolled_back.at.emplace_back(step_of(*entry), text_of(*entry, "reason"));
  }
  spec.marks = {std::move(promoted), std::move(rolled_back)};
  // A candidate is looked at when it is decided on, and those of a life before are another's.
  std::vector<const json*> judged = curve_of(decisions);
  std::erase_if(judged,
                [&](const json* entry) { return step_of(*entry) > step_of(*curve.back()); });
  return chart(spec, {series_of(curve, "source", measured("source"), kSourceColour),
                      series_of(curve, "serving", measured("serving"), kServingColour),
                      series_of(judged, "candidate", measured("candidate"), kCandidateColour)});
}

std::string class_chart(const std::vector<const json*>& curve, const ChartSpec& spec,
                        const std::string& key, bool once_learning) {
  std::vector<Series> series;
  for (const auto& [label, ignored] : classes_of(*curve.back()).items()) {
    series.push_back(series_of(curve, label, [&, name = label](const json& entry) -> double {
      if (once_learning && step_of(entry) == 0) return NAN;
      const auto found = classes_of(entry).find(name);
      return found != classes_of(entry).end() ? number_of(*found, key) : NAN;
    }));
  }
  return chart(spec, series);
}

std::string loss_chart(const std::vector<const json*>& curve) {
  std::vector<Series> series;
  for (const auto& [key, name] : {std::pair{"loss", "all"},
                                  {"loss_x", "labelled"},
                                  {"loss_u", "pseudo-labels"},
                                  {"loss_n", "negatives"}}) {
    series.push_back(series_of(curve, name, [key = std::string(key)](const json& entry) {
      // Of the last step, which a learner that has just begun or was rolled back has not made.
      return number_of(entry, "loss") != 0 ? number_of(entry, key) : NAN;
    }));
  }
  return chart({"Losses of the last step", "step"}, series);
}

std::string decision_table(const std::vector<const json*>& decisions) {
  if (decisions.empty()) return "<p>No candidate was judged.</p>\n";
  const std::size_t skipped = decisions.size() - std::min(decisions.size(), kMaxDecisions);
  std::string html = "<h3>Decisions</h3>\n";
  if (skipped > 0) html += "<p>" + std::to_string(skipped) + " earlier ones are not shown.</p>\n";
  html +=
      "<table><tr><th>time</th><th>step</th><th class=\"text\">decision</th>"
      "<th class=\"text\">candidate</th><th class=\"text\">why</th></tr>\n";
  for (std::size_t i = skipped; i < decisions.size(); ++i) {
    const json& entry = *decisions[i];
    const std::string time = text_of(entry, "time");
    html += "<tr><td>" + (time.empty() ? "–" : escaped(time)) + "</td><td>" +
            count_text(step_of(entry)) + "</td><td class=\"text\">" +
            escaped(text_of(entry, "decision")) + "</td><td class=\"text\"><code>" +
            escaped(text_of(entry, "candidate_version")) + "</code></td><td class=\"text\">" +
            escaped(text_of(entry, "reason")) + "</td></tr>\n";
  }
  return html + "</table>\n";
}

std::string warning(const std::string& text) {
  return "<p class=\"warning\">" + escaped(text) + "</p>\n";
}

std::string one_learner(const LearnerRun& run) {
  std::string html = "<h2>" + escaped(run.name) + "</h2>\n";
  const std::vector<const json*> all = all_of(run);
  if (all.empty()) return html + "<p>It has told nothing of itself.</p>\n";
  const std::vector<const json*> curve = curve_of(all), decisions = decisions_in(all);
  const json& last = *curve.back();
  html += "<p>From model <code>" + escaped(text_of(last, "source_version")) + "</code>; <code>" +
          escaped(text_of(last, "serving_version")) + "</code> serves.</p>\n";
  if (const std::string said = text_of(last, "last_warning"); !said.empty())
    html += warning("Its last warning: " + said);
  std::vector<std::string> never;
  for (const auto& [label, one] : classes_of(last).items())
    if (number_of(one, "accepted") == 0) never.push_back(label);
  if (step_of(last) > 0 && !never.empty())
    html += warning("No face was ever accepted as " + join(never) + ".");
  if (step_of(last) == 0) {
    const std::string why = text_of(last, "reason");
    html += warning("No step of learning was made" + (why.empty() ? "." : ": " + why + "."));
  }
  html += "<div class=\"charts\">\n";
  html += canary_chart(curve, decisions, "Macro recall on the canary", "score");
  html += canary_chart(curve, decisions, "Accuracy on the canary, classes as common as in training",
                       "accuracy");
  html += class_chart(curve, {"Thresholds", "step", /*shares=*/true, /*fit=*/true, {}}, "threshold",
                      /*once_learning=*/false);
  html += class_chart(
      curve,
      {"Accept rate, of about the last 100 steps", "step", /*shares=*/true, /*fit=*/true, {}},
      "accept_rate", /*once_learning=*/true);
  html += class_chart(curve, {"Tracklets in the memory", "step"}, "remembered",
                      /*once_learning=*/false);
  html += loss_chart(curve);
  return html + "</div>\n" + decision_table(decisions);
}

}  // namespace

bool is_learner_folder(const std::filesystem::path& folder) {
  return !read_learner_log(folder).empty();
}

LearnerRun read_learner_run(const std::filesystem::path& folder) {
  return {std::filesystem::weakly_canonical(folder).filename().string(), read_learner_log(folder)};
}

std::string learner_section(const std::vector<LearnerRun>& learners) {
  std::string html =
      "<h1>Learners</h1>\n<table><tr><th>learner</th><th>faces</th><th>dropped</th>"
      "<th>tracklets</th><th>steps</th><th>promoted</th><th>kept</th><th>rolled back</th>"
      "<th>canary: source</th><th>serving</th></tr>\n";
  for (const LearnerRun& run : learners) {
    const json last = run.snapshots.empty() ? json::object() : run.snapshots.back();
    html += "<tr><td>" + escaped(run.name) + "</td>";
    for (const char* key :
         {"faces", "dropped", "tracklets", "steps", "promotions", "kept", "rollbacks"}) {
      html += "<td>" + count_text(number_of(last, key)) + "</td>";
    }
    html += "<td>" + percent(number_of(last, "source_score")) + "</td><td>" +
            percent(number_of(last, "serving_score")) + "</td></tr>\n";
  }
  html +=
      "</table>\n<p>Kept: the candidate did not serve, and is learnt on from. Rolled back: what "
      "was "
      "learnt was thrown away. Dropped: faces that the queue had no room for. Canary: macro recall "
      "on labelled faces that nothing is learnt from.</p>\n";
  for (const LearnerRun& run : learners) html += one_learner(run);
  return html;
}

}  // namespace fer
