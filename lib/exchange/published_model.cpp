#include "exchange/published_model.h"

#include <utility>

#include "model/model_info.h"
#include "util/read_file.h"
#include "util/sha256.h"

namespace fer {
namespace {

/// How long the broker has to say what it keeps.
constexpr std::chrono::seconds kGrace(1);
/// A model of which nothing came back is published again.
constexpr std::chrono::seconds kRetry(5);

}  // namespace

PublishedModel::PublishedModel(std::string slot, std::string service, std::filesystem::path served,
                               std::string source)
    : slot_(std::move(slot)),
      service_(std::move(service)),
      served_(std::move(served)),
      source_(std::move(source)) {}

void PublishedModel::connected(Time now) {
  kept_hash_.clear();
  kept_version_.clear();
  knows_ = false;
  sent_hash_.clear();
  since_ = again_ = now;
}

void PublishedModel::heard(const std::string& message) {
  knows_ = true;
  kept_hash_.clear();
  kept_version_.clear();
  if (message.empty()) return;
  const ModelMessage kept = decode_model(message, slot_);
  kept_hash_ = kept.sha256;
  kept_version_ = kept.version;
}

std::optional<std::string> PublishedModel::due(const std::string& serving, bool decided, Time now) {
  if (!knows_ && now - since_ < kGrace) return std::nullopt;
  if (ours_.version != serving && !read(serving)) return std::nullopt;
  if (ours_.sha256 == sent_hash_ && now < again_) return std::nullopt;
  if (ours_.sha256 == kept_hash_) return std::nullopt;
  if (serving == source_ && !decided && !kept_hash_.empty()) return std::nullopt;
  again_ = now + kRetry;
  sent_hash_ = ours_.sha256;
  return encode_model(ours_);
}

bool PublishedModel::read(const std::string& serving) {
  std::error_code ignored;
  if (!std::filesystem::exists(served_, ignored)) return false;
  const ModelInfo info = read_model_info(served_);
  // The learner writes it right after it serves.
  if (info.version != serving) return false;
  ModelMessage next;
  next.slot = slot_;
  next.version = info.version;
  next.parent = info.parent;
  next.service = service_;
  next.file = read_file(served_, kMaxModelBytes);
  next.sha256 = sha256(next.file);
  ours_ = std::move(next);
  return true;
}

}  // namespace fer
