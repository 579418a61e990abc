// Where ferpublish's lines go.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

namespace fer {

/// A destination that takes one line after the other. One thread uses it at a time, but the
/// functions that are const may be asked by any.
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

  /// Whether nobody will ever take a line again: a pipe without a reader.
  virtual bool ended() const { return false; }

  /// Lines whose receipt the other side confirmed; nullopt where to take one is to deliver it.
  virtual std::optional<std::uint64_t> acknowledged() const { return std::nullopt; }

  /// How soon wait_ready() wants to be called again though no line comes.
  virtual std::chrono::milliseconds look_again() const { return std::chrono::milliseconds(200); }

  /// Lines that wait on disk, and those that were lost after they were taken.
  virtual std::uint64_t spooled() const { return 0; }
  virtual std::uint64_t lost() const { return 0; }
};

/// A file that is made or overwritten (with `append`: carried on), or a FIFO or device that exists.
/// A FIFO without a reader is not ready until it has one. Throws std::runtime_error with a sentence
/// where it cannot be opened. After a failed write a regular file holds whole lines only. A file
/// that is moved or removed meanwhile is opened anew under its name; one that is truncated goes on
/// at its new end.
std::unique_ptr<LineSink> open_file_sink(const std::string& path, bool append);

/// What is open under that number for writing, and stays open: 1 is the standard output. A pipe
/// that loses its reader has ended. Throws std::runtime_error with a sentence where nothing is.
std::unique_ptr<LineSink> open_descriptor_sink(int number);

}  // namespace fer
