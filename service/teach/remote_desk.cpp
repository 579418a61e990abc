#include "teach/remote_desk.h"

#include <glib.h>
#include <httplib.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "util/json_text.h"

namespace fer {
namespace {

constexpr int kSeconds = 10;

std::string decoded(const std::string& base64) {
  gsize size = 0;
  guchar* bytes = g_base64_decode(base64.c_str(), &size);
  std::string text(reinterpret_cast<const char*>(bytes), size);
  g_free(bytes);
  return text;
}

}  // namespace

class RemoteDesk::Impl {
 public:
  explicit Impl(const Place& place)
      : url_(place.url), path_("/api/slots/" + place.slot), client_(place.url) {
    if (!client_.is_valid())
      throw std::runtime_error(url_ + ": expected an address such as http://127.0.0.1:8787");
    if (!place.trust.empty()) client_.set_ca_cert_path(place.trust.c_str());
    client_.set_connection_timeout(kSeconds);
    client_.set_read_timeout(kSeconds);
    httplib::Headers headers{{"X-Fer", "1"}};
    if (!place.token.empty()) headers.emplace("Authorization", "Bearer " + place.token);
    client_.set_default_headers(headers);
  }

  nlohmann::json get(const std::string& what) {
    return json_of(client_.Get((path_ + what).c_str()), what);
  }
  /// Empty where it was taken; else what the service says against this one request.
  std::string post(const std::string& what, const nlohmann::json& json) {
    const httplib::Result result =
        client_.Post((path_ + what).c_str(), json_text(json), "application/json");
    if (result && result->status == kConflict) return error_of(parsed(*result));
    json_of(result, what);
    return {};
  }

 private:
  static constexpr int kConflict = 409;

  static nlohmann::json parsed(const httplib::Response& response) {
    return nlohmann::json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  }
  static std::string error_of(const nlohmann::json& json) {
    const bool says = json.is_object() && json.contains("error") && json["error"].is_string();
    return says ? json["error"].get<std::string>() : "";
  }

  nlohmann::json json_of(const httplib::Result& result, const std::string& what) const {
    const std::string where = url_ + path_ + what.substr(0, what.find('?')) + ": ";
    if (!result) {
      throw std::runtime_error(where + "no answer (" + httplib::to_string(result.error()) +
                               "); does fer run serve its page there?");
    }
    nlohmann::json json = parsed(*result);
    if (result->status / 100 == 2 && json.is_object()) return json;
    const std::string error = error_of(json);
    throw std::runtime_error(where + (error.empty() ? std::string("status ") +
                                                          std::to_string(result->status) +
                                                          "; is this the page of fer run?"
                                                    : error));
  }

  const std::string url_, path_;
  httplib::Client client_;
};

RemoteDesk::RemoteDesk(const Place& place) : impl_(std::make_unique<Impl>(place)) {}
RemoteDesk::~RemoteDesk() = default;

RemoteDesk::Questions RemoteDesk::questions(int n) {
  const nlohmann::json found = impl_->get(std::string("/questions?n=") + std::to_string(n));
  Questions all;
  try {
    all.labels = found.at("labels").get<std::vector<std::string>>();
    all.model = found.at("model").get<std::string>();
    all.cameras = found.at("cameras").get<std::vector<std::string>>();
    for (const nlohmann::json& one : found.at("questions")) {
      Question question;
      question.id = one.at("id").get<std::uint64_t>();
      question.camera = one.at("camera").get<std::string>();
      const std::string picture = one.at("picture").get<std::string>();
      question.png = decoded(picture.substr(picture.find(',') + 1));
      all.questions.push_back(std::move(question));
    }
  } catch (const nlohmann::json::exception&) {
    throw std::runtime_error("the page answers in another form: is it of another version?");
  }
  return all;
}

std::string RemoteDesk::answer(std::uint64_t id, const std::string& answer) {
  return impl_->post("/answers", {{"id", id}, {"answer", answer}});
}

}  // namespace fer
