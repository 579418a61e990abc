#!/usr/bin/env bash
# Shows a camera in a window, with every face's expression drawn on it.
#
#   webcam.sh [DEVICE]
#
#   DEVICE   default: /dev/video0; a video file or a URI does, too
#
# FER_SINK names another sink than the window, for example "fakesink sync=true".
set -euo pipefail
# shellcheck source=pipelines/common.sh
. "$(dirname "$(readlink -f "$0")")/common.sh"
take_arguments 0 1 "$@"
find_elements
source_of "${1:-/dev/video0}"
read -r -a sink <<<"${FER_SINK:-autovideosink}"

launch "${source[@]}" \
  ! ferdetect ! ferinfer ! feroverlay \
  ! queue ! videoconvert ! "${sink[@]}"
