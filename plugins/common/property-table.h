// An element's properties as a table over its settings: one row a property, which names the member
// that holds it, what people read of it, and its range. The default is the member's own.
#pragma once

#include <glib-object.h>
#include <gst/gst.h>

#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace fer {

// When a property may be set.
inline constexpr auto kReadOnly =
    static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
inline constexpr auto kMutableReady =
    static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
inline constexpr auto kMutablePlaying = static_cast<GParamFlags>(
    G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING);
inline constexpr auto kControllable =
    static_cast<GParamFlags>(kMutablePlaying | GST_PARAM_CONTROLLABLE);

/// What GObject calls a property. The strings live as long as the process.
struct PropertyName {
  const char* name;
  const char* nick;
  const char* blurb;
};

/// Fill it in class_init, with `&Settings::member` or a function object that takes Settings by
/// const reference or by reference and gives a reference to what it holds. Ids count from 1 in the
/// order of the rows.
template <typename Settings>
class PropertyTable {
  template <typename Member>
  using Held = std::remove_cvref_t<std::invoke_result_t<Member, const Settings&>>;

 public:
  /// A switch, or a text: an empty one is NULL to GObject.
  template <typename Member>
  void add(Member member, const PropertyName& name, GParamFlags flags) {
    using Value = Held<Member>;
    if constexpr (std::is_same_v<Value, bool>) {
      append(
          g_param_spec_boolean(name.name, name.nick, name.blurb, initial(member), flags),
          [member](Settings& settings, const GValue* value) {
            std::invoke(member, settings) = g_value_get_boolean(value) == TRUE;
          },
          [member](const Settings& settings, GValue* value) {
            g_value_set_boolean(value, std::invoke(member, settings));
          });
    } else {
      static_assert(std::is_same_v<Value, std::string>, "numbers have a range, enums a type");
      append(
          g_param_spec_string(name.name, name.nick, name.blurb, or_null(initial(member)), flags),
          [member](Settings& settings, const GValue* value) {
            const char* text = g_value_get_string(value);
            std::invoke(member, settings) = text == nullptr ? "" : text;
          },
          [member](const Settings& settings, GValue* value) {
            g_value_set_string(value, or_null(std::invoke(member, settings)));
          });
    }
  }

  /// A text that may hold a password. Whoever reads the property (a picture of the pipeline,
  /// gst-launch-1.0 -v) gets what `shown` makes of it.
  template <typename Member>
  void add_secret(Member member, const PropertyName& name, GParamFlags flags,
                  std::string (*shown)(const std::string&)) {
    append(
        g_param_spec_string(name.name, name.nick, name.blurb, or_null(initial(member)), flags),
        [member](Settings& settings, const GValue* value) {
          const char* text = g_value_get_string(value);
          std::invoke(member, settings) = text == nullptr ? "" : text;
        },
        [member, shown](const Settings& settings, GValue* value) {
          g_value_set_string(value, or_null(shown(std::invoke(member, settings))));
        });
  }

  /// A number (guint or double) from `least` to `most`.
  template <typename Member>
  void add(Member member, const PropertyName& name, std::type_identity_t<Held<Member>> least,
           std::type_identity_t<Held<Member>> most, GParamFlags flags) {
    using Value = Held<Member>;
    if constexpr (std::is_same_v<Value, double>) {
      append(
          g_param_spec_double(name.name, name.nick, name.blurb, least, most, initial(member),
                              flags),
          [member](Settings& settings, const GValue* value) {
            std::invoke(member, settings) = g_value_get_double(value);
          },
          [member](const Settings& settings, GValue* value) {
            g_value_set_double(value, std::invoke(member, settings));
          });
    } else {
      static_assert(std::is_same_v<Value, guint>);
      append(
          g_param_spec_uint(name.name, name.nick, name.blurb, least, most, initial(member), flags),
          [member](Settings& settings, const GValue* value) {
            std::invoke(member, settings) = g_value_get_uint(value);
          },
          [member](const Settings& settings, GValue* value) {
            g_value_set_uint(value, std::invoke(member, settings));
          });
    }
  }

  /// One of the values of an enum type (see enum_type()), which gst-inspect-1.0 then lists.
  template <typename Member>
  void add(Member member, GType type, const PropertyName& name, GParamFlags flags) {
    using Value = Held<Member>;
    gst_type_mark_as_plugin_api(type, static_cast<GstPluginAPIFlags>(0));
    append(
        g_param_spec_enum(name.name, name.nick, name.blurb, type,
                          static_cast<gint>(initial(member)), flags),
        [member](Settings& settings, const GValue* value) {
          std::invoke(member, settings) = static_cast<Value>(g_value_get_enum(value));
        },
        [member](const Settings& settings, GValue* value) {
          g_value_set_enum(value, static_cast<gint>(std::invoke(member, settings)));
        });
  }

  /// Gives the class the rows.
  void install(GObjectClass* klass) const {
    guint id = 0;
    for (const Row& row : rows_) g_object_class_install_property(klass, ++id, row.spec);
  }

  guint size() const { return static_cast<guint>(rows_.size()); }

  /// For GObjectClass::set_property.
  void set(Settings& settings, GObject* object, guint id, const GValue* value,
           GParamSpec* spec) const {
    if (id == 0 || id > rows_.size()) {
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    } else {
      rows_[id - 1].set(settings, value);
    }
  }

  /// For GObjectClass::get_property.
  void get(const Settings& settings, GObject* object, guint id, GValue* value,
           GParamSpec* spec) const {
    if (id == 0 || id > rows_.size()) {
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    } else {
      rows_[id - 1].get(settings, value);
    }
  }

 private:
  using Set = std::function<void(Settings&, const GValue*)>;
  using Get = std::function<void(const Settings&, GValue*)>;
  struct Row {
    GParamSpec* spec;
    Set set;
    Get get;
  };

  template <typename Member>
  static Held<Member> initial(Member member) {
    const Settings defaults{};
    return std::invoke(member, defaults);
  }
  static const char* or_null(const std::string& text) {
    return text.empty() ? nullptr : text.c_str();
  }
  void append(GParamSpec* spec, Set set, Get get) {
    rows_.push_back({spec, std::move(set), std::move(get)});
  }

  std::vector<Row> rows_;
};

}  // namespace fer
