// Which decoders decodebin tries first.
#pragma once

namespace fer {

/// Ranks every hardware decoder for video that GStreamer knows above those in software, for the
/// whole process. Decodebin falls back to the next where one cannot open its device. Returns how
/// many there are. GStreamer ranks some of them at nothing.
int prefer_hardware_decoders();

}  // namespace fer
