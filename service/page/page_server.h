// The page over HTTP: pictures, figures and what people ask of learners.
#pragma once

#include <memory>
#include <string>

#include "config/service_config.h"
#include "fleet/fleet.h"

namespace fer {

/// Serves the page as long as it lives; docs/reference/run.md lists its addresses. Reads of `fleet`
/// take copies; nothing here is called from a streaming thread, and no frame waits for a client.
class PageServer {
 public:
  /// Listens at once. `fleet` must outlive it. Throws std::runtime_error, in words that follow a
  /// colon: an address that is in use, a certificate or a token that cannot be used.
  PageServer(const PageConfig& page, Fleet& fleet);
  /// Ends all connections.
  ~PageServer();
  PageServer(const PageServer&) = delete;
  PageServer& operator=(const PageServer&) = delete;

  /// Where the page is, with the port that was taken.
  const std::string& url() const;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace fer
