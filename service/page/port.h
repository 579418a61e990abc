// Whether an address can be listened at.
#pragma once

#include <string>

namespace fer {

/// Why host:port cannot be listened at now, as words that may follow a colon; empty where it can,
/// or where the system chooses the port (0).
std::string why_not_free(const std::string& address);

}  // namespace fer
