#include "model/block_checksums.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "model/mapping_guard.h"

namespace fer {
namespace {

constexpr char kSum[] = "checksum";

std::uint64_t mixed(std::uint64_t state, std::uint64_t word) {
  state = (state ^ word) * 0x9e3779b97f4a7c15u;
  return state ^ state >> 32;
}

/// Four sums side by side, each over every fourth word of 8 bytes: several times as fast as a sum
/// byte by byte. Each step can be undone, so that no single change of a word is lost.
std::uint64_t block_sum(const void* data, std::size_t bytes) {
  const auto* at = static_cast<const char*>(data);
  std::array<std::uint64_t, 4> lanes{1, 2, 3, 4};
  std::array<std::uint64_t, 4> words{};
  std::size_t left = bytes;
  for (; left >= sizeof words; left -= sizeof words, at += sizeof words) {
    std::memcpy(words.data(), at, sizeof words);
    for (std::size_t i = 0; i < lanes.size(); ++i) lanes[i] = mixed(lanes[i], words[i]);
  }
  words.fill(0);
  if (left > 0) std::memcpy(words.data(), at, left);
  std::uint64_t sum = bytes;
  for (std::size_t i = 0; i < lanes.size(); ++i) sum = mixed(sum, mixed(lanes[i], words[i]));
  return sum;
}

std::size_t blocks_of(const TensorView& tensor) {
  return (tensor.bytes + kChecksumBlock - 1) / kChecksumBlock;
}

/// Over the metadata, the names, types and shapes of the tensors, and the checksums themselves: 16
/// hex digits.
std::string header_sum(const std::map<std::string, TensorView>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::string text;
  const auto add = [&](const std::string& piece) {
    text += std::to_string(piece.size()) + ":" + piece;
  };
  for (const auto& [key, value] : metadata) {
    if (key == kSum) continue;
    add(key);
    add(value);
  }
  for (const auto& [name, view] : tensors) {
    add(name);
    add(std::to_string(static_cast<int>(view.dtype)));
    for (const std::int64_t extent : view.shape) text += std::to_string(extent) + ",";
  }
  const TensorView& sums = tensors.at(kChecksumTensor);
  const std::uint64_t sum =
      mixed(block_sum(text.data(), text.size()), block_sum(sums.data, sums.bytes));
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(sum));
  return digits;
}

}  // namespace

void write_with_checksums(const std::filesystem::path& path,
                          std::map<std::string, TensorView> tensors,
                          std::map<std::string, std::string> metadata) {
  std::vector<std::int64_t> sums;
  for (const auto& [name, view] : tensors) {
    const auto* data = static_cast<const char*>(view.data);
    for (std::size_t done = 0; done < view.bytes; done += kChecksumBlock) {
      const std::size_t bytes = std::min(kChecksumBlock, view.bytes - done);
      sums.push_back(static_cast<std::int64_t>(block_sum(data + done, bytes)));
    }
  }
  tensors[kChecksumTensor] = {DType::kI64,
                              {static_cast<std::int64_t>(sums.size())},
                              sums.data(),
                              sums.size() * sizeof(std::int64_t)};
  metadata[kSum] = header_sum(tensors, metadata);
  write_safetensors(path, tensors, metadata);
}

BlockChecksums::BlockChecksums(const SafetensorsFile& file, const std::string& name, bool required)
    : name_(name) {
  const auto& tensors = file.tensors();
  for (const auto& [tensor, view] : tensors) {
    if (shrank_ == nullptr && view.bytes > 0) shrank_ = shrank_flag(view.data);
  }
  const auto& metadata = file.metadata();
  const auto sum = metadata.find(kSum);
  if (!required && sum == metadata.end() && !tensors.contains(kChecksumTensor)) return;
  const TensorView& sums = file.at(kChecksumTensor, DType::kI64, 1);
  const bool right = file.meta(kSum) == header_sum(tensors, metadata);
  require_whole();
  std::size_t blocks = 0;
  for (const auto& [tensor, view] : tensors) {
    if (tensor == kChecksumTensor) continue;
    const auto* data = static_cast<const char*>(view.data);
    if (view.bytes > 0) ranges_.push_back({data, data + view.bytes, blocks, tensor});
    blocks += blocks_of(view);
  }
  if (!right || blocks != static_cast<std::size_t>(sums.shape[0])) {
    throw std::runtime_error(name_ +
                             ": its content is not what was written: the checksum of its header "
                             "differs");
  }
  std::sort(ranges_.begin(), ranges_.end(),
            [](const Range& a, const Range& b) { return a.begin < b.begin; });
  sums_.resize(blocks);
  if (blocks > 0) std::memcpy(sums_.data(), sums.data, sums.bytes);
  checked_ = std::make_unique<std::atomic<bool>[]>(blocks);
}

void BlockChecksums::need(const void* data, std::size_t bytes) const {
  if (bytes == 0) return;
  require_whole();
  if (sums_.empty()) return;
  const auto* begin = static_cast<const char*>(data);
  const auto after = std::upper_bound(ranges_.begin(), ranges_.end(), begin,
                                      [](const char* at, const Range& r) { return at < r.begin; });
  if (after == ranges_.begin() || begin + bytes > std::prev(after)->end)
    throw std::logic_error("BlockChecksums: no bytes of a tensor");
  const Range& range = *std::prev(after);
  const std::size_t first = static_cast<std::size_t>(begin - range.begin) / kChecksumBlock;
  const std::size_t last =
      (static_cast<std::size_t>(begin - range.begin) + bytes - 1) / kChecksumBlock;
  for (std::size_t block = first; block <= last; ++block) {
    if (!checked_[range.first_block + block].load(std::memory_order_relaxed)) check(range, block);
  }
}

void BlockChecksums::check(const Range& range, std::size_t block) const {
  const char* begin = range.begin + block * kChecksumBlock;
  const auto bytes = std::min(kChecksumBlock, static_cast<std::size_t>(range.end - begin));
  const bool right = block_sum(begin, bytes) == sums_[range.first_block + block];
  require_whole();
  if (!right) {
    throw std::runtime_error(
        name_ + ": its content is not what was written: the checksum of \"" + range.tensor +
        "\" differs in bytes " + std::to_string(block * kChecksumBlock) + " to " +
        std::to_string(block * kChecksumBlock + bytes) + "; make the file anew, or copy it again");
  }
  checked_[range.first_block + block].store(true, std::memory_order_relaxed);
}

void BlockChecksums::require_whole() const {
  if (shrank_ == nullptr || !shrank_->load(std::memory_order_relaxed)) return;
  throw std::runtime_error(name_ + ": it became shorter while it was read");
}

}  // namespace fer
