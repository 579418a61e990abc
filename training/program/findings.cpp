#include "program/findings.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace fer {
namespace {

struct Name {
  Verdict verdict;
  const char *shown, *stored;
};
constexpr Name kNames[] = {{Verdict::kGood, "ok", "ok"},
                           {Verdict::kNote, "-", "note"},
                           {Verdict::kWarning, "warning", "warning"},
                           {Verdict::kFault, "MISSING", "missing"}};

const Name& name_of(Verdict verdict) {
  return kNames[static_cast<int>(verdict)];
}

}  // namespace

nlohmann::json findings_json(const Findings& findings) {
  nlohmann::json list = nlohmann::json::array();
  for (const Finding& f : findings) {
    list.push_back({{"what", f.what},
                    {"verdict", name_of(f.verdict).stored},
                    {"found", f.found},
                    {"remedy", f.remedy}});
  }
  return list;
}

Findings parse_findings(const std::string& text) {
  try {
    Findings findings;
    for (const nlohmann::json& one : nlohmann::json::parse(text)) {
      const std::string stored = one.at("verdict");
      for (const Name& name : kNames)
        if (stored == name.stored)
          findings.push_back({name.verdict, one.at("what"), one.at("found"), one.at("remedy")});
    }
    return findings;
  } catch (const nlohmann::json::exception& error) {
    throw std::runtime_error(std::string("expected a list of findings: ") + error.what());
  }
}

void print_findings(const Findings& findings) {
  for (const Finding& f : findings) {
    std::printf("%-8s %-17s %s\n", name_of(f.verdict).shown, f.what.c_str(), f.found.c_str());
    if (!f.remedy.empty()) std::printf("%26s -> %s\n", "", f.remedy.c_str());
  }
}

}  // namespace fer
