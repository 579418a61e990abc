#include "slots/label_desk.h"

#include <algorithm>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <random>
#include <utility>

#include "util/join.h"

namespace fer {

LabelDesk::LabelDesk() : next_(std::uint64_t{std::random_device()()} << 20) {}

std::optional<std::vector<LabelDesk::Shown>> LabelDesk::questions(
    SlotLearner& learner, std::size_t n, const std::set<std::string>& hidden,
    std::chrono::milliseconds patience) {
  auto asked = learner.questions(n, hidden);
  if (asked.wait_for(patience) != std::future_status::ready) return std::nullopt;
  std::vector<Shown> questions;
  const std::lock_guard lock(mutex_);
  for (LabelQuestion& question : asked.get()) {
    const auto known = std::find_if(shown_.begin(), shown_.end(), [&](const Shown& one) {
      return one.question.id == question.id && one.question.crop == question.crop;
    });
    if (known != shown_.end()) {
      questions.push_back(*known);
      continue;
    }
    questions.push_back({next_++, std::move(question)});
    shown_.push_back(questions.back());
    if (shown_.size() > kShown) shown_.pop_front();
  }
  return questions;
}

std::string LabelDesk::answer(SlotLearner& learner, std::uint64_t number,
                              const std::string& answer) {
  const bool is_label = answer != kCannotTell && answer != kNoFace;
  const std::vector<std::string>& labels = learner.info().labels;
  if (is_label && std::find(labels.begin(), labels.end(), answer) == labels.end()) {
    return "\"" + answer + "\" is no class of the model; expected " + kCannotTell + ", " + kNoFace +
           " or one of " + join(labels);
  }
  Shown one;
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(shown_.begin(), shown_.end(),
                                    [&](const Shown& other) { return other.number == number; });
    if (found == shown_.end()) {
      return std::string("question ") + std::to_string(number) +
             " was not asked, is answered already, or is too old; ask for others";
    }
    // Taken out at once: two people may answer at the same time.
    one = std::move(*found);
    shown_.erase(found);
  }
  if (!is_label) {
    learner.answer(one.question,
                   answer == kNoFace ? LabelAnswer::kNoFace : LabelAnswer::kCannotTell);
  } else if (!learner.answer(one.question, answer)) {
    const std::lock_guard lock(mutex_);
    shown_.push_front(std::move(one));
    return "the learner takes no labels now: nothing learns, or too many wait";
  }
  return {};
}

void LabelDesk::forget_expired(std::int64_t now_s) {
  const std::lock_guard lock(mutex_);
  std::erase_if(shown_, [&](const Shown& one) {
    return one.question.expires_s != 0 && one.question.expires_s <= now_s;
  });
}

void LabelDesk::clear() {
  const std::lock_guard lock(mutex_);
  shown_.clear();
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
