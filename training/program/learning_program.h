// The program `fer-learn`, which has the commands that need LibTorch. Nobody types its name.
#pragma once

#include <filesystem>
#include <string>

namespace fer {

/// The file: beside this program in a build tree, else where it is installed. Empty where it is
/// not there.
std::filesystem::path learning_program();

/// What brings it, as half a sentence.
std::string how_to_get_learning();

/// Becomes that program, with the words of `argv`. Throws std::runtime_error, which `argv[1]`
/// begins, where it is not there or cannot be started.
[[noreturn]] void become_learning_program(char** argv);

}  // namespace fer
