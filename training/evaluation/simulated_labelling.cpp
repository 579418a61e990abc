#include "evaluation/simulated_labelling.h"

#include <algorithm>
#include <stdexcept>

#include "learn/data/face_ref.h"
#include "terminal/interrupt.h"

namespace fer {
namespace {

std::string_view text(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

SimulatedLabelling::SimulatedLabelling(OnlineLearner& learner, const PackedDataset& shown,
                                       const std::vector<std::size_t>& rows, const Plan& plan)
    : learner_(learner), plan_(plan), per_class_(learner.info().labels.size()) {
  const std::vector<int> place = label_mapping(shown.info().labels, learner.info().labels);
  bool any = false;
  for (const std::size_t row : rows) {
    const auto crop = shown.crop(row);
    const int known = shown.label(row);
    const int label = known < 0 ? -1 : place[static_cast<std::size_t>(known)];
    truth_.emplace(text(crop.data(), crop.size()), label);
    any = any || label >= 0;
  }
  if (!any) {
    throw std::runtime_error(shown.name() +
                             ": expected faces with labels that the model knows, by which to "
                             "answer, found none");
  }
}

void SimulatedLabelling::run(const std::function<void(int spent)>& on_round) {
  for (int spent = 0; spent < plan_.labels;) {
    stop_if_requested();
    const auto n = static_cast<std::size_t>(std::min(plan_.at_once, plan_.labels - spent));
    plan_.by.seed += 1;
    const std::vector<LabelQuestion> questions = learner_.questions(n, {}, plan_.by);
    if (questions.empty()) return;
    for (const LabelQuestion& question : questions) {
      const int label = truth_.at(text(question.crop.data(), question.crop.size()));
      if (label < 0) {
        learner_.settle(question.id, LabelAnswer::kCannotTell);
      } else {
        learner_.add_label({question.crop, question.source, question.track}, label);
        learner_.settle(question.id);
        ++per_class_[static_cast<std::size_t>(label)];
      }
    }
    spent += static_cast<int>(questions.size());
    learner_.judge_now();
    on_round(spent);
  }
}

}  // namespace fer
