#!/usr/bin/env bash
# Watches a network camera: writes one JSON object per frame, and tries again when the camera goes.
#
#   rtsp.sh rtsp://HOST/PATH [RECORDS.jsonl]
#
#   RECORDS.jsonl  is added to; default: standard output
#
# Drops frames that come too fast, so that records are never late. Tries again 5 s after the camera
# has gone (FER_RETRY seconds; 0: not at all), and after twice as many each further time, 60 s at
# most (FER_RETRY_MOST). A camera that sends nothing for 20 s (FER_SILENCE) has gone, too. Ctrl-C
# ends it.
set -euo pipefail
# shellcheck source=pipelines/common.sh
. "$(dirname "$(readlink -f "$0")")/common.sh"
take_arguments 1 2 "$@"
find_elements
case $1 in rtsp://* | rtsps://*) ;; *) die "$1: expected rtsp://… or rtsps://…" ;; esac
retry_from_environment 5

publish=(method=fd fd=3)
# What was written before a new try stays.
[ $# -lt 2 ] || publish=(method=file append=true "location=$2")
supervise camera "$1" "${publish[@]}"
