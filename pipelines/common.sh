# What the pipelines share. Sourced, never run.
# shellcheck shell=bash
# shellcheck disable=SC2034 # the arrays are for the scripts that source this

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

die() {
  say "$*"
  exit 1
}

# say TEXT: on standard error, without passwords.
say() { printf '%s: %s\n' "${0##*/}" "$*" | (hide) >&2; }

# hide [OPTION…]: filters lines by hide.sed and further options of sed. It goes on through Ctrl-C
# until there are no more lines: a pipeline that finishes its file must find its messages read.
hide() {
  trap '' INT TERM
  exec sed -u -E -f "$here/hide.sed" "$@"
}

# Whether one of the words is an address with something to hide.
has_secret() {
  local word
  for word; do
    [ "$(hide <<<"$word")" = "$word" ] || return 0
  done
  return 1
}

# keep_secrets WORD…: makes sure that GStreamer writes no secret of these words where no filter is.
keep_secrets() {
  has_secret "$@" || return 0
  if [ -n "${GST_DEBUG_DUMP_DOT_DIR-}" ]; then
    say "GST_DEBUG_DUMP_DOT_DIR is left out: pictures of the pipeline would show the password"
    unset GST_DEBUG_DUMP_DOT_DIR
  fi
  if [ -n "${GST_DEBUG_FILE-}" ]; then
    say "GST_DEBUG_FILE is left out: the log comes here, without the password"
    unset GST_DEBUG_FILE
  fi
}

# launch WORD…: becomes gst-launch-1.0 with these words. What it says goes through hide().
launch() {
  has_secret "$@" || exec gst-launch-1.0 "$@"
  keep_secrets "$@"
  exec gst-launch-1.0 "$@" > >(hide) 2> >(hide >&2)
}

# launch_records PREFIX WORD…: becomes gst-launch-1.0 whose file descriptor 3 is standard output,
# for the records alone. Its errors and warnings go to standard error, each line behind PREFIX; its
# chatter goes nowhere. (-q would swallow the warnings of elements.)
launch_records() {
  local prefix=$1 chatter
  shift
  chatter='^(Use Windows|Setting pipeline|Pipeline is|Prerolled|Buffering|Done buffering|New clock'
  chatter+='|Redistribute latency|Got EOS|EOS received|Execution ended|Freeing pipeline|Progress:'
  chatter+='|handling interrupt|Interrupt:|Waiting for EOS|Got context|$)'
  keep_secrets "$@"
  prefix=${prefix//\\/\\\\} prefix=${prefix//\#/\\\#} prefix=${prefix//&/\\&}
  LANGUAGE=C exec gst-launch-1.0 "$@" 3>&1 \
    > >(hide -e "/$chatter/d" -e "s#^#$prefix#" >&2) 2> >(hide -e "s#^#$prefix#" >&2)
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
# Without a log of its own, which would lie beside that of the pipeline or in its place.
have() { env -u GST_DEBUG_FILE gst-inspect-1.0 "$1" >/dev/null 2>&1; }

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
      source=(rtspsrc "location=$1" latency=200 add-reference-timestamp-meta=true
        ! application/x-rtp,media=video ! decodebin)
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

# --- Inputs that are tried again.

# retry_from_environment: the seconds `retry` before the first new try, `retry_most` before any.
retry_from_environment() {
  retry=${FER_RETRY:-$1} retry_most=${FER_RETRY_MOST:-60}
  [[ $retry =~ ^[0-9]+$ ]] || die "FER_RETRY=$retry: expected seconds"
  [[ $retry_most =~ ^[1-9][0-9]*$ ]] || die "FER_RETRY_MOST=$retry_most: expected seconds"
  # A camera that is connected and silent is one that is gone.
  watchdog=()
  ! have watchdog || watchdog=(! watchdog "timeout=${FER_SILENCE:-20}000")
}

# wait_for PID: its exit code, however often a trap interrupts the wait.
wait_for() {
  while kill -0 "$1" 2>/dev/null; do wait "$1" || true; done
  wait "$1"
}

# wait_or_end PID SIGNAL: as wait_for(), but sends it the signal once a second once `stopping` is
# true: a program that just starts may not listen yet.
wait_or_end() {
  while kill -0 "$1" 2>/dev/null; do
    if $stopping; then
      kill -s "$2" "$1" 2>/dev/null || true
      sleep 1
    else
      wait "$1" || true
    fi
  done
  wait "$1"
}

# play NAME INPUT PROPERTY…: becomes the pipeline of one input, with ferpublish's properties.
play() {
  local name=$1 input=$2
  shift 2
  source_of "$input"
  ! $live || source+=("${watchdog[@]}")
  launch_records "$name: " -e "${source[@]}" ! ferdetect ! ferinfer \
    ! ferpublish "$@" ! fakesink sync=false
}

# supervise NAME INPUT PROPERTY…: plays the input, and again when it fails: after `retry` seconds,
# then twice as many each time, up to `retry_most`; a try that lasted a minute begins anew with
# `retry`. A file is played once, and a live input until the script is told to stop, or until nobody
# reads its standard output. Fails where the input did at last.
supervise() {
  local name=$1 input=$2 pause=$retry stopping=false status began
  trap 'stopping=true' INT TERM
  while true; do
    status=0 began=$SECONDS
    play "$@" </dev/null &
    wait_or_end $! INT || status=$?
    ! $stopping || return 0
    if ! is_again "$input" "$status"; then
      [ "$status" = 0 ] || say "$name: $input failed"
      return "$status"
    fi
    [ $((SECONDS - began)) -lt 60 ] || pause=$retry
    say "$name: $input has gone, trying again in $pause s"
    sleep "$pause" &
    wait_or_end $! TERM || true
    ! $stopping || return 0
    pause=$((pause * 2 < retry_most ? pause * 2 : retry_most))
  done
}

# is_again INPUT STATUS: whether an input that ended so is to be played again.
is_again() {
  [ "$retry" != 0 ] || return 1
  case $1 in
    rtsp://* | rtsps://* | /dev/video* | v4l2://*) [ "$2" != 0 ] || ! reader_has_gone ;;
    [a-z]*://*) [ "$2" != 0 ] ;;
    *) return 1 ;;
  esac
}

# Whether nobody reads standard output any more: tail ends then by itself.
reader_has_gone() {
  local status=0
  timeout 0.2 tail -f /dev/null || status=$?
  [ "$status" != 124 ]
}
