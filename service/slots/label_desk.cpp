#include "slots/label_desk.h"

#include <algorithm>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <utility>

#include "util/join.h"

namespace fer {

std::optional<std::vector<LabelQuestion>> LabelDesk::questions(Learner& learner, std::size_t n,
                                                               const std::set<std::string>& hidden,
                                                               std::chrono::milliseconds patience) {
  auto asked = learner.questions(n, hidden);
  if (asked.wait_for(patience) != std::future_status::ready) return std::nullopt;
  std::vector<LabelQuestion> questions = asked.get();
  const std::lock_guard lock(mutex_);
  for (const LabelQuestion& question : questions) shown_.insert_or_assign(question.id, question);
  while (shown_.size() > kShown) shown_.erase(shown_.begin());  // the oldest: ids only grow
  return questions;
}

std::string LabelDesk::answer(Learner& learner, std::uint64_t id, const std::string& answer) {
  LabelQuestion question;
  {
    const std::lock_guard lock(mutex_);
    const auto found = shown_.find(id);
    if (found == shown_.end())
      return "question " + std::to_string(id) + " was not asked, or is answered already";
    question = found->second;
  }
  if (answer == kCannotTell || answer == kNoFace) {
    learner.answer(question, answer == kNoFace ? LabelAnswer::kNoFace : LabelAnswer::kCannotTell);
  } else if (const auto& labels = learner.info().labels;
             std::find(labels.begin(), labels.end(), answer) == labels.end()) {
    return "\"" + answer + "\" is no class of the model; expected " + kCannotTell + ", " + kNoFace +
           " or one of " + join(labels);
  } else if (!learner.answer(question, answer)) {
    return "the learner takes no labels now: nothing learns, or too many wait";
  }
  const std::lock_guard lock(mutex_);
  shown_.erase(id);
  return {};
}

std::string crop_png(const std::vector<std::uint8_t>& bytes, int channels, int side, int about) {
  const auto plane = static_cast<std::size_t>(side) * static_cast<std::size_t>(side);
  if (bytes.size() != plane * static_cast<std::size_t>(channels)) return {};
  std::vector<cv::Mat> planes;
  for (int c = 0; c < channels; ++c) {
    // OpenCV's constructor takes no const pointer; nothing writes through it.
    planes.emplace_back(side, side, CV_8UC1,
                        const_cast<std::uint8_t*>(bytes.data()) +
                            plane * static_cast<std::size_t>(channels - 1 - c));  // BGR
  }
  cv::Mat picture;
  cv::merge(planes, picture);
  const int times = std::max(1, about / side);
  cv::resize(picture, picture, {}, times, times, cv::INTER_CUBIC);
  std::vector<std::uint8_t> png;
  cv::imencode(".png", picture, png);
  return {png.begin(), png.end()};
}

}  // namespace fer
