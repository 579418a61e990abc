#include "feroverlay.h"

#include <gst/video/video.h>

#include <string>
#include <utility>
#include <vector>

#include "element-util.h"
#include "face-meta.h"
#include "overlay-painter.h"
#include "video-frame.h"

GST_DEBUG_CATEGORY_STATIC(fer_overlay_debug);
#define GST_CAT_DEFAULT fer_overlay_debug

namespace {

struct Settings {
  fer::OverlayLook look;
  double smoothing = 0.7;
};

struct Stats {
  guint64 frames = 0;
  guint64 drawn = 0;
  guint64 faces = 0;
  guint64 failed = 0;
  guint64 rendered = 0;
};

/// Only the streaming thread uses it, and start() and stop(), while that does not run.
struct Stream {
  GstVideoInfo info{};
  fer::MaskCache masks;
  fer::ShownTracks tracks;
  fer::OverlayLook look;               ///< Of the frame at hand.
  std::vector<fer::FaceRecord> faces;  ///< To draw on the frame at hand; none: it passes untouched.
};

struct Parts {
  fer::Locked<Settings> settings;
  fer::Locked<Stats> stats;
  fer::WarningLimiter fault;
  std::unique_ptr<Stream> stream;
};

}  // namespace

struct _FerOverlay {
  GstBaseTransform parent;
  Parts* parts;
};

G_DEFINE_FINAL_TYPE(FerOverlay, fer_overlay, GST_TYPE_BASE_TRANSFORM)
GST_ELEMENT_REGISTER_DEFINE(feroverlay, "feroverlay", GST_RANK_NONE, FER_TYPE_OVERLAY)

namespace {

enum Property {
  kFont = 1,
  kFontSize,
  kShowBox,
  kShowLabel,
  kShowBars,
  kShowLandmarks,
  kShowId,
  kColorBox,
  kColorText,
  kColorBackground,
  kLineWidth,
  kSmoothing,
  kStats,
};

GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(FER_VIDEO_CAPS));
GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(FER_VIDEO_CAPS));

// --- Properties.

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  FER_OVERLAY(object)->parts->settings.with([&](Settings& settings) {
    fer::OverlayLook& look = settings.look;
    switch (id) {
      case kFont: {
        const char* font = g_value_get_string(value);
        look.font = font == nullptr || *font == '\0' ? fer::OverlayLook().font : font;
        break;
      }
      case kFontSize:
        look.font_size = g_value_get_double(value);
        break;
      case kShowBox:
        look.box = g_value_get_boolean(value) == TRUE;
        break;
      case kShowLabel:
        look.label = g_value_get_boolean(value) == TRUE;
        break;
      case kShowBars:
        look.bars = g_value_get_boolean(value) == TRUE;
        break;
      case kShowLandmarks:
        look.landmarks = g_value_get_boolean(value) == TRUE;
        break;
      case kShowId:
        look.id = g_value_get_boolean(value) == TRUE;
        break;
      case kColorBox:
        look.box_colour = g_value_get_uint(value);
        break;
      case kColorText:
        look.text_colour = g_value_get_uint(value);
        break;
      case kColorBackground:
        look.background_colour = g_value_get_uint(value);
        break;
      case kLineWidth:
        look.line_width = g_value_get_double(value);
        break;
      case kSmoothing:
        settings.smoothing = g_value_get_double(value);
        break;
      default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
  });
}

GstStructure* structure_of(const Stats& stats) {
  return gst_structure_new("fer-overlay-stats", "frames", G_TYPE_UINT64, stats.frames, "drawn",
                           G_TYPE_UINT64, stats.drawn, "failed", G_TYPE_UINT64, stats.failed,
                           "faces", G_TYPE_UINT64, stats.faces, "rendered", G_TYPE_UINT64,
                           stats.rendered, nullptr);
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  Parts& parts = *FER_OVERLAY(object)->parts;
  const Settings settings = parts.settings.copy();
  const fer::OverlayLook& look = settings.look;
  switch (id) {
    case kFont:
      g_value_set_string(value, look.font.c_str());
      break;
    case kFontSize:
      g_value_set_double(value, look.font_size);
      break;
    case kShowBox:
      g_value_set_boolean(value, look.box);
      break;
    case kShowLabel:
      g_value_set_boolean(value, look.label);
      break;
    case kShowBars:
      g_value_set_boolean(value, look.bars);
      break;
    case kShowLandmarks:
      g_value_set_boolean(value, look.landmarks);
      break;
    case kShowId:
      g_value_set_boolean(value, look.id);
      break;
    case kColorBox:
      g_value_set_uint(value, look.box_colour);
      break;
    case kColorText:
      g_value_set_uint(value, look.text_colour);
      break;
    case kColorBackground:
      g_value_set_uint(value, look.background_colour);
      break;
    case kLineWidth:
      g_value_set_double(value, look.line_width);
      break;
    case kSmoothing:
      g_value_set_double(value, settings.smoothing);
      break;
    case kStats:
      g_value_take_boxed(value, structure_of(parts.stats.copy()));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

// --- Start and stop.

gboolean start(GstBaseTransform* base) {
  Parts& parts = *FER_OVERLAY(base)->parts;
  return fer::guarded(base, FALSE, [&] {
    parts.stats.with([](Stats& stats) { stats = {}; });
    parts.fault.reset();
    parts.stream = std::make_unique<Stream>();
    // Fonts are searched for and loaded now, not while the first face waits for its label.
    parts.stream->masks.set_font(parts.settings.copy().look.font);
    for (const bool bold : {false, true}) parts.stream->masks.text("face 100 %", 16, bold);
    return TRUE;
  });
}

gboolean stop(GstBaseTransform* base) {
  FER_OVERLAY(base)->parts->stream.reset();
  return TRUE;
}

gboolean set_caps(GstBaseTransform* base, GstCaps* in, GstCaps*) {
  Stream& stream = *FER_OVERLAY(base)->parts->stream;
  if (!gst_video_info_from_caps(&stream.info, in)) {
    GST_ERROR_OBJECT(base, "not raw video: %" GST_PTR_FORMAT, in);
    return FALSE;
  }
  stream.tracks.reset();
  return TRUE;
}

gboolean sink_event(GstBaseTransform* base, GstEvent* event) {
  Parts& parts = *FER_OVERLAY(base)->parts;
  // Flushing stops the streaming thread, so nothing else uses the stream now.
  if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP && parts.stream) parts.stream->tracks.reset();
  return GST_BASE_TRANSFORM_CLASS(fer_overlay_parent_class)->sink_event(base, event);
}

/// The frame is drawn on where it lies, so upstream may have what downstream offers: its pool, the
/// metadata that it understands.
gboolean propose_allocation(GstBaseTransform* base, GstQuery*, GstQuery* query) {
  return gst_pad_peer_query(GST_BASE_TRANSFORM_SRC_PAD(base), query);
}

// --- The streaming thread.

void before_transform(GstBaseTransform* base, GstBuffer* buffer) {
  const GstClockTime time =
      gst_segment_to_stream_time(&base->segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  if (GST_CLOCK_TIME_IS_VALID(time)) gst_object_sync_values(GST_OBJECT(base), time);
}

/// Reads what there is to draw. A frame without it passes as it is, shared or not; one with it is
/// made writable.
GstFlowReturn prepare_output_buffer(GstBaseTransform* base, GstBuffer* in, GstBuffer** out) {
  *out = in;
  return fer::guarded(base, GST_FLOW_ERROR, [&] {
    Parts& parts = *FER_OVERLAY(base)->parts;
    Stream& stream = *parts.stream;
    const Settings settings = parts.settings.copy();
    stream.look = settings.look;
    stream.faces = fer::face_meta_read(in).value_or(std::vector<fer::FaceRecord>());
    stream.tracks.update(stream.faces, settings.smoothing);
    parts.stats.with([&](Stats& stats) {
      ++stats.frames;
      stats.faces += stream.faces.size();
    });
    if (!settings.look.shows_anything()) stream.faces.clear();
    // The copy has the memory in common with the shared buffer until it is mapped for writing.
    if (!stream.faces.empty() && !gst_buffer_is_writable(in)) *out = gst_buffer_copy(in);
    return GST_FLOW_OK;
  });
}

GstFlowReturn transform_ip(GstBaseTransform* base, GstBuffer* buffer) {
  Parts& parts = *FER_OVERLAY(base)->parts;
  if (parts.stream->faces.empty()) return GST_FLOW_OK;
  return fer::guarded(base, GST_FLOW_ERROR, [&] {
    Stream& stream = *parts.stream;
    fer::MappedFrame frame(stream.info, buffer, GST_MAP_READWRITE);
    if (!frame) {
      parts.stats.with([](Stats& stats) { ++stats.failed; });
      const GstVideoInfo& info = stream.info;
      fer::warn_limited(GST_ELEMENT(base), parts.fault,
                        "A frame passed without overlay: its buffer of " +
                            std::to_string(gst_buffer_get_size(buffer)) +
                            " bytes could not be mapped for writing as " +
                            GST_VIDEO_INFO_NAME(&info) + " of " +
                            std::to_string(GST_VIDEO_INFO_WIDTH(&info)) + "x" +
                            std::to_string(GST_VIDEO_INFO_HEIGHT(&info)) + ".");
      return GST_FLOW_OK;
    }
    fer::Canvas canvas(frame.frame());
    fer::paint_faces(canvas, stream.masks, stream.tracks, stream.look, stream.faces);
    parts.stats.with([&](Stats& stats) {
      ++stats.drawn;
      stats.rendered = stream.masks.rendered();
    });
    return GST_FLOW_OK;
  });
}

// --- Life.

void finalize(GObject* object) {
  delete FER_OVERLAY(object)->parts;
  G_OBJECT_CLASS(fer_overlay_parent_class)->finalize(object);
}

void install_properties(GObjectClass* object_class) {
  constexpr auto kFlags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                   GST_PARAM_MUTABLE_PLAYING);
  constexpr auto kControllable = static_cast<GParamFlags>(kFlags | GST_PARAM_CONTROLLABLE);
  const Settings defaults;
  const fer::OverlayLook& look = defaults.look;
  const auto install = [&](guint id, GParamSpec* spec) {
    g_object_class_install_property(object_class, id, spec);
  };
  const auto install_switch = [&](guint id, const char* name, const char* nick, const char* blurb,
                                  bool on) {
    install(id, g_param_spec_boolean(name, nick, blurb, on, kControllable));
  };
  const auto install_colour = [&](guint id, const char* name, const char* nick, const char* blurb,
                                  fer::Argb colour) {
    install(id, g_param_spec_uint(name, nick, blurb, 0, G_MAXUINT32, colour, kControllable));
  };

  install(kFont, g_param_spec_string(
                     "font", "Font",
                     "Pango's description of the font of labels and bars: a family, or family, "
                     "style and size (\"Sans\", \"DejaVu Sans Condensed Bold 14\")",
                     look.font.c_str(), kFlags));
  install(kFontSize,
          g_param_spec_double("font-size", "Font size",
                              "Size of the labels' font in pixels (0: the size that font names; "
                              "where it names none, by the height of frame and face)",
                              0, 1000, look.font_size, kControllable));
  install_switch(kShowBox, "show-box", "Show box", "Draw a box around each face", look.box);
  install_switch(kShowLabel, "show-label", "Show label",
                 "Write each face's expression and its probability; before it is known, how sure "
                 "the detector is of the face",
                 look.label);
  install_switch(
      kShowBars, "show-bars", "Show bars",
      "Draw the probability of each expression as a bar, beside faces that have room for "
      "it",
      look.bars);
  install_switch(kShowLandmarks, "show-landmarks", "Show landmarks",
                 "Draw eyes, nose tip and mouth corners as dots", look.landmarks);
  install_switch(kShowId, "show-id", "Show id", "Write the number of the face's track in its label",
                 look.id);
  install_colour(kColorBox, "color-box", "Color of boxes",
                 "Color of box, landmarks and bars as big-endian ARGB (0: each expression has its "
                 "own)",
                 look.box_colour);
  install_colour(kColorText, "color-text", "Color of text", "Color of labels as big-endian ARGB",
                 look.text_colour);
  install_colour(kColorBackground, "color-background", "Color of the background",
                 "Color behind labels and bars as big-endian ARGB (0: none)",
                 look.background_colour);
  install(kLineWidth,
          g_param_spec_double("line-width", "Line width",
                              "Width of the boxes' lines in pixels (0: by the frame's height)", 0,
                              100, look.line_width, kControllable));
  install(kSmoothing,
          g_param_spec_double("smoothing", "Smoothing",
                              "How much of the shown probabilities stays from one frame of a track "
                              "to the next, so that labels do not flicker (0: shown as they come)",
                              0, 0.99, defaults.smoothing, kControllable));
  install(kStats, g_param_spec_boxed(
                      "stats", "Statistics",
                      "Since the start: frames, drawn (frames with something drawn on), failed "
                      "(frames that could not be mapped), faces, rendered (texts and shapes that "
                      "were not in the cache)",
                      GST_TYPE_STRUCTURE,
                      static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
}

}  // namespace

static void fer_overlay_class_init(FerOverlayClass* klass) {
  GST_DEBUG_CATEGORY_INIT(fer_overlay_debug, "feroverlay", 0, "Draws faces and expressions");
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->finalize = finalize;
  install_properties(object_class);

  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_add_static_pad_template(element_class, &sink_template);
  gst_element_class_add_static_pad_template(element_class, &src_template);
  gst_element_class_set_static_metadata(
      element_class, "Face overlay", "Filter/Effect/Video",
      "Draws faces with their expressions, as found by ferdetect and ferinfer, on video",
      "gst-fer");

  GstBaseTransformClass* transform_class = GST_BASE_TRANSFORM_CLASS(klass);
  transform_class->start = start;
  transform_class->stop = stop;
  transform_class->set_caps = set_caps;
  transform_class->sink_event = sink_event;
  transform_class->propose_allocation = propose_allocation;
  transform_class->before_transform = before_transform;
  transform_class->prepare_output_buffer = prepare_output_buffer;
  transform_class->transform_ip = transform_ip;
}

static void fer_overlay_init(FerOverlay* self) {
  self->parts = new Parts;
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
  gst_base_transform_set_qos_enabled(GST_BASE_TRANSFORM(self), TRUE);
}
