// NCCL's interface for "processes" that are threads of one, over the processor's memory: shows that
// its calls are made as it wants them, where there are no devices.
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace {

struct Id {
  char bytes[128];
};

/// Where all of a communicator's calls meet.
struct Meeting {
  explicit Meeting(int count) : size(count), sent(static_cast<std::size_t>(count)) {}
  void wait() {
    std::unique_lock lock(mutex);
    const std::uint64_t now = round;
    if (++here == size) {
      here = 0;
      ++round;
      all.notify_all();
    }
    all.wait(lock, [&] { return round != now; });
  }

  const int size;
  std::vector<const void*> sent;
  std::mutex mutex;
  std::condition_variable all;
  int here = 0;
  std::uint64_t round = 0;
};

struct Comm {
  std::shared_ptr<Meeting> meeting;
  int rank;
};

std::size_t bytes_of(int type) {
  switch (type) {
    case 1:
      return 1;
    case 2:
    case 7:
      return 4;
    case 4:
    case 8:
      return 8;
    default:
      return 2;
  }
}

template <typename T>
void add(void* to, const void* from, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    static_cast<T*>(to)[i] =
        static_cast<T>(static_cast<T*>(to)[i] + static_cast<const T*>(from)[i]);
}

/// Shows all what this one sends, lets it use what all sent, and waits until all have.
template <typename Use>
int exchange(Comm& comm, const void* send, const Use& use) {
  Meeting& meeting = *comm.meeting;
  meeting.sent[static_cast<std::size_t>(comm.rank)] = send;
  meeting.wait();
  const int result = use(meeting.sent);
  meeting.wait();
  return result;
}

constexpr int kSuccess = 0, kInvalidArgument = 4;

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

int ncclGetUniqueId(Id* id) {
  static std::mutex mutex;
  static int number = 0;
  const std::lock_guard lock(mutex);
  *id = {};
  std::strcpy(id->bytes, std::to_string(++number).c_str());
  return kSuccess;
}

int ncclCommInitRank(Comm** comm, int size, Id id, int rank) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<Meeting>> meetings;
  std::shared_ptr<Meeting> meeting;
  {
    const std::lock_guard lock(mutex);
    meeting = meetings[id.bytes].lock();
    if (!meeting) meetings[id.bytes] = meeting = std::make_shared<Meeting>(size);
  }
  if (meeting->size != size || rank < 0 || rank >= size) return kInvalidArgument;
  *comm = new Comm{meeting, rank};
  meeting->wait();
  return kSuccess;
}

int ncclCommAbort(Comm* comm) {
  delete comm;
  return kSuccess;
}

int ncclCommDestroy(Comm* comm) {
  delete comm;
  return kSuccess;
}

int ncclCommGetAsyncError(Comm*, int* error) {
  *error = kSuccess;
  return kSuccess;
}

const char* ncclGetErrorString(int result) {
  return result == kInvalidArgument ? "invalid argument" : "no error";
}

int ncclAllReduce(const void* send, void* receive, std::size_t count, int type, int operation,
                  Comm* comm, void*) {
  const std::size_t bytes = count * bytes_of(type);
  std::vector<char> total(bytes);
  const int result = exchange(*comm, send, [&](const std::vector<const void*>& all) {
    if (operation != 0) return kInvalidArgument;
    for (const void* one : all) {
      switch (type) {
        case 1:
          add<std::uint8_t>(total.data(), one, count);
          break;
        case 2:
          add<std::int32_t>(total.data(), one, count);
          break;
        case 4:
          add<std::int64_t>(total.data(), one, count);
          break;
        case 7:
          add<float>(total.data(), one, count);
          break;
        case 8:
          add<double>(total.data(), one, count);
          break;
        default:
          return kInvalidArgument;
      }
    }
    return kSuccess;
  });
  if (result == kSuccess) std::memcpy(receive, total.data(), bytes);
  return result;
}

int ncclBroadcast(const void* send, void* receive, std::size_t count, int type, int root,
                  Comm* comm, void*) {
  const std::size_t bytes = count * bytes_of(type);
  return exchange(*comm, send, [&](const std::vector<const void*>& all) {
    if (root < 0 || root >= comm->meeting->size) return kInvalidArgument;
    const void* from = all[static_cast<std::size_t>(root)];
    if (from != receive) std::memcpy(receive, from, bytes);
    return kSuccess;
  });
}

int ncclAllGather(const void* send, void* receive, std::size_t count, int type, Comm* comm, void*) {
  const std::size_t bytes = count * bytes_of(type);
  return exchange(*comm, send, [&](const std::vector<const void*>& all) {
    for (std::size_t rank = 0; rank < all.size(); ++rank)
      std::memcpy(static_cast<char*>(receive) + rank * bytes, all[rank], bytes);
    return kSuccess;
  });
}

}  // extern "C"
#pragma GCC visibility pop
