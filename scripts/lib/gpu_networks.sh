# The half of scripts/gpu-check that needs LibTorch: the networks on the device, against PyTorch. Sourced,
# never run.
# shellcheck shell=bash
# shellcheck disable=SC2154 # fer_root is that of common.sh

# Programs whose tests named *OnADevice* hold the device against the processor.
network_tests=(
  tests/unit/model/model-classifier-test
  tests/unit/learn/learn-policies-test
  tests/unit/learn/learn-resident-augment-test
  tests/unit/learn/learn-resident-views-test
  tests/unit/stream/stream-learning-test
)

# What keeps the networks from being built here; nothing where they can be.
networks_missing() {
  if ! python3 -c 'import sys, torch; sys.exit(torch.version.cuda is None)' 2>/dev/null; then
    printf 'python3 has no torch that is built with CUDA'
  elif ! command -v pkg-config >/dev/null || ! pkg-config --exists nlohmann_json CLI11; then
    printf 'pkg-config finds no headers of nlohmann-json (nlohmann-json3-dev) and CLI11 (libcli11-dev)'
  fi
}

# targets_in TREE FOLDER: what the tree's build files of that folder make, as meson takes it.
targets_in() {
  meson introspect --targets "$1" | python3 -c '
import json, pathlib, sys
root = pathlib.Path(sys.argv[1]).resolve()
for target in json.load(sys.stdin):
    folder = pathlib.Path(target["defined_in"]).resolve().parent
    if folder.is_relative_to(root / sys.argv[2]) and target["type"] != "custom":
        name, kind = target["name"], target["type"].replace(" ", "_")
        print(f"{folder.relative_to(root)}/{name}:{kind}")' "$fer_root" "$2"
}

# build_networks TREE OPTION…: what is measured and tested, and no more: all of it would take long. 1 where
# it cannot be built.
build_networks() {
  local tree=$1 torch_dir targets plugins=disabled
  shift
  # With half of what they need, the elements would be an error.
  if pkg-config --exists gstreamer-cuda-1.0 gstreamer-check-1.0; then plugins=auto; fi
  torch_dir=$(python3 -c 'import os, torch; print(os.path.dirname(torch.__file__))') || return
  configure_tree "$tree" -Dcuda=enabled -Dtorch=enabled "-Dtorch_dir=$torch_dir" -Dtests=enabled \
    "-Dplugins=$plugins" -Dplots=disabled -Ddocs=disabled "$@" || return
  targets=(training/fer:executable training/fer-learn:executable lib/kernels/fer-cuda:shared_library serving-bench)
  for test in "${network_tests[@]}"; do targets+=("${test##*/}"); done
  mapfile -t -O "${#targets[@]}" targets < <(targets_in "$tree" plugins)
  # Where they can be built.
  mapfile -t -O "${#targets[@]}" targets < <({
    targets_in "$tree" tests/bench
    targets_in "$tree" lib/model
  } | grep -e /streams-bench: -e /fer-torch-cuda:)
  compile_tree "$tree" "${targets[@]}"
}

# test_networks TREE [ARGUMENT…]: runs the programs, each to its end. 1 where one fails. What they said
# stands in TREE/network-tests.log.
test_networks() {
  local tree=$1 status=0
  shift
  : >"$tree/network-tests.log"
  for test in "${network_tests[@]}"; do
    # The dump of meson's environment says where the device's libraries lie.
    (enter_build_tree "$tree" && "$tree/$test" --gtest_brief=1 "$@") | tee -a "$tree/network-tests.log" ||
      status=1
  done
  return $status
}

# test_networks_on_device TREE: what holds the device against the processor. 1 also where a program found
# no device.
test_networks_on_device() {
  test_networks "$1" '--gtest_filter=*OnADevice*' && ! grep -q SKIPPED "$1/network-tests.log"
}

# measure_networks TREE CLIP: the rows of the networks, into TREE/{serving,training,streams}.json. One
# that fails is no reason to lose the others: it has no file, and its reason stands in the log.
measure_networks() {
  local tree=$1 clip=$2 model=$fer_root/models/fernet.fer bench=$fer_root/tests/bench
  rm -f "$tree"/{serving,training,streams}.json
  step "The expression network against PyTorch compiled"
  python3 "$bench/serving_rival.py" --build-dir "$tree" --model "$model" --device cuda --precision bf16 \
    --json "$tree/serving.json" || warn "the expression network was not measured: see above"
  step "A training step against PyTorch compiled"
  python3 "$bench/training_rival.py" --build-dir "$tree" --model "$model" --device cuda --compile \
    --batch 64 --mu 7 --json "$tree/training.json" || warn "the training step was not measured: see above"
  if [ -z "$clip" ]; then
    say "NOT RUN: the streams, since no --clip is named."
  elif [ ! -x "$tree/tests/bench/streams-bench" ]; then
    say "NOT RUN: the streams, since GStreamer, its library for CUDA or OpenCV was not found."
  else
    step "Streams of 1080p with eight faces each, learning off and on"
    (enter_build_tree "$tree" && "$tree/tests/bench/streams-bench" "$clip" --copies 8 --streams 1,4,16,48 \
      --device --json "$tree/streams.json") || warn "streams were not measured: see above"
  fi
}
