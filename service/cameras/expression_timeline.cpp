#include "cameras/expression_timeline.h"

#include <algorithm>
#include <utility>

namespace fer {

void ExpressionTimeline::add(std::int64_t time_s, const std::vector<std::string>& labels,
                             const std::vector<SeenExpression>& faces) {
  const std::lock_guard lock(mutex_);
  if (!labels.empty() && labels != labels_) {
    labels_ = labels;
    open_.clear();
    closed_.clear();
    counts_.seconds.assign(labels_.size(), 0);
  }
  close_before(time_s);
  open_s_ = std::max(open_s_, time_s);
  for (const SeenExpression& face : faces) {
    if (face.person > highest_) {
      ++counts_.persons;
      highest_ = face.person;
    }
    if (face.probabilities.empty() || face.probabilities.size() != labels_.size()) continue;
    if (open_.size() >= kPersons && !open_.contains(face.person)) continue;
    Sum& sum = open_[face.person];
    sum.sums.resize(labels_.size());
    for (std::size_t k = 0; k < labels_.size(); ++k) sum.sums[k] += face.probabilities[k];
    ++sum.frames;
    sum.unsure += face.unsure ? 1 : 0;
  }
}

void ExpressionTimeline::close_before(std::int64_t time_s) {
  if (open_s_ >= time_s || open_.empty()) return;
  Second second{open_s_, {}};
  for (const auto& [id, sum] : std::exchange(open_, {})) {
    Person person{id, {}, 2 * sum.unsure > sum.frames};
    for (const double one : sum.sums) person.mean.push_back(static_cast<float>(one / sum.frames));
    const auto most = std::max_element(person.mean.begin(), person.mean.end());
    counts_.seconds[static_cast<std::size_t>(most - person.mean.begin())] += 1;
    second.persons.push_back(std::move(person));
  }
  closed_.push_back(std::move(second));
  if (closed_.size() > kSeconds) closed_.pop_front();
}

std::vector<ExpressionTimeline::Second> ExpressionTimeline::seconds(std::int64_t after_s,
                                                                    std::int64_t now_s) {
  const std::lock_guard lock(mutex_);
  close_before(now_s);
  std::vector<Second> found;
  std::copy_if(closed_.begin(), closed_.end(), std::back_inserter(found),
               [&](const Second& one) { return one.time_s > after_s; });
  return found;
}

std::vector<std::string> ExpressionTimeline::labels() const {
  const std::lock_guard lock(mutex_);
  return labels_;
}

ExpressionTimeline::Counts ExpressionTimeline::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void ExpressionTimeline::restart() {
  const std::lock_guard lock(mutex_);
  highest_ = 0;
}

}  // namespace fer
