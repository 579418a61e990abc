#include "model/batch_queue.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "model/classifier.h"
#include "model/worker_pool.h"

namespace fer {

BatchQueue::BatchQueue(Chooser choose)
    : choose_(std::move(choose)), pool_(std::make_unique<WorkerPool>()) {}

BatchQueue::~BatchQueue() = default;

BatchQueue::Answer BatchQueue::classify(std::span<const std::uint8_t> crops, unsigned threads) {
  Request mine{crops, threads, {}, nullptr, false};
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
    ++batches_;
    changed_.notify_all();
  }
  lock.unlock();
  if (mine.error) std::rethrow_exception(mine.error);
  return std::move(mine.answer);
}

std::uint64_t BatchQueue::batches() const {
  const std::lock_guard lock(mutex_);
  return batches_;
}

void BatchQueue::run(const std::vector<Request*>& requests) {
  try {
    const auto classifier = choose_();
    if (!classifier) throw std::runtime_error("no model serves yet");
    const std::size_t bytes = classifier->crop_bytes(), classes = classifier->classes();
    std::vector<std::uint8_t> joined;
    std::span<const std::uint8_t> crops;
    unsigned threads = 1;
    for (const Request* request : requests) {
      if (request->crops.size() % bytes != 0) continue;
      threads = std::max(threads, request->threads);
      if (requests.size() == 1) {
        crops = request->crops;
      } else {
        joined.insert(joined.end(), request->crops.begin(), request->crops.end());
        crops = joined;
      }
    }
    const std::vector<float> logits = compute(*classifier, crops, threads);
    auto from = logits.begin();
    for (Request* request : requests) {
      request->answer.classifier = classifier;
      if (request->crops.size() % bytes != 0) continue;
      const auto rows = static_cast<std::ptrdiff_t>(request->crops.size() / bytes * classes);
      request->answer.logits.assign(from, from + rows);
      from += rows;
    }
  } catch (...) {
    for (Request* request : requests) request->error = std::current_exception();
  }
}

std::vector<float> BatchQueue::compute(const Classifier& classifier,
                                       std::span<const std::uint8_t> crops, unsigned threads) {
  const std::size_t bytes = classifier.crop_bytes(), n = crops.size() / bytes;
  const std::size_t parts = std::min<std::size_t>(threads, n);
  if (parts < 2 || !classifier.divisible()) return classifier.logits(crops);
  std::vector<std::vector<float>> rows(parts);
  std::vector<std::exception_ptr> errors(parts);
  pool_->run(parts, [&](std::size_t part) {
    try {
      const std::size_t first = n * part / parts, last = n * (part + 1) / parts;
      rows[part] = classifier.logits(crops.subspan(first * bytes, (last - first) * bytes));
    } catch (...) {
      errors[part] = std::current_exception();
    }
  });
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
  std::vector<float> all;
  for (const std::vector<float>& part : rows) all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace fer
