#include "frame-time.h"

#include <array>

namespace fer {
namespace {

constexpr std::int64_t kSecond = GST_SECOND;

/// A clock that cameras have, and by how much it is ahead of UTC since 1970.
struct Reference {
  const char* caps;
  std::int64_t ahead;
};
constexpr std::array<Reference, 3> kReferences{{
    {"timestamp/x-unix", 0},
    // Counts from 1900 (RFC 5905).
    {"timestamp/x-ntp", 2'208'988'800 * kSecond},
    // Counts atomic time, which leap seconds have put 37 s ahead of UTC since 2017 (IERS).
    {"timestamp/x-ptp", 37 * kSecond},
}};

}  // namespace

FrameTime frame_time(GstBuffer* buffer) {
  gpointer state = nullptr;
  while (GstMeta* meta = gst_buffer_iterate_meta_filtered(buffer, &state,
                                                          GST_REFERENCE_TIMESTAMP_META_API_TYPE)) {
    const auto* told = reinterpret_cast<GstReferenceTimestampMeta*>(meta);
    const GstStructure* clock = gst_caps_get_structure(told->reference, 0);
    for (const Reference& known : kReferences) {
      if (!gst_structure_has_name(clock, known.caps)) continue;
      return {static_cast<std::int64_t>(told->timestamp) - known.ahead, true};
    }
  }
  return {g_get_real_time() * 1000, false};
}

}  // namespace fer
