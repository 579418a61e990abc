#include "evaluation/evaluation.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <stdexcept>

#include "data/image_list.h"
#include "evaluation/class_names.h"
#include "terminal/interrupt.h"

namespace fer {
namespace {

/// Faces that are classified before the clock counts: the first ones pay for oneDNN's set-up.
constexpr int kWarmUp = 10;

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

/// CPU time of all threads of this process, in ms.
double cpu_ms() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// The rows that count, and among which of the model's classes they are told apart.
struct Plan {
  std::vector<std::string> classes;
  std::vector<int> outputs;         ///< Class → the model's output.
  std::vector<int> class_of_label;  ///< The dataset's label → class; -1: of none.
  std::vector<std::size_t> rows;
  std::size_t duplicates = 0, unlabelled = 0, other_classes = 0;
};

Plan plan_of(const ModelInfo& model, const PackedDataset& data, const EvalSettings& settings) {
  require_fit(model, settings.model_name, data.info(), settings.data_name);

  Plan plan;
  std::vector<std::size_t> labelled;
  for (std::size_t row : data.rows(split_name(data, settings.split))) {
    if (data.label(row) < 0) {
      ++plan.unlabelled;
    } else if (data.duplicate(row) && !settings.keep_duplicates) {
      ++plan.duplicates;
    } else {
      labelled.push_back(row);
    }
  }

  const bool chosen = !settings.classes.empty();
  std::vector<std::size_t> of_class(data.info().labels.size());
  for (std::size_t row : labelled) ++of_class[data.label(row)];
  for (const std::string& name : chosen ? settings.classes : data.info().labels) {
    const int output = class_index(model.labels, name);
    const int label = class_index(data.info().labels, name);
    if (output < 0) {
      // A label that no row has asks nothing of the model.
      if (!chosen && of_class[label] == 0) continue;
      throw std::runtime_error(settings.model_name + ": expected a model that knows \"" + name +
                               "\", found one that knows " + listed(model.labels) +
                               "; --classes leaves the others out");
    }
    if (std::find(plan.outputs.begin(), plan.outputs.end(), output) != plan.outputs.end()) continue;
    plan.classes.push_back(model.labels[output]);
    plan.outputs.push_back(output);
  }
  for (const std::string& label : data.info().labels)
    plan.class_of_label.push_back(class_index(plan.classes, label));
  for (std::size_t row : labelled) {
    if (plan.class_of_label[data.label(row)] < 0) {
      ++plan.other_classes;
    } else {
      plan.rows.push_back(row);
    }
  }
  if (plan.rows.empty())
    throw std::runtime_error(settings.data_name + ": no labelled row is left to evaluate on");
  if (plan.classes.size() < 2) {
    throw std::runtime_error(settings.data_name + ": expected at least two classes, found only \"" +
                             plan.classes[0] + "\"; name those to choose among with --classes");
  }
  return plan;
}

}  // namespace

std::string split_name(const PackedDataset& data, const std::string& split) {
  const auto& splits = data.info().splits;
  const bool literal = std::find(splits.begin(), splits.end(), split) != splits.end();
  return literal ? split : canonical_split(split);
}

void require_fit(const ModelInfo& model, const std::string& model_name, const PackedInfo& data,
                 const std::string& data_name) {
  if (model.crops() == data.crops) return;
  throw std::runtime_error(model_name + ": it takes " + model.crops().text() + ", but " +
                           data_name + " holds " + data.crops.text() +
                           "; evaluate on the images themselves, or pack them so");
}

void require_measurable(const ModelInfo& model, const PackedDataset& data,
                        const EvalSettings& settings) {
  plan_of(model, data, settings);
}

Evaluation evaluate(const Classifier& classifier, const PackedDataset& data,
                    const EvalSettings& settings,
                    const std::function<void(std::size_t, std::size_t)>& on_progress) {
  using Clock = std::chrono::steady_clock;
  const ModelInfo& model = classifier.info();
  const Plan plan = plan_of(model, data, settings);
  const std::vector<std::size_t>& rows = plan.rows;
  const std::vector<int>& outputs = plan.outputs;

  Evaluation result{Confusion(plan.classes), {}, rows};
  result.predictions.classes = plan.classes;
  for (const int output : outputs)
    result.predictions.prior.push_back(model.prior[static_cast<std::size_t>(output)]);
  result.restricted = plan.classes.size() < model.labels.size();
  result.duplicates = plan.duplicates;
  result.unlabelled = plan.unlabelled;
  result.other_classes = plan.other_classes;
  const bool timed = settings.batch <= 1;
  for (int i = 0; timed && i < kWarmUp; ++i) classifier.logits(data.crop(rows[0]));
  std::vector<double> times, cpu_times;
  std::vector<std::uint8_t> crops;
  std::vector<float> among(outputs.size());
  const std::size_t batch = std::max<std::size_t>(settings.batch, 1);
  for (std::size_t first = 0; first < rows.size(); first += batch) {
    stop_if_requested();
    const std::size_t count = std::min(batch, rows.size() - first);
    crops.clear();
    for (std::size_t i = first; i < first + count; ++i) {
      const auto crop = data.crop(rows[i]);
      crops.insert(crops.end(), crop.begin(), crop.end());
    }
    const auto begun = Clock::now();
    const double cpu_begun = cpu_ms();
    std::vector<float> probabilities = classifier.logits(crops);
    to_probabilities(probabilities, model, settings.prior_correction);
    times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begun).count());
    cpu_times.push_back(cpu_ms() - cpu_begun);
    for (std::size_t i = 0; i < count; ++i) {
      const float* p = probabilities.data() + i * model.labels.size();
      for (std::size_t k = 0; k < outputs.size(); ++k) among[k] = p[outputs[k]];
      const std::size_t row = rows[first + i];
      const std::int64_t person = data.person(row);
      result.predictions.add(std::string(data.image(row)), plan.class_of_label[data.label(row)],
                             among, person < 0 ? "" : std::to_string(person));
      result.aligned += data.aligned(row);
    }
    on_progress(first + count, rows.size());
  }
  result.confusion = confusion_of(result.predictions);
  if (timed) {
    result.ms_per_face = median(std::move(times));
    result.cpu_ms_per_face = median(std::move(cpu_times));
  }
  return result;
}

}  // namespace fer
