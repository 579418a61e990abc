// An element's statistics as a table over the struct that counts them. One row gives the field of
// the property `stats`, the metric for Prometheus, and the words that explain both.
#pragma once

#include <gst/gst.h>

#include <cctype>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "element-util.h"
#include "metrics.h"

namespace fer {

/// What a statistic is called. The strings live as long as the process.
struct StatName {
  const char* field;    ///< Of the structure; null: the statistic is a metric only.
  const char* metric;   ///< Prometheus' name; null: the statistic is a field only.
  const char* meaning;  ///< The metric's help, in the blurb and in docs/metrics.md: a noun phrase.
  MetricLabels labels;  ///< Of the metric.
};

/// Sets a field of a structure: numbers, bool, text, arrays of them, and counts by name, which
/// become a structure of their own.
void set_field(GstStructure* structure, const char* field, bool value);
void set_field(GstStructure* structure, const char* field, int value);
void set_field(GstStructure* structure, const char* field, std::uint64_t value);
void set_field(GstStructure* structure, const char* field, double value);
void set_field(GstStructure* structure, const char* field, const std::string& value);
void set_field(GstStructure* structure, const char* field, const std::vector<int>& values);
void set_field(GstStructure* structure, const char* field,
               const std::vector<std::uint64_t>& values);
void set_field(GstStructure* structure, const char* field, const std::vector<double>& values);
void set_field(GstStructure* structure, const char* field, const std::vector<std::string>& values);
void set_field(GstStructure* structure, const char* field,
               const std::map<std::string, std::uint64_t>& counts);

/// Fill it in class_init, with `&Stats::member` or a function object that takes Stats by const
/// reference. Rows keep their order in structure, blurb and metrics.
template <typename Stats>
class StatsTable {
 public:
  /// `structure` names the structure behind the property `stats`.
  explicit StatsTable(std::string structure) : structure_name_(std::move(structure)) {}

  /// A number that only grows until the element starts anew.
  template <typename Member>
  void counter(Member member, StatName name) {
    add(Metric::Kind::kCounter, member, std::move(name));
  }

  /// A number, or a switch, as it is now.
  template <typename Member>
  void gauge(Member member, StatName name) {
    add(Metric::Kind::kGauge, member, std::move(name));
  }

  /// A number that is not always there: without it the metric has no sample. The field is.
  template <typename Known, typename Member>
  void gauge_where(Known known, Member member, const StatName& name) {
    append(name, field_of(member, name.field),
           [known, member, name](const Stats& stats, Metrics& out) {
             out.announce(Metric::Kind::kGauge, name.metric, name.meaning);
             if (!std::invoke(known, stats)) return;
             tell(out, Metric::Kind::kGauge, name, std::invoke(member, stats), name.labels);
           });
  }

  /// A text; a field only. info() makes a metric of texts.
  template <typename Member>
  void text(Member member, const char* field, const char* meaning) {
    append({field, nullptr, meaning, {}}, field_of(member, field), nullptr);
  }

  /// How long something took last: nanoseconds in the field, seconds in the metric.
  template <typename Member>
  void last_time(Member member, const StatName& name) {
    append(name, field_of(member, name.field), [member, name](const Stats& stats, Metrics& out) {
      out.gauge(name.metric, name.meaning, seconds(std::invoke(member, stats)), name.labels);
    });
    rows_.back().unit = "nanoseconds";
  }

  /// How long something took: the mean in nanoseconds in the field, a summary of seconds in the
  /// metric.
  template <typename Sum, typename Count>
  void mean_time(Sum sum, Count count, const StatName& name) {
    append(
        name,
        [sum, count, name](const Stats& stats, GstStructure* out) {
          const guint64 times = std::invoke(count, stats);
          set_field(out, name.field, times == 0 ? times : std::invoke(sum, stats) / times);
        },
        [sum, count, name](const Stats& stats, Metrics& out) {
          out.summary(name.metric, name.meaning, seconds(std::invoke(sum, stats)),
                      std::invoke(count, stats), name.labels);
        });
    rows_.back().unit = "mean, nanoseconds";
  }

  /// The mean of a quantity in the field, a summary of it in the metric.
  template <typename Sum, typename Count>
  void mean(Sum sum, Count count, const StatName& name) {
    append(
        name,
        [sum, count, name](const Stats& stats, GstStructure* out) {
          const auto times = static_cast<double>(std::invoke(count, stats));
          set_field(out, name.field,
                    times > 0 ? static_cast<double>(std::invoke(sum, stats)) / times : 0.);
        },
        [sum, count, name](const Stats& stats, Metrics& out) {
          out.summary(name.metric, name.meaning, static_cast<double>(std::invoke(sum, stats)),
                      std::invoke(count, stats), name.labels);
        });
    rows_.back().unit = "mean";
  }

  /// Counts by name, a map: the metric has one sample an entry, labelled with the entry's name.
  template <typename Member>
  void counts_by_name(Member member, const char* label, const StatName& name) {
    append(name, field_of(member, name.field),
           [member, label, name](const Stats& stats, Metrics& out) {
             out.announce(Metric::Kind::kCounter, name.metric, name.meaning);
             for (const auto& [key, count] : std::invoke(member, stats)) {
               out.counter(name.metric, name.meaning, static_cast<double>(count), {{label, key}});
             }
           });
  }

  /// A number an item of a list: an array in the field; the metric has one sample an item, labelled
  /// with what `key` gives of it. Texts are a field only.
  template <typename Items, typename Key, typename Value>
  void per_item(Metric::Kind kind, Items items, const char* label, Key key, Value value,
                const StatName& name) {
    using Item =
        typename std::remove_cvref_t<std::invoke_result_t<Items, const Stats&>>::value_type;
    using Number = std::remove_cvref_t<std::invoke_result_t<Value, const Item&>>;
    Tell tell_items;
    if constexpr (std::is_arithmetic_v<Number>) {
      tell_items = [kind, items, label, key, value, name](const Stats& stats, Metrics& out) {
        out.announce(kind, name.metric, name.meaning);
        for (const Item& item : std::invoke(items, stats)) {
          tell(out, kind, name, std::invoke(value, item), {{label, std::invoke(key, item)}});
        }
      };
    }
    append(
        name,
        [items, value, name](const Stats& stats, GstStructure* out) {
          std::vector<Number> values;
          for (const Item& item : std::invoke(items, stats)) {
            values.push_back(std::invoke(value, item));
          }
          set_field(out, name.field, values);
        },
        std::move(tell_items));
  }

  /// A metric that is always 1; its labels are texts that change. No field.
  void info(const char* metric, const char* meaning,
            std::function<MetricLabels(const Stats&)> labels) {
    append({nullptr, metric, meaning, {}}, nullptr,
           [metric, meaning, labels](const Stats& stats, Metrics& out) {
             out.gauge(metric, meaning, 1, labels(stats));
           });
  }

  /// The value of the property `stats`, or of a message of that name; the caller's.
  GstStructure* structure(const Stats& stats, const char* name = nullptr) const {
    GstStructure* out = gst_structure_new_empty(name != nullptr ? name : structure_name_.c_str());
    for (const Row& row : rows_) {
      if (row.set) row.set(stats, out);
    }
    return out;
  }

  Metrics metrics(const Stats& stats) const {
    Metrics out;
    for (const Row& row : rows_) {
      if (row.tell) row.tell(stats, out);
    }
    return out;
  }

  /// What the property `stats` says of itself: each field with its meaning.
  std::string blurb() const {
    std::string text = "Since the start: ";
    const char* separator = "";
    for (const Row& row : rows_) {
      if (row.name.field == nullptr) continue;
      std::string meaning = row.name.meaning;
      meaning[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(meaning[0])));
      text += std::exchange(separator, ", ") + std::string(row.name.field) + " (" + meaning;
      if (!row.unit.empty()) text += "; " + row.unit;
      text += ")";
    }
    return text;
  }

 private:
  using Set = std::function<void(const Stats&, GstStructure*)>;
  using Tell = std::function<void(const Stats&, Metrics&)>;
  struct Row {
    StatName name;
    Set set;    ///< Null: no field.
    Tell tell;  ///< Null: no metric.
    std::string unit;
  };

  template <typename Value>
  static void tell(Metrics& out, Metric::Kind kind, const StatName& name, Value value,
                   const MetricLabels& labels) {
    if (kind == Metric::Kind::kCounter) {
      out.counter(name.metric, name.meaning, static_cast<double>(value), labels);
    } else {
      out.gauge(name.metric, name.meaning, static_cast<double>(value), labels);
    }
  }

  template <typename Member>
  static Set field_of(Member member, const char* field) {
    return [member, field](const Stats& stats, GstStructure* out) {
      set_field(out, field, std::invoke(member, stats));
    };
  }

  template <typename Member>
  void add(Metric::Kind kind, Member member, StatName name) {
    append(name, field_of(member, name.field),
           [kind, member, name](const Stats& stats, Metrics& out) {
             tell(out, kind, name, std::invoke(member, stats), name.labels);
           });
  }

  void append(const StatName& name, Set set, Tell tell) {
    rows_.push_back({name, name.field == nullptr ? nullptr : std::move(set),
                     name.metric == nullptr ? nullptr : std::move(tell), ""});
  }

  std::string structure_name_;
  std::vector<Row> rows_;
};

}  // namespace fer
