#!/usr/bin/env bash
# Streams a camera or video, annotated, to browsers and players by HLS.
#
#   hls.sh INPUT FOLDER
#
#   INPUT    a camera (/dev/video0), a URI (rtsp://…) or a video file
#   FOLDER   gets live.m3u8 and segments of 2 s, the last ten of them; made where there is none
#
# Any web server serves FOLDER. FER_OVERLAY has settings of feroverlay, for example "blur=all".
# Ctrl-C ends the stream.
set -euo pipefail
# shellcheck source=pipelines/common.sh
. "$(dirname "$(readlink -f "$0")")/common.sh"
take_arguments 2 2 "$@"
find_elements
have hlssink2 || die "there is no hlssink2: install gstreamer1.0-plugins-bad"
have x264enc || die "there is no x264enc: install gstreamer1.0-plugins-ugly"
source_of "$1"
mkdir -p "$2"
read -r -a overlay <<<"feroverlay ${FER_OVERLAY-}"

# A segment begins at a key frame: one a second at 30 frames a second.
launch -e "${source[@]}" \
  ! ferdetect ! ferinfer ! "${overlay[@]}" \
  ! queue ! videoconvert ! video/x-raw,format=I420 \
  ! x264enc tune=zerolatency speed-preset=veryfast bitrate=3000 key-int-max=30 ! h264parse \
  ! hlssink2 "location=$(escaped "$2")/segment%05d.ts" "playlist-location=$(escaped "$2")/live.m3u8" \
  target-duration=2 playlist-length=5 max-files=10
