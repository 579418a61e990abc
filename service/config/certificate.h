// Certificates for TLS, looked at before they are used.
#pragma once

#include <filesystem>
#include <string>

namespace fer {

/// Why a server cannot show this certificate with this key, both in PEM format, as a sentence;
/// empty where it can. One that is not valid yet, or no longer, is refused as well: so would
/// browsers.
std::string why_no_certificate(const std::filesystem::path& certificate,
                               const std::filesystem::path& key);

}  // namespace fer
