// Models that several elements share, and that can be exchanged while they serve.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "export.h"
#include "model/batch_queue.h"
#include "model/classifier.h"

namespace fer {

class ModelWatcher;
struct StoredModel;

/// Holds the model that serves. Exchanging it is one pointer swap between two batches: no frame is
/// lost, reordered or held. Thread-safe.
class FER_API ModelSlot {
 public:
  ModelSlot();
  ~ModelSlot();
  ModelSlot(const ModelSlot&) = delete;
  ModelSlot& operator=(const ModelSlot&) = delete;

  /// The slot of this name in this process, made where there is none yet. It lives as long as
  /// somebody holds it. An empty name makes a slot that nobody else shares.
  static std::shared_ptr<ModelSlot> get(const std::string& name);

  /// How the slot's models are laid out.
  struct Layout {
    Precision precision = Precision::kAuto;  ///< As Classifier's constructor takes it.
    std::string device = "cpu";              ///< As resolve_device() takes it.
    bool operator==(const Layout&) const = default;
  };

  /// A model file, and what to do about it.
  struct Source {
    std::filesystem::path path;  ///< Of the file.
    Layout layout;               ///< Of the first to open, it becomes the slot's.
    /// Opens the file anew, on a thread of the slot's own, whenever it is replaced. What cannot be
    /// read is refused, counted, and the model before it serves on. Ends once somebody else swaps a
    /// model in: what was learnt is not thrown away for what stands in a file.
    bool reload = false;
    std::chrono::milliseconds interval{500};  ///< How often to look.
  };

  /// Serves the source's model, unless the slot serves one already. Blocks while it opens the file;
  /// others that come meanwhile wait and take what was opened. The layout of the first to open is
  /// the slot's from then on: what serve() had put there before is laid out anew. Returns what
  /// serves then. Throws what Classifier::open() throws.
  std::shared_ptr<const Classifier> open(const Source& source);

  /// Serves `model`, in the slot's layout, from the next batch on. Blocks while it lays it out, and
  /// while open() reads. Throws what the Classifier's constructor throws.
  void serve(std::shared_ptr<const StoredModel> model);

  /// The serving model; null before the first.
  std::shared_ptr<const Classifier> current() const;
  /// The file that open() took the first model from; empty where it came by swap().
  std::filesystem::path source() const;
  /// Serves `next` (not null) as it is from the next batch on; returns what served before.
  std::shared_ptr<const Classifier> swap(std::shared_ptr<const Classifier> next);

  /// Reloads that failed so far, and why the last did.
  struct Failures {
    std::uint64_t count = 0;  ///< Since the slot was made.
    std::string last;         ///< A sentence that names the file; empty: none failed.
  };
  /// A snapshot.
  Failures failures() const;
  /// Models that came after the first.
  std::uint64_t swaps() const;

  /// All that want this slot's model ask here.
  BatchQueue& queue() { return queue_; }

 private:
  /// What serve() was given, in the slot's layout; with opening_ held.
  std::shared_ptr<const Classifier> build_engine();
  /// A model that the watcher opened.
  void reloaded(std::shared_ptr<const Classifier> next);
  void failed(const std::string& error);

  std::mutex opening_;  ///< Held while open() reads and serve() lays out; taken before mutex_.
  std::optional<Layout> layout_;  ///< Guarded by opening_, as the next two; empty: nobody opened.
  std::shared_ptr<const StoredModel> served_;    ///< What serve() put there …
  std::weak_ptr<const Classifier> laid_out_;     ///< … as it was laid out.
  mutable std::mutex mutex_;                     ///< Held for a copy, never for work.
  std::shared_ptr<const Classifier> current_;    ///< Guarded by mutex_, and so on to swaps_.
  std::shared_ptr<const Classifier> from_file_;  ///< The last that came from the file.
  std::filesystem::path source_;
  Failures failures_;
  std::uint64_t swaps_ = 0;
  BatchQueue queue_;
  std::unique_ptr<ModelWatcher> watcher_;  ///< Guarded by opening_. Last: goes first.
};

}  // namespace fer
