// The sub-commands that run cameras as a service, and ask one that runs. They are compiled apart
// from the others: no other command needs what a service does. Builds without it have them as well,
// to say what is missing.
#pragma once

#include <CLI/CLI.hpp>

namespace fer {

void add_run(CLI::App& app);
void add_label(CLI::App& app);

}  // namespace fer
