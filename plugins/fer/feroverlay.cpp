#include "feroverlay.h"

#include <gst/video/video.h>

#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "cuda-frames.h"
#include "element-base.h"
#include "element-util.h"
#include "face-geometry.h"
#include "face-meta.h"
#include "face-placement.h"
#include "faces-on-frame.h"
#include "frame-allocation.h"
#include "overlay-composition.h"
#include "overlay-cover.h"
#include "overlay-covered-faces.h"
#include "overlay-drawn-face.h"
#include "overlay-frame-canvas.h"
#include "overlay-painter.h"
#include "overlay-shape-canvas.h"
#include "video-frame.h"

GST_DEBUG_CATEGORY_STATIC(fer_overlay_debug);
#define GST_CAT_DEFAULT fer_overlay_debug

namespace {

struct Settings {
  fer::OverlayLook look;
  double smoothing = 0.7;
  fer::CoverFaces blur = fer::CoverFaces::kNone;
  fer::CoverStyle blur_style = fer::CoverStyle::kGaussian;
};

struct Stats {
  guint64 frames = 0;
  guint64 drawn = 0;
  guint64 faces = 0;
  guint64 failed = 0;
  guint64 rendered = 0;
  guint64 covered = 0;
  guint64 covered_frames = 0;
  guint64 dropped = 0;
};

/// Of a drawn mask that tells no expression.
constexpr fer::Argb kBlankMask = 0xff808488;

/// What of a frame is to be covered.
struct Cover {
  fer::CoverStyle style = fer::CoverStyle::kGaussian;
  std::vector<fer::FaceRecord> faces;  ///< As shares of the stored frame.
  bool whole_frame = false;            ///< Nobody can tell where the faces are.

  bool is_empty() const { return faces.empty() && !whole_frame; }
};

/// Only the streaming thread uses it, and start() and stop(), while that does not run.
struct State {
  std::optional<GstVideoInfo> info;
  bool caps_name_overlay = false;  ///< Those of the source pad.
  fer::CudaFrames cuda;
  fer::MaskCache masks;
  fer::ShownTracks tracks;
  fer::CoveredFaces covered;
  Cover cover;            ///< Of the frame at hand.
  fer::OverlayLook look;  ///< Of the frame at hand.
  /// To draw on the frame at hand, as it is shown.
  std::vector<fer::FaceRecord> faces;
  fer::Orientation orientation = fer::Orientation::kIdentity;  ///< Of the frame at hand.
};

struct Impl : fer::ElementImpl<Settings, Stats> {
  std::unique_ptr<State> state;
  fer::WarningLimiter changed, unplaced;
  /// Whether downstream takes an overlay composition; nullopt: ask. Any thread may reset it.
  fer::Locked<std::optional<bool>> attaches;

  void adjust(Settings& held) {
    // An empty font is no font.
    if (held.look.font.empty()) held.look.font = fer::OverlayLook().font;
  }
};

}  // namespace

struct _FerOverlay {
  GstBaseTransform parent;
  Impl* impl;
};

G_DEFINE_FINAL_TYPE(FerOverlay, fer_overlay, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE(feroverlay, "feroverlay", GST_RANK_NONE, FER_TYPE_OVERLAY)

namespace {

using Base = fer::ElementBase<FerOverlay>;

// --- Properties.

/// The row's way to a part of the look.
template <typename Part>
auto look(Part fer::OverlayLook::*part) {
  return [part](auto& settings) -> auto& {
    return settings.look.*part;
  };
}

GType cover_faces_type() {
  using fer::CoverFaces;
  static const GEnumValue values[] = {
      {static_cast<gint>(CoverFaces::kNone), "No face", "none"},
      {static_cast<gint>(CoverFaces::kUnsure),
       "Faces without a label yet, and those whose label is unsure", "unsure"},
      {static_cast<gint>(CoverFaces::kAll), "All faces", "all"},
      {0, nullptr, nullptr}};
  return fer::enum_type("FerCoverFaces", values);
}

GType cover_style_type() {
  using fer::CoverStyle;
  static const GEnumValue values[] = {
      {static_cast<gint>(CoverStyle::kGaussian), "A smooth blur", "gaussian"},
      {static_cast<gint>(CoverStyle::kPixelate), "Cells of one colour", "pixelate"},
      {static_cast<gint>(CoverStyle::kMask),
       "A drawn face that shows the expression; nothing of the picture is kept", "mask"},
      {0, nullptr, nullptr}};
  return fer::enum_type("FerCoverStyle", values);
}

// --- Start and stop.

gboolean start(GstBaseTransform* base) {
  Impl& impl = *FER_OVERLAY(base)->impl;
  return fer::guarded(base, FALSE, [&] {
    Base::start(FER_OVERLAY(base));
    impl.changed.reset();
    impl.unplaced.reset();
    impl.state = std::make_unique<State>();
    // Fonts are searched for and loaded now, not while the first face waits for its label.
    impl.state->masks.set_font(impl.settings.copy().look.font);
    for (const bool bold : {false, true}) impl.state->masks.text("face 100 %", 16, bold);
    return TRUE;
  });
}

gboolean stop(GstBaseTransform* base) {
  FER_OVERLAY(base)->impl->state.reset();
  return TRUE;
}

/// Whether the caps' frames lie in system memory.
bool in_system_memory(const GstCaps* caps) {
  const GstCapsFeatures* features = gst_caps_get_features(caps, 0);
  return features == nullptr ||
         gst_caps_features_contains(features, GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY);
}

bool names_overlay(const GstCaps* caps) {
  const GstCapsFeatures* features = gst_caps_get_features(caps, 0);
  return features != nullptr &&
         gst_caps_features_contains(features, GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION);
}

/// The caps with the feature that names an overlay, or without it.
GstCaps* with_overlay(const GstCaps* caps, bool on) {
  GstCaps* changed = gst_caps_copy(caps);
  for (guint i = 0; i < gst_caps_get_size(changed); ++i) {
    GstCapsFeatures* features = gst_caps_get_features(changed, i);
    if (gst_caps_features_is_any(features)) continue;
    if (on && gst_caps_features_contains(features, GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY)) {
      gst_caps_features_add(features, GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION);
    } else if (!on) {
      gst_caps_features_remove(features, GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION);
    }
  }
  return changed;
}

/// Whether downstream answers an allocation query for these caps with the overlay's meta.
bool allocation_takes_overlay(GstBaseTransform* base, GstCaps* caps) {
  GstQuery* query = gst_query_new_allocation(caps, FALSE);
  const bool takes =
      gst_pad_peer_query(base->srcpad, query) &&
      gst_query_find_allocation_meta(query, GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, nullptr);
  gst_query_unref(query);
  return takes;
}

/// Whether downstream, all the way to its end, takes frames with these caps and blends overlays.
/// Elements that take any caps, or pass them on, are not enough.
bool blends_overlay(GstBaseTransform* base, GstCaps* caps) {
  GstCaps* possible = gst_pad_peer_query_caps(base->srcpad, caps);
  const bool takes = !gst_caps_is_empty(possible) && allocation_takes_overlay(base, caps);
  gst_caps_unref(possible);
  return takes;
}

/// Downstream may be given what came, with an overlay or without. Where it blends the overlay, it
/// is offered nothing else: the base class prefers caps that stay as they are.
GstCaps* transform_caps(GstBaseTransform* base, GstPadDirection direction, GstCaps* caps,
                        GstCaps* filter) {
  GstCaps* other = with_overlay(caps, direction == GST_PAD_SINK);
  const bool settled = direction == GST_PAD_SINK && gst_caps_is_fixed(caps) &&
                       !gst_caps_is_equal(other, caps) && blends_overlay(base, other);
  GstCaps* result = settled ? other : gst_caps_merge(gst_caps_ref(caps), other);
  if (filter != nullptr) {
    GstCaps* filtered = gst_caps_intersect_full(filter, result, GST_CAPS_INTERSECT_FIRST);
    gst_caps_unref(result);
    result = filtered;
  }
  return result;
}

gboolean set_caps(GstBaseTransform* base, GstCaps* in, GstCaps* out) {
  Impl& impl = *FER_OVERLAY(base)->impl;
  State& state = *impl.state;
  state.caps_name_overlay = names_overlay(out) && in_system_memory(out);
  impl.attaches.with([](auto& attaches) { attaches.reset(); });
  const std::optional<GstVideoInfo> before =
      std::exchange(state.info, fer::raw_video_info(base, in));
  if (!state.info) return FALSE;
  // In pictures of the same shape tracks go on, whatever else changed.
  if (before && !fer::same_shape(*before, *state.info)) {
    state.tracks.reset();
    state.covered.reset();
  }
  return TRUE;
}

gboolean sink_event(GstBaseTransform* base, GstEvent* event) {
  Impl& impl = *FER_OVERLAY(base)->impl;
  // Flushing stops the streaming thread, so nothing else uses the stream now.
  if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP && impl.state) {
    impl.state->tracks.reset();
    impl.state->covered.reset();
  }
  return GST_BASE_TRANSFORM_CLASS(fer_overlay_parent_class)->sink_event(base, event);
}

/// Whether downstream blends an overlay by itself: it must say so in its caps and in its answer to
/// an allocation query.
bool attaches_overlay(GstBaseTransform* base) {
  Impl& impl = *FER_OVERLAY(base)->impl;
  if (!impl.state->caps_name_overlay) return false;
  if (const std::optional<bool> known = impl.attaches.copy()) return *known;
  GstCaps* caps = gst_pad_get_current_caps(base->srcpad);
  const bool takes = caps != nullptr && allocation_takes_overlay(base, caps);
  if (caps != nullptr) gst_caps_unref(caps);
  impl.attaches.with([&](auto& attaches) { attaches = takes; });
  GST_DEBUG_OBJECT(base, "faces are %s", takes ? "attached as an overlay" : "drawn on the frames");
  return takes;
}

/// Who is linked downstream may have changed.
gboolean src_event(GstBaseTransform* base, GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_RECONFIGURE)
    FER_OVERLAY(base)->impl->attaches.with([](auto& attaches) { attaches.reset(); });
  return GST_BASE_TRANSFORM_CLASS(fer_overlay_parent_class)->src_event(base, event);
}

/// The frame is drawn on where it lies, so upstream may have what downstream offers: its pool, the
/// metadata that it understands, all but the crop meta.
gboolean propose_allocation(GstBaseTransform* base, GstQuery*, GstQuery* query) {
  const gboolean answered = gst_pad_peer_query(GST_BASE_TRANSFORM_SRC_PAD(base), query);
  if (answered) fer::remove_crop_meta(query);
  return answered;
}

// --- The streaming thread.

/// The faces on a frame, and what is to be covered of it. Where a face's place is not known, no
/// frame may pass uncovered: all of it is covered.
std::vector<fer::FaceRecord> read_faces(GstBaseTransform* base, GstBuffer* buffer,
                                        const Settings& settings) {
  Impl& impl = *FER_OVERLAY(base)->impl;
  State& state = *impl.state;
  const gint width = GST_VIDEO_INFO_WIDTH(&*state.info),
             height = GST_VIDEO_INFO_HEIGHT(&*state.info);
  state.cover.style = settings.blur_style;
  state.cover.whole_frame = false;
  std::vector<fer::FaceRecord> faces;
  if (settings.blur == fer::CoverFaces::kNone) {
    faces = fer::faces_on_frame(GST_ELEMENT(base), buffer, width, height, impl.changed)
                .value_or(std::vector<fer::FaceRecord>());
  } else {
    std::optional<fer::PlacedFaces> placed = fer::place_faces(buffer, width, height);
    state.cover.whole_frame = !placed || placed->lost > 0;
    if (state.cover.whole_frame) {
      fer::warn_limited(
          GST_ELEMENT(base), impl.unplaced,
          placed ? "The whole picture is covered: an element upstream has changed it (flipped, "
                   "turned, cropped, framed or filtered it) without telling where the faces are "
                   "now. Put that element before ferdetect."
                 : "The whole picture is covered: nobody has looked for faces in it. Put ferdetect "
                   "before feroverlay, or set blur=none.");
    }
    if (placed) faces = std::move(placed->faces);
  }
  state.cover.faces = state.covered.update(faces, settings.blur);
  return faces;
}

/// Reads what there is to cover and to draw. A frame without it passes as it is, shared or not; one
/// with it is made writable.
GstFlowReturn prepare_output_buffer(GstBaseTransform* base, GstBuffer* in, GstBuffer** out) {
  *out = in;
  return fer::guarded(base, GST_FLOW_ERROR, [&] {
    Impl& impl = *FER_OVERLAY(base)->impl;
    State& state = *impl.state;
    const Settings settings = impl.settings.copy();
    state.look = settings.look;
    state.faces = read_faces(base, in, settings);
    state.orientation = fer::face_meta_orientation(in);
    for (fer::FaceRecord& face : state.faces) face = fer::as_shown(face, state.orientation);
    state.tracks.update(state.faces, settings.smoothing);
    impl.stats.with([&](Stats& stats) {
      ++stats.frames;
      stats.faces += state.faces.size();
    });
    if (!settings.look.shows_anything()) state.faces.clear();
    const bool changes = !state.faces.empty() || !state.cover.is_empty();
    // The copy has the memory in common with the shared buffer until it is mapped for writing.
    if (changes && !gst_buffer_is_writable(in)) *out = gst_buffer_copy(in);
    return GST_FLOW_OK;
  });
}

/// Throws where the frame could not be mapped.
void expect_mapped(const fer::MappedFrame& frame, const GstVideoInfo& info, GstBuffer* buffer) {
  if (frame) return;
  throw std::runtime_error("its buffer of " + std::to_string(gst_buffer_get_size(buffer)) +
                           " bytes could not be mapped for writing as " +
                           GST_VIDEO_INFO_NAME(&info) + " of " +
                           std::to_string(GST_VIDEO_INFO_WIDTH(&info)) + "x" +
                           std::to_string(GST_VIDEO_INFO_HEIGHT(&info)));
}

/// Draws a mask over each face that is to be covered, or over the whole frame.
void draw_masks(State& state, GstVideoFrame& frame) {
  fer::FrameCanvas canvas(frame, state.orientation);
  if (state.cover.whole_frame) {
    fer::draw_face_mask(canvas, state.masks, {0, 0, canvas.width(), canvas.height()}, kBlankMask,
                        "");
    return;
  }
  for (const fer::FaceRecord& face : state.cover.faces) {
    const fer::Rect rect =
        fer::cover_of(fer::as_shown(face, state.orientation), canvas.width(), canvas.height());
    const bool tells = face.expression && !face.expression->unsure;
    fer::draw_face_mask(
        canvas, state.masks, rect,
        tells ? fer::expression_colour(face.expression->label, face.expression->label_id)
              : kBlankMask,
        tells ? face.expression->label : "");
  }
}

/// Covers faces in the frame's own pixels, which nothing downstream can take back. Frames on a
/// device come to the processor for it. Throws where the frame cannot be mapped.
void cover(FerOverlay* self, GstBuffer* buffer) {
  State& state = *self->impl->state;
  const GstVideoInfo& info = *state.info;
  fer::MappedFrame mapped(info, buffer, GST_MAP_READWRITE);
  expect_mapped(mapped, info, buffer);
  GstVideoFrame& frame = mapped.frame();
  const int width = GST_VIDEO_FRAME_WIDTH(&frame), height = GST_VIDEO_FRAME_HEIGHT(&frame);
  if (state.cover.style == fer::CoverStyle::kMask) {
    draw_masks(state, frame);
  } else if (state.cover.whole_frame) {
    fer::cover_pixels(frame, {0, 0, width, height}, width, height, state.cover.style);
  } else {
    for (const fer::FaceRecord& face : state.cover.faces) {
      fer::cover_pixels(frame, fer::cover_of(face, width, height), face.w * width, face.h * height,
                        state.cover.style);
    }
  }
  self->impl->stats.with([&](Stats& stats) {
    stats.covered += state.cover.faces.size();
    if (state.cover.whole_frame) ++stats.covered_frames;
  });
}

/// Attaches what there is to draw, behind an overlay from upstream. No pixel is touched.
void attach(FerOverlay* self, GstBuffer* buffer) {
  State& state = *self->impl->state;
  fer::CompositionCanvas canvas(*state.info, state.orientation);
  fer::paint_faces(canvas.canvas(), state.masks, state.tracks, state.look, state.faces);
  GstVideoOverlayCompositionMeta* before = gst_buffer_get_video_overlay_composition_meta(buffer);
  GstVideoOverlayComposition* overlay =
      canvas.composition(before != nullptr ? before->overlay : nullptr);
  if (before != nullptr) gst_buffer_remove_video_overlay_composition_meta(buffer, before);
  if (overlay == nullptr) return;
  gst_buffer_add_video_overlay_composition_meta(buffer, overlay);
  gst_video_overlay_composition_unref(overlay);
}

/// Draws on the frame. Throws where it cannot be mapped, its device fails or memory runs out.
void draw(FerOverlay* self, GstBuffer* buffer) {
  State& state = *self->impl->state;
  const GstVideoInfo& info = *state.info;
  fer::FrameMemory* const device = state.cuda.reader(GST_ELEMENT(self), buffer);
  fer::MappedFrame frame(info, buffer, GST_MAP_READWRITE, device);
  expect_mapped(frame, info, buffer);
  const auto paint = [&](fer::Canvas& canvas) {
    fer::paint_faces(canvas, state.masks, state.tracks, state.look, state.faces);
  };
  if (device) {
    fer::ShapeCanvas canvas(frame.frame(), state.orientation);
    paint(canvas);
    state.cuda.blend(canvas.shapes(), canvas.coverage_bytes());
  } else {
    fer::FrameCanvas canvas(frame.frame(), state.orientation);
    paint(canvas);
  }
}

/// Draws on the frame or attaches an overlay; where it cannot, the frame passes without.
void show(FerOverlay* self, GstBuffer* buffer) {
  Impl& impl = *self->impl;
  try {
    if (attaches_overlay(GST_BASE_TRANSFORM(self))) {
      attach(self, buffer);
    } else {
      draw(self, buffer);
    }
    impl.stats.with([&](Stats& stats) {
      ++stats.drawn;
      stats.rendered = impl.state->masks.rendered();
    });
  } catch (const std::exception& error) {
    impl.stats.with([](Stats& stats) { ++stats.failed; });
    fer::warn_limited(GST_ELEMENT(self), impl.fault,
                      "A frame passed without overlay: " + std::string(error.what()) + ".");
  }
}

GstFlowReturn transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
  FerOverlay* self = FER_OVERLAY(base);
  Impl& impl = *self->impl;
  return fer::guarded(base, GST_FLOW_ERROR, [&] {
    if (!impl.state->cover.is_empty()) {
      try {
        cover(self, buffer);
      } catch (const std::exception& error) {
        impl.stats.with([](Stats& stats) { ++stats.dropped; });
        fer::warn_limited(GST_ELEMENT(base), impl.fault,
                          "A frame was dropped, since its faces could not be covered: " +
                              std::string(error.what()) + ".");
        return GST_BASE_TRANSFORM_FLOW_DROPPED;
      }
    }
    if (!impl.state->faces.empty()) show(self, buffer);
    return GST_FLOW_OK;
  });
}

// --- Life.

fer::PropertyTable<Settings> properties() {
  fer::PropertyTable<Settings> properties;
  using fer::kControllable;
  using fer::OverlayLook;
  properties.add(look(&OverlayLook::font),
                 {"font", "Font",
                  "Pango's description of the font of labels and bars: a family, or family, style "
                  "and size (\"Sans\", \"DejaVu Sans Condensed Bold 14\"), of 1000 pixels at most"},
                 fer::kMutablePlaying);
  properties.add(look(&OverlayLook::font_size),
                 {"font-size", "Font size",
                  "Size of the labels' font in pixels (0: the size that font names; where it names "
                  "none, by the height of frame and face)"},
                 0, fer::kMaxFontSize, kControllable);
  properties.add(look(&OverlayLook::box), {"show-box", "Show box", "Draw a box around each face"},
                 kControllable);
  properties.add(look(&OverlayLook::label),
                 {"show-label", "Show label",
                  "Write each face's expression and its probability; before it is known, how sure "
                  "the detector is of the face"},
                 kControllable);
  properties.add(look(&OverlayLook::bars),
                 {"show-bars", "Show bars",
                  "Draw the probability of each expression as a bar, beside faces that have room "
                  "for it"},
                 kControllable);
  properties.add(
      look(&OverlayLook::landmarks),
      {"show-landmarks", "Show landmarks", "Draw eyes, nose tip and mouth corners as dots"},
      kControllable);
  properties.add(look(&OverlayLook::id),
                 {"show-id", "Show id", "Write the number of the face's track in its label"},
                 kControllable);
  properties.add(look(&OverlayLook::box_colour),
                 {"color-box", "Color of boxes",
                  "Color of box, landmarks and bars as big-endian ARGB (0: each expression has its "
                  "own)"},
                 0, G_MAXUINT32, kControllable);
  properties.add(look(&OverlayLook::text_colour),
                 {"color-text", "Color of text", "Color of labels as big-endian ARGB"}, 0,
                 G_MAXUINT32, kControllable);
  properties.add(look(&OverlayLook::background_colour),
                 {"color-background", "Color of the background",
                  "Color behind labels and bars as big-endian ARGB (0: none)"},
                 0, G_MAXUINT32, kControllable);
  properties.add(look(&OverlayLook::line_width),
                 {"line-width", "Line width",
                  "Width of the boxes' lines in pixels (0: by the frame's height)"},
                 0, 100, kControllable);
  properties.add(&Settings::smoothing,
                 {"smoothing", "Smoothing",
                  "How much of the shown probabilities stays from one frame of a track to the "
                  "next, so that labels do not flicker (0: shown as they come)"},
                 0, 0.99, kControllable);
  properties.add(&Settings::blur, cover_faces_type(),
                 {"blur", "Blur",
                  "Which faces are made unrecognisable, with a margin, in the frame's own pixels "
                  "and before anything is drawn. Where nobody can tell where the faces are, the "
                  "whole picture is covered"},
                 kControllable);
  properties.add(&Settings::blur_style, cover_style_type(),
                 {"blur-style", "Style of the blur", "How they are made unrecognisable"},
                 kControllable);
  return properties;
}

fer::StatsTable<Stats> statistics() {
  fer::StatsTable<Stats> stats("fer-overlay-stats");
  stats.counter(&Stats::frames, {"frames", nullptr, "Frames that passed", {}});
  stats.counter(&Stats::drawn, {"drawn", nullptr, "Frames with something drawn on", {}});
  stats.counter(&Stats::failed, {"failed", nullptr, "Frames that could not be drawn on", {}});
  stats.counter(&Stats::faces, {"faces", nullptr, "Faces, over all frames", {}});
  stats.counter(&Stats::rendered,
                {"rendered", nullptr, "Texts and shapes that were not in the cache", {}});
  stats.counter(&Stats::covered, {"covered", nullptr, "Faces covered, over all frames", {}});
  stats.counter(&Stats::covered_frames,
                {"covered-frames",
                 nullptr,
                 "Frames covered as a whole, since nobody could tell where the faces were",
                 {}});
  stats.counter(&Stats::dropped,
                {"dropped", nullptr, "Frames dropped, since their faces could not be covered", {}});
  return stats;
}

}  // namespace

static void fer_overlay_class_init(FerOverlayClass* klass) {
  GST_DEBUG_CATEGORY_INIT(fer_overlay_debug, "feroverlay", 0, "Draws faces and expressions");
  Base::install(klass, properties(), statistics());

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  fer::add_overlaid_video_pads(element_class);
  gst_element_class_set_static_metadata(
      element_class, "Face overlay", "Filter/Effect/Video",
      "Draws faces with their expressions, as found by ferdetect and ferinfer, on video",
      "gst-fer");

  GstBaseTransformClass* transform_class = GST_BASE_TRANSFORM_CLASS(klass);
  transform_class->start = start;
  transform_class->stop = stop;
  transform_class->transform_caps = transform_caps;
  transform_class->set_caps = set_caps;
  transform_class->src_event = src_event;
  transform_class->sink_event = sink_event;
  transform_class->propose_allocation = propose_allocation;
  transform_class->before_transform = fer::sync_properties;
  transform_class->prepare_output_buffer = prepare_output_buffer;
  transform_class->transform_ip = transform_ip;
}

static void fer_overlay_init(FerOverlay* self) {
  Base::init(self);
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
  gst_base_transform_set_qos_enabled(GST_BASE_TRANSFORM(self), TRUE);
}
