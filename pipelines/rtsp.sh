#!/usr/bin/env bash
# Watches a network camera: writes one JSON object per frame, and tries again when the camera goes.
#
#   rtsp.sh rtsp://HOST/PATH [RECORDS.jsonl]
#
#   RECORDS.jsonl  is added to; default: standard output
#
# Drops frames that come too fast, so that records are never late. Tries again 5 s after the camera
# has gone (FER_RETRY seconds; 0: not at all). Ctrl-C ends it.
set -euo pipefail
# shellcheck source=pipelines/common.sh
. "$(dirname "$(readlink -f "$0")")/common.sh"
take_arguments 1 2 "$@"
find_elements
case $1 in rtsp://* | rtsps://*) ;; *) die "$1: expected rtsp://… or rtsps://…" ;; esac
source_of "$1"
retry=${FER_RETRY:-5}
[[ $retry =~ ^[0-9]+$ ]] || die "FER_RETRY=$retry: expected seconds"

publish=(method=stdout)
# What was written before a new try stays.
[ $# -lt 2 ] || publish=(method=file append=true "location=$2")
child=
stop() {
  [ -z "$child" ] || kill -INT "$child" 2>/dev/null || true
  wait
  exit 0
}
trap stop INT TERM
while true; do
  status=0
  gst-launch-1.0 -q -e "${source[@]}" ! ferdetect ! ferinfer \
    ! ferpublish "${publish[@]}" ! fakesink sync=false </dev/null &
  child=$!
  wait "$child" || status=$?
  child=
  [ "$retry" != 0 ] || exit "$status"
  printf '%s: %s has gone, trying again in %s s\n' "${0##*/}" "$1" "$retry" >&2
  sleep "$retry"
done
