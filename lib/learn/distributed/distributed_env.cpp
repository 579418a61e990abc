#include "learn/distributed/distributed_env.h"

#include <charconv>
#include <cstdlib>
#include <stdexcept>

#include "model/device_name.h"

namespace fer {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

/// An environment variable that must hold a number in [low, high]; `meaning` says of what.
int number(const char* name, int low, int high, const std::string& meaning,
           const std::string& why) {
  const std::string text = variable(name);
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (!text.empty() && error == std::errc() && end == text.data() + text.size() && value >= low &&
      value <= high)
    return value;
  throw std::runtime_error(name + (text.empty() ? " is not set" : "=" + text) + why +
                           ": expected " + meaning + ", " + std::to_string(low) + " to " +
                           std::to_string(high));
}

/// Of all processes; 1 where nothing is said.
int world_size() {
  constexpr int kMax = 1 << 16;
  if (variable("WORLD_SIZE").empty()) return 1;
  return number("WORLD_SIZE", 1, kMax, "how many processes train together", "");
}

}  // namespace

std::optional<DistributedEnv> distributed_env() {
  DistributedEnv env;
  env.size = world_size();
  if (env.size == 1) return std::nullopt;
  const std::string why = ", though WORLD_SIZE is " + std::to_string(env.size);
  env.rank = number("RANK", 0, env.size - 1, "the number of this process", why);
  if (!variable("LOCAL_WORLD_SIZE").empty()) {
    env.local_size =
        number("LOCAL_WORLD_SIZE", 1, env.size, "how many processes this machine runs", why);
  }
  env.local_rank = env.rank % env.local_size;
  if (!variable("LOCAL_RANK").empty()) {
    env.local_rank = number("LOCAL_RANK", 0, env.size - 1,
                            "the number of this process among those of its machine", why);
  }
  env.host = variable("MASTER_ADDR");
  if (env.host.empty()) {
    throw std::runtime_error("MASTER_ADDR is not set" + why +
                             ": expected the name or address of the machine that runs RANK 0");
  }
  const int offset = variable("TORCHELASTIC_USE_AGENT_STORE") == "True" ? 1 : 0;
  const int port =
      number("MASTER_PORT", 1, 65535 - offset, "a free port of the machine that runs RANK 0", why);
  env.port = static_cast<std::uint16_t>(port + offset);
  return env;
}

std::string device_of(const DistributedEnv& env, const std::string& name) {
  if (name == "auto") return "cpu";
  return resolve_device(name == "cuda" ? "cuda:" + std::to_string(env.local_rank) : name);
}

void require_one_process(const std::string& what) {
  const int size = world_size();
  if (size == 1) return;
  throw std::runtime_error("WORLD_SIZE=" + std::to_string(size) + ": " + what +
                           " runs in one process; unset WORLD_SIZE (fer train on expressions can "
                           "use several)");
}

}  // namespace fer
