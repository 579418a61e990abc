#include "watch/watch_page.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>

#include "report/page/page.h"

namespace fer {
namespace {

using nlohmann::json;

/// Pieces of time of a video, at most: more than a screen has pixels.
constexpr double kPieces = 1500;
/// Shorter ones would be less than a frame.
constexpr double kShortestPiece = 1.0 / 30;
/// People that have a row of their own, those who are seen longest; the page says how many others
/// there are.
constexpr std::size_t kPeople = 40;
/// Photos in the table.
constexpr std::size_t kPhotos = 1000;
constexpr std::size_t kConfidenceBins = 10;

std::string format(const char* pattern, double value) {
  char text[64];
  std::snprintf(text, sizeof text, pattern, value);
  return text;
}

std::string percent_of(double part, double whole) {
  return whole > 0 ? format("%.1f %%", 100 * part / whole) : "–";
}

std::string clock_text(double seconds) {
  char text[32];
  const long whole = std::lround(std::floor(seconds));
  std::snprintf(text, sizeof text, "%ld:%02ld", whole / 60, whole % 60);
  return text;
}

/// The faces of one piece of time.
struct Piece {
  std::size_t faces = 0, unsure = 0;
  std::vector<double> shares;  ///< Sums, one a class.
};

struct Person {
  std::map<long, Piece> pieces;  ///< By number.
  double first = 0, last = 0, confidence = 0;
  std::size_t faces = 0, unsure = 0, inferred = 0;
  std::map<std::string, std::size_t> labels;
};

/// Everything of one input.
struct Watched {
  WatchResult result;
  std::vector<std::string> classes;
  double step = kShortestPiece;
  std::map<std::uint64_t, Person> people;
  std::vector<Thumbnail> thumbnails;
};

/// Adds a row to the person whose face it is.
void add_row(Watched& watched, const nlohmann::ordered_json& row) {
  Person& person = watched.people[row.at("face_id").get<std::uint64_t>()];
  const double time = row.at("timestamp").get<double>();
  if (person.faces++ == 0) person.first = time;
  person.last = time;
  const auto label = row.find("label");
  if (label == row.end()) return;
  Piece& piece = person.pieces[std::lround(std::floor(time / watched.step))];
  piece.shares.resize(watched.classes.size());
  ++piece.faces;
  for (std::size_t k = 0; k < watched.classes.size(); ++k)
    piece.shares[k] += row.value(watched.classes[k], 0.0);
  const bool unsure = row.value("unsure", false);
  ++person.inferred;
  person.unsure += unsure;
  piece.unsure += unsure;
  person.confidence += row.value("confidence", 0.0);
  if (!unsure) ++person.labels[label->get<std::string>()];
}

std::string most_frequent(const std::map<std::string, std::size_t>& labels) {
  const auto most =
      std::max_element(labels.begin(), labels.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == labels.end() ? "–" : most->first;
}

json person_json(const Watched& watched, std::uint64_t id, const Person& person) {
  json times = json::array(), shares = json::array(), top = json::array();
  for (const auto& [number, piece] : person.pieces) {
    times.push_back(std::round(1000 * static_cast<double>(number) * watched.step) / 1000);
    json means = json::array();
    for (const double sum : piece.shares)
      means.push_back(std::round(1000 * sum / static_cast<double>(piece.faces)) / 1000);
    shares.push_back(std::move(means));
    const auto most = std::max_element(piece.shares.begin(), piece.shares.end());
    top.push_back(2 * piece.unsure > piece.faces ? -1 : most - piece.shares.begin());
  }
  return {{"name", "person " + std::to_string(id)},
          {"about", clock_text(person.first) + " to " + clock_text(person.last) + ", mostly " +
                        most_frequent(person.labels)},
          {"times", std::move(times)},
          {"shares", std::move(shares)},
          {"top", std::move(top)}};
}

using People = std::vector<std::pair<std::uint64_t, const Person*>>;

/// Those who are seen longest, in the order of their numbers.
People shown_people(const Watched& watched) {
  People people;
  for (const auto& [id, person] : watched.people) people.emplace_back(id, &person);
  const auto longest = [](const auto& a, const auto& b) {
    return a.second->faces > b.second->faces;
  };
  std::stable_sort(people.begin(), people.end(), longest);
  people.resize(std::min(people.size(), kPeople));
  std::sort(people.begin(), people.end());
  return people;
}

void add_people_table(Page& page, const People& people) {
  std::vector<std::vector<TableCell>> rows;
  for (const auto& [id, person] : people) {
    const auto faces = static_cast<double>(person->inferred);
    rows.push_back({{std::to_string(id)},
                    {clock_text(person->first) + " to " + clock_text(person->last)},
                    {std::to_string(person->faces)},
                    {most_frequent(person->labels)},
                    {percent_of(person->confidence, faces)},
                    {percent_of(static_cast<double>(person->unsure), faces)}});
  }
  page.table({{"person"}, {"seen"}, {"frames"}, {"mostly", true}, {"mean confidence"}, {"unsure"}},
             rows);
}

json pictures_json(const std::vector<Thumbnail>& thumbnails, const std::string& name) {
  json all = json::array();
  for (const Thumbnail& one : thumbnails) {
    all.push_back({{"time", one.time},
                   {"caption", name.empty() ? clock_text(one.time) : name},
                   {"jpeg", one.jpeg_base64}});
  }
  return all;
}

std::string file_name(const std::string& name) {
  const std::size_t slash = name.find_last_of('/');
  return one_line(slash == std::string::npos || slash + 1 == name.size() ? name
                                                                         : name.substr(slash + 1));
}

void add_video(Page& page, const Watched& watched) {
  const WatchResult& r = watched.result;
  page.heading(file_name(r.name));
  if (!r.error.empty()) page.warning(r.error);
  if (r.stopped) page.warning("It was stopped before its end.");
  page.block({{"type", "facts"},
              {"facts", json::array({{"length", format("%.1f s", r.seconds)},
                                     {"frames", std::to_string(r.frames)},
                                     {"people", std::to_string(r.people)},
                                     {"nobody seen", percent_of(static_cast<double>(r.empty_frames),
                                                                static_cast<double>(r.frames))},
                                     {"unsure", percent_of(static_cast<double>(r.unsure),
                                                           static_cast<double>(r.faces))}})}});
  const People people = shown_people(watched);
  if (people.empty()) {
    page.text("Nobody was seen.");
    return;
  }
  json rows = json::array();
  for (const auto& [id, person] : people) rows.push_back(person_json(watched, id, *person));
  page.block({{"type", "watched"},
              {"seconds", r.seconds},
              {"step", watched.step},
              {"classes", watched.classes},
              {"people", std::move(rows)},
              {"thumbnails", pictures_json(watched.thumbnails, "")}});
  add_people_table(page, people);
  if (watched.people.size() > people.size()) {
    page.text(std::to_string(watched.people.size() - people.size()) +
              " others were seen for a shorter time; the table of rows has them all.");
  }
}

/// The table of the photos, and their thumbnails.
struct Photos {
  std::vector<std::vector<TableCell>> rows;
  json pictures = json::array();
  std::size_t count = 0;

  void add(const Watched& watched) {
    ++count;
    const WatchResult& r = watched.result;
    if (rows.size() < kPhotos) {
      std::string labels;
      for (const auto& [label, faces] : r.labels)
        labels += (labels.empty() ? "" : ", ") + std::to_string(faces) + " " + label;
      rows.push_back({{one_line(r.name)},
                      {std::to_string(r.faces)},
                      {r.error.empty() ? labels : "could not be read"},
                      {std::to_string(r.unsure)}});
    }
    if (pictures.size() < kPhotos)
      for (json& one : pictures_json(watched.thumbnails, file_name(r.name)))
        pictures.push_back(std::move(one));
  }

  void show(Page& page) const {
    if (count == 0) return;
    page.heading("Photos");
    if (!pictures.empty()) page.block({{"type", "pictures"}, {"pictures", pictures}});
    page.table({{"photo", true}, {"faces"}, {"labels", true}, {"unsure"}}, rows);
    if (count > rows.size())
      page.text(std::to_string(count - rows.size()) + " more photos are in the table of rows.");
  }
};

class PageWriter {
 public:
  explicit PageWriter(const WatchRun& run) : run_(run) {
    for (const WatchResult& result : run.results) add_counts(sum_, result);
    sum_.inputs -= 1;  // What it began with.
    for (const auto& part : run.parts) read_classes(part);
  }

  std::string html() {
    Page page("What was watched");
    add_head(page);
    for (const auto& part : run_.parts) read_part(part);
    add_totals(page);
    for (const Watched& video : videos_) add_video(page, video);
    photos_.show(page);
    return page.html();
  }

 private:
  /// Ends stand behind rows, which need what they say.
  void read_classes(const std::filesystem::path& part) {
    PartReader reader;
    reader.on_end = [&](WatchResult result, std::vector<std::string> classes) {
      if (classes_.empty()) classes_ = classes;
      Watched watched;
      watched.classes = std::move(classes);
      watched.step = std::max(kShortestPiece, result.seconds / kPieces);
      watched.result = std::move(result);
      ahead_[part].push_back(std::move(watched));
    };
    reader.read(part);
  }

  void read_part(const std::filesystem::path& part) {
    std::vector<Watched>& inputs = ahead_[part];
    std::size_t at = 0;
    PartReader reader;
    reader.on_row = [&](const nlohmann::ordered_json& row) {
      add_row(inputs.at(at), row);
      if (const auto known = row.find("confidence"); known != row.end()) {
        const double confidence = std::clamp(known->get<double>(), 0.0, 1.0);
        const auto bin = static_cast<std::size_t>(confidence * kConfidenceBins);
        ++confidences_[std::min(bin, kConfidenceBins - 1)];
      }
    };
    reader.on_thumbnail = [&](const std::string&, Thumbnail thumbnail) {
      inputs.at(at).thumbnails.push_back(std::move(thumbnail));
    };
    reader.on_end = [&](const WatchResult& result, const auto&) {
      Watched& watched = inputs.at(at++);
      if (result.kind == WatchKind::kPhoto) {
        photos_.add(watched);
      } else {
        videos_.push_back(std::move(watched));
      }
    };
    reader.read(part);
  }

  void add_head(Page& page) const {
    page.heading("What was watched", 1);
    json facts = json::array({{"files", std::to_string(sum_.inputs)},
                              {"frames", std::to_string(sum_.frames)},
                              {"faces, over all frames", std::to_string(sum_.faces)}});
    if (sum_.seconds > 0) {
      facts.push_back({"length", format("%.1f s", sum_.seconds)});
      facts.push_back({"nobody seen", percent_of(static_cast<double>(sum_.empty_frames),
                                                 static_cast<double>(sum_.frames))});
    }
    facts.push_back(
        {"unsure", percent_of(static_cast<double>(sum_.unsure), static_cast<double>(sum_.faces))});
    page.block({{"type", "facts"}, {"facts", std::move(facts)}});
    page.text(
        "An expression is what a face shows, not what a person feels. Unsure: the probability lies "
        "below the model's operating point, or the face is not clear.");
    for (const std::string& error : run_.unreadable) page.warning(error);
  }

  void add_totals(Page& page) const {
    if (sum_.faces == 0) return;
    Bars labels{"share of the faces", {}};
    std::vector<std::string> categories = classes_;
    categories.push_back("unsure");
    for (const std::string& label : classes_) {
      const auto found = sum_.labels.find(label);
      labels.values.push_back(found == sum_.labels.end() ? 0 : static_cast<double>(found->second));
    }
    labels.values.push_back(static_cast<double>(sum_.unsure));
    for (double& value : labels.values) value /= static_cast<double>(sum_.faces);
    page.bars({"What the faces showed, over all frames", categories, /*shares=*/true}, {labels});

    Bars sure{"share of the faces", {}};
    std::vector<std::string> bins;
    const double all = std::accumulate(confidences_.begin(), confidences_.end(), 0.0);
    for (std::size_t i = 0; i < kConfidenceBins; ++i) {
      bins.push_back(std::to_string(10 * i) + " to " + std::to_string(10 * i + 10) + " %");
      sure.values.push_back(all > 0 ? confidences_[i] / all : 0);
    }
    page.bars({"How sure the model was: confidence", bins, /*shares=*/true}, {sure});
  }

  const WatchRun& run_;
  WatchResult sum_;
  std::vector<std::string> classes_;
  std::map<std::filesystem::path, std::vector<Watched>> ahead_;
  std::vector<Watched> videos_;
  Photos photos_;
  std::array<double, kConfidenceBins> confidences_{};
};

}  // namespace

std::string watch_page(const WatchRun& run) {
  return PageWriter(run).html();
}

}  // namespace fer
