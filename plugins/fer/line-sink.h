// Where ferpublish's lines go.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

namespace fer {

/// A destination that takes one line after the other. One thread uses it at a time, but
/// connected(), reconnects() and settled() may be asked by any.
class LineSink {
 public:
  virtual ~LineSink() = default;

  /// Whether it would take a line now; waits for that a short time (some 50 ms), less when `stop`
  /// is requested. Opens again or connects again what was lost. Throws std::runtime_error with a
  /// sentence where that fails in a way that people should know of; it may be called again.
  virtual bool wait_ready(const std::stop_token& stop) = 0;

  /// Takes one line, given without its line break; may block until `stop` is requested. Throws
  /// std::runtime_error with a sentence where the line is lost; it may be called again.
  virtual void write(const std::string& line, const std::stop_token& stop) = 0;

  /// Whether it is open or connected.
  virtual bool connected() const = 0;

  /// How often it was opened or connected again after it was lost.
  virtual std::uint64_t reconnects() const { return 0; }

  /// Whether every line that was taken is where it should be.
  virtual bool settled() const { return true; }
};

/// A file that is made or overwritten (with `append`: carried on), or a FIFO or device that exists.
/// A FIFO without a reader is not ready until it has one. Throws std::runtime_error with a sentence
/// where it cannot be opened. After a failed write a regular file holds whole lines only.
std::unique_ptr<LineSink> open_file_sink(const std::string& path, bool append);

/// The standard output of the process.
std::unique_ptr<LineSink> open_stdout_sink();

#ifdef HAVE_MQTT
/// Messages of one line each at an MQTT broker, delivered at least once. `address` is a host,
/// host:port or mqtt://[user:password@]host[:port]. Connects in the background, again and again.
/// Throws std::runtime_error with a sentence where address or topic make no sense.
std::unique_ptr<LineSink> open_mqtt_sink(const std::string& address, const std::string& topic);
#endif

}  // namespace fer
