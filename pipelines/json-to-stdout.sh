#!/usr/bin/env bash
# Prints the faces of a video, one JSON object per frame, for the next program in a shell's pipe:
#
#   json-to-stdout.sh INPUT | jq -r '.objects[].emotion.label' | sort | uniq -c
#
#   INPUT   a video file, a URI (https://…, rtsp://…) or a camera (/dev/video0)
#
# Nothing but the records goes to standard output; errors and warnings go to standard error. It ends
# when its reader does, as head does.
set -euo pipefail
# shellcheck source=pipelines/common.sh
. "$(dirname "$(readlink -f "$0")")/common.sh"
take_arguments 1 1 "$@"
find_elements
source_of "$1"

launch_records "" -e "${source[@]}" \
  ! ferdetect ! ferinfer ! ferpublish method=fd fd=3 ! fakesink sync=false
