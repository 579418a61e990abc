#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "front/commands.h"

namespace fer {

void add_watch(CLI::App& app) {
  auto inputs = std::make_shared<std::vector<std::string>>();
  CLI::App* c = app.add_subcommand(
      "watch", "Label the faces of photos and videos; this program was built without that.");
  c->add_option("inputs", *inputs, "Photos, videos, folders, addresses and cameras");
  c->callback([inputs] {
    throw std::runtime_error(
        "this program was built without GStreamer or OpenCV, and watches nothing; scripts/setup "
        "installs both");
  });
}

}  // namespace fer
