// Lines, or messages of any bytes, that wait on disk until somebody has confirmed them, by SQLite.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace fer {

/// A bounded queue in a file of its own, in the order in which lines came. It survives the end of
/// the process, also by kill -9; of a power failure the last lines may be lost. One thread uses it.
class Spool {
 public:
  struct Line {
    std::int64_t id = 0;      ///< Grows from line to line.
    std::string topic, text;  ///< Any bytes.
  };

  /// Opens or makes the file, for its owner alone. Its lines together have `max_bytes` at most.
  /// Throws std::runtime_error with a sentence where it cannot be used, or somebody else uses it.
  Spool(const std::string& path, std::uint64_t max_bytes);
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  /// Keeps a line. Drops the oldest of those behind `sent` where there is no room, and gives how
  /// many. Throws std::runtime_error with a sentence where it cannot be kept.
  std::uint64_t push(const std::string& topic, const std::string& text, std::int64_t sent);

  /// The next lines behind that id, `most` at most.
  std::vector<Line> after(std::int64_t id, std::size_t most);

  void erase(const std::vector<std::int64_t>& ids);

  std::uint64_t lines() const { return lines_; }
  /// Whether a line of so many bytes fits without dropping another.
  bool has_room(std::uint64_t bytes) const { return bytes_ + bytes <= max_bytes_; }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

  void run(const char* sql);
  Statement prepare(const char* sql);
  std::int64_t number(const char* sql);
  /// True at a row, false at the end.
  bool step(sqlite3_stmt* statement);
  [[noreturn]] void fail();
  std::uint64_t make_room(std::uint64_t bytes, std::int64_t sent);

  const std::string path_;
  const std::uint64_t max_bytes_;
  sqlite3* database_ = nullptr;
  Statement insert_, select_, remove_, oldest_;
  std::uint64_t lines_ = 0, bytes_ = 0;
};

}  // namespace fer
