#include "exchange/evidence_message.h"

#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <vector>

#include "exchange/cbor.h"
#include "exchange/refused_message.h"
#include "util/sha256.h"

namespace fer {
namespace {

using nlohmann::json;

constexpr char kFormat[] = "gst-fer-evidence/1";
constexpr std::size_t kMaxName = 128;
constexpr int kMaxFrames = 100000;

[[noreturn]] void broken(const std::string& sentence) {
  throw RefusedMessage(MessageFault::kBroken, "the evidence is broken: " + sentence);
}

std::string deflated(const std::vector<std::uint8_t>& bytes) {
  uLongf size = compressBound(static_cast<uLong>(bytes.size()));
  std::string result(size, '\0');
  compress2(reinterpret_cast<Bytef*>(result.data()), &size, bytes.data(),
            static_cast<uLong>(bytes.size()), Z_DEFAULT_COMPRESSION);
  result.resize(size);
  return result;
}

std::vector<std::uint8_t> inflated(std::string_view bytes, std::size_t expected) {
  std::vector<std::uint8_t> result(expected);
  uLongf size = static_cast<uLongf>(expected);
  const int code = uncompress(result.data(), &size, reinterpret_cast<const Bytef*>(bytes.data()),
                              static_cast<uLong>(bytes.size()));
  if (code != Z_OK || size != expected)
    broken("expected " + std::to_string(expected) + " activations, deflated");
  return result;
}

std::string packed(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

std::vector<float> unpacked(std::string_view bytes, std::size_t expected) {
  if (bytes.size() != expected * sizeof(float))
    broken("expected " + std::to_string(expected) + " features of 4 bytes, found " +
           std::to_string(bytes.size()) + " bytes");
  std::vector<float> values(expected);
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

std::string name_in(const json& body, const char* key) {
  const auto& name = body.at(key).get_ref<const std::string&>();
  if (name.empty() || name.size() > kMaxName) broken(std::string(key) + " is no name");
  return name;
}

float share_in(const json& body, const char* key) {
  const float share = body.at(key).get<float>();
  if (!(share >= 0 && share <= 1)) broken(std::string(key) + " is no share from 0 to 1");
  return share;
}

/// The outer map, its format and hash checked.
json checked_envelope(std::string_view bytes) {
  if (bytes.size() > kMaxEvidenceBytes) {
    throw RefusedMessage(MessageFault::kTooLarge,
                         "the evidence has " + std::to_string(bytes.size()) +
                             " bytes; expected at most " + std::to_string(kMaxEvidenceBytes));
  }
  json outer = parse_cbor(bytes);
  const auto& format = outer.at("format").get_ref<const std::string&>();
  if (format != kFormat) {
    throw RefusedMessage(
        MessageFault::kFormat,
        "the evidence is of format " + format.substr(0, kMaxName) + "; expected " + kFormat);
  }
  if (outer.at("sha256").get_ref<const std::string&>() != sha256(bytes_of(outer.at("body")))) {
    throw RefusedMessage(MessageFault::kHash, "the evidence is not what its hash says");
  }
  return outer;
}

void read_latents(const json& body, const LowerHalf& expected, FaceLatents& latents) {
  latents.features = unpacked(bytes_of(body.at("features")), expected.features);
  latents.bytes = inflated(bytes_of(body.at("activations")), expected.activations);
  latents.scale = body.at("scale").get<float>();
  const auto finite = [](float value) { return std::isfinite(value); };
  if (!std::all_of(latents.features.begin(), latents.features.end(), finite) ||
      !(latents.scale >= 0 && std::isfinite(latents.scale)))
    broken("its latents are no numbers");
}

Evidence read_evidence(const json& body, const LowerHalf& expected) {
  Evidence e;
  e.source = name_in(body, "source");
  body.at("track").get_to(e.track);
  body.at("begun_ns").get_to(e.begun_ns);
  body.at("frames").get_to(e.frames);
  if (e.frames < 1 || e.frames > kMaxFrames) broken("it is of no sensible number of frames");
  body.at("mean").get_to(e.mean);
  body.at("label").get_to(e.label);
  const auto is_share = [](float value) { return value >= 0 && value <= 1; };
  if (e.mean.size() != expected.classes || !std::all_of(e.mean.begin(), e.mean.end(), is_share) ||
      e.label < 0 || static_cast<std::size_t>(e.label) >= expected.classes)
    broken("expected probabilities of " + std::to_string(expected.classes) + " classes");
  e.majority = share_in(body, "majority");
  e.flip_rate = share_in(body, "flip_rate");
  e.source_confidence = share_in(body, "source_confidence");
  read_latents(body, expected, e.latents);
  return e;
}

}  // namespace

std::string encode_evidence(const EvidenceMessage& message) {
  const Evidence& e = message.evidence;
  const std::string body = to_cbor_text({
      {"collector", message.collector},
      {"session", message.session},
      {"number", message.number},
      {"lower_half", message.lower_half},
      {"source", e.source},
      {"track", e.track},
      {"begun_ns", e.begun_ns},
      {"frames", e.frames},
      {"mean", e.mean},
      {"label", e.label},
      {"majority", e.majority},
      {"flip_rate", e.flip_rate},
      {"source_confidence", std::min(1.f, e.source_confidence)},
      {"features", cbor_bytes(packed(e.latents.features))},
      {"scale", e.latents.scale},
      {"activations", cbor_bytes(deflated(e.latents.bytes))},
  });
  return to_cbor_text({{"format", kFormat},
                       {"collected_s", message.collected_s},
                       {"age_s", message.age_s},
                       {"sha256", sha256(body)},
                       {"body", cbor_bytes(body)}});
}

std::string with_age(const std::string& bytes, std::int64_t now_s) {
  json outer = parse_cbor(bytes);
  const auto collected = outer.at("collected_s").get<std::int64_t>();
  outer["age_s"] = std::max<std::int64_t>(0, now_s - collected);
  return to_cbor_text(outer);
}

std::int64_t collected_s_of(const std::string& bytes) {
  return parse_cbor(bytes).at("collected_s").get<std::int64_t>();
}

EvidenceMessage decode_evidence(std::string_view bytes, const LowerHalf& expected) {
  try {
    const json outer = checked_envelope(bytes);
    const json body = parse_cbor(bytes_of(outer.at("body")));
    EvidenceMessage message;
    message.collector = name_in(body, "collector");
    message.session = name_in(body, "session");
    body.at("number").get_to(message.number);
    outer.at("collected_s").get_to(message.collected_s);
    outer.at("age_s").get_to(message.age_s);
    if (message.age_s < 0) broken("its age is below zero");
    message.lower_half = name_in(body, "lower_half");
    if (message.lower_half != expected.hash) {
      throw RefusedMessage(MessageFault::kLowerHalf,
                           "the evidence of " + message.collector + " is of the lower half " +
                               message.lower_half + "; expected " + expected.hash +
                               ": let that machine begin from the model of this slot");
    }
    message.evidence = read_evidence(body, expected);
    return message;
  } catch (const json::exception& wrong) {
    broken(wrong.what());
  }
}

}  // namespace fer
