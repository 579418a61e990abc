#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>
#include <stdexcept>

#include "config/secret_file.h"
#include "files/csv_reader.h"
#include "front/commands.h"
#include "model/atomic_file.h"
#include "model/owner_only_files.h"
#include "teach/remote_desk.h"
#include "terminal/interrupt.h"
#include "util/join.h"
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

/// Writes the faces, for the eyes of who runs this alone, and a table to fill in. What the model
/// thinks of them is not told: it would lead whoever labels.
void write_questions(const fs::path& folder, const std::string& slot,
                     const RemoteDesk::Questions& asked) {
  make_folder(folder);
  const OwnerOnlyFiles only_ours;
  std::string table = "question,picture,slot,camera,model,label\n";
  for (const RemoteDesk::Question& one : asked.questions) {
    const std::string name = std::to_string(one.id) + ".png";
    write_atomically(folder / name, {one.png});
    table += std::to_string(one.id) + "," + name + "," + csv_field(slot) + "," +
             csv_field(one.camera) + "," + csv_field(asked.model) + ",\n";
  }
  write_atomically(folder / kFile, {table});
}

/// The choice of this name, in capitals or not; empty where there is none.
std::string named(const std::string& text, const std::vector<std::string>& choices) {
  const auto found = std::find_if(choices.begin(), choices.end(), [&](const std::string& choice) {
    return lower(choice) == lower(text);
  });
  return found == choices.end() ? "" : *found;
}

/// What a person types for a face: a number, a name, or the beginning of one; empty where it is
/// none of them.
std::string meant(const std::string& typed, const std::vector<std::string>& choices) {
  for (std::size_t i = 0; i < choices.size(); ++i)
    if (typed == std::to_string(i + 1)) return choices[i];
  if (std::string whole = named(typed, choices); !whole.empty()) return whole;
  std::string found;
  for (const std::string& choice : choices) {
    if (!lower(choice).starts_with(lower(typed))) continue;
    if (!found.empty()) return {};
    found = choice;
  }
  return found;
}

std::vector<std::string> choices_of(const RemoteDesk::Questions& asked) {
  std::vector<std::string> choices = asked.labels;
  choices.insert(choices.end(), kOther.begin(), kOther.end());
  return choices;
}

void tell_taken(std::size_t taken) {
  std::printf("%zu answer%s taken\n", taken, taken == 1 ? "" : "s");
}

void ask_in_terminal(RemoteDesk& desk, const Options& o) {
  const RemoteDesk::Questions asked = desk.questions(o.count);
  if (asked.questions.empty()) {
    std::printf("no face to ask about yet; one appears as soon as one is remembered\n");
    return;
  }
  write_questions(o.pictures, o.slot, asked);
  const std::vector<std::string> choices = choices_of(asked);
  for (std::size_t i = 0; i < choices.size(); ++i)
    std::printf("%2zu  %s\n", i + 1, choices[i].c_str());
  std::size_t taken = 0, shown = 0;
  for (const RemoteDesk::Question& one : asked.questions) {
    const std::string picture = (o.pictures / (std::to_string(one.id) + ".png")).string();
    std::printf("[%zu/%zu] %s, camera %s\n", ++shown, asked.questions.size(), picture.c_str(),
                one.camera.c_str());
    std::string answer;
    for (std::string typed; answer.empty();) {
      std::printf("a number or a name, empty to leave it, q to end: ");
      std::fflush(stdout);
      if (!std::getline(std::cin, typed) || typed == "q") return tell_taken(taken);
      if (trimmed(typed).empty()) break;
      answer = meant(trimmed(typed), choices);
      if (answer.empty())
        std::printf("\"%s\" is none of the %zu above\n", typed.c_str(), choices.size());
    }
    if (answer.empty()) continue;
    const std::string refusal = desk.answer(one.id, answer);
    if (refusal.empty())
      ++taken;
    else
      std::printf("%s\n", refusal.c_str());
  }
  tell_taken(taken);
}

struct Answer {
  std::uint64_t question = 0;
  std::string label, where;
};

/// The filled rows of a table that write_questions() made. Throws std::runtime_error with the line
/// of the first that is not for this slot and its model.
std::vector<Answer> read_answers(const fs::path& file, const std::string& slot,
                                 const RemoteDesk::Questions& asked) {
  CsvReader csv(file);
  const std::vector<std::string> header = csv.header();
  const std::vector<std::string> choices = choices_of(asked);
  std::vector<std::string> fields;
  /// Empty where there is no such column.
  const auto field = [&](const std::string& name) {
    for (std::size_t i = 0; i < header.size(); ++i)
      if (lower(header[i]) == name) return trimmed(fields[i]);
    return std::string();
  };
  for (const char* name : {"question", "label"}) {
    if (std::none_of(header.begin(), header.end(),
                     [&](const std::string& one) { return lower(one) == name; }))
      throw std::runtime_error(file.string() + ": expected the columns question and label, found " +
                               join(header));
  }
  std::vector<Answer> answers;
  while (csv.next(fields)) {
    const std::string label = field("label"), number = field("question");
    if (label.empty()) continue;
    const auto refuse = [&](const std::string& what) {
      throw std::runtime_error(csv.where() + what);
    };
    if (number.empty() || number.size() > 18 ||
        number.find_first_not_of("0123456789") != std::string::npos)
      refuse("\"" + number + "\" is no question's number");
    const std::string for_slot = field("slot"), for_model = field("model"),
                      camera = field("camera");
    if (!for_slot.empty() && for_slot != slot)
      refuse("the label is for slot " + for_slot + ", not for " + slot);
    if (!for_model.empty() && for_model != asked.model)
      refuse("the label is for model " + for_model + ", but the slot learns from " + asked.model);
    if (!camera.empty() &&
        std::find(asked.cameras.begin(), asked.cameras.end(), camera) == asked.cameras.end())
      refuse("the label is for camera " + camera + ", but slot " + slot + " has " +
             join(asked.cameras));
    const std::string choice = named(label, choices);
    if (choice.empty())
      refuse("\"" + label + "\" is no class of the slot's model; expected " + join(kOther) +
             " or one of " + join(asked.labels));
    answers.push_back({std::stoull(number), choice, csv.where()});
  }
  return answers;
}

/// Sends the rows of a table that somebody filled in. All of them are looked at before the first is
/// sent.
void send_answers(RemoteDesk& desk, const Options& o) {
  const std::vector<Answer> answers = read_answers(o.answers, o.slot, desk.questions(1));
  std::size_t taken = 0;
  for (const Answer& one : answers) {
    const std::string refusal = desk.answer(one.question, one.label);
    if (refusal.empty())
      ++taken;
    else
      std::fprintf(stderr, "fer: %s%s\n", one.where.c_str(), refusal.c_str());
  }
  std::printf("%s: %zu of %zu answers taken\n", o.answers.c_str(), taken, answers.size());
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
      ask_in_terminal(desk, *o);
    } else {
      send_answers(desk, *o);
    }
  });
}

}  // namespace fer
