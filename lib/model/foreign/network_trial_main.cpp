// The process of try_network(): tries the network that is its standard input. Not for people.
#include <cstdio>
#include <string>
#include <vector>

#include "model/foreign/network_trial.h"
#include "vision/trial_process.h"

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  fer::bound_this_trial();
  const std::string said = fer::run_network_trial(std::vector<std::string>(argv + 1, argv + argc));
  std::fwrite(said.data(), 1, said.size(), stdout);
  return 0;
}
