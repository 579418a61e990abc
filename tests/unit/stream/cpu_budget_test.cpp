#include "stream/cpu_budget.h"

#include <gtest/gtest.h>

namespace fer {
namespace {

/// Share of the clock that a thread works which always has something to do, by pieces of `cpu`
/// seconds that take `slowness` times as long on the clock, and rests as it is told.
double share_taken(double share, double cpu, double slowness, int pieces) {
  CpuBudget budget;
  double worked = 0, wall = 0;
  for (int i = 0; i < pieces; ++i) {
    const double rest = budget.owed();
    budget.rested(rest);
    budget.worked(cpu, cpu * slowness, share);
    worked += cpu;
    wall += rest + cpu * slowness;
  }
  return worked / wall;
}

TEST(CpuBudget, IsTakenAndNoMoreHoweverLongItGoesOn) {
  for (const double share : {0.05, 0.25, 0.9}) {
    EXPECT_NEAR(share_taken(share, 0.2, 1, 100), share, 0.02) << share;
    EXPECT_NEAR(share_taken(share, 0.01, 1, 10000), share, 0.001) << share;
  }
}

TEST(CpuBudget, IsNoReasonToRestWhereOthersTakeTheProcessor) {
  // It gets a fifth of the processor where it may take a quarter.
  EXPECT_NEAR(share_taken(0.25, 0.1, 5, 100), 0.2, 1e-9);
}

TEST(CpuBudget, OfSeveralCoresIsMoreThanOneThreadTakes) {
  EXPECT_NEAR(share_taken(4, 0.1, 1, 100), 1, 1e-9);
}

TEST(CpuBudget, IsNotSavedUpForABurst) {
  CpuBudget budget;
  budget.rested(3600);
  budget.worked(0.1, 0.1, 0.5);  // Costs 0.1 s of rest, which are there …
  EXPECT_EQ(budget.owed(), 0);
  budget.worked(0.1, 0.1, 0.5);  // … but once.
  EXPECT_NEAR(budget.owed(), 0.1, 1e-9);
}

}  // namespace
}  // namespace fer
