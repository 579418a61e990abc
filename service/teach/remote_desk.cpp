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
  nlohmann::json post(const std::string& what, const nlohmann::json& json) {
    return json_of(client_.Post((path_ + what).c_str(), json_text(json), "application/json"), what);
  }

 private:
  nlohmann::json json_of(const httplib::Result& result, const std::string& what) const {
    const std::string where = url_ + path_ + what.substr(0, what.find('?')) + ": ";
    if (!result) {
      throw std::runtime_error(where + "no answer (" + httplib::to_string(result.error()) +
                               "); does fer run serve its page there?");
    }
    const auto json = nlohmann::json::parse(result->body, nullptr, /*allow_exceptions=*/false);
    if (result->status / 100 == 2 && json.is_object()) return json;
    const bool says = json.is_object() && json.contains("error") && json["error"].is_string();
    throw std::runtime_error(where + (says ? json["error"].get<std::string>()
                                           : "status " + std::to_string(result->status) +
                                                 "; is this the page of fer run?"));
  }

  const std::string url_, path_;
  httplib::Client client_;
};

RemoteDesk::RemoteDesk(const Place& place) : impl_(std::make_unique<Impl>(place)) {}
RemoteDesk::~RemoteDesk() = default;

RemoteDesk::Questions RemoteDesk::questions(int n) {
  const nlohmann::json found = impl_->get("/questions?n=" + std::to_string(n));
  Questions all;
  try {
    all.labels = found.at("labels").get<std::vector<std::string>>();
    all.model = found.at("model").get<std::string>();
    for (const nlohmann::json& one : found.at("questions")) {
      Question question;
      question.id = one.at("id").get<std::uint64_t>();
      question.camera = one.at("camera").get<std::string>();
      for (const auto& [label, probability] : one.at("probabilities").items()) {
        if (probability.get<double>() <= question.probability) continue;
        question.probability = probability.get<double>();
        question.guess = label;
      }
      const std::string picture = one.at("picture").get<std::string>();
      question.png = decoded(picture.substr(picture.find(',') + 1));
      all.questions.push_back(std::move(question));
    }
  } catch (const nlohmann::json::exception&) {
    throw std::runtime_error("the page answers in another form: is it of another version?");
  }
  return all;
}

void RemoteDesk::answer(std::uint64_t id, const std::string& answer) {
  impl_->post("/answers", {{"id", id}, {"answer", answer}});
}

}  // namespace fer
