# What the scripts share. Sourced, never run.
# shellcheck shell=bash

# The checkout that the running script belongs to.
fer_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# Downloads that every checkout of this user shares; find_detector_model() looks in its models/.
# shellcheck disable=SC2034 # for the scripts that source this
fer_cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/gst-fer

say() { printf '%s\n' "$*"; }
step() { printf '== %s\n' "$*"; }
warn() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() {
  warn "$*"
  exit 1
}

# usage SCRIPT: prints the comment at its head, less the #! line.
usage() { sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$1"; }

# as_root COMMAND…: runs it as root, by sudo where need be. 1 where there is no way.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    # Without a terminal nobody can type a password.
    if [ -t 0 ]; then sudo "$@"; else sudo -n "$@"; fi
  else
    return 1
  fi
}

has_sha256() { # FILE SHA256
  [ -f "$1" ] && printf '%s  %s\n' "$2" "$1" | sha256sum --check --status
}

# enter_build_tree DIR: lets this shell find the tree's elements and programs. Not `meson devenv
# COMMAND`: that would end the command at Ctrl-C before it could finish its files.
enter_build_tree() {
  local dump
  dump=$(meson devenv -C "$1" --dump) || return
  set +u
  eval "$dump"
  set -u
}

# configure_tree DIR OPTION…: makes the build tree where there is none yet, and sets its options.
configure_tree() {
  local tree=$1
  shift
  if [ ! -f "$tree/build.ninja" ]; then
    step "Configuring $tree"
    meson setup "$tree" "$fer_root" "$@"
  elif [ $# != 0 ]; then
    meson configure "$tree" "$@"
  fi
}

# compile_tree DIR TARGET…: compiles the targets, or everything.
compile_tree() {
  local tree=$1
  shift
  # Without these, ccache keeps nothing of what is compiled with a precompiled header.
  export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros}
  step "Building $tree"
  meson compile -C "$tree" "$@"
}
