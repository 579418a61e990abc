#include <gst/gst.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>

#include "config/problems.h"
#include "config/read_config.h"
#include "front/commands.h"
#include "service.h"
#include "terminal/interrupt.h"

namespace fer {
namespace {

std::atomic<bool> reload_requested{false};

void catch_reload_signal() {
  struct sigaction action {};
  action.sa_handler = [](int) { reload_requested = true; };
  action.sa_flags = SA_RESTART;
  sigaction(SIGHUP, &action, nullptr);
}

void start_gstreamer() {
  GError* failed = nullptr;
  if (gst_init_check(nullptr, nullptr, &failed)) return;
  const std::string why = failed != nullptr ? failed->message : "no reason is given";
  g_clear_error(&failed);
  throw std::runtime_error("GStreamer cannot be used: " + why);
}

}  // namespace

void add_run(CLI::App& app) {
  struct Options {
    std::filesystem::path file;
    bool check = false;
  };
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand(
      "run", "Run cameras as a service, with a page to watch and to teach, as a file says.");
  c->add_option("file", o->file, "The file, in TOML: cameras, slots, page, metrics")
      ->required()
      ->check(CLI::ExistingFile);
  c->add_flag("--check", o->check, "Read the file, say what is wrong by line, and run nothing");
  c->footer("SIGHUP reads the file anew: cameras that it leaves as they were go on untouched.");
  c->callback([o] {
    catch_reload_signal();
    start_gstreamer();
    try {
      if (o->check) {
        const ServiceConfig config = read_service_config(o->file);
        std::printf("%s: %zu cameras and %zu slots; nothing is wrong\n", o->file.c_str(),
                    config.cameras.size(), config.slots.size());
        return;
      }
      run_service(o->file, stop_requested, reload_requested);
    } catch (const ConfigError& wrong) {
      // Lines that editors and people can follow: file, line, sentence.
      std::fprintf(stderr, "%s\n", wrong.what());
      throw CLI::RuntimeError(kBadInput);
    }
  });
}

}  // namespace fer
