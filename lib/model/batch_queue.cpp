#include "model/batch_queue.h"

#include <utility>

#include "model/classifier.h"

namespace fer {

BatchQueue::Answer BatchQueue::classify(std::span<const std::uint8_t> crops) {
  Request mine{crops, {}, nullptr, false};
  std::unique_lock lock(mutex_);
  waiting_.push_back(&mine);
  while (!mine.done) {
    if (running_) {
      changed_.wait(lock);
      continue;
    }
    // Nobody leads: this thread does, for all that are waiting, itself among them.
    running_ = true;
    const std::vector<Request*> batch = std::exchange(waiting_, {});
    lock.unlock();
    run(batch);
    lock.lock();
    for (Request* request : batch) request->done = true;
    running_ = false;
    changed_.notify_all();
  }
  if (mine.error) std::rethrow_exception(mine.error);
  return std::move(mine.answer);
}

void BatchQueue::run(const std::vector<Request*>& requests) const {
  try {
    const auto classifier = choose_();
    const std::size_t bytes = classifier->crop_bytes(), classes = classifier->classes();
    std::vector<std::uint8_t> joined;
    std::span<const std::uint8_t> crops;
    for (Request* request : requests) {
      request->answer.classifier = classifier;
      if (request->crops.size() % bytes != 0) continue;
      if (requests.size() == 1) {
        crops = request->crops;
      } else {
        joined.insert(joined.end(), request->crops.begin(), request->crops.end());
        crops = joined;
      }
    }
    const std::vector<float> logits = classifier->logits(crops);
    auto from = logits.begin();
    for (Request* request : requests) {
      if (request->crops.size() % bytes != 0) continue;
      const auto rows = static_cast<std::ptrdiff_t>(request->crops.size() / bytes * classes);
      request->answer.logits.assign(from, from + rows);
      from += rows;
    }
  } catch (...) {
    for (Request* request : requests) request->error = std::current_exception();
  }
}

}  // namespace fer
