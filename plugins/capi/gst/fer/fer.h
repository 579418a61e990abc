/* The faces on a buffer, as ferdetect and ferinfer found and labelled them, for applications in C
 * and, by GObject introspection, in other languages. GStreamer must have been started. */
#pragma once

#include <gst/gst.h>
#include <gst/video/video.h>

G_BEGIN_DECLS

#ifndef GST_FER_API
#define GST_FER_API __attribute__((visibility("default")))
#endif

/**
 * GstFerLandmark:
 * @GST_FER_LANDMARK_RIGHT_EYE: the person's right eye, left in the picture
 * @GST_FER_LANDMARK_LEFT_EYE: the person's left eye
 * @GST_FER_LANDMARK_NOSE: the tip of the nose
 * @GST_FER_LANDMARK_RIGHT_MOUTH: the person's right corner of the mouth
 * @GST_FER_LANDMARK_LEFT_MOUTH: the person's left corner of the mouth
 *
 * The five points of a face.
 */
typedef enum {
  GST_FER_LANDMARK_RIGHT_EYE,
  GST_FER_LANDMARK_LEFT_EYE,
  GST_FER_LANDMARK_NOSE,
  GST_FER_LANDMARK_RIGHT_MOUTH,
  GST_FER_LANDMARK_LEFT_MOUTH
} GstFerLandmark;

/**
 * GstFerFace:
 *
 * One face of one buffer. It never changes, and outlives the buffer. Coordinates are shares of the
 * stored frame's width and height.
 */
typedef struct _GstFerFace GstFerFace; /* NOLINT(bugprone-reserved-identifier) */

#define GST_FER_TYPE_FACE (gst_fer_face_get_type())

GST_FER_API
GType gst_fer_face_get_type(void);

/**
 * gst_fer_buffer_is_analysed:
 * @buffer: a buffer
 *
 * Returns: whether somebody has looked for faces in the buffer's frame
 */
GST_FER_API
gboolean gst_fer_buffer_is_analysed(GstBuffer* buffer);

/**
 * gst_fer_buffer_get_faces:
 * @buffer: a buffer
 * @info: (nullable): what the buffer's caps say of its frame; %NULL: what its video meta says, or
 *   else the frame in which the faces were found
 *
 * Reads the faces, best first. Those whose place is not known are left out: somebody changed the
 * picture since, and did not say where they are now.
 *
 * Returns: (transfer container) (nullable) (element-type GstFerFace): the faces, which go with the
 *   array; empty where there are none; %NULL where nobody has looked for faces in the frame
 */
GST_FER_API
GPtrArray* gst_fer_buffer_get_faces(GstBuffer* buffer, const GstVideoInfo* info);

/**
 * gst_fer_sample_get_faces:
 * @sample: a sample with a buffer, as an appsink gives it
 *
 * The same as gst_fer_buffer_get_faces(), with the frame that the sample's caps tell of.
 *
 * Returns: (transfer container) (nullable) (element-type GstFerFace): the faces, or %NULL
 */
GST_FER_API
GPtrArray* gst_fer_sample_get_faces(GstSample* sample);

/**
 * gst_fer_face_ref:
 * @face: a face
 *
 * Returns: (transfer full): the same face
 */
GST_FER_API
GstFerFace* gst_fer_face_ref(GstFerFace* face);

/**
 * gst_fer_face_unref:
 * @face: (transfer full): a face
 */
GST_FER_API
void gst_fer_face_unref(GstFerFace* face);

/**
 * gst_fer_face_get_track_id:
 * @face: a face
 *
 * Returns: the same number as long as the face is followed, never used again; 0: not followed
 */
GST_FER_API
guint64 gst_fer_face_get_track_id(const GstFerFace* face);

/**
 * gst_fer_face_get_box:
 * @face: a face
 * @x: (out) (optional): its left side, in [0, 1]
 * @y: (out) (optional): its upper side, in [0, 1]
 * @width: (out) (optional): its width, above 0
 * @height: (out) (optional): its height, above 0
 */
GST_FER_API
void gst_fer_face_get_box(const GstFerFace* face, gdouble* x, gdouble* y, gdouble* width,
                          gdouble* height);

/**
 * gst_fer_face_get_score:
 * @face: a face
 *
 * Returns: how sure the detector is that this is a face, in [0, 1]
 */
GST_FER_API
gdouble gst_fer_face_get_score(const GstFerFace* face);

/**
 * gst_fer_face_is_clear:
 * @face: a face
 *
 * Returns: %FALSE where nobody can tell how the face is turned
 */
GST_FER_API
gboolean gst_fer_face_is_clear(const GstFerFace* face);

/**
 * gst_fer_face_get_landmark:
 * @face: a face
 * @landmark: which point
 * @x: (out) (optional): a share of the frame's width; a face at the border has points outside
 * @y: (out) (optional): a share of the frame's height
 *
 * Returns: %FALSE where the detector has no landmarks, or where @landmark is none of them
 */
GST_FER_API
gboolean gst_fer_face_get_landmark(const GstFerFace* face, GstFerLandmark landmark, gdouble* x,
                                   gdouble* y);

/**
 * gst_fer_face_get_label:
 * @face: a face
 *
 * Returns: (nullable): the most likely expression; %NULL until a model was asked
 */
GST_FER_API
const gchar* gst_fer_face_get_label(const GstFerFace* face);

/**
 * gst_fer_face_get_label_id:
 * @face: a face
 *
 * Returns: the label's place among the model's classes, from 0; -1 without a label
 */
GST_FER_API
gint gst_fer_face_get_label_id(const GstFerFace* face);

/**
 * gst_fer_face_get_confidence:
 * @face: a face
 *
 * Returns: the label's probability; 0 without a label
 */
GST_FER_API
gdouble gst_fer_face_get_confidence(const GstFerFace* face);

/**
 * gst_fer_face_is_unsure:
 * @face: a face
 *
 * Returns: %TRUE where the label is not to be relied on: its probability lies below the model's
 *   operating point, or the face cannot be seen well
 */
GST_FER_API
gboolean gst_fer_face_is_unsure(const GstFerFace* face);

/**
 * gst_fer_face_get_probabilities:
 * @face: a face
 * @n_probabilities: (out): how many classes there are
 *
 * Returns: (array length=n_probabilities) (transfer none): one probability a class, sum 1; none
 *   without a label
 */
GST_FER_API
const gdouble* gst_fer_face_get_probabilities(const GstFerFace* face, gsize* n_probabilities);

/**
 * gst_fer_face_get_labels:
 * @face: a face
 *
 * Returns: (array zero-terminated=1) (transfer none): the classes' names, in the same order; none
 *   where the model has no names for them
 */
GST_FER_API
const gchar* const* gst_fer_face_get_labels(const GstFerFace* face);

/**
 * gst_fer_face_get_model_version:
 * @face: a face
 *
 * Returns: (nullable): the weights that gave the label (`fer info`); %NULL without a label
 */
GST_FER_API
const gchar* gst_fer_face_get_model_version(const GstFerFace* face);

/**
 * gst_fer_face_get_age:
 * @face: a face
 *
 * Returns: frames since the label was inferred; 0: in this frame
 */
GST_FER_API
guint gst_fer_face_get_age(const GstFerFace* face);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(GstFerFace, gst_fer_face_unref)

G_END_DECLS
