#include "service.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <thread>

#include "cameras/hardware_decoders.h"
#include "config/problems.h"
#include "config/read_config.h"
#include "fleet/fleet.h"
#include "journal/journal.h"
#include "page/page_server.h"
#include "page/port.h"
#include "util/elapsed.h"

namespace fer {
namespace {

/// So often is looked at whether something is asked for.
constexpr std::chrono::milliseconds kLook(100);
constexpr double kStatusInterval = 5;

class Service {
 public:
  explicit Service(const std::filesystem::path& file) : config_(read_service_config(file)) {
    const int decoders = prefer_hardware_decoders();
    log_line(Level::kInfo, std::to_string(decoders) + " hardware decoders for video are known");
    require_metrics_port(config_);
    open_page(config_);
    fleet_.apply(config_);
  }

  void reload() {
    notify_systemd("RELOADING=1");
    try {
      ServiceConfig next = read_service_config(config_.file);
      if (next.metrics != config_.metrics) require_metrics_port(next);
      if (!(next.page == config_.page)) {
        try {
          open_page(next);
        } catch (const std::exception&) {
          open_page(config_);
          throw;
        }
      }
      config_ = std::move(next);
      const Fleet::Changes changes = fleet_.apply(config_);
      log_line(Level::kNotice, config_.file.string() +
                                   " is read anew: " + std::to_string(changes.kept) +
                                   " cameras go on, " + std::to_string(changes.stopped) +
                                   " stopped, " + std::to_string(changes.started) + " started");
    } catch (const std::exception& wrong) {
      std::string text = wrong.what();
      for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        log_line(Level::kError, text.substr(begin, end - begin) + "; what runs goes on");
        begin = end + 1;
      }
    }
    notify_systemd("READY=1");
  }

  void tick() {
    for (const auto& slot : fleet_.slots()) slot->look();
    if (seconds_since(told_) < kStatusInterval) return;
    told_ = SteadyClock::now();
    std::size_t playing = 0;
    const auto cameras = fleet_.cameras();
    for (const auto& camera : cameras)
      playing += camera->state().kind == CameraState::kPlaying ? 1 : 0;
    notify_systemd("STATUS=" + std::to_string(playing) + " of " + std::to_string(cameras.size()) +
                   " cameras play");
  }

  void stop() {
    page_.reset();
    fleet_.stop();
  }

 private:
  /// Elements only warn where they cannot serve metrics; at the start it is an error.
  static void require_metrics_port(const ServiceConfig& config) {
    if (config.metrics.empty()) return;
    if (const std::string wrong = why_not_free(config.metrics); !wrong.empty())
      throw ConfigError(config.file.string(),
                        {{config.metrics_line.number, "[metrics] address: " + wrong}});
  }

  void open_page(const ServiceConfig& config) {
    page_.reset();
    if (!config.page.enabled) return;
    try {
      page_ = std::make_unique<PageServer>(config.page, fleet_);
    } catch (const std::exception& refused) {
      throw ConfigError(config.file.string(),
                        {{config.page.line.number, std::string("[page] ").append(refused.what())}});
    }
    log_line(Level::kNotice, "the page is at " + page_->url());
  }

  ServiceConfig config_;
  Fleet fleet_;
  std::unique_ptr<PageServer> page_;
  SteadyClock::time_point told_{};
};

}  // namespace

void run_service(const std::filesystem::path& file, const std::atomic<bool>& stop,
                 std::atomic<bool>& reload) {
  Service service(file);
  notify_systemd("READY=1");
  const auto interval = watchdog_interval();
  auto alive = SteadyClock::now();
  while (!stop) {
    if (reload.exchange(false)) service.reload();
    service.tick();
    // Twice as often as systemd wants it.
    if (interval && SteadyClock::now() - alive > *interval / 2) {
      alive = SteadyClock::now();
      notify_systemd("WATCHDOG=1");
    }
    std::this_thread::sleep_for(kLook);
  }
  notify_systemd("STOPPING=1");
  log_line(Level::kNotice, "stopping");
  service.stop();
}

}  // namespace fer
