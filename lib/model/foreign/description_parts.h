// What our descriptions and DL Streamer's have in common.
#pragma once

#include "model/foreign/description.h"
#include "model/foreign/json_fields.h"

namespace fer {

/// `labels`: a list of names, or of null for outputs that are left out.
void read_labels(const JsonFields& fields, NetworkDescription& description);
/// `color_space`, `range`, `mean` and `std`, where they are there.
void read_pixels(const JsonFields& fields, NetworkDescription& description);

/// A model-proc file of DL Streamer.
void read_model_proc(const JsonFields& root, NetworkDescription& description);

}  // namespace fer
