// What `fer run` does, as its file says.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "config/element_settings.h"

namespace fer {

/// Where something stands in the file, for messages. Counts for nothing in comparisons: a camera
/// that moved to another line is the same.
struct FileLine {
  std::size_t number = 0;
  bool operator==(const FileLine&) const { return true; }
};

/// Pauses between tries of a camera, seconds: doubled from the first to the last.
struct RetryConfig {
  double first = 1, last = 60;
  bool operator==(const RetryConfig&) const = default;
};

struct CameraConfig {
  std::string name;
  std::string uri;   ///< As the file has it; secrets may be in it.
  std::string user;  ///< For the source, beside those of the address.
  std::filesystem::path password_file;
  std::vector<std::string> tags;
  std::string slot;          ///< Of which the model serves it; always one of ServiceConfig::slots.
  double fps = 0;            ///< Frames a second that are looked at, at most; 0: all.
  bool loop = false;         ///< A recording begins anew at its end.
  int latency_ms = 200;      ///< Of what arrives over RTSP.
  double frozen_after = 10;  ///< Seconds without a frame.
  bool software_decoder = false;
  std::string blur;  ///< Of feroverlay's property `blur`; empty: none is asked for.
  RetryConfig retry;
  ElementSettings detect, classify, overlay;
  std::vector<ElementSettings> records;
  FileLine line;
  bool operator==(const CameraConfig&) const = default;
};

struct SlotConfig {
  std::string name;
  std::filesystem::path model;  ///< Empty: the one that ships.
  bool learns = false;
  bool asks = true;       ///< The page may show faces for people to label.
  ElementSettings learn;  ///< Of ferlearn.
  FileLine line;
  bool operator==(const SlotConfig&) const = default;
};

struct PageConfig {
  bool enabled = true;
  std::string host = "127.0.0.1";
  int port = 8787;
  std::filesystem::path token_file, certificate, key;
  std::vector<std::string> hosts;  ///< Names by which browsers may ask, besides the address.
  int clients = 32;                ///< Connections at a time.
  bool pictures = true;
  int picture_width = 640;
  double picture_rate = 5;  ///< A second, of one camera, at most.
  FileLine line;
  bool operator==(const PageConfig&) const = default;

  bool is_loopback() const {
    return host == "localhost" || host == "::1" || host.starts_with("127.");
  }
};

struct ServiceConfig {
  std::filesystem::path file;
  std::vector<SlotConfig> slots;
  std::vector<CameraConfig> cameras;
  PageConfig page;
  std::string metrics;  ///< host:port; empty: none.
  FileLine metrics_line;

  /// Null where there is none of this name.
  const SlotConfig* slot(const std::string& name) const {
    for (const SlotConfig& one : slots)
      if (one.name == name) return &one;
    return nullptr;
  }
};

}  // namespace fer
