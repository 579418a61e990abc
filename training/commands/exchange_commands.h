// The sub-command that learns for many machines. It is compiled apart from the others, as those of
// the service. Builds without a broker's library have it as well, to say what is missing.
#pragma once

#include <CLI/CLI.hpp>

namespace fer {

void add_learn_service(CLI::App& app);

}  // namespace fer
