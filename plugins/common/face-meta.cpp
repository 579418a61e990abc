#include "face-meta.h"

#include <algorithm>
#include <cmath>

#include "face-dialects.h"

namespace fer {
namespace {

constexpr gint kVersion = 1;
constexpr char kAnalyticsIds[] = "analytics-ids";
// Landmarks of a face at the border lie outside of the frame, but not by more than a frame.
constexpr double kLandmarkMin = -1, kLandmarkMax = 2;
// Sums of shares that were rounded on their way.
constexpr double kTolerance = 1e-6;

GstDebugCategory* debug_category() {
  static GstDebugCategory* category =
      _gst_debug_category_new("fermeta", 0, "Faces as buffer metadata");
  return category;
}
#define GST_CAT_DEFAULT debug_category()

// --- Reading. What a buffer carries may come from anybody: nothing is taken on trust.

bool within(double value, double low, double high) {
  return std::isfinite(value) && value >= low - kTolerance && value <= high + kTolerance;
}

/// A double that must be there, in [0, 1].
bool get_share(const GstStructure* fields, const char* name, double* out) {
  if (!gst_structure_get_double(fields, name, out) || !within(*out, 0, 1)) return false;
  *out = std::clamp(*out, 0., 1.);
  return true;
}

/// A list of doubles in [low, high].
template <typename Number>
bool get_numbers(const GstStructure* fields, const char* name, double low, double high,
                 std::vector<Number>* out) {
  const GValue* array = gst_structure_get_value(fields, name);
  if (array == nullptr || !GST_VALUE_HOLDS_ARRAY(array)) return false;
  const guint size = gst_value_array_get_size(array);
  out->reserve(size);
  for (guint i = 0; i < size; ++i) {
    const GValue* value = gst_value_array_get_value(array, i);
    if (!G_VALUE_HOLDS_DOUBLE(value) || !within(g_value_get_double(value), low, high)) return false;
    out->push_back(static_cast<Number>(g_value_get_double(value)));
  }
  return true;
}

bool get_text(const GstStructure* fields, const char* name, std::string* out) {
  const char* text = gst_structure_get_string(fields, name);
  if (text == nullptr || !g_utf8_validate(text, -1, nullptr)) return false;
  *out = text;
  return true;
}

/// The names of the classes; none is well-formed too: they may be left out.
bool get_labels(const GstStructure* fields, std::vector<std::string>* out) {
  const GValue* array = gst_structure_get_value(fields, "labels");
  if (array == nullptr) return true;
  if (!GST_VALUE_HOLDS_ARRAY(array)) return false;
  const guint size = gst_value_array_get_size(array);
  for (guint i = 0; i < size; ++i) {
    const GValue* value = gst_value_array_get_value(array, i);
    const char* text = G_VALUE_HOLDS_STRING(value) ? g_value_get_string(value) : nullptr;
    if (text == nullptr || !g_utf8_validate(text, -1, nullptr)) return false;
    out->emplace_back(text);
  }
  return true;
}

/// A switch; off where it is left out. False where it is no switch.
bool get_switch(const GstStructure* fields, const char* name, bool* out) {
  gboolean value = FALSE;
  if (!gst_structure_has_field(fields, name)) return true;
  if (!gst_structure_get_boolean(fields, name, &value)) return false;
  *out = value == TRUE;
  return true;
}

bool read_expression(const GstStructure* fields, Expression* out) {
  return get_text(fields, "label", &out->label) &&
         gst_structure_get_int(fields, "label-id", &out->label_id) && out->label_id >= 0 &&
         get_numbers(fields, "probabilities", 0, 1, &out->probabilities) &&
         (out->probabilities.empty() ||
          static_cast<std::size_t>(out->label_id) < out->probabilities.size()) &&
         get_labels(fields, &out->labels) &&
         (out->labels.empty() || out->labels.size() == out->probabilities.size()) &&
         get_text(fields, "model-version", &out->model_version) &&
         gst_structure_get_uint(fields, "age", &out->age) &&
         get_switch(fields, "unsure", &out->unsure);
}

/// nullopt where a field is missing, of another type or out of its range.
std::optional<FaceRecord> read_face(const GstStructure* fields) {
  FaceRecord face;
  if (!gst_structure_get_int(fields, "roi-id", &face.roi_id) || face.roi_id < 0 ||
      !gst_structure_get_uint64(fields, "track-id", &face.track_id) ||
      !get_share(fields, "x", &face.x) || !get_share(fields, "y", &face.y) ||
      !get_share(fields, "w", &face.w) || !get_share(fields, "h", &face.h) || !(face.w > 0) ||
      !(face.h > 0) || !within(face.x + face.w, 0, 1) || !within(face.y + face.h, 0, 1) ||
      !get_share(fields, "confidence", &face.confidence)) {
    return std::nullopt;
  }
  bool unclear = false;
  if (!get_switch(fields, "unclear", &unclear)) return std::nullopt;
  face.clear = !unclear;
  if (gst_structure_has_field(fields, "landmarks")) {
    std::vector<double> points;
    if (!get_numbers(fields, "landmarks", kLandmarkMin, kLandmarkMax, &points) ||
        points.size() != 10) {
      return std::nullopt;
    }
    std::copy(points.begin(), points.end(), face.landmarks.emplace().begin());
  }
  if (gst_structure_has_field(fields, "label") &&
      !read_expression(fields, &face.expression.emplace())) {
    return std::nullopt;
  }
  return face;
}

/// The record of a buffer, null where it has none that this version reads.
const GstStructure* record_of(GstBuffer* buffer) {
  face_meta_register();
  GstCustomMeta* meta = gst_buffer_get_custom_meta(buffer, kFacesMetaName);
  if (meta == nullptr) return nullptr;
  const GstStructure* record = gst_custom_meta_get_structure(meta);
  gint version = 0;
  if (record == nullptr || !gst_structure_get_int(record, "version", &version) ||
      version != kVersion) {
    GST_WARNING("%" GST_PTR_FORMAT ": not a record of version %d, ignored", record, kVersion);
    return nullptr;
  }
  return record;
}

// --- Writing.

/// Takes the value and leaves it unset.
void take(GstStructure* fields, const char* name, GValue* value) {
  gst_structure_take_value(fields, name, value);
}

template <typename Numbers>
void set_numbers(GstStructure* fields, const char* name, const Numbers& numbers) {
  GValue array = G_VALUE_INIT, item = G_VALUE_INIT;
  gst_value_array_init(&array, static_cast<guint>(numbers.size()));
  for (const auto number : numbers) {
    g_value_init(&item, G_TYPE_DOUBLE);
    g_value_set_double(&item, static_cast<double>(number));
    gst_value_array_append_and_take_value(&array, &item);
  }
  take(fields, name, &array);
}

void set_texts(GstStructure* fields, const char* name, const std::vector<std::string>& texts) {
  GValue array = G_VALUE_INIT, item = G_VALUE_INIT;
  gst_value_array_init(&array, static_cast<guint>(texts.size()));
  for (const std::string& text : texts) {
    g_value_init(&item, G_TYPE_STRING);
    g_value_set_string(&item, text.c_str());
    gst_value_array_append_and_take_value(&array, &item);
  }
  take(fields, name, &array);
}

GstStructure* structure_of(const FaceRecord& face) {
  GstStructure* fields = gst_structure_new(
      "face", "roi-id", G_TYPE_INT, face.roi_id, "track-id", G_TYPE_UINT64, face.track_id, "x",
      G_TYPE_DOUBLE, face.x, "y", G_TYPE_DOUBLE, face.y, "w", G_TYPE_DOUBLE, face.w, "h",
      G_TYPE_DOUBLE, face.h, "confidence", G_TYPE_DOUBLE, face.confidence, nullptr);
  if (face.landmarks) set_numbers(fields, "landmarks", *face.landmarks);
  if (!face.clear) gst_structure_set(fields, "unclear", G_TYPE_BOOLEAN, TRUE, nullptr);
  if (face.expression) {
    const Expression& expression = *face.expression;
    gst_structure_set(fields, "label", G_TYPE_STRING, expression.label.c_str(), "label-id",
                      G_TYPE_INT, expression.label_id, "model-version", G_TYPE_STRING,
                      expression.model_version.c_str(), "age", G_TYPE_UINT, expression.age,
                      nullptr);
    set_numbers(fields, "probabilities", expression.probabilities);
    if (expression.unsure) gst_structure_set(fields, "unsure", G_TYPE_BOOLEAN, TRUE, nullptr);
    if (expression.labels.size() == expression.probabilities.size()) {
      set_texts(fields, "labels", expression.labels);
    }
  }
  return fields;
}

/// Clips the face to what read_face() accepts; false where nothing is left of it.
bool make_valid(FaceRecord& face) {
  const double numbers[] = {face.x, face.y, face.w, face.h, face.confidence};
  if (!std::all_of(std::begin(numbers), std::end(numbers),
                   [](double number) { return std::isfinite(number); })) {
    return false;
  }
  const double right = std::clamp(face.x + face.w, 0., 1.);
  const double bottom = std::clamp(face.y + face.h, 0., 1.);
  face.x = std::clamp(face.x, 0., 1.);
  face.y = std::clamp(face.y, 0., 1.);
  face.w = right - face.x;
  face.h = bottom - face.y;
  face.confidence = std::clamp(face.confidence, 0., 1.);
  if (!(face.w > 0) || !(face.h > 0)) return false;
  if (face.landmarks) {
    for (double& value : *face.landmarks) {
      if (!std::isfinite(value)) {
        face.landmarks.reset();
        break;
      }
      value = std::clamp(value, kLandmarkMin, kLandmarkMax);
    }
  }
  return true;
}

void set_geometry(GstStructure* record, const GstVideoInfo& info, Orientation orientation) {
  gst_structure_set(record, "width", G_TYPE_INT, GST_VIDEO_INFO_WIDTH(&info), "height", G_TYPE_INT,
                    GST_VIDEO_INFO_HEIGHT(&info), "pixel-aspect-ratio", GST_TYPE_FRACTION,
                    std::max(1, GST_VIDEO_INFO_PAR_N(&info)),
                    std::max(1, GST_VIDEO_INFO_PAR_D(&info)), "orientation", G_TYPE_INT,
                    static_cast<gint>(orientation), nullptr);
}

std::vector<guint> read_analytics_ids(const GstStructure* record) {
  std::vector<guint> ids;
  const GValue* array = gst_structure_get_value(record, kAnalyticsIds);
  if (array == nullptr || !GST_VALUE_HOLDS_ARRAY(array)) return ids;
  for (guint i = 0; i < gst_value_array_get_size(array); ++i) {
    const GValue* value = gst_value_array_get_value(array, i);
    if (G_VALUE_HOLDS_UINT(value)) ids.push_back(g_value_get_uint(value));
  }
  return ids;
}

#ifdef HAVE_ANALYTICS
void set_analytics_ids(GstStructure* record, const std::vector<guint>& ids) {
  GValue array = G_VALUE_INIT, item = G_VALUE_INIT;
  gst_value_array_init(&array, static_cast<guint>(ids.size()));
  for (const guint id : ids) {
    g_value_init(&item, G_TYPE_UINT);
    g_value_set_uint(&item, id);
    gst_value_array_append_and_take_value(&array, &item);
  }
  take(record, kAnalyticsIds, &array);
}
#endif

}  // namespace

double Expression::confidence() const {
  const bool known = label_id >= 0 && static_cast<std::size_t>(label_id) < probabilities.size();
  return known ? static_cast<double>(probabilities[static_cast<std::size_t>(label_id)]) : 0;
}

PixelBox pixel_box(const FaceRecord& face, gint width, gint height) {
  const auto pixel = [](double share, gint size) {
    return std::clamp(static_cast<gint>(std::lround(share * size)), 0, size);
  };
  PixelBox box{};
  box.x = std::min(pixel(face.x, width), std::max(0, width - 1));
  box.y = std::min(pixel(face.y, height), std::max(0, height - 1));
  box.w = std::max(1, pixel(face.x + face.w, width) - box.x);
  box.h = std::max(1, pixel(face.y + face.h, height) - box.y);
  return box;
}

void face_meta_register() {
  // Plugins load one at a time, so nobody can come in between the question and the registration.
  if (gst_meta_get_info(kFacesMetaName) != nullptr) return;
  const gchar* no_tags[] = {nullptr};
  gst_meta_register_custom(kFacesMetaName, no_tags, nullptr, nullptr, nullptr);
}

std::optional<std::vector<FaceRecord>> face_meta_read(GstBuffer* buffer) {
  const GstStructure* record = record_of(buffer);
  if (record == nullptr) return std::nullopt;
  const GValue* array = gst_structure_get_value(record, "faces");
  if (array == nullptr || !GST_VALUE_HOLDS_ARRAY(array)) {
    GST_WARNING("%" GST_PTR_FORMAT ": no array of faces, ignored", record);
    return std::nullopt;
  }
  std::vector<FaceRecord> faces;
  const guint size = gst_value_array_get_size(array);
  faces.reserve(size);
  for (guint i = 0; i < size; ++i) {
    const GValue* value = gst_value_array_get_value(array, i);
    const GstStructure* fields =
        GST_VALUE_HOLDS_STRUCTURE(value) ? gst_value_get_structure(value) : nullptr;
    std::optional<FaceRecord> face;
    if (fields != nullptr) face = read_face(fields);
    if (face) {
      faces.push_back(std::move(*face));
    } else {
      GST_WARNING("%" GST_PTR_FORMAT ": face %u is malformed, left out", record, i);
    }
  }
  return faces;
}

std::optional<FrameGeometry> face_meta_geometry(GstBuffer* buffer) {
  const GstStructure* record = record_of(buffer);
  gint width = 0, height = 0, par_n = 0, par_d = 0, orientation = 0;
  if (record == nullptr || !gst_structure_get_int(record, "width", &width) ||
      !gst_structure_get_int(record, "height", &height) ||
      !gst_structure_get_fraction(record, "pixel-aspect-ratio", &par_n, &par_d) ||
      !gst_structure_get_int(record, "orientation", &orientation) || width <= 0 || height <= 0 ||
      par_n <= 0 || par_d <= 0 || orientation < 0 ||
      orientation > static_cast<gint>(Orientation::kTransverse)) {
    return std::nullopt;
  }
  return FrameGeometry{width, height, static_cast<double>(par_n) / par_d,
                       static_cast<Orientation>(orientation)};
}

Orientation face_meta_orientation(GstBuffer* buffer) {
  return face_meta_geometry(buffer).value_or(FrameGeometry()).orientation;
}

void face_meta_write(GstBuffer* buffer, const GstVideoInfo& info,
                     const std::vector<FaceRecord>& faces, std::optional<Orientation> orientation) {
  g_return_if_fail(gst_buffer_is_writable(buffer));
  if (!orientation) orientation = face_meta_orientation(buffer);
  const std::vector<FaceRecord> earlier =
      face_meta_read(buffer).value_or(std::vector<FaceRecord>());
  regions_remove(buffer, earlier);
  std::vector<guint> analytics_ids;
  if (const GstStructure* record = record_of(buffer)) analytics_ids = read_analytics_ids(record);
  while (GstCustomMeta* meta = gst_buffer_get_custom_meta(buffer, kFacesMetaName)) {
    gst_buffer_remove_meta(buffer, reinterpret_cast<GstMeta*>(meta));
  }

  std::vector<FaceRecord> valid = faces;
  std::erase_if(valid, [](FaceRecord& face) { return !make_valid(face); });
  if (valid.size() != faces.size()) {
    GST_WARNING("%zu faces have no box inside the frame, left out", faces.size() - valid.size());
  }
  regions_number(buffer, valid);
  regions_add(buffer, info, valid);

  GValue array = G_VALUE_INIT, item = G_VALUE_INIT;
  gst_value_array_init(&array, static_cast<guint>(valid.size()));
  for (const FaceRecord& face : valid) {
    g_value_init(&item, GST_TYPE_STRUCTURE);
    g_value_take_boxed(&item, structure_of(face));
    gst_value_array_append_and_take_value(&array, &item);
  }
  GstStructure* record =
      gst_custom_meta_get_structure(gst_buffer_add_custom_meta(buffer, kFacesMetaName));
  gst_structure_set(record, "version", G_TYPE_INT, kVersion, nullptr);
  set_geometry(record, info, *orientation);
  take(record, "faces", &array);
#ifdef HAVE_ANALYTICS
  set_analytics_ids(record, analytics_replace(buffer, info, analytics_ids, valid));
#endif
}

}  // namespace fer
