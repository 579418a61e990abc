#!/usr/bin/env bash
# Puts two videos beside each other, each with a word on it, to compare them.
#
#   side-by-side.sh LEFT RIGHT OUTPUT.mp4 [LEFT-WORDS RIGHT-WORDS]
#
#   LEFT, RIGHT  video files or URIs; each becomes 640x360, with black sides if it is narrower
#   OUTPUT.mp4   both, without sound; as long as the longer one
#   …-WORDS      stand in the upper left corner; default: before and after
set -euo pipefail
# shellcheck source=pipelines/common.sh
. "$(dirname "$(readlink -f "$0")")/common.sh"
take_arguments 3 5 "$@"
find_elements
width=640 height=360

# words_on TEXT: the array `words`, which writes it on the video, by whichever element is here.
words_on() {
  # Both take XML; what is escaped in it cannot end gst-launch's quotes either.
  local text=$1
  text=${text//&/'&amp;'} text=${text//</'&lt;'} text=${text//\"/'&quot;'} text=${text//\\/'&#92;'}
  if [ -z "$text" ]; then
    words=(identity)
  elif have textoverlay; then
    words=(textoverlay "text=\"$text\"" valignment=top halignment=left font-desc="Sans,Bold 16")
  elif have rsvgoverlay; then
    local style="font-family='sans-serif' font-size='24' font-weight='bold' fill='white'"
    # A dark rim keeps it readable on whatever lies below.
    style+=" stroke='black' stroke-width='4' paint-order='stroke'"
    words=(videoconvert ! rsvgoverlay "data=\"<svg xmlns='http://www.w3.org/2000/svg' width='$width' height='$height'><text x='14' y='34' $style>$text</text></svg>\"")
  else
    printf '%s: neither textoverlay nor rsvgoverlay is here: no words on the videos\n' "${0##*/}" >&2
    words=(identity)
  fi
}

# half_of INPUT WORDS: the array `half`, the input at its size with the words on it.
half_of() {
  source_of "$1"
  words_on "$2"
  half=("${source[@]}" ! videoscale ! "video/x-raw,width=$width,height=$height,pixel-aspect-ratio=1/1"
    ! "${words[@]}" ! videoconvert ! queue)
}

half_of "$1" "${4-before}"
left=("${half[@]}")
half_of "$2" "${5-after}"
choose_encoder

launch -e compositor name=both background=black "sink_1::xpos=$width" \
  ! videoconvert ! video/x-raw,format=I420 \
  ! "${encoder[@]}" ! mp4mux ! filesink "location=$(escaped "$3")" \
  "${left[@]}" ! both.sink_0 "${half[@]}" ! both.sink_1
