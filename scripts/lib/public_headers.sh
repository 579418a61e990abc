# The installed headers without an installation. Sourced, never run.
# shellcheck shell=bash

# stage_headers TREE FOLDER: puts the public headers of a checkout into FOLDER/fer, as they are installed.
stage_headers() {
  local tree=$1 folder=$2 version
  version=$(sed -n "s/^  version: '\(.*\)',$/\1/p" "$tree/meson.build")
  mkdir -p "$folder/generated"
  IFS=. read -r major minor micro <<<"$version"
  sed "s/@VERSION@/$version/; s/@MAJOR@/$major/; s/@MINOR@/$minor/; s/@MICRO@/$micro/" \
    "$tree/lib/version.h.in" >"$folder/generated/version.h"
  # shellcheck disable=SC2046 # names without spaces
  "$tree/scripts/lib/public_headers.py" "$folder" "$tree/lib:$folder/generated" \
    $(cat "$tree/lib/public_headers.txt")
}
