#include "learn/run/training_loop.h"

#include "network/torch_seed.h"
#include "util/elapsed.h"

namespace fer {
namespace {

/// Steps between two calls of on_progress. Each waits for a device to say the loss.
constexpr int kProgressSteps = 10;

}  // namespace

TrainResult run_training_loop(ModuleRun& run, TrainingTask& task, const TrainingPlan& plan,
                              const TrainingHooks& hooks, const std::atomic<bool>& stop) {
  while (run.epoch < plan.epochs) {
    seed_torch(plan.seed * 1000003 + static_cast<std::uint64_t>(run.epoch));
    const int steps = task.begin_epoch(run.epoch);
    const auto begun = SteadyClock::now();
    for (int step = 0; step < steps; ++step) {
      if (run.any(stop)) return run.result(/*stopped=*/true);
      task.step(step);
      const int done = step + 1;
      if (done % kProgressSteps != 0 && done != steps) continue;
      const double loss = task.mean_loss(done);
      run.check_finite(loss);
      if (!run.writes()) continue;
      hooks.on_progress(
          {run.epoch, done, steps, loss, done * plan.images_per_step / seconds_since(begun),
           run.seconds_left(run.epoch + static_cast<double>(done) / steps, plan.epochs)});
    }
    nlohmann::json entry = task.validate(steps, seconds_since(begun));
    run.finish_epoch(entry, plan.score,
                     [&](const std::filesystem::path& path, const nlohmann::json& kept) {
                       task.save(path, kept);
                     });
    if (run.writes()) hooks.on_epoch(entry);
  }
  return run.result(/*stopped=*/false);
}

}  // namespace fer
