#include "learn/distributed/process_group.h"

#include <torch/types.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "learn/distributed/batch_part.h"
#include "learn/distributed/communicator.h"

namespace fer {
namespace {

/// Bytes per exchange: many, so that starting one costs little; few enough to hold them twice.
constexpr std::int64_t kBucketBytes = 25 << 20;

}  // namespace

ProcessGroup::ProcessGroup(const DistributedEnv& env, std::chrono::milliseconds patience,
                           const std::string& device)
    : env_(env),
      patience_(patience),
      device_(device),
      communicator_(device == "cpu"
                        ? make_gloo_communicator(env, patience)
                        : make_nccl_communicator(env, patience, torch::Device(device))) {}

ProcessGroup::~ProcessGroup() = default;

bool ProcessGroup::available() {
  return have_gloo_communicator();
}

template <typename Exchange>
void ProcessGroup::together(Exchange&& exchange) {
  try {
    exchange();
  } catch (const std::exception& error) {
    throw std::runtime_error("RANK " + std::to_string(env_.rank) +
                             ": another process of the run has ended, or did not answer for " +
                             seconds_text(patience_) +
                             "; see what it says, and start all of them again to go on from the "
                             "last checkpoint (" +
                             reason(error) + ")");
  }
}

template <typename Exchange>
void ProcessGroup::in_buckets(const std::vector<torch::Tensor>& tensors, Exchange&& exchange) {
  torch::NoGradGuard no_grad;
  for (std::size_t first = 0; first < tensors.size();) {
    std::vector<torch::Tensor> parts;
    std::size_t last = first;
    for (std::int64_t bytes = 0; last < tensors.size() && bytes < kBucketBytes &&
                                 tensors[last].scalar_type() == tensors[first].scalar_type();
         ++last) {
      parts.push_back(tensors[last].reshape({-1}));
      bytes += tensors[last].numel() * static_cast<std::int64_t>(tensors[last].element_size());
    }
    torch::Tensor bucket = torch::cat(parts);
    together([&] { exchange(bucket); });
    std::int64_t offset = 0;
    for (; first < last; ++first) {
      const torch::Tensor& tensor = tensors[first];
      tensor.copy_(bucket.narrow(0, offset, tensor.numel()).view(tensor.sizes()));
      offset += tensor.numel();
    }
  }
}

BatchPart ProcessGroup::part(int batch) const {
  if (batch % env_.size != 0) {
    throw std::runtime_error("a batch of " + std::to_string(batch) +
                             ": expected a multiple of WORLD_SIZE (" + std::to_string(env_.size) +
                             "), so that all processes learn from equally many");
  }
  return {env_.rank, env_.size};
}

void ProcessGroup::sum(torch::Tensor& tensor) {
  together([&] { communicator_->sum(tensor); });
}

void ProcessGroup::average(const std::vector<torch::Tensor>& tensors) {
  in_buckets(tensors, [&](torch::Tensor& bucket) {
    communicator_->sum(bucket);
    bucket /= env_.size;
  });
}

void ProcessGroup::broadcast(const std::vector<torch::Tensor>& tensors) {
  in_buckets(tensors, [&](torch::Tensor& bucket) { communicator_->broadcast(bucket); });
}

std::string ProcessGroup::broadcast(const std::string& text) {
  torch::Tensor length = torch::tensor({static_cast<std::int64_t>(text.size())});
  together([&] { communicator_->broadcast(length); });
  const auto n = length.item<std::int64_t>();
  torch::Tensor bytes = torch::zeros({n}, torch::kByte);
  if (writes()) std::memcpy(bytes.data_ptr(), text.data(), text.size());
  together([&] { communicator_->broadcast(bytes); });
  return {static_cast<const char*>(bytes.data_ptr()), static_cast<std::size_t>(n)};
}

torch::Tensor ProcessGroup::gather_rows(const torch::Tensor& rows) {
  torch::Tensor all;
  together([&] { all = communicator_->gather(rows.contiguous()); });
  return all.flatten(0, 1);
}

bool ProcessGroup::any(bool own) {
  torch::Tensor count = torch::tensor({own ? std::int64_t{1} : std::int64_t{0}});
  sum(count);
  return count.item<std::int64_t>() > 0;
}

void ProcessGroup::require_same(const std::string& text, const std::string& what) {
  const torch::Tensor differs = gather_rows(torch::tensor({std::int64_t{broadcast(text) != text}}));
  for (int other = 1; other < env_.size; ++other) {
    if (differs[other].item<std::int64_t>() == 0) continue;
    throw std::runtime_error("RANK " + std::to_string(other) + " was started with other " + what +
                             " than RANK 0; start all processes by the same command on the same "
                             "data");
  }
}

}  // namespace fer
