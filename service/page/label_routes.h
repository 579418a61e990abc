// The page's addresses for labelling faces.
#pragma once

#include <httplib.h>

#include "fleet/fleet.h"

namespace fer {

/// Adds GET /api/slots/NAME/questions and POST /api/slots/NAME/answers. `fleet` must outlive the
/// server.
void add_label_routes(httplib::Server& server, Fleet& fleet);

}  // namespace fer
