#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <set>
#include <stdexcept>

#include "commands/service_commands.h"
#include "config/secret_file.h"
#include "data/csv_reader.h"
#include "model/atomic_file.h"
#include "model/owner_only_files.h"
#include "teach/remote_desk.h"
#include "terminal/interrupt.h"
#include "util/make_folder.h"

namespace fer {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string url = "http://127.0.0.1:8787", slot;
  fs::path pictures, answers, token, trust;
  int count = 20;
};

constexpr char kFile[] = "questions.csv";
const std::vector<std::string> kOther{"cannot-tell", "no-face"};

/// Writes the faces, for the eyes of who runs this alone, and a table to fill in.
void write_questions(const fs::path& folder, const RemoteDesk::Questions& asked) {
  make_folder(folder);
  const OwnerOnlyFiles only_ours;
  std::string table = "question,picture,camera,guess,model,label\n";
  for (const RemoteDesk::Question& one : asked.questions) {
    const std::string name = std::to_string(one.id) + ".png";
    write_atomically(folder / name, {one.png});
    table += std::to_string(one.id) + "," + name + "," + one.camera + "," + one.guess + "," +
             asked.model + ",\n";
  }
  write_atomically(folder / kFile, {table});
}

/// What a person types for a face: a number, the beginning of a name, or a whole one; empty where
/// it is none of them.
std::string meant(const std::string& typed, const std::vector<std::string>& choices) {
  for (std::size_t i = 0; i < choices.size(); ++i)
    if (typed == std::to_string(i + 1) || typed == choices[i]) return choices[i];
  std::string found;
  for (const std::string& choice : choices) {
    if (typed.empty() || !choice.starts_with(typed)) continue;
    if (!found.empty()) return {};
    found = choice;
  }
  return found;
}

void ask_in_terminal(RemoteDesk& desk, const fs::path& folder, int count) {
  const RemoteDesk::Questions asked = desk.questions(count);
  if (asked.questions.empty()) {
    std::printf("no face to ask about yet; one appears as soon as one is remembered\n");
    return;
  }
  write_questions(folder, asked);
  std::vector<std::string> choices = asked.labels;
  choices.insert(choices.end(), kOther.begin(), kOther.end());
  for (std::size_t i = 0; i < choices.size(); ++i)
    std::printf("%2zu  %s\n", i + 1, choices[i].c_str());
  std::size_t taken = 0;
  for (const RemoteDesk::Question& one : asked.questions) {
    const std::string picture = (folder / (std::to_string(one.id) + ".png")).string();
    std::printf("%s, camera %s, the model says %s (%.0f %%)\n", picture.c_str(), one.camera.c_str(),
                one.guess.c_str(), one.probability * 100);
    std::string answer;
    for (std::string typed; answer.empty();) {
      std::printf("a number or a name, empty to leave it, q to end: ");
      std::fflush(stdout);
      if (!std::getline(std::cin, typed) || typed == "q") {
        std::printf("%zu answers\n", taken);
        return;
      }
      if (typed.empty()) break;
      answer = meant(lower(trimmed(typed)), choices);
    }
    if (answer.empty()) continue;
    desk.answer(one.id, answer);
    ++taken;
  }
  std::printf("%zu answers\n", taken);
}

/// Sends the rows of a table that write_questions() made and somebody filled in.
void send_answers(RemoteDesk& desk, const fs::path& file) {
  CsvReader csv(file);
  const std::vector<std::string> header = csv.header();
  const auto column = [&](const std::string& name) {
    for (std::size_t i = 0; i < header.size(); ++i)
      if (lower(header[i]) == name) return i;
    return header.size();
  };
  const std::size_t question = column("question"), label = column("label"), model = column("model");
  if (question == header.size() || label == header.size())
    throw std::runtime_error(file.string() + ": expected the columns question and label");
  const RemoteDesk::Questions asked = desk.questions(1);
  std::set<std::string> choices(asked.labels.begin(), asked.labels.end());
  choices.insert(kOther.begin(), kOther.end());
  struct Answer {
    std::uint64_t id;
    std::string label, where;
  };
  // All rows are looked at before the first is sent.
  std::vector<Answer> answers;
  for (std::vector<std::string> fields; csv.next(fields);) {
    const std::string text = trimmed(fields[label]), number = trimmed(fields[question]);
    if (text.empty()) continue;
    if (number.empty() || number.size() > 18 ||
        number.find_first_not_of("0123456789") != std::string::npos)
      throw std::runtime_error(csv.where() + "\"" + number + "\" is no question's number");
    if (!choices.contains(text)) {
      throw std::runtime_error(csv.where() + "\"" + text +
                               "\" is no class of the slot's model, cannot-tell or no-face");
    }
    if (model < header.size() && trimmed(fields[model]) != asked.model) {
      throw std::runtime_error(csv.where() + "the label is for model " + trimmed(fields[model]) +
                               ", the slot learns from " + asked.model);
    }
    answers.push_back({std::stoull(number), text, csv.where()});
  }
  std::size_t taken = 0;
  for (const Answer& one : answers) {
    try {
      desk.answer(one.id, one.label);
      ++taken;
    } catch (const std::exception& refused) {
      std::fprintf(stderr, "fer: %s%s\n", one.where.c_str(), refused.what());
    }
  }
  std::printf("%s: %zu of %zu answers taken\n", file.c_str(), taken, answers.size());
  if (taken < answers.size()) throw CLI::RuntimeError(kBadInput);
}

}  // namespace

void add_label(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand(
      "label", "Label the faces that a learner of `fer run` asks about, in a terminal.");
  c->add_option("--url", o->url, "Where `fer run` serves its page")->capture_default_str();
  c->add_option("--slot", o->slot, "The slot that learns")->required();
  c->add_option("--token-file", o->token, "A file with the page's token, where it needs one");
  c->add_option("--trust", o->trust, "A certificate in PEM format to trust, as the page's own")
      ->check(CLI::ExistingFile);
  CLI::Option* pictures = c->add_option(
      "--pictures", o->pictures,
      "A folder for the faces, and for questions.csv, whose column label may be filled in");
  c->add_option("--count", o->count, "Faces to ask about, at most")
      ->check(CLI::Range(1, 32))
      ->capture_default_str();
  c->add_option("--answers", o->answers, "Send the labels of such a table rather than ask for them")
      ->check(CLI::ExistingFile)
      ->excludes(pictures);
  c->footer(
      "Pictures of faces stay in the folder until you remove them. Answers are a class, "
      "cannot-tell or no-face.");
  c->callback([o, pictures] {
    if (o->answers.empty() && pictures->count() == 0)
      throw CLI::RequiredError("--pictures or --answers");
    RemoteDesk desk({o->url, o->slot, o->token.empty() ? "" : read_secret(o->token), o->trust});
    if (o->answers.empty()) {
      ask_in_terminal(desk, o->pictures, o->count);
    } else {
      send_answers(desk, o->answers);
    }
  });
}

}  // namespace fer
