#!/usr/bin/env python3
"""Plays the labelled stills of a CSV through the elements and measures what they say of them.

    meson devenv -C build ../tests/bench/stills_through_elements.py labels.csv --split eval \
        --classes neutral,happiness,surprise,sadness,disgust,anger

Each still is one frame of one stream (JPEG files; their sizes differ, so the caps change from frame to
frame): ferdetect finds the face, ferinfer labels it, ferpublish writes it down. To be compared with
`fer eval --align always` on the same rows, which sees the same faces without a pipeline around them.
A still without any face counts as wrong.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

from stills import rows_of, source_of


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("csv", type=pathlib.Path)
    parser.add_argument("--split")
    parser.add_argument(
        "--classes", help="rows of other classes are left out (default: all that occur)"
    )
    parser.add_argument(
        "--detect", default="ferdetect tracking=false", help="the detecting element"
    )
    parser.add_argument("--infer", default="ferinfer", help="the inferring element")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()

    rows = [
        row[:2]
        for row in rows_of(
            options.csv, options.split, options.classes and options.classes.split(",")
        )
    ]
    classes = (
        options.classes.split(",") if options.classes else sorted({label for _, label in rows})
    )

    with tempfile.TemporaryDirectory() as folder:
        lines = pathlib.Path(folder) / "faces.jsonl"
        source = source_of([image for image, _ in rows], folder, "25/1")
        subprocess.run(
            [
                "gst-launch-1.0",
                "-q",
                *source,
                "!",
                *options.detect.split(),
                "!",
                *options.infer.split(),
                "!",
                "ferpublish",
                "method=file",
                f"location={lines}",
                "!",
                "fakesink",
            ],
            check=True,
        )
        frames = [json.loads(line) for line in lines.read_text().splitlines()]
    if len(frames) != len(rows):
        sys.exit(f"{len(rows)} stills went in, {len(frames)} frames came out")

    confusion = {label: dict.fromkeys([*classes, "no face"], 0) for label in classes}
    for (_, label), frame in zip(rows, frames):
        faces = [face for face in frame["objects"] if "emotion" in face]
        if faces:
            # Stills show one person: the largest and surest face, as `fer eval` takes it.
            face = max(faces, key=lambda f: f["w"] * f["h"] * f["detection"]["confidence"])
            probabilities = face["emotion"]["probabilities"]
            said = max(classes, key=lambda name: probabilities[name])
        else:
            said = "no face"
        confusion[label][said] += 1
    recall = {
        label: row[label] / sum(row.values())
        for label, row in confusion.items()
        if sum(row.values())
    }
    result = {
        "n": len(rows),
        "accuracy": sum(confusion[label][label] for label in classes) / len(rows),
        "macro_recall": sum(recall.values()) / len(recall),
        "recall": recall,
        "without_face": sum(row["no face"] for row in confusion.values()),
        "confusion": confusion,
    }
    print(json.dumps(result, indent=2))
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
