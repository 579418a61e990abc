#!/usr/bin/env bash
# Runs many videos at a time over one model. The streams share a model slot, hence one set of
# weights in memory, and one batch holds faces of different streams.
#
#   many-streams.sh FOLDER INPUT…
#
#   FOLDER   gets stream-1.jsonl, stream-2.jsonl, … in the order of the inputs, one JSON object
#            per frame
#   INPUT    a video file, a URI (https://…, rtsp://…) or a camera (/dev/video0)
set -euo pipefail
# shellcheck source=pipelines/common.sh
. "$(dirname "$(readlink -f "$0")")/common.sh"
take_arguments 2 1000 "$@"
find_elements
folder=$1
shift
mkdir -p "$folder"

streams=()
number=0
for input; do
  number=$((number + 1))
  source_of "$input"
  streams+=("${source[@]}" ! ferdetect ! ferinfer model-slot=shared
    ! ferpublish method=file "location=$folder/stream-$number.jsonl" ! fakesink sync=false)
done
exec gst-launch-1.0 -e "${streams[@]}"
