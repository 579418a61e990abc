#!/usr/bin/env bash
# Writes every face of a video as a picture of its own, aligned on the eyes, the nose and the mouth.
#
#   crops-to-disk.sh INPUT FOLDER [SIZE]
#
#   INPUT    a video file, a URI (https://…, rtsp://…) or a camera (/dev/video0)
#   FOLDER   gets face-000000.png, face-000001.png, …
#   SIZE     of a picture, in pixels a side; default: 112
set -euo pipefail
# shellcheck source=pipelines/common.sh
. "$(dirname "$(readlink -f "$0")")/common.sh"
take_arguments 2 3 "$@"
find_elements
source_of "$1"
size=${3:-112}
[[ $size =~ ^[1-9][0-9]*$ ]] || die "$size: expected a number of pixels"
mkdir -p "$2"

launch -e "${source[@]}" \
  ! ferdetect ! fercrop ! "video/x-raw,width=$size,height=$size" \
  ! videoconvert ! pngenc ! multifilesink "location=$(escaped "$2")/face-%06d.png"
