#include "mqtt/spool.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace fer {
namespace {

/// Says in the file's head whose it is (PRAGMA application_id): "ferS".
constexpr std::int64_t kApplication = 0x66657253;

void bind_text(sqlite3_stmt* statement, int at, const std::string& text) {
  sqlite3_bind_text64(statement, at, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

/// Any bytes, zeros among them.
void bind_bytes(sqlite3_stmt* statement, int at, const std::string& bytes) {
  sqlite3_bind_blob64(statement, at, bytes.data(), bytes.size(), SQLITE_STATIC);
}

/// Of a text or of bytes: lines that an earlier version kept are texts.
std::string column_bytes(sqlite3_stmt* statement, int at) {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, at));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, at));
  return bytes == nullptr ? std::string() : std::string(bytes, size);
}

/// For its owner alone, before SQLite would make it for all. What stands beside it gets its mode.
void make_private(const std::string& path) {
  // Never one that is there: to close it would end the locks that this process has on it.
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0 && errno == EEXIST) return;
  if (file < 0) {
    throw std::runtime_error(std::string("The spool ") + path +
                             " cannot be opened: " + std::generic_category().message(errno) + ".");
  }
  close(file);
}

}  // namespace

void Spool::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Spool::Spool(const std::string& path, std::uint64_t max_bytes)
    : path_(path), max_bytes_(max_bytes) {
  make_private(path);
  if (sqlite3_open_v2(path.c_str(), &database_, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK) {
    const std::string why = database_ == nullptr ? "no memory" : sqlite3_errmsg(database_);
    sqlite3_close(database_);
    throw std::runtime_error(std::string("The spool ") + path + " cannot be opened: " + why + ".");
  }
  try {
    run("PRAGMA locking_mode=EXCLUSIVE");
    const std::int64_t owner = number("PRAGMA application_id");
    const bool is_new = owner == 0 && number("SELECT count(*) FROM sqlite_master") == 0;
    if (!is_new && owner != kApplication) {
      throw std::runtime_error(std::string("The spool ") + path +
                               " is another program's database: name another file.");
    }
    // A line is safe from the end of this process at each commit.
    run("PRAGMA journal_mode=WAL");
    run("PRAGMA synchronous=NORMAL");
    run("BEGIN EXCLUSIVE");
    if (is_new) {
      run("PRAGMA application_id=0x66657253");
      run("CREATE TABLE lines(id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, "
          "text TEXT NOT NULL)");
    }
    run("COMMIT");
    lines_ = static_cast<std::uint64_t>(number("SELECT count(*) FROM lines"));
    bytes_ = static_cast<std::uint64_t>(
        number("SELECT coalesce(sum(length(CAST(text AS BLOB))), 0) FROM lines"));
    insert_ = prepare("INSERT INTO lines(topic, text) VALUES(?, ?)");
    select_ = prepare("SELECT id, topic, text FROM lines WHERE id > ? ORDER BY id LIMIT ?");
    remove_ = prepare("DELETE FROM lines WHERE id = ? RETURNING length(CAST(text AS BLOB))");
    oldest_ = prepare("SELECT id FROM lines WHERE id > ? ORDER BY id LIMIT 1");
  } catch (...) {
    insert_.reset();
    select_.reset();
    remove_.reset();
    oldest_.reset();
    sqlite3_close(database_);
    throw;
  }
}

Spool::~Spool() {
  insert_.reset();
  select_.reset();
  remove_.reset();
  oldest_.reset();
  sqlite3_close(database_);
}

std::uint64_t Spool::push(const std::string& topic, const std::string& text, std::int64_t sent) {
  const std::uint64_t dropped = make_room(text.size(), sent);
  bind_text(insert_.get(), 1, topic);
  bind_bytes(insert_.get(), 2, text);
  step(insert_.get());
  sqlite3_reset(insert_.get());
  ++lines_;
  bytes_ += text.size();
  return dropped;
}

std::uint64_t Spool::make_room(std::uint64_t bytes, std::int64_t sent) {
  std::uint64_t dropped = 0;
  while (lines_ > 0 && bytes_ + bytes > max_bytes_) {
    sqlite3_bind_int64(oldest_.get(), 1, sent);
    const bool found = step(oldest_.get());
    const std::int64_t id = found ? sqlite3_column_int64(oldest_.get(), 0) : 0;
    sqlite3_reset(oldest_.get());
    if (!found) break;  // All are on their way: soon there is room.
    erase({id});
    ++dropped;
  }
  return dropped;
}

std::vector<Spool::Line> Spool::after(std::int64_t id, std::size_t most) {
  std::vector<Line> found;
  sqlite3_bind_int64(select_.get(), 1, id);
  sqlite3_bind_int64(select_.get(), 2, static_cast<std::int64_t>(most));
  while (step(select_.get())) {
    found.push_back({sqlite3_column_int64(select_.get(), 0), column_bytes(select_.get(), 1),
                     column_bytes(select_.get(), 2)});
  }
  sqlite3_reset(select_.get());
  return found;
}

void Spool::erase(const std::vector<std::int64_t>& ids) {
  if (ids.empty()) return;
  run("BEGIN");
  for (const std::int64_t id : ids) {
    sqlite3_bind_int64(remove_.get(), 1, id);
    if (step(remove_.get())) {
      --lines_;
      bytes_ -= static_cast<std::uint64_t>(sqlite3_column_int64(remove_.get(), 0));
      step(remove_.get());
    }
    sqlite3_reset(remove_.get());
  }
  run("COMMIT");
}

void Spool::run(const char* sql) {
  if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) fail();
}

Spool::Statement Spool::prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database_, sql, -1, &statement, nullptr) != SQLITE_OK) fail();
  return Statement(statement);
}

std::int64_t Spool::number(const char* sql) {
  const Statement statement = prepare(sql);
  return step(statement.get()) ? sqlite3_column_int64(statement.get(), 0) : 0;
}

bool Spool::step(sqlite3_stmt* statement) {
  const int result = sqlite3_step(statement);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  sqlite3_reset(statement);
  fail();
}

void Spool::fail() {
  const int code = sqlite3_errcode(database_);
  std::string why = sqlite3_errmsg(database_);
  if (code == SQLITE_BUSY) why = "another element or program uses it; give each one of its own";
  if (code == SQLITE_NOTADB) why = "it is no database; name another file";
  // What was begun must not hold up the next line.
  if (sqlite3_get_autocommit(database_) == 0) {
    sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
  throw std::runtime_error(std::string("The spool ") + path_ + " cannot be used: " + why + ".");
}

}  // namespace fer
