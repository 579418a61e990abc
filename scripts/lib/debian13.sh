# A Debian 13 root in the user's cache, and commands run in it. Sourced, never run.
# shellcheck shell=bash
# shellcheck disable=SC2154 # fer_root and fer_cache are those of common.sh

debian13_root=$fer_cache/debian13

# What the function below runs in a mount and process namespace of its own: whatever it mounts is gone
# with it. $1: the root, $2: the checkout, $3: the build tree, $4: folders with models, colon-separated;
# then the command.
# shellcheck disable=SC2016 # for the inner shell
debian13_inside='
set -eu
root=$1 source=$2 build=$3 models=$4
shift 4
bind() {
  mkdir -p "$root$2"
  mount --bind "$1" "$root$2"
}
# LibTorch finds out what the processor can do from /proc.
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
bind "$source" /src
mount -o remount,bind,ro "$root/src"
bind "$build" /build
[ ! -e /etc/resolv.conf ] || cat /etc/resolv.conf >"$root/etc/resolv.conf"
inner=
number=0
IFS=:
for folder in $models; do
  [ -d "$folder" ] || continue
  number=$((number + 1))
  bind "$folder" "/models/$number"
  inner=$inner${inner:+:}/models/$number
done
unset IFS
exec chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
  FER_MODELS="$inner" PYTHONDONTWRITEBYTECODE=1 ${CI:+CI="$CI"} "$@"
'

# How to become root over a namespace: empty for root.
debian13_namespace() {
  if [ "$(id -u)" = 0 ]; then
    namespace=(unshare --mount --pid --fork --kill-child)
  else
    namespace=(unshare --user --map-root-user --map-auto --mount --pid --fork --kill-child)
  fi
}

# Makes the root where there is none yet. 1, with a sentence, where that cannot be done.
make_debian13() {
  debian13_namespace
  # With /proc of its own, as in_debian13 needs it: containers often forbid that alone.
  if ! "${namespace[@]}" --mount-proc true 2>/dev/null; then
    warn "cannot make a Debian 13 root: '${namespace[*]}' is not allowed here. As root it is, or with user namespaces and uidmap."
    return 1
  fi
  [ ! -e "$debian13_root" ] || return 0
  local part=$debian13_root.part.$$ packages
  # What scripts/setup adds there, and would have to fetch package lists for.
  packages=$("$fer_root/scripts/setup" --list test | paste -sd ,),libgstreamer-plugins-bad1.0-dev
  step "Making a Debian 13 root in $debian13_root (some minutes, once)"
  mkdir -p "$fer_cache"
  # As root of the namespace, hence the mode; what a namespace cannot make, device nodes, is bound.
  if ! "${namespace[@]}" mmdebstrap --mode=root --variant=apt \
    --include="$packages" trixie "$part" >"$fer_cache/debian13.log" 2>&1 </dev/null; then
    tail -5 "$fer_cache/debian13.log" >&2
    warn "could not make a Debian 13 root; the whole log: $fer_cache/debian13.log"
    "${namespace[@]}" rm -rf --one-file-system "$part"
    return 1
  fi
  mv "$part" "$debian13_root"
}

# in_debian13 BUILD-TREE COMMAND…: runs it as root of the Debian 13 root, the checkout being read-only
# at /src and the build tree at /build. Trees of several checkouts have the same paths there, so that
# they share the compiler cache, which stays in the root.
in_debian13() {
  local build=$1
  shift
  debian13_namespace
  mkdir -p "$build"
  "${namespace[@]}" sh -c "$debian13_inside" sh "$debian13_root" "$fer_root" "$(cd "$build" && pwd)" \
    "${FER_MODELS:-}:$fer_cache/models" "$@"
}
