#include "stream/checkpoint_ring.h"

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "model/owner_only_files.h"

namespace fer {
namespace {

namespace fs = std::filesystem;

constexpr const char *kModelEnding = CheckpointName::kModel, *kStateEnding = CheckpointName::kState;

}  // namespace

CheckpointRing::CheckpointRing(fs::path folder, int capacity)
    : folder_(std::move(folder)), capacity_(std::max(1, capacity)) {}

std::vector<CheckpointRing::Name> CheckpointRing::names() const {
  std::vector<Name> found;
  std::error_code error;
  for (fs::directory_iterator it(folder_, error), end; !error && it != end; it.increment(error)) {
    std::string_view ending;
    const auto name = Name::parse(it->path().filename().string(), &ending);
    if (name && ending == kModelEnding) found.push_back(*name);
  }
  std::sort(found.begin(), found.end(),
            [](const Name& a, const Name& b) { return a.number < b.number; });
  return found;
}

void CheckpointRing::save(ModelFile& model, const Checkpoint& state, bool good) {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) {
    throw std::runtime_error(folder_.string() +
                             ": cannot make the folder for checkpoints: " + error.message());
  }
  const std::vector<Name> before = names();
  const Name name{before.empty() ? 1 : before.back().number + 1, good};
  {
    const OwnerOnlyFiles only_owner;
    write_checkpoint(path(name, kStateEnding), state);
  }
  write_model(path(name, kModelEnding), model);
  prune();
}

void CheckpointRing::prune() const {
  const std::vector<Name> all = names();
  std::int64_t last_good = -1;
  for (const Name& name : all)
    if (name.good) last_good = name.number;
  std::error_code ignored;
  for (std::size_t i = 0; i + static_cast<std::size_t>(capacity_) < all.size(); ++i) {
    if (all[i].number == last_good) continue;
    // The model first: what is left without one is no entry.
    fs::remove(path(all[i], kModelEnding), ignored);
    fs::remove(path(all[i], kStateEnding), ignored);
  }
  // What a crash left: states without a model, and temporary files (see write_atomically()).
  std::vector<fs::path> leftovers;
  for (fs::directory_iterator it(folder_, ignored), end; !ignored && it != end;
       it.increment(ignored)) {
    const fs::path& file = it->path();
    const std::string name = file.filename().string();
    std::error_code unknown;
    std::string_view ending;
    const auto own = Name::parse(name, &ending);
    const bool orphan =
        own && ending == kStateEnding && !fs::exists(path(*own, kModelEnding), unknown) && !unknown;
    if (Name::is_temporary(name) || orphan) leftovers.push_back(file);
  }
  for (const fs::path& file : leftovers) fs::remove(file, ignored);
}

void CheckpointRing::forget_earlier_states() const {
  const std::vector<Name> all = names();
  std::error_code ignored;
  for (std::size_t i = 0; i + 1 < all.size(); ++i) fs::remove(path(all[i], kStateEnding), ignored);
}

std::optional<CheckpointRing::Entry> CheckpointRing::newest(bool good_only,
                                                            const Warn& warn) const {
  const std::vector<Name> all = names();
  for (auto name = all.rbegin(); name != all.rend(); ++name) {
    if (good_only && !name->good) continue;
    try {
      return Entry{name->number, name->good, read_model(path(*name, kModelEnding)),
                   read_checkpoint(path(*name, kStateEnding))};
    } catch (const std::exception& broken) {
      warn(std::string(broken.what()) + "; the checkpoint before it is taken");
    }
  }
  return std::nullopt;
}

std::vector<ModelFile> CheckpointRing::good_models(const Warn& warn) const {
  std::vector<ModelFile> models;
  for (const Name& name : names()) {
    if (!name.good) continue;
    try {
      models.push_back(read_model(path(name, kModelEnding)));
    } catch (const std::exception& broken) {
      warn(std::string(broken.what()) + "; nothing goes back to it");
    }
  }
  return models;
}

}  // namespace fer
