#include "stats-table.h"

namespace fer {
namespace {

/// Sets a field to an array of what `set` writes into a value of `type`.
template <typename Value, typename SetValue>
void set_array(GstStructure* structure, const char* field, GType type,
               const std::vector<Value>& values, SetValue set) {
  GValue array = G_VALUE_INIT;
  gst_value_array_init(&array, static_cast<guint>(values.size()));
  for (const Value& value : values) {
    GValue entry = G_VALUE_INIT;
    g_value_init(&entry, type);
    set(&entry, value);
    gst_value_array_append_and_take_value(&array, &entry);
  }
  gst_structure_take_value(structure, field, &array);
}

}  // namespace

void set_field(GstStructure* structure, const char* field, bool value) {
  gst_structure_set(structure, field, G_TYPE_BOOLEAN, static_cast<gboolean>(value), nullptr);
}

void set_field(GstStructure* structure, const char* field, int value) {
  gst_structure_set(structure, field, G_TYPE_INT, value, nullptr);
}

void set_field(GstStructure* structure, const char* field, std::uint64_t value) {
  gst_structure_set(structure, field, G_TYPE_UINT64, static_cast<guint64>(value), nullptr);
}

void set_field(GstStructure* structure, const char* field, double value) {
  gst_structure_set(structure, field, G_TYPE_DOUBLE, value, nullptr);
}

void set_field(GstStructure* structure, const char* field, const std::string& value) {
  gst_structure_set(structure, field, G_TYPE_STRING, value.c_str(), nullptr);
}

void set_field(GstStructure* structure, const char* field, const std::vector<int>& values) {
  set_array(structure, field, G_TYPE_INT, values, g_value_set_int);
}

void set_field(GstStructure* structure, const char* field,
               const std::vector<std::uint64_t>& values) {
  set_array(structure, field, G_TYPE_UINT64, values, g_value_set_uint64);
}

void set_field(GstStructure* structure, const char* field, const std::vector<double>& values) {
  set_array(structure, field, G_TYPE_DOUBLE, values, g_value_set_double);
}

void set_field(GstStructure* structure, const char* field, const std::vector<std::string>& values) {
  set_array(structure, field, G_TYPE_STRING, values, [](GValue* entry, const std::string& text) {
    g_value_set_string(entry, text.c_str());
  });
}

void set_field(GstStructure* structure, const char* field,
               const std::map<std::string, std::uint64_t>& counts) {
  GstStructure* inner = gst_structure_new_empty(field);
  for (const auto& [name, count] : counts) set_field(inner, name.c_str(), count);
  gst_structure_set(structure, field, GST_TYPE_STRUCTURE, inner, nullptr);
  gst_structure_free(inner);
}

}  // namespace fer
