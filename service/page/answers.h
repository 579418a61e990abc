// Answers in JSON.
#pragma once

#include <httplib.h>

#include <nlohmann/json.hpp>
#include <string>

#include "util/json_text.h"

namespace fer {

inline void answer(httplib::Response& response, int status, const nlohmann::json& json) {
  response.status = status;
  response.set_content(json_text(json) + "\n", "application/json");
}

/// `text`: a sentence that says why, and what to do.
inline void refuse(httplib::Response& response, int status, const std::string& text) {
  answer(response, status, {{"error", text}});
}

}  // namespace fer
