#include "config/read_config.h"

#include <gst/gst.h>

#include <toml++/toml.h>
#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "config/camera_uri.h"
#include "config/certificate.h"
#include "config/secret_file.h"
#include "config/toml_table.h"

namespace fer {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxName = 64;
/// What a camera serves by where the file names no slot.
constexpr char kDefaultSlot[] = "default";

/// Names become parts of URLs, of elements' names and of files'.
bool is_name(const std::string& name) {
  return !name.empty() && name.size() <= kMaxName && name.front() != '.' && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) || c == '-' || c == '_' || c == '.';
         });
}

/// host:port; [host]:port for IPv6. False where it is neither.
bool split_address(const std::string& address, std::string& host, int& port) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon + 1 == address.size() || colon == 0) return false;
  host = address.substr(0, colon);
  const std::string digits = address.substr(colon + 1);
  if (digits.size() > 5 || !std::all_of(digits.begin(), digits.end(), ::isdigit)) return false;
  port = std::stoi(digits);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return !host.empty() && port <= 65535;
}

class Reader {
 public:
  explicit Reader(fs::path file) { config_.file = std::move(file); }

  ServiceConfig read() {
    toml::table root;
    try {
      root = toml::parse_file(config_.file.string());
    } catch (const toml::parse_error& error) {
      problems_.push_back({error.source().begin.line, std::string(error.description())});
      throw ConfigError(config_.file.string(), problems_);
    }
    std::error_code unknown;
    others_read_ = (fs::status(config_.file, unknown).permissions() & fs::perms::others_read) !=
                   fs::perms::none;
    TomlTable top(root, "the file", problems_);
    if (const toml::table* page = top.table("page")) read_page(*page);
    if (const toml::table* metrics = top.table("metrics")) read_metrics(*metrics);
    for (const toml::table* slot : top.tables("slot")) read_slot(*slot);
    for (const toml::table* camera : top.tables("camera")) read_camera(*camera);
    top.finish();
    if (!top.has("camera")) top.problem("no camera: write a [[camera]] with a name and a uri");
    if (!problems_.empty()) throw ConfigError(config_.file.string(), problems_);
    return std::move(config_);
  }

 private:
  fs::path path(TomlTable& table, const std::string& key) {
    const fs::path folder = fs::absolute(config_.file).parent_path();
    return resolved_path(table.text(key), folder);
  }

  /// A file that must be there.
  fs::path existing(TomlTable& table, const std::string& key) {
    const fs::path file = path(table, key);
    std::error_code error;
    if (!file.empty() && !fs::is_regular_file(file, error))
      table.problem(key, file.string() + " is no file" + (error ? ": " + error.message() : ""));
    return file;
  }

  /// A file for a secret, which nobody else reads.
  fs::path secret(TomlTable& table, const std::string& key) {
    const fs::path file = path(table, key);
    if (file.empty()) return file;
    if (const std::string wrong = why_no_secret(file); !wrong.empty()) table.problem(key, wrong);
    return file;
  }

  void read_page(const toml::table& found) {
    TomlTable table(found, "[page]", problems_);
    const std::size_t before = problems_.size();
    PageConfig& page = config_.page;
    page.line = {table.line_of("address")};
    page.enabled = table.flag("enabled", true);
    const std::string address = table.text("address", "127.0.0.1:8787");
    if (!split_address(address, page.host, page.port))
      table.problem("address", "\"" + address + "\": expected host:port, as in 127.0.0.1:8787");
    page.token_file = secret(table, "token_file");
    page.certificate = existing(table, "certificate");
    page.key = secret(table, "key");
    page.hosts = table.texts("hosts");
    page.clients = table.whole("clients", page.clients, 4, 1024);
    page.pictures = table.flag("pictures", true);
    page.picture_width = table.whole("picture_width", page.picture_width, 64, 3840);
    page.picture_rate = table.number("picture_rate", page.picture_rate, 0.1, 60);
    table.finish();
    if (page.certificate.empty() != page.key.empty()) {
      table.problem("certificate and key go together: name both, or neither");
    } else if (!page.certificate.empty() && problems_.size() == before) {
      if (const std::string wrong = why_no_certificate(page.certificate, page.key); !wrong.empty())
        table.problem("certificate", wrong);
    }
    if (page.enabled && !page.is_loopback() &&
        (page.token_file.empty() || page.certificate.empty())) {
      table.problem("address", page.host +
                                   " can be reached from other machines, which takes token_file, "
                                   "certificate and key; 127.0.0.1 needs none of them");
    }
  }

  void read_metrics(const toml::table& found) {
    TomlTable table(found, "[metrics]", problems_);
    config_.metrics = table.text("address");
    config_.metrics_line = {table.line_of("address")};
    std::string host;
    int port = 0;
    if (!split_address(config_.metrics, host, port))
      table.problem("address", "\"" + config_.metrics +
                                   "\": expected host:port, as in "
                                   "127.0.0.1:9464");
    table.finish();
  }

  void read_slot(const toml::table& found) {
    TomlTable table(found, "slot", problems_);
    SlotConfig slot;
    slot.line = {table.line()};
    slot.name = name(table, "slot", slots_);
    slot.model = existing(table, "model");
    slot.asks = table.flag("ask", true);
    slot.learns = table.has("learn");
    if (const toml::table* learn = table.table("learn")) {
      slot.learn = read_settings(*learn, "ferlearn", table.name() + ": learn",
                                 {"model-slot", "source-model", "metrics-address", "paused",
                                  "inference-region", "sample-interval"},
                                 problems_);
      for (ElementSetting& setting : slot.learn) {
        if (setting.property == "checkpoint-dir" || setting.property == "replay" ||
            setting.property == "canary")
          setting.value =
              resolved_path(setting.value, fs::absolute(config_.file).parent_path()).string();
      }
    }
    table.finish();
    config_.slots.push_back(std::move(slot));
  }

  /// The table's name, which must be one, and of nobody else among `taken`.
  std::string name(TomlTable& table, const std::string& what,
                   std::map<std::string, std::size_t>& taken) {
    const std::string name = table.text("name");
    if (name.empty()) {
      if (!table.has("name")) table.problem("a name is missing; write name = \"…\"");
    } else if (!is_name(name)) {
      table.problem("name", "\"" + name + "\": expected up to 64 letters, digits, - and _");
    }
    if (!name.empty()) table.rename(what + " \"" + name + "\"");
    const auto [other, is_new] = taken.emplace(name, table.line_of("name"));
    if (!is_new && !name.empty())
      table.problem("name", "line " + std::to_string(other->second) + " has a " + what +
                                " of this name already");
    return name;
  }

  void read_camera(const toml::table& found) {
    TomlTable table(found, "camera", problems_);
    CameraConfig camera;
    camera.line = {table.line()};
    camera.name = name(table, "camera", cameras_);
    camera.uri = table.text("uri");
    const toml::node* uri = table.node("uri");
    if (const std::string wrong = why_no_camera(camera.uri);
        !wrong.empty() && (!uri || uri->is_string()))
      table.problem("uri", wrong);
    if (has_password(camera.uri) && others_read_) {
      table.problem("uri",
                    "the address holds a password, and others can read this file; run chmod "
                    "640 on it, or name user and password_file");
    }
    camera.user = table.text("user");
    camera.password_file = secret(table, "password_file");
    if (camera.user.empty() != camera.password_file.empty())
      table.problem("user and password_file go together: name both, or neither");
    camera.tags = table.texts("tags");
    camera.slot = slot_of(table);
    camera.fps = table.number("fps", 0, 0, 1000);
    camera.loop = table.flag("loop", false);
    camera.latency_ms = table.whole("latency_ms", camera.latency_ms, 0, 60000);
    camera.frozen_after = table.number("frozen_after", camera.frozen_after, 1, 3600);
    const std::string decoder = table.text("decoder", "auto");
    camera.software_decoder = decoder == "software";
    if (decoder != "auto" && decoder != "software")
      table.problem("decoder", "\"" + decoder + "\": expected auto or software");
    camera.retry.first = table.number("retry_first", camera.retry.first, 0.1, 3600);
    camera.retry.last = table.number("retry_last", camera.retry.last, 0.1, 86400);
    if (camera.retry.last < camera.retry.first)
      table.problem("retry_last", "expected at least retry_first");
    read_elements(table, camera);
    table.finish();
    config_.cameras.push_back(std::move(camera));
  }

  std::string slot_of(TomlTable& table) {
    const std::string slot =
        table.text("slot", config_.slots.empty() ? kDefaultSlot : config_.slots.front().name);
    if (!config_.slot(slot)) {
      if (slot == kDefaultSlot && !table.has("slot")) {
        SlotConfig made;
        made.name = kDefaultSlot;
        config_.slots.push_back(std::move(made));
      } else {
        std::set<std::string> names;
        for (const SlotConfig& one : config_.slots) names.insert(one.name);
        table.problem("slot", "there is no [[slot]] \"" + slot + "\"" +
                                  (names.empty() ? "" : suggestion(slot, names)));
      }
    }
    return slot;
  }

  void read_elements(TomlTable& table, CameraConfig& camera) {
    const auto settings = [&](const char* key, const char* factory,
                              const std::set<std::string>& ours) {
      const toml::table* found = table.table(key);
      if (!found) return ElementSettings();
      return read_settings(*found, factory, table.name() + ": " + key, ours, problems_);
    };
    camera.detect = settings("detect", "ferdetect", {"metrics-address"});
    camera.classify = settings("classify", "ferinfer",
                               {"metrics-address", "model-slot", "model", "inference-region"});
    camera.overlay = settings("overlay", "feroverlay", {"metrics-address", "blur"});
    camera.blur = table.text("blur");
    if (!camera.blur.empty()) {
      if (const std::string wrong = why_not("feroverlay", "blur", camera.blur); !wrong.empty())
        table.problem("blur", wrong);
      if (camera.blur == "none") camera.blur.clear();
    }
    for (const toml::table* one : table.tables("records")) {
      camera.records.push_back(read_settings(*one, "ferpublish", table.name() + ": records",
                                             {"metrics-address"}, problems_));
      for (ElementSetting& setting : camera.records.back()) {
        if (setting.property != "location") continue;
        setting.value =
            resolved_path(setting.value, fs::absolute(config_.file).parent_path()).string();
        const auto [other, is_new] = record_files_.emplace(setting.value, camera.name);
        if (!is_new)
          table.problem("records",
                        setting.value + " is written by camera \"" + other->second + "\" already");
      }
    }
  }

  ServiceConfig config_;
  bool others_read_ = false;  ///< Whether the file's mode lets others read it.
  std::vector<Problem> problems_;
  std::map<std::string, std::size_t> slots_, cameras_;  ///< Names and their lines.
  std::map<std::string, std::string> record_files_;     ///< And the cameras that write them.
};

}  // namespace

ServiceConfig read_service_config(const fs::path& file) {
  return Reader(file).read();
}

}  // namespace fer
