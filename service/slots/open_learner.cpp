#include "slots/open_learner.h"

#include <dlfcn.h>

#include <stdexcept>

#include "version.h"

namespace fer {

std::shared_ptr<SlotLearner> open_learner(const std::string& slot) {
  // The element's plugin has loaded it, under the name that it was linked by.
  void* library = dlopen(FER_LEARN_LIBRARY_NAME, RTLD_NOW | RTLD_NOLOAD);
  const auto open =
      library ? reinterpret_cast<SlotLearnerFunction>(dlsym(library, kSlotLearnerSymbol)) : nullptr;
  std::shared_ptr<SlotLearner> learner(open ? open(slot.c_str(), FER_VERSION) : nullptr);
  if (!learner) {
    throw std::runtime_error("slot " + slot +
                             ": expected " FER_LEARN_LIBRARY_NAME " of version " FER_VERSION
                             " with the element ferlearn, found another; install gst-fer-learn of "
                             "the same version");
  }
  return learner;
}

}  // namespace fer
