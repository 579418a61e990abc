#include "config/element_settings.h"

#include <memory>
#include <optional>
#include <sstream>

#include "config/toml_table.h"
#include "gst-owned.h"

namespace fer {
namespace {

using Class = Owned<GObjectClass>;

/// Null where GStreamer does not know the element.
Class class_of(const char* factory) {
  GstElementFactory* found = gst_element_factory_find(factory);
  if (found == nullptr) return nullptr;
  // Loads the plugin.
  GstPluginFeature* loaded = gst_plugin_feature_load(GST_PLUGIN_FEATURE(found));
  gst_object_unref(found);
  if (loaded == nullptr) return nullptr;
  const GType type = gst_element_factory_get_element_type(GST_ELEMENT_FACTORY(loaded));
  gst_object_unref(loaded);
  return type == 0 ? nullptr : Class(static_cast<GObjectClass*>(g_type_class_ref(type)));
}

std::set<std::string> settable(GObjectClass* type, const std::set<std::string>& ours) {
  std::set<std::string> names;
  guint count = 0;
  GParamSpec** specs = g_object_class_list_properties(type, &count);
  for (guint i = 0; i < count; ++i) {
    const bool writable = (specs[i]->flags & G_PARAM_WRITABLE) != 0;
    const bool inherited = specs[i]->owner_type == GST_TYPE_OBJECT;
    if (writable && !inherited && !ours.contains(specs[i]->name)) names.insert(specs[i]->name);
  }
  g_free(specs);
  return names;
}

/// "one of a, b" or "a number from 0 to 1", as far as the property says.
std::string expectation(GParamSpec* spec) {
  std::ostringstream text;
  if (G_IS_PARAM_SPEC_ENUM(spec)) {
    const GEnumClass* values = G_PARAM_SPEC_ENUM(spec)->enum_class;
    text << "one of ";
    for (guint i = 0; i < values->n_values; ++i)
      text << (i == 0 ? "" : ", ") << values->values[i].value_nick;
  } else if (G_IS_PARAM_SPEC_UINT(spec)) {
    text << "an integer from " << G_PARAM_SPEC_UINT(spec)->minimum << " to "
         << G_PARAM_SPEC_UINT(spec)->maximum;
  } else if (G_IS_PARAM_SPEC_INT(spec)) {
    text << "an integer from " << G_PARAM_SPEC_INT(spec)->minimum << " to "
         << G_PARAM_SPEC_INT(spec)->maximum;
  } else if (G_IS_PARAM_SPEC_DOUBLE(spec)) {
    text << "a number from " << G_PARAM_SPEC_DOUBLE(spec)->minimum << " to "
         << G_PARAM_SPEC_DOUBLE(spec)->maximum;
  } else if (G_IS_PARAM_SPEC_BOOLEAN(spec)) {
    text << "true or false";
  } else {
    text << "a value of type " << g_type_name(spec->value_type);
  }
  return text.str();
}

/// Whether a value of this kind may become one of the property's type.
bool kinds_agree(const toml::node& value, GParamSpec* spec) {
  if (G_IS_PARAM_SPEC_BOOLEAN(spec)) return value.is_boolean();
  if (G_IS_PARAM_SPEC_DOUBLE(spec) || G_IS_PARAM_SPEC_FLOAT(spec)) return value.is_number();
  if (G_IS_PARAM_SPEC_STRING(spec)) return value.is_string();
  if (G_IS_PARAM_SPEC_ENUM(spec)) return value.is_string();
  return value.is_string() || value.is_integer();
}

std::optional<std::string> text_of(const toml::node& value) {
  if (const auto text = value.value_exact<std::string>()) return text;
  if (const auto flag = value.value_exact<bool>()) return *flag ? "true" : "false";
  if (const auto whole = value.value_exact<std::int64_t>()) return std::to_string(*whole);
  if (const auto number = value.value_exact<double>()) {
    gchar buffer[G_ASCII_DTOSTR_BUF_SIZE];
    return std::string(g_ascii_dtostr(buffer, sizeof buffer, *number));
  }
  return std::nullopt;
}

/// False where the text is no value of the property, or lies beyond its range.
bool convert(GParamSpec* spec, const std::string& text, GValue* value) {
  g_value_init(value, spec->value_type);
  if (spec->value_type == G_TYPE_STRING) {
    g_value_set_string(value, text.c_str());
    return true;
  }
  if (!gst_value_deserialize(value, text.c_str())) return false;
  return g_param_value_validate(spec, value) == FALSE;  // True says that it was changed to fit.
}

}  // namespace

std::string why_not(const char* factory, const std::string& property, const std::string& value) {
  const Class type = class_of(factory);
  if (!type) return "GStreamer does not find the element " + std::string(factory);
  GParamSpec* spec = g_object_class_find_property(type.get(), property.c_str());
  if (spec == nullptr) {
    return std::string(factory) + " has no property " + property +
           suggestion(property, settable(type.get(), {}));
  }
  GValue converted = G_VALUE_INIT;
  const bool fits = convert(spec, value, &converted);
  g_value_unset(&converted);
  return fits ? "" : "\"" + value + "\": expected " + expectation(spec);
}

ElementSettings read_settings(const toml::table& table, const char* factory,
                              const std::string& name, const std::set<std::string>& ours,
                              std::vector<Problem>& problems) {
  ElementSettings settings;
  const Class type = class_of(factory);
  const auto problem = [&](const toml::key& key, const std::string& text) {
    problems.push_back(
        {key.source().begin.line, name + ": " + std::string(key.str()) + ": " + text});
  };
  for (const auto& [key, node] : table) {
    const std::string property(key.str());
    if (!type) {
      problem(key, "GStreamer does not find the element " + std::string(factory) +
                       "; fer doctor says why");
      continue;
    }
    if (ours.contains(property)) {
      problem(key, "fer run sets this property of " + std::string(factory) + " itself");
      continue;
    }
    GParamSpec* spec = g_object_class_find_property(type.get(), property.c_str());
    const std::set<std::string> names = settable(type.get(), ours);
    if (spec == nullptr || !names.contains(property)) {
      problem(key, std::string(factory) + " has no such property" + suggestion(property, names));
      continue;
    }
    const std::optional<std::string> text = text_of(node);
    if (!text || !kinds_agree(node, spec)) {
      problem(key, "expected " + expectation(spec) + ", found " + kind_of(node));
      continue;
    }
    GValue value = G_VALUE_INIT;
    if (convert(spec, *text, &value)) {
      settings.push_back({property, *text});
    } else {
      problem(key, *text + ": expected " + expectation(spec));
    }
    g_value_unset(&value);
  }
  return settings;
}

void apply(const ElementSettings& settings, GstElement* element) {
  for (const ElementSetting& setting : settings) {
    GParamSpec* spec =
        g_object_class_find_property(G_OBJECT_GET_CLASS(element), setting.property.c_str());
    if (spec == nullptr) continue;  // It was there when the file was read.
    GValue value = G_VALUE_INIT;
    if (convert(spec, setting.value, &value))
      g_object_set_property(G_OBJECT(element), setting.property.c_str(), &value);
    g_value_unset(&value);
  }
}

}  // namespace fer
