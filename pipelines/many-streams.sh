#!/usr/bin/env bash
# Many videos at a time over one model: the streams share a model slot, hence one set of weights in
# memory, and faces of different streams are inferred in one batch.
#
#   many-streams.sh FOLDER INPUT…
#
#   FOLDER   gets stream-1.jsonl, stream-2.jsonl, …: one JSON object a frame, in the order of the inputs
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
