#!/usr/bin/env python3
"""Plays unlabelled stills through ferdetect, ferinfer and ferlearn, and measures what was learnt.

    meson devenv -C build ../tests/bench/learn_through_elements.py wild/labels.csv \
        --source ferplus48.packed --json elements.json

Each still of split `stream` is one frame of one stream, persons in random order and each in one go.
Before and after, `fer eval` tells the labelled stills of split `eval`, of other persons, and the
source's own kind of faces. To be compared with `fer adapt --order persons` on the same rows, where
the same learner runs without a pipeline around it.

The stills are held back so that the learner, which runs at idle priority, is not outrun: run it on
a machine that has nothing else to do. What its queue dropped all the same is told.
"""

import argparse
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile

from stills import rows_of, source_of

CLASSES = "neutral,happiness,surprise,sadness,disgust,anger"


def told(model, *data):
    """What `fer eval` says of a model (None: the one that ships)."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        command = ["fer", "eval", *data, "--json", file.name]
        if model is not None:
            command += ["--model", str(model)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return json.loads(pathlib.Path(file.name).read_text())


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("csv", type=pathlib.Path, help="images with label, person and split")
    parser.add_argument("--source", required=True, help="labelled faces with a split valid")
    parser.add_argument("--classes", default=CLASSES)
    parser.add_argument("--seed", type=int, default=1, help="of the persons' order")
    parser.add_argument("--pause", type=int, default=40, help="milliseconds between two stills")
    parser.add_argument("--detect", default="ferdetect tracking=false")
    parser.add_argument("--learn", default="ferlearn max-cpu=1")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()

    rows = rows_of(options.csv, "stream")
    order = random.Random(options.seed)
    turn = {}
    rows.sort(key=lambda row: (turn.setdefault(row[2], order.random()), row[1]))

    target = (
        "--data",
        str(options.csv),
        "--split",
        "eval",
        "--align",
        "always",
        "--classes",
        options.classes,
    )
    source = ("--data", options.source, "--split", "valid")
    before = told(None, *target), told(None, *source)
    with tempfile.TemporaryDirectory() as folder:
        kept = pathlib.Path(folder) / "kept"
        # A frame a second: every still is due, however fast they are played.
        launched = subprocess.run(
            [
                "gst-launch-1.0",
                "-m",
                *source_of([image for image, _, _ in rows], folder, "1/1"),
                "!",
                "identity",
                f"sleep-time={options.pause * 1000}",
                "!",
                *options.detect.split(),
                "!",
                "ferinfer",
                "model-slot=cam",
                "!",
                *options.learn.split(),
                "model-slot=cam",
                f"checkpoint-dir={kept}",
                "!",
                "fakesink",
                "sync=false",
            ],
            check=True,
            capture_output=True,
            text=True,
        )
        model = kept / "served.fer"
        if not model.exists():
            sys.exit("nothing was promoted:\n" + launched.stdout[-2000:] + launched.stderr)
        after = told(model, *target), told(model, *source)
    last = [line for line in launched.stdout.splitlines() if "fer-learning" in line][-1]
    counts = {
        name: int(re.search(rf"\b{name}=\(guint64\)(\d+)", last).group(1))
        for name in ("offered", "dropped", "steps", "promotions", "rollbacks")
    }
    result = {
        "stills": len(rows),
        "order": "persons",
        "seed": options.seed,
        **counts,
        "target_before": before[0]["macro_recall"],
        "target_after": after[0]["macro_recall"],
        "source_before": before[1]["accuracy"],
        "source_after": after[1]["accuracy"],
    }
    print(json.dumps(result, indent=2))
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
