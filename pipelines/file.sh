#!/usr/bin/env bash
# Finds the faces of a video, names their expressions, and writes the annotated video.
#
#   file.sh INPUT OUTPUT.mp4 [RECORDS.jsonl]
#
#   INPUT          a video file, a URI (https://…, rtsp://…) or a camera (/dev/video0)
#   OUTPUT.mp4     the video with boxes and labels, without sound
#   RECORDS.jsonl  one JSON object per frame, one per line
#
# An input without end runs until Ctrl-C; the MP4 is whole then, too. FER_MODEL names another
# expression model than the one that ships.
set -euo pipefail
# shellcheck source=pipelines/common.sh
. "$(dirname "$(readlink -f "$0")")/common.sh"
take_arguments 2 3 "$@"
find_elements
source_of "$1"
choose_encoder
infer=(ferinfer)
[ -z "${FER_MODEL-}" ] || infer+=("model=$(escaped "$FER_MODEL")")
publish=()
[ $# -lt 3 ] || publish=(! ferpublish method=file "location=$(escaped "$3")")

launch -e "${source[@]}" \
  ! ferdetect ! "${infer[@]}" "${publish[@]}" ! feroverlay \
  ! progressreport update-freq=1 \
  ! "${encoder[@]}" ! mp4mux ! filesink "location=$(escaped "$2")"
