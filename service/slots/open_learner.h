// The learner of a slot, without linking LibTorch.
#pragma once

#include <memory>
#include <string>

#include "stream/slot_learner.h"

namespace fer {

/// The learner that an element ferlearn has made for the slot. Throws std::runtime_error where none
/// of our version is in this process.
std::shared_ptr<SlotLearner> open_learner(const std::string& slot);

}  // namespace fer
