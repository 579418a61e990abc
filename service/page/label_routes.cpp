#include "page/label_routes.h"

#include <glib.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

#include "page/answers.h"
#include "slots/label_desk.h"

namespace fer {
namespace {

using httplib::Request;
using httplib::Response;

/// So long may the step at hand take.
constexpr std::chrono::milliseconds kPatience(4000);
constexpr std::size_t kMaxQuestions = 32;
constexpr int kPictureSide = 144;

/// Faces of cameras whose faces are to be blurred are shown to nobody.
std::set<std::string> hidden_cameras(const Fleet& fleet) {
  std::set<std::string> hidden;
  for (const auto& camera : fleet.cameras())
    if (!camera->config().blur.empty()) hidden.insert(camera->config().name);
  return hidden;
}

std::string base64(const std::string& bytes) {
  gchar* text = g_base64_encode(reinterpret_cast<const guchar*>(bytes.data()), bytes.size());
  std::string encoded = text;
  g_free(text);
  return encoded;
}

nlohmann::json question_json(const LabelDesk::Shown& shown, const ModelInfo& model) {
  const LabelQuestion& question = shown.question;
  nlohmann::json probabilities = nlohmann::json::object();
  for (std::size_t k = 0; k < question.probabilities.size() && k < model.labels.size(); ++k)
    probabilities[model.labels[k]] = question.probabilities[k];
  const std::string png =
      crop_png(question.crop, model.network.channels, model.network.input_size, kPictureSide);
  return {{"id", shown.number},
          {"camera", question.source},
          {"track", question.track},
          {"time", question.time_s},
          {"expires", question.expires_s},
          {"worth", question.worth},
          {"probabilities", probabilities},
          {"picture", "data:image/png;base64," + base64(png)}};
}

/// The slot where it may ask; null, with an answer, where not.
std::shared_ptr<Slot> asking_slot(const Fleet& fleet, const Request& request, Response& response) {
  auto slot = fleet.slot(request.matches[1]);
  if (slot && slot->learner() && slot->config().asks) return slot;
  const std::string name = request.matches[1];
  refuse(response, 404,
         !slot ? "there is no slot " + name
         : slot->learner()
             ? "slot " + name + " asks nothing: the file says ask = false"
             : "slot " + name + " does not learn: it has no [slot.learn] in the file");
  return nullptr;
}

}  // namespace

void add_label_routes(httplib::Server& server, Fleet& fleet) {
  server.Get(
      R"(/api/slots/([\w.-]+)/questions)", [&fleet](const Request& request, Response& response) {
        const auto slot = asking_slot(fleet, request, response);
        if (!slot) return;
        const long asked = std::atol(request.get_param_value("n").c_str());
        const auto n =
            static_cast<std::size_t>(std::clamp(asked, 1L, static_cast<long>(kMaxQuestions)));
        SlotLearner& learner = *slot->learner();
        const auto questions = slot->desk().questions(learner, n, hidden_cameras(fleet), kPatience);
        if (!questions) {
          response.set_header("Retry-After", "2");
          return refuse(response, 503, "the learner is busy; ask again");
        }
        nlohmann::json all = nlohmann::json::array();
        for (const LabelDesk::Shown& one : *questions)
          all.push_back(question_json(one, learner.info()));
        nlohmann::json cameras = nlohmann::json::array();
        for (const auto& camera : fleet.cameras())
          if (camera->config().slot == slot->config().name)
            cameras.push_back(camera->config().name);
        answer(response, 200,
               {{"labels", learner.info().labels},
                {"model", learner.stats().source_version},
                {"cameras", std::move(cameras)},
                {"questions", std::move(all)}});
      });
  server.Post(R"(/api/slots/([\w.-]+)/answers)", [&fleet](const Request& request,
                                                          Response& response) {
    const auto slot = asking_slot(fleet, request, response);
    if (!slot) return;
    const auto json = nlohmann::json::parse(request.body, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object() || !json.contains("id") || !json["id"].is_number_unsigned() ||
        !json.contains("answer") || !json["answer"].is_string()) {
      return refuse(response, 400,
                    "expected {\"id\": the question's number, \"answer\": a class, \"cannot-tell\" "
                    "or \"no-face\"}");
    }
    const std::string wrong = slot->desk().answer(*slot->learner(), json["id"].get<std::uint64_t>(),
                                                  json["answer"].get<std::string>());
    if (!wrong.empty()) return refuse(response, 409, wrong);
    answer(response, 202, {{"taken", true}});
  });
}

}  // namespace fer
