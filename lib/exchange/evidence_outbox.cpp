#include "exchange/evidence_outbox.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "exchange/collector_name.h"
#include "util/sha256.h"

namespace fer {
namespace {

using std::chrono::seconds;

/// Evidence that waits in memory for room on disk.
constexpr std::size_t kQueue = 256;
/// Lines that are handed to the broker between two looks at what came back.
constexpr std::size_t kAtOnce = 20;
/// How long nothing is sent after the broker said that no learner is there.
constexpr seconds kNobody(2);
constexpr seconds kExpiry(30);
constexpr int kNameLength = 16;

std::int64_t now_s() {
  using namespace std::chrono;
  return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace

EvidenceOutbox::EvidenceOutbox(Settings settings)
    : settings_(std::move(settings)),
      session_(random_name()),
      spool_(settings_.spool.string(), settings_.spool_bytes),
      queue_(kQueue, settings_.classes) {
  counts_.spooled = spool_.lines();
}

void EvidenceOutbox::push(Evidence evidence) {
  EvidenceMessage message;
  message.collector = settings_.collector;
  message.session = session_;
  message.lower_half = settings_.lower_half;
  message.collected_s = now_s();
  // Streams may be named by addresses: theirs is nobody's business elsewhere.
  evidence.source = sha256(settings_.collector + "/" + evidence.source).substr(0, kNameLength);
  message.evidence = std::move(evidence);
  const std::lock_guard lock(mutex_);
  queue_.push(std::move(message));
}

void EvidenceOutbox::step(MqttClient& client) {
  const auto now = Clock::now();
  refill(now);
  settle(client);
  keep(/*all=*/false);
  expire(now);
  send(client, now);
}

void EvidenceOutbox::close(MqttClient& client) {
  keep(/*all=*/true);
  client.close();
  settle(client);
}

void EvidenceOutbox::refill(Clock::time_point now) {
  const double rate = settings_.max_per_minute / 60.0;
  const double most = std::max(1.0, 10 * rate);
  tokens_ = std::min(most, tokens_ + rate * std::chrono::duration<double>(now - refilled_).count());
  refilled_ = now;
}

void EvidenceOutbox::keep(bool all) {
  while (all || tokens_ >= 1) {
    std::optional<EvidenceMessage> next;
    {
      const std::lock_guard lock(mutex_);
      // Only where the next one fits: what the spool would drop is the oldest, not the commonest.
      if (!spool_.has_room(kMaxEvidenceBytes / 16)) return;
      next = queue_.pop();
    }
    if (!next) return;
    tokens_ -= 1;
    next->number = number_++;
    try {
      spool_.push(settings_.topic, encode_evidence(*next), sent_);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      ++counts_.lost;
      throw;
    }
  }
}

void EvidenceOutbox::settle(MqttClient& client) {
  std::vector<std::int64_t> arrived = client.take_acknowledged();
  std::erase_if(arrived, [](std::int64_t number) { return number <= 0; });
  spool_.erase(arrived);
  std::vector<std::int64_t> undelivered = client.take_undelivered();
  std::erase_if(undelivered, [](std::int64_t number) { return number <= 0; });
  if (!undelivered.empty()) {
    rewind_ = true;
    resume_ = Clock::now() + kNobody;
  }
  const std::lock_guard lock(mutex_);
  counts_.sent += arrived.size();
  counts_.spooled = spool_.lines();
}

void EvidenceOutbox::send(MqttClient& client, Clock::time_point now) {
  if (!client.connected() || now < resume_) return;
  if (rewind_) {
    if (client.in_flight() > 0) return;
    sent_ = 0;
    rewind_ = false;
  }
  for (const Spool::Line& line : spool_.after(sent_, std::min(kAtOnce, client.room()))) {
    std::string bytes;
    try {
      bytes = with_age(line.text, now_s());
    } catch (const std::exception&) {
      // Whatever it is, it is none of ours.
      spool_.erase({line.id});
      const std::lock_guard lock(mutex_);
      ++counts_.lost;
      continue;
    }
    client.publish({settings_.topic, bytes, 1, false}, line.id);
    sent_ = line.id;
    const std::lock_guard lock(mutex_);
    counts_.bytes += bytes.size();
  }
}

void EvidenceOutbox::expire(Clock::time_point now) {
  if (settings_.max_age_s <= 0 || now - expired_ < kExpiry) return;
  expired_ = now;
  const std::int64_t oldest = now_s() - static_cast<std::int64_t>(settings_.max_age_s);
  std::vector<std::int64_t> old;
  for (const Spool::Line& line : spool_.after(0, 10 * kAtOnce)) {
    try {
      if (collected_s_of(line.text) < oldest) old.push_back(line.id);
    } catch (const std::exception&) {
      old.push_back(line.id);
    }
  }
  spool_.erase(old);
  const std::lock_guard lock(mutex_);
  counts_.expired += old.size() + queue_.drop_older(oldest);
}

EvidenceOutbox::Counts EvidenceOutbox::counts() const {
  const std::lock_guard lock(mutex_);
  Counts counts = counts_;
  counts.thinned = queue_.thinned();
  counts.waiting = queue_.size();
  return counts;
}

}  // namespace fer
