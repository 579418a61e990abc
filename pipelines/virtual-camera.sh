#!/usr/bin/env bash
# Gives other programs (OBS, browsers, video calls) the annotated picture as a camera.
#
#   virtual-camera.sh INPUT [DEVICE]
#
#   INPUT    a camera (/dev/video0), a URI (rtsp://…) or a video file
#   DEVICE   default: /dev/video10, a device of v4l2loopback:
#            sudo modprobe v4l2loopback video_nr=10 card_label=gst-fer exclusive_caps=1
#
# FER_OVERLAY has settings of feroverlay, for example "blur=all". FER_SINK names another sink than
# the device. Ctrl-C ends it.
set -euo pipefail
# shellcheck source=pipelines/common.sh
. "$(dirname "$(readlink -f "$0")")/common.sh"
take_arguments 1 2 "$@"
find_elements
device=${2:-/dev/video10}
if [ -z "${FER_SINK-}" ] && [ ! -e "$device" ]; then
  die "$device: no such device: install v4l2loopback-dkms, then run" \
    "sudo modprobe v4l2loopback video_nr=${device#/dev/video} card_label=gst-fer exclusive_caps=1"
fi
source_of "$1"
read -r -a sink <<<"${FER_SINK:-v4l2sink device=$device}"
read -r -a overlay <<<"feroverlay ${FER_OVERLAY-}"

# YUY2 is what most programs expect of a camera.
launch "${source[@]}" \
  ! ferdetect ! ferinfer ! "${overlay[@]}" \
  ! queue ! videoconvert ! video/x-raw,format=YUY2 ! "${sink[@]}"
