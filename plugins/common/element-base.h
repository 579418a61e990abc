// What every element has and does alike: settings behind properties, statistics behind `stats` and
// metrics, an implementation that lives as long as the element.
//
//   struct Impl : fer::ElementImpl<Settings, Stats> { … };   // in an unnamed namespace
//   struct _FerThing { GstBaseTransform parent; Impl* impl; };
//   G_DEFINE_FINAL_TYPE(FerThing, fer_thing, GST_TYPE_BASE_TRANSFORM)
//   using Base = fer::ElementBase<FerThing>;
//   class_init: Base::install(klass, properties, stats);      init: Base::init(self);
//
// It is a template, not a GObject class: elements derive from several classes of GStreamer's, and
// two plugins cannot both register a type of one name.
#pragma once

#include <gst/gst.h>

#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "element-metrics.h"
#include "element-util.h"
#include "locked.h"
#include "property-table.h"
#include "stats-table.h"

namespace fer {

/// Base of an element's Impl. A derived struct declares a function of the same name to replace one
/// of those below.
template <typename SettingsType, typename StatsType>
struct ElementImpl {
  using Settings = SettingsType;
  using Stats = StatsType;

  Locked<Settings> settings;
  Locked<Stats> stats;
  ElementMetrics metrics;
  WarningLimiter fault;  ///< For faults that any frame may have.

  /// A property was set, on any thread. Called with the settings locked: may correct them, and must
  /// not ask for them again.
  void adjust(Settings&) {}
  /// The same, once they are unlocked: hands on what takes effect at once.
  void apply(const Settings&, const char* /*property*/) {}
  /// What `stats` and the metrics tell now.
  Stats current_stats() { return stats.copy(); }
};

/// GObject's functions for an element whose instance struct is `Element`, with a member
/// `Impl* impl`. Settings with a std::string `metrics_address` have the properties
/// `metrics-address` and `metrics-url`.
template <typename Element>
class ElementBase {
 public:
  using Impl = std::remove_pointer_t<decltype(Element::impl)>;
  using Settings = typename Impl::Settings;
  using Stats = typename Impl::Stats;

  /// For class_init: gives the class its properties, behind them `stats`.
  static void install(gpointer klass, PropertyTable<Settings> properties, StatsTable<Stats> stats) {
    if constexpr (kHasMetrics) add_metrics_address(properties, &Settings::metrics_address);
    auto* object_class = static_cast<GObjectClass*>(klass);
    object_class->set_property = set_property;
    object_class->get_property = get_property;
    object_class->finalize = finalize;
    // GObject copies none of the strings, which live with the table.
    tables_.emplace(std::move(properties), std::move(stats));
    tables_->blurb = tables_->stats.blurb();
    tables_->properties.install(object_class);
    g_object_class_install_property(
        object_class, stats_id(),
        g_param_spec_boxed("stats", "Statistics", tables_->blurb.c_str(), GST_TYPE_STRUCTURE,
                           kReadOnly));
    if constexpr (kHasMetrics) install_metrics_url(object_class, metrics_url_id());
  }

  /// For the instance's init.
  static void init(Element* self) { self->impl = new Impl; }

  /// For start(): statistics begin anew, and metrics are served where the settings say so, with
  /// those labels that are not empty.
  static void start(Element* self, const MetricLabels& labels = {}) {
    Impl& impl = *self->impl;
    impl.stats.with([](Stats& stats) { stats = {}; });
    impl.fault.reset();
    if constexpr (kHasMetrics) {
      impl.metrics.start(GST_ELEMENT(self), impl.settings.copy().metrics_address, labels,
                         [&impl] { return tables_->stats.metrics(impl.current_stats()); });
    }
  }

  /// For stop(), first of all: waits for a scrape under way.
  static void stop(Element* self) { self->impl->metrics.stop(GST_ELEMENT(self)); }

  static const StatsTable<Stats>& stats_table() { return tables_->stats; }

 private:
  static constexpr bool kHasMetrics = requires(Settings settings) { settings.metrics_address; };

  struct Tables {
    Tables(PropertyTable<Settings> all_properties, StatsTable<Stats> all_stats)
        : properties(std::move(all_properties)), stats(std::move(all_stats)) {}
    PropertyTable<Settings> properties;
    StatsTable<Stats> stats;
    std::string blurb;  ///< Of the property `stats`.
  };

  static guint stats_id() { return tables_->properties.size() + 1; }
  static guint metrics_url_id() { return stats_id() + 1; }
  static Impl& impl_of(GObject* object) { return *reinterpret_cast<Element*>(object)->impl; }

  static void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
    Impl& impl = impl_of(object);
    const Settings settings = impl.settings.with([&](Settings& held) {
      tables_->properties.set(held, object, id, value, spec);
      impl.adjust(held);
      return held;
    });
    impl.apply(settings, spec->name);
  }

  static void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
    Impl& impl = impl_of(object);
    if (id == stats_id()) {
      g_value_take_boxed(value, tables_->stats.structure(impl.current_stats()));
    } else if (kHasMetrics && id == metrics_url_id()) {
      get_metrics_url(impl.metrics, value);
    } else {
      tables_->properties.get(impl.settings.copy(), object, id, value, spec);
    }
  }

  static void finalize(GObject* object) {
    delete reinterpret_cast<Element*>(object)->impl;
    // The types are final, so that the object's class is the element's.
    G_OBJECT_CLASS(g_type_class_peek_parent(G_OBJECT_GET_CLASS(object)))->finalize(object);
  }

  static inline std::optional<Tables> tables_;  ///< Filled by class_init, read from then on.
};

}  // namespace fer
