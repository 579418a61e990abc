#!/usr/bin/env bash
# Runs many videos at a time, each in a process of its own: what one of them does, the others never
# notice.
#
#   many-streams.sh FOLDER INPUT…
#
#   FOLDER   gets stream-1.jsonl, stream-2.jsonl, … in the order of the inputs, one JSON object
#            per frame
#   INPUT    a video file, a URI (https://…, rtsp://…) or a camera (/dev/video0)
#
# A camera or an address that fails is tried again after FER_RETRY seconds (1), and after twice as
# many each further time, FER_RETRY_MOST (60) at most; FER_RETRY=0: not at all. A live one that
# sends nothing for FER_SILENCE seconds (20) counts as failed. Its records are added to what is
# there.
#
# A file is played once. Where one cannot be, the others go on, and the exit code is 1 in the end.
# Ctrl-C ends all.
set -euo pipefail
# shellcheck source=pipelines/common.sh
. "$(dirname "$(readlink -f "$0")")/common.sh"
take_arguments 2 1000 "$@"
find_elements
retry_from_environment 1
folder=$1
shift
mkdir -p "$folder"

streams=()
trap 'kill "${streams[@]}" 2>/dev/null || true' INT TERM
number=0
for input; do
  number=$((number + 1))
  name=stream-$number
  # What a file gave is written anew; what a camera gave does not come again.
  append=false
  [ -f "$input" ] || append=true
  supervise "$name" "$input" method=file "location=$folder/$name.jsonl" "append=$append" \
    "source=$name" >/dev/null &
  streams+=($!)
done
failed=0
for stream in "${streams[@]}"; do
  wait_for "$stream" || failed=$((failed + 1))
done
[ "$failed" = 0 ] || die "$failed of $number inputs failed"
