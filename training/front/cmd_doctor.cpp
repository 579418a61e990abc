#include <sys/utsname.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

#include "files/disk_space.h"
#include "front/commands.h"
#include "model/classifier.h"
#include "model/find_model.h"
#include "program/findings.h"
#include "program/learning_program.h"
#include "terminal/interrupt.h"
#include "terminal/subprocess.h"
#include "util/json_text.h"
#ifdef HAVE_ONEDNN
#include <oneapi/dnnl/dnnl.h>
#endif
#ifdef HAVE_VISION
#include <opencv2/core/utility.hpp>

#include "vision/detector.h"
#endif

namespace fer {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

/// A registry that must be rebuilt first takes a while.
constexpr seconds kInspectLimit{60};

/// The values of a key in /proc/cpuinfo's first processor; "flags" is "Features" on ARM.
std::string cpuinfo(const std::string& key) {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (line.rfind(key, 0) != 0) continue;
    const auto colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  return "";
}

void look_at_machine(Findings& findings) {
  utsname system{};
  ::uname(&system);
  std::string os = std::string(system.sysname) + " " + system.machine;
  std::ifstream release("/etc/os-release");
  for (std::string line; std::getline(release, line);) {
    if (line.rfind("PRETTY_NAME=", 0) != 0) continue;
    os = line.substr(12) + " " + system.machine;
    std::erase(os, '"');
  }
  findings.push_back({Verdict::kNote, "system", os, ""});

  std::istringstream flags(cpuinfo("flags"));
  std::string useful;
  bool any = false, avx2 = false;
  for (std::string flag; flags >> flag;) {
    any = true;
    avx2 = avx2 || flag == "avx2";
    for (const char* known : {"avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16"})
      if (flag == known) useful += (useful.empty() ? "" : ", ") + flag;
  }
  const std::string model = cpuinfo("model name");
  Finding cpu{Verdict::kNote, "CPU",
              (model.empty() ? std::string(system.machine) : model) + ", " +
                  std::to_string(std::thread::hardware_concurrency()) + " threads",
              ""};
  if (any) cpu.found += "; " + (useful.empty() ? "no AVX2" : useful);
  const std::string machine = system.machine;
  if (machine == "x86_64" && !any) {
    cpu.verdict = Verdict::kWarning;
    cpu.remedy =
        "/proc/cpuinfo cannot be read: LibTorch then finds no AVX and is many times "
        "slower; mount /proc";
  } else if (machine == "x86_64" && !avx2) {
    cpu.verdict = Verdict::kWarning;
    cpu.remedy = "without AVX2 a face takes several times as long; raise reclassify-interval";
  }
  findings.push_back(std::move(cpu));
  std::error_code error;
  const fs::path temporary = fs::temp_directory_path(error);
  const fs::space_info space = error ? fs::space_info{} : fs::space(temporary, error);
  if (error) {
    findings.push_back({Verdict::kWarning, "temporary folder", error.message(),
                        "name a folder in TMPDIR: eval and train unpack datasets there"});
  } else {
    findings.push_back(
        {Verdict::kNote, "temporary folder",
         temporary.string() + ", " + size_text(static_cast<double>(space.available)) + " free",
         ""});
  }
}

void look_at_libraries(Findings& findings) {
#ifdef HAVE_ONEDNN
  const dnnl_version_t* onednn = dnnl_version();
  findings.push_back({Verdict::kGood, "oneDNN",
                      std::to_string(onednn->major) + "." + std::to_string(onednn->minor) + "." +
                          std::to_string(onednn->patch),
                      ""});
#else
  findings.push_back({Verdict::kWarning, "oneDNN", "the elements were built without it",
                      "install libdnnl-dev and build again: ferinfer needs LibTorch else"});
#endif
#ifdef HAVE_VISION
  findings.push_back({Verdict::kGood, "OpenCV", cv::getVersionString(), ""});
#else
  findings.push_back({Verdict::kNote, "OpenCV", "this program was built without it",
                      "install libopencv-dev and build again to read images"});
#endif
#ifdef PROMETHEUS_VERSION
  findings.push_back({Verdict::kGood, "Prometheus", PROMETHEUS_VERSION, ""});
#else
  findings.push_back(
      {Verdict::kNote, "Prometheus", "the elements were built without it",
       "install prometheus-cpp-dev and libcpp-httplib-dev, and build again for metrics-address"});
#endif
}

/// The libraries of the other program are its own to look at.
void look_at_learning(Findings& findings) {
  const fs::path program = learning_program();
  if (program.empty()) {
    findings.push_back({Verdict::kNote, "learning",
                        "not installed; everything else runs without LibTorch",
                        "to train or adapt models, " + how_to_get_learning()});
    return;
  }
  const ProgramResult said = run_program({program.string(), "doctor"}, kInspectLimit);
  try {
    if (!said.ran || said.status != 0) throw std::runtime_error("it does not run");
    for (Finding& finding : parse_findings(said.out)) findings.push_back(std::move(finding));
  } catch (const std::runtime_error& error) {
    findings.push_back({Verdict::kWarning, "learning", program.string() + ": " + error.what(),
                        "run it by itself, and see what it says: " + program.string() + " doctor"});
  }
}

/// The value of a line "  Name      value" in what gst-inspect-1.0 prints.
std::string field(const std::string& text, const std::string& name) {
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string first, rest;
    if (!(words >> first) || first != name) continue;
    std::getline(words >> std::ws, rest);
    return rest;
  }
  return "";
}

void look_at_gstreamer(Findings& findings) {
  const ProgramResult version = run_program({"gst-inspect-1.0", "--version"}, kInspectLimit);
  if (!version.ran || version.status != 0) {
    findings.push_back({Verdict::kFault, "GStreamer", "gst-inspect-1.0 was not found in PATH",
                        "apt-get install gstreamer1.0-tools gstreamer1.0-plugins-base"});
    return;
  }
  // "gst-inspect-1.0 version 1.22.0"
  const std::string first = version.out.substr(0, version.out.find('\n'));
  findings.push_back({Verdict::kGood, "GStreamer", first.substr(first.rfind(' ') + 1), ""});

  const auto exists = [](const std::string& element) {
    // Not --exists: that asks for a version of at least 1.0, which ours have not yet.
    const ProgramResult r = run_program({"gst-inspect-1.0", element}, kInspectLimit);
    return r.ran && r.status == 0;
  };
  struct Element {
    const char* name;
    Verdict without;
  };
  // The main job is ferdetect ! ferinfer ! feroverlay; the others are wanted by some pipelines.
  constexpr Element kOurs[] = {{"ferdetect", Verdict::kFault},  {"ferinfer", Verdict::kFault},
                               {"feroverlay", Verdict::kFault}, {"fercrop", Verdict::kWarning},
                               {"ferlearn", Verdict::kWarning}, {"ferpublish", Verdict::kWarning}};
  bool told = false;
  for (const Element& element : kOurs) {
    // That learning is not installed was said above.
    if (element.name == std::string_view("ferlearn") && learning_program().empty()) continue;
    if (!exists(element.name)) {
      findings.push_back({element.without, element.name, "gst-inspect-1.0 does not know it",
                          told ? "as above"
                               : "run from the build tree by `meson devenv -C build`, or name the "
                                 "folder of our plugins in GST_PLUGIN_PATH; if they are there, "
                                 "GST_DEBUG=GST_PLUGIN_LOADING:4 says why they do not load"});
      told = true;
      continue;
    }
    const std::string about = run_program({"gst-inspect-1.0", element.name}, kInspectLimit).out;
    findings.push_back({Verdict::kGood, element.name,
                        field(about, "Version") + ", " + field(about, "Filename"), ""});
  }
  struct Foreign {
    const char *element, *use, *package;
  };
  constexpr Foreign kForeign[] = {
      {"decodebin", "to decode files", "gstreamer1.0-plugins-base"},
      {"videoconvert", "to convert frames for other elements", "gstreamer1.0-plugins-base"},
      {"qtdemux", "to read MP4", "gstreamer1.0-plugins-good"},
      {"avdec_h264", "to decode H.264", "gstreamer1.0-libav"},
      {"x264enc", "to write H.264", "gstreamer1.0-plugins-ugly"},
      {"v4l2src", "to read cameras", "gstreamer1.0-plugins-good"}};
  for (const Foreign& foreign : kForeign) {
    if (exists(foreign.element)) {
      findings.push_back({Verdict::kGood, foreign.element, foreign.use, ""});
    } else {
      findings.push_back({Verdict::kWarning, foreign.element,
                          std::string("not found; wanted ") + foreign.use,
                          std::string("apt-get install ") + foreign.package});
    }
  }
}

void look_at_models(Findings& findings) {
#ifdef HAVE_VISION
  const DetectorModel detector = find_detector_model();
  Finding face{Verdict::kGood, "face detector", detector.path.string(), detector.remedy};
  if (detector.path.empty()) {
    face.verdict = Verdict::kFault;
    face.found = "no model was found";
  } else {
    try {
      face.found = open_detector(detector.path)->name() + ", " + detector.path.string();
      if (!detector.remedy.empty()) {
        face.verdict = Verdict::kWarning;
        face.found += " (the fallback, which finds fewer faces and no landmarks)";
      }
    } catch (const std::exception& error) {
      face.verdict = Verdict::kFault;
      face.found = error.what();
      face.remedy = "run scripts/models to fetch it again";
    }
  }
  findings.push_back(std::move(face));
#else
  findings.push_back({Verdict::kFault, "face detector", "this program was built without OpenCV",
                      "install libopencv-dev and build again"});
#endif
  const fs::path path = find_expression_model();
  Finding expression{Verdict::kGood, "expression model", path.string(), ""};
  if (path.empty()) {
    expression.verdict = Verdict::kFault;
    expression.found = std::string("no ") + kExpressionModel + " was found";
    expression.remedy =
        "name a folder that holds it in FER_MODELS, give ferinfer a model=, or "
        "train one: fer train";
  } else {
    try {
      const auto classifier = Classifier::open(path, Precision::kFp32);
      expression.found += ", version " + classifier->info().version;
    } catch (const std::exception& error) {
      expression.verdict = Verdict::kFault;
      expression.found = error.what();
      expression.remedy = "replace the file, or name a folder with a good one in FER_MODELS";
    }
  }
  findings.push_back(std::move(expression));
}

int run(bool as_json) {
  Findings findings{{Verdict::kNote, "gst-fer", PACKAGE_VERSION, ""}};
  look_at_machine(findings);
  look_at_libraries(findings);
  look_at_learning(findings);
  stop_if_requested();
  look_at_gstreamer(findings);
  stop_if_requested();
  look_at_models(findings);
  const bool runs = std::none_of(findings.begin(), findings.end(),
                                 [](const Finding& f) { return f.verdict == Verdict::kFault; });
  if (as_json) {
    const nlohmann::json report{{"runs", runs}, {"findings", findings_json(findings)}};
    std::printf("%s\n", json_text(report, 2).c_str());
  } else {
    print_findings(findings);
    std::printf("\n%s\n", runs ? "The main job (ferdetect ! ferinfer ! feroverlay) can run."
                               : "The main job (ferdetect ! ferinfer ! feroverlay) cannot run; see "
                                 "what is MISSING above.");
  }
  return runs ? kDone : kBadInput;
}

}  // namespace

void add_doctor(CLI::App& app) {
  auto as_json = std::make_shared<bool>(false);
  CLI::App* c = app.add_subcommand(
      "doctor", "Say what is installed, found and missing, and what to do about it.");
  c->add_flag("--json", *as_json, "As JSON");
  c->callback([as_json] {
    if (const int code = run(*as_json); code != kDone) throw CLI::RuntimeError(code);
  });
}

}  // namespace fer
