#include "model/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <system_error>

#include "model/atomic_file.h"
#include "model/mapping_guard.h"
#include "model/shallow_json.h"

namespace fer {
namespace {

using nlohmann::json;

/// The format's own limit on the header.
constexpr std::uint64_t kMaxHeader = 100'000'000;
constexpr std::size_t kMaxRank = 8;
/// The header, its entries, their lists.
constexpr int kMaxDepth = 3;

constexpr std::pair<DType, const char*> kNames[] = {{DType::kU8, "U8"},
                                                    {DType::kI64, "I64"},
                                                    {DType::kF32, "F32"},
                                                    {DType::kBF16, "BF16"},
                                                    {DType::kF16, "F16"}};

const char* name_of(DType dtype) {
  for (const auto& [type, name] : kNames)
    if (type == dtype) return name;
  return "?";
}

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& what) {
  throw std::runtime_error(path.string() + ": " + what);
}

}  // namespace

std::size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::kU8:
      return 1;
    case DType::kI64:
      return 8;
    case DType::kF32:
      return 4;
    case DType::kBF16:
    case DType::kF16:
      return 2;
  }
  return 0;
}

/// The bytes of a file, mapped or read.
class SafetensorsFile::Content {
 public:
  Content(const std::filesystem::path& path, FileAccess access) {
    // Not waiting for the other end, should it be a pipe.
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) fail(path, "cannot open: " + std::generic_category().message(errno));
    try {
      struct stat info {};
      if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) fail(path, "expected a regular file");
      size_ = static_cast<std::size_t>(info.st_size);
      if (size_ < 8) {
        fail(path, "expected a safetensors file, found " + std::to_string(size_) +
                       " bytes, less than its 8-byte length field");
      }
      if (access == FileAccess::kMapped) {
        map(path, fd);
      } else {
        read(path, fd);
      }
    } catch (...) {
      ::close(fd);
      throw;
    }
    ::close(fd);
  }
  ~Content() {
    guard_.reset();
    if (mapping_ != nullptr) ::munmap(mapping_, size_);
  }
  Content(const Content&) = delete;
  Content& operator=(const Content&) = delete;

  /// Whether the file has become shorter since it was mapped.
  bool shrank() const { return guard_ && guard_->shrank(); }

  std::string_view bytes() const {
    return {static_cast<const char*>(mapping_ != nullptr ? mapping_ : buffer_.get()), size_};
  }

 private:
  void map(const std::filesystem::path& path, int fd) {
    mapping_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
    if (mapping_ == MAP_FAILED) {
      mapping_ = nullptr;
      fail(path, "cannot map: " + std::generic_category().message(errno));
    }
    try {
      guard_.emplace(mapping_, size_);
    } catch (...) {
      ::munmap(mapping_, size_);
      throw;
    }
  }

  void read(const std::filesystem::path& path, int fd) {
    buffer_ = std::make_unique<std::byte[]>(size_);
    std::size_t done = 0;
    while (done < size_) {
      const ssize_t got = ::read(fd, buffer_.get() + done, size_ - done);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) fail(path, "cannot read: " + std::generic_category().message(errno));
      if (got == 0) fail(path, "was truncated while it was read");
      done += static_cast<std::size_t>(got);
    }
  }

  void* mapping_ = nullptr;
  std::optional<MappingGuard> guard_;
  std::unique_ptr<std::byte[]> buffer_;
  std::size_t size_ = 0;
};

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path, FileAccess access)
    : path_(path), content_(std::make_unique<const Content>(path, access)) {
  parse(content_->bytes());
  if (content_->shrank()) fail(path, "it became shorter while it was read");
}

SafetensorsFile::~SafetensorsFile() = default;

void SafetensorsFile::parse(std::string_view bytes) {
  const std::uint64_t size = bytes.size();
  std::uint64_t header_size = 0;
  std::memcpy(&header_size, bytes.data(), 8);
  if (header_size > kMaxHeader || header_size > size - 8) {
    fail(path_, "expected a safetensors file, found one whose header would be " +
                    std::to_string(header_size) + " of its " + std::to_string(size) +
                    " bytes (truncated, or another kind of file)");
  }
  const json header = parse_shallow_json(bytes.substr(8, header_size), kMaxDepth);
  if (!header.is_object()) {
    fail(path_,
         "expected a safetensors file, found one whose header is not a JSON object of the right "
         "form");
  }

  const std::uint64_t data_size = size - 8 - header_size;
  const char* data = bytes.data() + 8 + header_size;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> spans;
  for (const auto& [name, entry] : header.items()) {
    if (!entry.is_object()) fail(path_, "header entry \"" + name + "\" is not an object");
    if (name == "__metadata__") {
      for (const auto& [key, value] : entry.items()) {
        if (!value.is_string()) fail(path_, "metadata \"" + key + "\" is not a string");
        metadata_[key] = value.get<std::string>();
      }
      continue;
    }
    const std::string where = "tensor \"" + name + "\": ";
    TensorView view;
    const json dtype = entry.value("dtype", json());
    const auto known = std::find_if(std::begin(kNames), std::end(kNames), [&](const auto& pair) {
      return dtype.is_string() && dtype.get_ref<const std::string&>() == pair.second;
    });
    if (known == std::end(kNames)) fail(path_, where + "unknown type");
    view.dtype = known->first;

    const json shape = entry.value("shape", json());
    if (!shape.is_array() || shape.size() > kMaxRank) fail(path_, where + "bad shape");
    std::uint64_t expected = size_of(view.dtype);
    for (const json& extent : shape) {
      if (!extent.is_number_unsigned()) fail(path_, where + "bad shape");
      const auto n = extent.get<std::uint64_t>();
      if (n > data_size || (n != 0 && expected > data_size / n))
        fail(path_, where + "its shape needs more bytes than the file has");
      expected *= n;
      view.shape.push_back(static_cast<std::int64_t>(n));
    }

    const json offsets = entry.value("data_offsets", json());
    if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
        !offsets[1].is_number_unsigned())
      fail(path_, where + "bad data_offsets");
    const auto begin = offsets[0].get<std::uint64_t>(), end = offsets[1].get<std::uint64_t>();
    if (begin > end || end > data_size) {
      fail(path_, where + "its data ends at byte " + std::to_string(end) + " of " +
                      std::to_string(data_size) + " (truncated file?)");
    }
    if (end - begin != expected)
      fail(path_, where + "shape and data_offsets disagree: " + std::to_string(expected) + " and " +
                      std::to_string(end - begin) + " bytes");
    view.data = data + begin;
    view.bytes = end - begin;
    if (reinterpret_cast<std::uintptr_t>(view.data) % size_of(view.dtype) != 0)
      fail(path_, where + "its data is not aligned to its type");
    if (view.bytes) spans.emplace_back(begin, end);
    tensors_[name] = view;
  }
  std::sort(spans.begin(), spans.end());
  for (std::size_t i = 1; i < spans.size(); ++i)
    if (spans[i].first < spans[i - 1].second) fail(path_, "tensors overlap");
}

const TensorView& SafetensorsFile::at(const std::string& name, DType dtype,
                                      std::size_t rank) const {
  const auto it = tensors_.find(name);
  if (it == tensors_.end()) fail(path_, "expected a tensor \"" + name + "\", found none");
  if (it->second.dtype != dtype || it->second.shape.size() != rank) {
    fail(path_, "tensor \"" + name + "\": expected " + name_of(dtype) + " of rank " +
                    std::to_string(rank) + ", found " + name_of(it->second.dtype) + " of rank " +
                    std::to_string(it->second.shape.size()));
  }
  return it->second;
}

const std::string& SafetensorsFile::meta(const std::string& key) const {
  const auto it = metadata_.find(key);
  if (it == metadata_.end()) fail(path_, "expected metadata \"" + key + "\", found none");
  return it->second;
}

void write_safetensors(const std::filesystem::path& path,
                       const std::map<std::string, TensorView>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  json header = json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  // Widest types first, as the format's own writer does: then every tensor is aligned to its type.
  std::vector<const std::pair<const std::string, TensorView>*> order;
  for (const auto& entry : tensors) order.push_back(&entry);
  std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return size_of(a->second.dtype) > size_of(b->second.dtype);
  });
  std::uint64_t offset = 0;
  std::vector<std::string_view> pieces(2);
  for (const auto* entry : order) {
    const TensorView& view = entry->second;
    std::size_t expected = size_of(view.dtype);
    for (const std::int64_t extent : view.shape) expected *= static_cast<std::size_t>(extent);
    if (view.bytes != expected) {
      throw std::invalid_argument("write_safetensors: tensor \"" + entry->first + "\" has " +
                                  std::to_string(view.bytes) + " bytes, its shape says " +
                                  std::to_string(expected));
    }
    header[entry->first] = {{"dtype", name_of(view.dtype)},
                            {"shape", view.shape},
                            {"data_offsets", {offset, offset + view.bytes}}};
    pieces.emplace_back(static_cast<const char*>(view.data), view.bytes);
    offset += view.bytes;
  }
  std::string text = header.dump();
  text.resize((text.size() + 8 + 63) / 64 * 64 - 8, ' ');
  const std::uint64_t length = text.size();
  pieces[0] = {reinterpret_cast<const char*>(&length), 8};
  pieces[1] = text;
  write_atomically(path, pieces);
}

}  // namespace fer
