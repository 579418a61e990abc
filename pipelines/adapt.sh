#!/usr/bin/env bash
# Watches a video or a camera, shows every face's expression, and adapts the model to those faces
# while it serves. FOLDER keeps the learned model, and the next run goes on from it.
#
#   adapt.sh INPUT FOLDER [REPLAY [CANARY]]
#
#   INPUT   a video file, a URI (https://…, rtsp://…) or a camera (/dev/video0)
#   FOLDER  keeps the learner's files, for its owner alone; served.fer in it is the model that
#           serves, for any ferinfer. Of faces it keeps latents rather than pictures, for a day; see
#           docs/explanation/privacy.md
#   REPLAY  labelled faces that keep the model from forgetting (fer pack, fer replay), and
#   CANARY  labelled faces that judge a new model; default: the files beside the model, then REPLAY
#
# FER_SINK names another sink than the window, for example "fakesink sync=true".
set -euo pipefail
# shellcheck source=pipelines/common.sh
. "$(dirname "$(readlink -f "$0")")/common.sh"
take_arguments 2 4 "$@"
find_elements
source_of "$1"
read -r -a sink <<<"${FER_SINK:-autovideosink}"
labelled=()
[ $# -lt 3 ] || labelled=("replay=$(escaped "$3")" "canary=$(escaped "${4:-$3}")")

launch -e "${source[@]}" \
  ! ferdetect ! ferinfer model-slot=adapt \
  ! ferlearn model-slot=adapt "checkpoint-dir=$(escaped "$2")" "${labelled[@]}" ! feroverlay \
  ! queue ! videoconvert ! "${sink[@]}"
