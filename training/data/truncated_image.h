// Image files that were cut short: by a full disk, or a download that broke off.
#pragma once

#include <string_view>

namespace fer {

/// True for a JPEG without its end-of-image marker and a PNG without its last chunk; decoders take
/// both and fill up what is missing. What stands behind the end does not matter. False for all
/// other kinds of files.
bool is_truncated_image(std::string_view bytes);

}  // namespace fer
