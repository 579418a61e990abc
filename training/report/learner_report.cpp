#include "report/learner_report.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

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
constexpr char kSourceColour[] = "#9aa4ae", kServingColour[] = "#56b4e9",
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

/// What the canary says of source, serving model and candidate. `what`: "score" or "accuracy".
void add_canary_chart(Page& page, const std::vector<const json*>& curve,
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
  page.chart(spec, {series_of(curve, "source", measured("source"), kSourceColour),
                    series_of(curve, "serving", measured("serving"), kServingColour),
                    series_of(judged, "candidate", measured("candidate"), kCandidateColour)});
}

void add_class_chart(Page& page, const std::vector<const json*>& curve, const ChartSpec& spec,
                     const std::string& key, bool once_learning) {
  std::vector<Series> series;
  for (const auto& [label, ignored] : classes_of(*curve.back()).items()) {
    series.push_back(series_of(curve, label, [&, name = label](const json& entry) -> double {
      if (once_learning && step_of(entry) == 0) return NAN;
      const auto found = classes_of(entry).find(name);
      return found != classes_of(entry).end() ? number_of(*found, key) : NAN;
    }));
  }
  page.chart(spec, series);
}

void add_loss_chart(Page& page, const std::vector<const json*>& curve) {
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
  page.chart({"Losses of the last step", "step"}, series);
}

void add_decision_table(Page& page, const std::vector<const json*>& decisions) {
  if (decisions.empty()) {
    page.text("No candidate was judged.");
    return;
  }
  const std::size_t skipped = decisions.size() - std::min(decisions.size(), kMaxDecisions);
  page.heading("Decisions", 3);
  if (skipped > 0) page.text(std::to_string(skipped) + " earlier ones are not shown.");
  std::vector<std::vector<TableCell>> rows;
  for (std::size_t i = skipped; i < decisions.size(); ++i) {
    const json& entry = *decisions[i];
    const std::string time = text_of(entry, "time");
    rows.push_back({{time.empty() ? "–" : time},
                    {count_text(step_of(entry))},
                    {text_of(entry, "decision")},
                    {text_of(entry, "candidate_version")},
                    {text_of(entry, "reason")}});
  }
  page.table({{"time"}, {"step"}, {"decision", true}, {"candidate", true}, {"why", true}}, rows);
}

void add_learner(Page& page, const LearnerRun& run) {
  page.heading(run.name);
  const std::vector<const json*> all = all_of(run);
  if (all.empty()) {
    page.text("It has told nothing of itself.");
    return;
  }
  const std::vector<const json*> curve = curve_of(all), decisions = decisions_in(all);
  const json& last = *curve.back();
  page.text("From model " + text_of(last, "source_version") + "; " +
            text_of(last, "serving_version") + " serves.");
  if (const std::string said = text_of(last, "last_warning"); !said.empty())
    page.warning("Its last warning: " + said);
  std::vector<std::string> never;
  for (const auto& [label, one] : classes_of(last).items())
    if (number_of(one, "accepted") == 0) never.push_back(label);
  if (step_of(last) > 0 && !never.empty())
    page.warning("No face was ever accepted as " + join(never) + ".");
  if (step_of(last) == 0) {
    const std::string why = text_of(last, "reason");
    page.warning("No step of learning was made" + (why.empty() ? "." : ": " + why + "."));
  }
  add_canary_chart(page, curve, decisions, "Macro recall on the canary", "score");
  add_canary_chart(page, curve, decisions,
                   "Accuracy on the canary, classes as common as in training", "accuracy");
  const auto shares = [](const char* title) {
    return ChartSpec{title, "step", /*shares=*/true, /*fit=*/true, {}};
  };
  add_class_chart(page, curve, shares("Thresholds"), "threshold", /*once_learning=*/false);
  add_class_chart(page, curve, shares("Accept rate, of about the last 100 steps"), "accept_rate",
                  /*once_learning=*/true);
  add_class_chart(page, curve, {"Tracklets in the memory", "step"}, "remembered",
                  /*once_learning=*/false);
  add_loss_chart(page, curve);
  add_decision_table(page, decisions);
}

}  // namespace

bool is_learner_folder(const std::filesystem::path& folder) {
  return !read_learner_log(folder).empty();
}

LearnerRun read_learner_run(const std::filesystem::path& folder) {
  return {std::filesystem::weakly_canonical(folder).filename().string(), read_learner_log(folder)};
}

void add_learners(Page& page, const std::vector<LearnerRun>& learners) {
  page.heading("Learners", 1);
  std::vector<std::vector<TableCell>> rows;
  for (const LearnerRun& run : learners) {
    const json last = run.snapshots.empty() ? json::object() : run.snapshots.back();
    std::vector<TableCell>& row = rows.emplace_back();
    row.push_back({run.name});
    for (const char* key :
         {"faces", "dropped", "tracklets", "steps", "promotions", "kept", "rollbacks"})
      row.push_back({count_text(number_of(last, key))});
    row.push_back({percent(number_of(last, "source_score"))});
    row.push_back({percent(number_of(last, "serving_score"))});
  }
  page.table({{"learner", true},
              {"faces"},
              {"dropped"},
              {"tracklets"},
              {"steps"},
              {"promoted"},
              {"kept"},
              {"rolled back"},
              {"canary: source"},
              {"canary: serving"}},
             rows);
  page.text(
      "Kept: the candidate did not serve, and is learnt on from. Rolled back: what was learnt was "
      "thrown away. Dropped: faces that the queue had no room for. Canary: macro recall on "
      "labelled "
      "faces that nothing is learnt from.");
  for (const LearnerRun& run : learners) add_learner(page, run);
}

}  // namespace fer
