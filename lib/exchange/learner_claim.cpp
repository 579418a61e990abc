#include "exchange/learner_claim.h"

#include <nlohmann/json.hpp>

#include "model/shallow_json.h"

namespace fer {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

/// How long the broker has to say who holds the slot. Who held it before waits less.
constexpr milliseconds kFormer(500), kOthers(1500);
/// A claim of which nothing came back is made again.
constexpr milliseconds kRetry(2000);

constexpr std::size_t kMaxText = 1024;

constexpr char kService[] = "service", kReleased[] = "released";

std::string text_in(const json& map, const char* key) {
  const auto found = map.find(key);
  return found != map.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

std::string LearnerClaim::claim_text() const {
  return json{{kService, service_}}.dump();
}

std::string LearnerClaim::release_text() const {
  return json{{kReleased, service_}}.dump();
}

void LearnerClaim::connected(Time now) {
  was_owner_ = owner_ == service_;
  owner_.clear();
  since_ = now;
  claimed_.reset();
  again_ = false;
}

void LearnerClaim::heard(const std::string& text) {
  if (text.size() > kMaxText) return;
  const json map = parse_shallow_json(text, /*max_depth=*/1);
  if (!map.is_object()) return;
  const std::string claims = text_in(map, kService), released = text_in(map, kReleased);
  if (!released.empty()) {
    if (released == owner_) {
      owner_.clear();
      claimed_.reset();
    } else if (owner_ == service_) {
      again_ = true;  // What is retained now says nothing of us.
    }
  } else if (!claims.empty()) {
    if (owner_.empty())
      owner_ = claims;
    else if (owner_ == service_ && claims != service_)
      again_ = true;
  }
}

bool LearnerClaim::wants_to_claim(Time now) {
  if (!since_) return false;
  if (again_ && owner_ == service_) {
    again_ = false;
    return true;
  }
  if (!owner_.empty()) return false;
  if (now - *since_ < (was_owner_ ? kFormer : kOthers)) return false;
  if (claimed_ && now - *claimed_ < kRetry) return false;
  claimed_ = now;
  return true;
}

}  // namespace fer
