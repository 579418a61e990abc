#include "page/page_server.h"

#include <httplib.h>
#include <pthread.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <map>
#include <stdexcept>
#include <thread>
#include <utility>

#include "config/secret_file.h"
#include "page/access.h"
#include "page/answers.h"
#include "page/assets.h"
#include "page/bounded_workers.h"
#include "page/event_hub.h"
#include "page/label_routes.h"
#include "page/port.h"
#include "page/state_json.h"
#include "page/streams.h"
#include "util/json_text.h"

namespace fer {
namespace {

using httplib::Request;
using httplib::Response;

/// Connections that answers without an end leave to all others.
constexpr int kForOthers = 4;
constexpr std::size_t kMaxBody = 64 << 10;
constexpr std::size_t kMaxPath = 512;
constexpr int kReadSeconds = 5, kWriteSeconds = 5, kKeepAliveSeconds = 2;
constexpr std::chrono::milliseconds kTick(250);
/// Ticks between two states of all cameras.
constexpr int kStateTicks = 4;

/// Everything from here and nothing from elsewhere, no scripts or styles in the text itself.
constexpr char kPolicy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

std::int64_t now_s() {
  using namespace std::chrono;
  return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

std::unique_ptr<httplib::Server> make_server(const PageConfig& page) {
  if (page.certificate.empty()) return std::make_unique<httplib::Server>();
  auto server = std::make_unique<httplib::SSLServer>(page.certificate.c_str(), page.key.c_str());
  if (!server->is_valid()) {
    throw std::runtime_error("certificate: " + page.certificate.string() + " and " +
                             page.key.string() + " are no certificate with its key in PEM format");
  }
  return server;
}

}  // namespace

class PageServer::Impl {
 public:
  Impl(const PageConfig& page, Fleet& fleet)
      : page_(page),
        fleet_(fleet),
        access_(page, page.token_file.empty() ? "" : read_secret(page.token_file)),
        streams_(page.clients - kForOthers),
        server_(make_server(page)) {
    set_limits();
    set_routes();
    listen();
    ticker_ = std::thread([this] { tick(); });
  }

  ~Impl() {
    stopping_ = true;
    if (BoundedWorkers* workers = workers_) workers->release();
    server_->stop();
    listener_.join();
    ticker_.join();
  }

  const std::string& url() const { return url_; }

 private:
  void set_limits() {
    server_->new_task_queue = [this] {
      auto* workers = new BoundedWorkers(static_cast<std::size_t>(page_.clients));
      workers_ = workers;
      return workers;
    };
    server_->set_read_timeout(kReadSeconds);
    server_->set_write_timeout(kWriteSeconds);
    server_->set_keep_alive_timeout(kKeepAliveSeconds);
    server_->set_payload_max_length(kMaxBody);
    server_->set_tcp_nodelay(true);
    // Not the library's own, which let two programs listen at one port.
    server_->set_socket_options([](auto socket) {
      const int one = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    });
    server_->set_default_headers({{"Content-Security-Policy", kPolicy},
                                  {"X-Content-Type-Options", "nosniff"},
                                  {"Referrer-Policy", "no-referrer"},
                                  {"Cross-Origin-Resource-Policy", "same-origin"},
                                  {"Cross-Origin-Opener-Policy", "same-origin"},
                                  {"Cache-Control", "no-store"}});
    server_->set_pre_routing_handler([this](const Request& request, Response& response) {
      return may_pass(request, response) ? httplib::Server::HandlerResponse::Unhandled
                                         : httplib::Server::HandlerResponse::Handled;
    });
    server_->set_exception_handler([](const Request&, Response& response, std::exception_ptr) {
      refuse(response, 500, "the answer failed");
    });
    server_->set_error_handler([](const Request&, Response& response) {
      if (response.body.empty())
        refuse(response, response.status,
               response.status == 404 ? "there is nothing here" : "this cannot be answered");
    });
  }

  bool may_pass(const Request& request, Response& response) const {
    if (request.path.size() > kMaxPath) {
      refuse(response, 414, "the address is too long");
      return false;
    }
    const auto header = [&](const char* name) { return request.get_header_value(name); };
    const Asked asked{request.method,           request.path,
                      header("Host"),           header("Origin"),
                      header("Authorization"),  header("Cookie"),
                      header("Sec-Fetch-Site"), header("Sec-Fetch-Mode"),
                      header("X-Fer")};
    const auto refusal = access_.refuse(asked);
    if (!refusal) return true;
    if (refusal->status == 401 && request.path == "/") {
      response.set_redirect("/login");
      return false;
    }
    refuse(response, refusal->status, refusal->text);
    return false;
  }

  void set_routes() {
    for (const PageAsset& asset : page_assets()) {
      server_->Get(std::string(asset.path), [&asset](const Request&, Response& response) {
        response.set_content(asset.bytes.data(), asset.bytes.size(), std::string(asset.type));
      });
    }
    server_->Get("/healthz", [](const Request&, Response& response) {
      response.set_content("ok\n", "text/plain");
    });
    server_->Get("/readyz", [this](const Request&, Response& response) {
      const bool ready = is_ready(fleet_);
      response.status = ready ? 200 : 503;
      response.set_content(ready ? "ready\n" : "not every camera plays\n", "text/plain");
    });
    server_->Get("/api/state", [this](const Request&, Response& response) {
      answer(response, 200, state_json(fleet_));
    });
    server_->Get(R"(/api/cameras/([\w.-]+)/timeline)",
                 [this](const Request& request, Response& response) {
                   const auto camera = fleet_.camera(request.matches[1]);
                   if (!camera) return refuse(response, 404, "there is no such camera");
                   const auto labels = camera->timeline().labels();
                   answer(response, 200,
                          {{"labels", labels},
                           {"colours", colours_json(labels)},
                           {"seconds", seconds_json(camera->timeline().seconds(0, now_s()))}});
                 });
    server_->Post("/login", [this](const Request& request, Response& response) {
      if (!access_.needs_token() || !access_.is_token(request.body))
        return refuse(response, 401, "this is not the token");
      response.set_header("Set-Cookie", access_.cookie());
      answer(response, 200, {{"ok", true}});
    });
    set_streams();
    set_actions();
    add_label_routes(*server_, fleet_);
  }

  void set_streams() {
    const auto stopping = [this] { return stopping_.load(); };
    const auto place = [this](Response& response) {
      auto taken = streams_.enter();
      if (!taken) {
        response.set_header("Retry-After", "5");
        refuse(response, 503, "too many look at the page; clients in [page] allows more");
      }
      return taken;
    };
    server_->Get(R"(/api/cameras/([\w.-]+)/mjpeg)",
                 [this, stopping, place](const Request& request, Response& response) {
                   const auto camera = fleet_.camera(request.matches[1]);
                   if (!camera || !camera->shared().pictures)
                     return refuse(response, 404, "there is no such camera, or no pictures of it");
                   if (auto taken = place(response))
                     send_mjpeg(response, camera, std::move(taken), stopping);
                 });
    server_->Get("/api/pictures", [this, stopping, place](const Request&, Response& response) {
      std::vector<std::shared_ptr<Camera>> shown;
      for (const auto& camera : fleet_.cameras())
        if (camera->shared().pictures) shown.push_back(camera);
      if (auto taken = place(response)) send_pictures(response, shown, std::move(taken), stopping);
    });
    server_->Get("/api/events", [this, stopping, place](const Request&, Response& response) {
      if (auto taken = place(response)) {
        send_events(response, hub_.subscribe(),
                    "event: state\ndata: " + json_text(state_json(fleet_)) + "\n\n",
                    std::move(taken), stopping);
      }
    });
  }

  void set_actions() {
    server_->Post(R"(/api/slots/([\w.-]+)/(pause|resume|save|rollback|reset))",
                  [this](const Request& request, Response& response) {
                    const auto slot = fleet_.slot(request.matches[1]);
                    if (!slot || !slot->learner())
                      return refuse(response, 404, "there is no such slot, or it does not learn");
                    const std::string action = request.matches[2];
                    SlotLearner& learner = *slot->learner();
                    if (action == "pause" || action == "resume") learner.pause(action == "pause");
                    if (action == "save") learner.save();
                    if (action == "rollback") learner.rollback();
                    if (action == "reset") learner.reset();
                    answer(response, 202, {{"asked", action}});
                  });
  }

  void listen() {
    const std::string address =
        (page_.host.find(':') == std::string::npos ? page_.host : "[" + page_.host + "]") + ":" +
        std::to_string(page_.port);
    if (const std::string wrong = why_not_free(address); !wrong.empty())
      throw std::runtime_error("address: " + wrong);
    int port = page_.port;
    const bool bound = port == 0 ? (port = server_->bind_to_any_port(page_.host)) > 0
                                 : server_->bind_to_port(page_.host, port);
    if (!bound) throw std::runtime_error("address: " + address + " cannot be listened at");
    url_ = (page_.certificate.empty() ? "http://" : "https://") +
           address.substr(0, address.rfind(':') + 1) + std::to_string(port) + "/";
    listener_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "fer-page");
      server_->listen_after_bind();
    });
    // stop() before the loop runs would be overheard.
    while (!server_->is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  /// Tells those who look what is new.
  void tick() {
    std::map<const Slot*, std::uint64_t> seen;  // numbers of events
    std::map<std::string, std::int64_t> told;   // times of seconds, by camera
    for (int ticks = 0; !stopping_; ++ticks) {
      std::this_thread::sleep_for(kTick);
      const bool listened = hub_.listened();
      for (const auto& slot : fleet_.slots()) {
        std::uint64_t& last = seen[slot.get()];
        for (const SlotEvent& event : slot->events(last)) {
          last = event.number;
          nlohmann::json json = event_json(event);
          json["slot"] = slot->config().name;
          if (listened) hub_.publish("decision", json_text(json));
        }
      }
      if (ticks % kStateTicks != 0) continue;
      nlohmann::json cameras = nlohmann::json::object();
      const std::int64_t now = now_s();
      for (const auto& camera : fleet_.cameras()) {
        std::int64_t& last = told[camera->config().name];
        const auto seconds = camera->timeline().seconds(last, now);
        if (seconds.empty()) continue;
        last = seconds.back().time_s;
        cameras[camera->config().name] = seconds_json(seconds);
      }
      if (!listened) continue;
      hub_.publish("seconds", json_text(cameras));
      hub_.publish("state", json_text(state_json(fleet_)));
    }
  }

  const PageConfig page_;
  Fleet& fleet_;
  const Access access_;
  StreamLimit streams_;
  EventHub hub_;
  std::atomic<bool> stopping_{false};
  std::atomic<BoundedWorkers*> workers_{nullptr};  ///< The server's.
  const std::unique_ptr<httplib::Server> server_;
  std::string url_;
  std::thread listener_, ticker_;
};

PageServer::PageServer(const PageConfig& page, Fleet& fleet)
    : impl_(std::make_unique<Impl>(page, fleet)) {}
PageServer::~PageServer() = default;
const std::string& PageServer::url() const {
  return impl_->url();
}

}  // namespace fer
