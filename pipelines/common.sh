# What the pipelines share. Sourced, never run.
# shellcheck shell=bash
# shellcheck disable=SC2034 # the arrays are for the scripts that source this

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# Prints the comment at the head of the script, less the #! line.
usage() { sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$0"; }

# take_arguments LEAST MOST ARGUMENT…: usage where it is asked for, or where the number is another.
take_arguments() {
  local least=$1 most=$2
  shift 2
  case ${1-} in -h | --help) usage; exit ;; esac
  if [ $# -lt "$least" ] || [ $# -gt "$most" ]; then
    usage >&2
    exit 2
  fi
}

# Not --exists: that asks for a version of at least 1.0, which ours have not yet.
have() { gst-inspect-1.0 "$1" >/dev/null 2>&1; }

# Makes sure that GStreamer finds our elements: from where it looks by itself, from where these
# scripts were installed with them, or from the build tree beside these scripts.
find_elements() {
  command -v gst-launch-1.0 >/dev/null || die "there is no gst-launch-1.0: install gstreamer1.0-tools"
  ! have ferdetect || return 0
  if [ -f "$here/plugin-path" ]; then
    GST_PLUGIN_PATH_1_0=$(cat "$here/plugin-path")${GST_PLUGIN_PATH_1_0:+:$GST_PLUGIN_PATH_1_0}
    export GST_PLUGIN_PATH_1_0
    ! have ferdetect || return 0
  elif [ -f "$here/../build/build.ninja" ]; then
    # Not `meson devenv COMMAND`: that would end the command at Ctrl-C before it could finish its files.
    local dump
    dump=$(meson devenv -C "$here/../build" --dump)
    set +u
    eval "$dump"
    set -u
    ! have ferdetect || return 0
  fi
  die "GStreamer does not find ferdetect: build first, or name the plugins' folder in GST_PLUGIN_PATH"
}

# escaped NAME: a file's name as gst-launch-1.0 must get it, which drops backslashes.
escaped() { printf '%s' "${1//\\/\\\\}"; }

# source_of INPUT: the array `source`, which ends in raw video of the first video stream, upright, and
# `live`, true where frames come at their own pace and a late one is better dropped than waited for.
source_of() {
  live=false
  case $1 in
    /dev/video* | v4l2://*)
      [ -e "${1#v4l2://}" ] || die "$1: no such device"
      live=true
      source=(v4l2src "device=${1#v4l2://}" do-timestamp=true ! decodebin)
      ;;
    rtsp://* | rtsps://*)
      live=true
      # shellcheck disable=SC2054 # the comma is of the caps
      source=(rtspsrc "location=$1" latency=200 ! application/x-rtp,media=video ! decodebin)
      ;;
    [a-z]*://*) source=(uridecodebin "uri=$1" expose-all-streams=false "caps=video/x-raw(ANY)") ;;
    *)
      [ -e "$1" ] || die "$1: no such file"
      [ -f "$1" ] || die "$1: expected a video file, a URI or /dev/videoN"
      [ -r "$1" ] || die "$1: cannot be read"
      source=(filesrc "location=$(escaped "$1")" ! decodebin expose-all-streams=false "caps=video/x-raw(ANY)")
      ;;
  esac
  if $live; then
    source+=(! queue leaky=downstream max-size-buffers=2 max-size-bytes=0 max-size-time=0)
  else
    source+=(! queue)
  fi
  # Both pass frames on as they are wherever nothing is to be done.
  source+=(! videoconvert ! videoflip video-direction=auto)
}

# The array `encoder`: the best one that is here, for MP4. Encoders take even sides alone: a photo
# with an odd one becomes a pixel larger or smaller.
choose_encoder() {
  local even='[2,16384,2]'
  if have x264enc; then
    encoder=(x264enc pass=quant quantizer=23 speed-preset=veryfast key-int-max=60)
    ! $live || encoder+=(tune=zerolatency)
    encoder+=(! h264parse)
  elif have openh264enc; then
    encoder=(openh264enc rate-control=quality bitrate=4000000 complexity=low ! h264parse)
  elif have avenc_mpeg4; then
    encoder=(avenc_mpeg4 bitrate=4000000 ! mpeg4videoparse)
  elif have jpegenc; then
    encoder=(jpegenc quality=90)
  else
    die "there is no video encoder: install gstreamer1.0-plugins-ugly (x264enc)"
  fi
  encoder=(videoscale ! "video/x-raw,width=$even,height=$even" ! "${encoder[@]}")
}
