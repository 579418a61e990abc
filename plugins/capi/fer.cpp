#include "gst/fer/fer.h"

#include <optional>
#include <utility>
#include <vector>

#include "face-meta.h"
#include "face-placement.h"

/// Owned by its references. All but their count is constant.
struct _GstFerFace {
  explicit _GstFerFace(fer::FaceRecord face) : record(std::move(face)) {
    g_atomic_ref_count_init(&references);
    if (record.expression) {
      const fer::Expression& expression = *record.expression;
      probabilities.assign(expression.probabilities.begin(), expression.probabilities.end());
      for (const std::string& label : expression.labels) labels.push_back(label.c_str());
    }
    labels.push_back(nullptr);
  }
  _GstFerFace(const _GstFerFace&) = delete;
  _GstFerFace& operator=(const _GstFerFace&) = delete;

  gatomicrefcount references;
  const fer::FaceRecord record;
  std::vector<gdouble> probabilities;
  std::vector<const gchar*> labels;  ///< Of the record; the last one is null.
};

G_DEFINE_BOXED_TYPE(GstFerFace, gst_fer_face, gst_fer_face_ref, gst_fer_face_unref)

namespace {

struct Size {
  gint width, height;
};

/// Of the frame in a buffer whose caps nobody told.
std::optional<Size> size_of(GstBuffer* buffer) {
  if (const GstVideoMeta* meta = gst_buffer_get_video_meta(buffer)) {
    return Size{static_cast<gint>(meta->width), static_cast<gint>(meta->height)};
  }
  if (const auto geometry = fer::face_meta_geometry(buffer)) {
    return Size{geometry->width, geometry->height};
  }
  return std::nullopt;
}

void set(gdouble* out, gdouble value) {
  if (out != nullptr) *out = value;
}

}  // namespace

gboolean gst_fer_buffer_is_analysed(GstBuffer* buffer) {
  g_return_val_if_fail(GST_IS_BUFFER(buffer), FALSE);
  return fer::face_meta_read(buffer).has_value();
}

GPtrArray* gst_fer_buffer_get_faces(GstBuffer* buffer, const GstVideoInfo* info) {
  g_return_val_if_fail(GST_IS_BUFFER(buffer), nullptr);
  const std::optional<Size> size =
      info != nullptr ? Size{GST_VIDEO_INFO_WIDTH(info), GST_VIDEO_INFO_HEIGHT(info)}
                      : size_of(buffer);
  std::vector<fer::FaceRecord> faces;
  if (size && size->width > 0 && size->height > 0) {
    auto placed = fer::place_faces(buffer, size->width, size->height);
    if (!placed) return nullptr;
    faces = std::move(placed->faces);
  } else {
    // A record that tells no size is somebody else's, or an old one.
    auto read = fer::face_meta_read(buffer);
    if (!read) return nullptr;
    faces = std::move(*read);
  }
  GPtrArray* array = g_ptr_array_new_with_free_func(
      [](gpointer face) { gst_fer_face_unref(static_cast<GstFerFace*>(face)); });
  for (fer::FaceRecord& face : faces) g_ptr_array_add(array, new GstFerFace(std::move(face)));
  return array;
}

GPtrArray* gst_fer_sample_get_faces(GstSample* sample) {
  g_return_val_if_fail(GST_IS_SAMPLE(sample), nullptr);
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  if (buffer == nullptr) return nullptr;
  const GstCaps* caps = gst_sample_get_caps(sample);
  GstVideoInfo info;
  const bool told = caps != nullptr && gst_video_info_from_caps(&info, caps);
  return gst_fer_buffer_get_faces(buffer, told ? &info : nullptr);
}

GstFerFace* gst_fer_face_ref(GstFerFace* face) {
  g_return_val_if_fail(face != nullptr, nullptr);
  g_atomic_ref_count_inc(&face->references);
  return face;
}

void gst_fer_face_unref(GstFerFace* face) {
  g_return_if_fail(face != nullptr);
  if (g_atomic_ref_count_dec(&face->references)) delete face;
}

guint64 gst_fer_face_get_track_id(const GstFerFace* face) {
  g_return_val_if_fail(face != nullptr, 0);
  return face->record.track_id;
}

void gst_fer_face_get_box(const GstFerFace* face, gdouble* x, gdouble* y, gdouble* width,
                          gdouble* height) {
  g_return_if_fail(face != nullptr);
  set(x, face->record.x);
  set(y, face->record.y);
  set(width, face->record.w);
  set(height, face->record.h);
}

gdouble gst_fer_face_get_score(const GstFerFace* face) {
  g_return_val_if_fail(face != nullptr, 0);
  return face->record.confidence;
}

gboolean gst_fer_face_is_clear(const GstFerFace* face) {
  g_return_val_if_fail(face != nullptr, FALSE);
  return face->record.clear;
}

gboolean gst_fer_face_get_landmark(const GstFerFace* face, GstFerLandmark landmark, gdouble* x,
                                   gdouble* y) {
  g_return_val_if_fail(face != nullptr, FALSE);
  const auto at = static_cast<std::size_t>(landmark);
  if (!face->record.landmarks || 2 * at + 1 >= face->record.landmarks->size()) return FALSE;
  set(x, (*face->record.landmarks)[2 * at]);
  set(y, (*face->record.landmarks)[2 * at + 1]);
  return TRUE;
}

const gchar* gst_fer_face_get_label(const GstFerFace* face) {
  g_return_val_if_fail(face != nullptr, nullptr);
  return face->record.expression ? face->record.expression->label.c_str() : nullptr;
}

gint gst_fer_face_get_label_id(const GstFerFace* face) {
  g_return_val_if_fail(face != nullptr, -1);
  return face->record.expression ? face->record.expression->label_id : -1;
}

gdouble gst_fer_face_get_confidence(const GstFerFace* face) {
  g_return_val_if_fail(face != nullptr, 0);
  return face->record.expression ? face->record.expression->confidence() : 0;
}

gboolean gst_fer_face_is_unsure(const GstFerFace* face) {
  g_return_val_if_fail(face != nullptr, FALSE);
  return face->record.expression && face->record.expression->unsure;
}

const gdouble* gst_fer_face_get_probabilities(const GstFerFace* face, gsize* n_probabilities) {
  g_return_val_if_fail(face != nullptr && n_probabilities != nullptr, nullptr);
  *n_probabilities = face->probabilities.size();
  return face->probabilities.data();
}

const gchar* const* gst_fer_face_get_labels(const GstFerFace* face) {
  g_return_val_if_fail(face != nullptr, nullptr);
  return face->labels.data();
}

const gchar* gst_fer_face_get_model_version(const GstFerFace* face) {
  g_return_val_if_fail(face != nullptr, nullptr);
  return face->record.expression ? face->record.expression->model_version.c_str() : nullptr;
}

guint gst_fer_face_get_age(const GstFerFace* face) {
  g_return_val_if_fail(face != nullptr, 0);
  return face->record.expression ? face->record.expression->age : 0;
}
