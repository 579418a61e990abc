// The sub-commands that run cameras as a service. They are compiled apart from the others: no other
// command needs what a service does. Builds without it have them as well, to say what is missing.
#pragma once

#include <CLI/CLI.hpp>

namespace fer {

void add_run(CLI::App& app);

}  // namespace fer
