#include "page/state_json.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "vision/expression_colours.h"

namespace fer {
namespace {

double rounded(double number) {
  return std::round(number * 1000) / 1000;
}

nlohmann::json camera_json(Camera& camera) {
  const CameraState state = camera.state();
  const ExpressionTimeline::Counts counts = camera.timeline().counts();
  const std::vector<std::string> labels = camera.timeline().labels();
  nlohmann::json seconds = nlohmann::json::object();
  for (std::size_t k = 0; k < labels.size() && k < counts.seconds.size(); ++k)
    seconds[labels[k]] = counts.seconds[k];
  return {{"name", camera.config().name},
          {"uri", camera.shown_uri()},
          {"tags", camera.config().tags},
          {"slot", camera.config().slot},
          {"state", name_of(state.kind)},
          {"reason", state.reason},
          {"frames", state.frames},
          {"restarts", state.restarts},
          {"fps", rounded(state.fps)},
          {"faces", state.faces},
          {"persons", counts.persons},
          {"labels", labels},
          {"colours", colours_json(labels)},
          {"seconds", seconds},
          {"pictures", camera.shared().pictures},
          {"blurred", !camera.config().blur.empty()}};
}

nlohmann::json slot_json(const Slot& slot) {
  nlohmann::json json{{"name", slot.config().name},
                      {"version", slot.version()},
                      {"learns", slot.learner() != nullptr},
                      {"asks", slot.config().asks}};
  if (slot.learner()) {
    json["learner"] = slot.learner()->stats_json();
    json["learner"]["paused"] = slot.learner()->paused();
    json["labels"] = slot.learner()->info().labels;
  }
  nlohmann::json events = nlohmann::json::array();
  for (const SlotEvent& event : slot.events()) events.push_back(event_json(event));
  json["events"] = std::move(events);
  return json;
}

}  // namespace

nlohmann::json colours_json(const std::vector<std::string>& labels) {
  nlohmann::json colours = nlohmann::json::array();
  for (std::size_t k = 0; k < labels.size(); ++k) {
    char text[8];
    std::snprintf(text, sizeof text, "#%06x",
                  expression_rgb(labels[k], static_cast<int>(k)) & 0xffffff);
    colours.push_back(text);
  }
  return colours;
}

nlohmann::json event_json(const SlotEvent& event) {
  return {
      {"number", event.number}, {"time", event.time_s}, {"kind", event.kind}, {"text", event.text}};
}

nlohmann::json seconds_json(const std::vector<ExpressionTimeline::Second>& seconds) {
  nlohmann::json all = nlohmann::json::array();
  for (const ExpressionTimeline::Second& second : seconds) {
    nlohmann::json persons = nlohmann::json::array();
    for (const ExpressionTimeline::Person& person : second.persons) {
      nlohmann::json mean = nlohmann::json::array();
      for (const float one : person.mean) mean.push_back(rounded(one));
      persons.push_back({{"id", person.id}, {"mean", std::move(mean)}, {"unsure", person.unsure}});
    }
    all.push_back({{"time", second.time_s}, {"persons", std::move(persons)}});
  }
  return all;
}

nlohmann::json state_json(const Fleet& fleet) {
  nlohmann::json cameras = nlohmann::json::array(), slots = nlohmann::json::array();
  for (const auto& camera : fleet.cameras()) cameras.push_back(camera_json(*camera));
  for (const auto& slot : fleet.slots()) slots.push_back(slot_json(*slot));
  return {{"version", PACKAGE_VERSION},
          {"ready", is_ready(fleet)},
          {"cameras", std::move(cameras)},
          {"slots", std::move(slots)}};
}

bool is_ready(const Fleet& fleet) {
  const auto cameras = fleet.cameras();
  return !cameras.empty() && std::all_of(cameras.begin(), cameras.end(), [](const auto& camera) {
    const CameraState::Kind kind = camera->state().kind;
    return kind == CameraState::kPlaying || kind == CameraState::kEnded;
  });
}

}  // namespace fer
