// A camera's address, and what of it may be shown.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fer {

/// Why `uri` is no address that GStreamer reads from, as words that may follow a colon, with what
/// to write instead; empty where it is one. Says nothing of user, password and query. GStreamer
/// must be initialised.
std::string why_no_camera(const std::string& uri);

bool is_file(const std::string& uri);
/// True for what plays faster than the clock unless it is held back: files and downloads.
bool is_unpaced(const std::string& uri);

/// Whether a password stands in the address.
bool has_password(const std::string& uri);

/// Keeps a camera's secrets out of what is printed, logged or served.
class Redactor {
 public:
  /// Secrets are user, password and query of the address, and `password`.
  explicit Redactor(const std::string& uri, const std::string& password = {});

  /// The address with neither user, password nor query.
  const std::string& shown() const { return shown_; }
  /// `text` with what may be shown in the place of each secret.
  std::string operator()(std::string text) const;

 private:
  std::string shown_;
  std::vector<std::pair<std::string, std::string>> replaced_;  ///< Longest first.
};

/// The address with user and password put in, percent-encoded, in place of those that it has.
std::string with_credentials(const std::string& uri, const std::string& user,
                             const std::string& password);

}  // namespace fer
