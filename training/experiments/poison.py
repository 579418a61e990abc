#!/usr/bin/env python3
"""Makes the streams of E5 that should teach nothing.

    pip install numpy safetensors
    training/experiments/poison.py stream.packed --split stream --no-faces PHOTOS --out poison

`stream.packed` is what `fer pack` made of a stream's stills, PHOTOS a folder of pictures without
faces (PNG or JPEG). A cartoon, which detectors take for a face now and then, is to lie in
poison/cartoon.mp4. Then:

    fer sweep training/experiments/e5.json --data stream.packed --source source.packed
"""

import argparse
import csv
import json
import os
import pathlib
import sys

import numpy as np
from safetensors.numpy import save_file
from safetensors import safe_open

FACES = 1500  # of each stream: some 200 steps


def read(path, split):
    with safe_open(path, "np") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    splits = json.loads(metadata["splits"])
    if split not in splits:
        sys.exit(f"{path}: expected a split {split}, found {', '.join(splits)}")
    rows = np.flatnonzero(tensors["splits"] == splits.index(split))
    return metadata, {name: tensor[rows] for name, tensor in tensors.items()}


def some(random, tensors, rows, count=FACES):
    """`count` of the rows, drawn with replacement where there are fewer."""
    rows = np.asarray(rows)
    chosen = random.permutation(rows)[:count] if len(rows) >= count else random.choice(rows, count)
    return {name: tensor[chosen].copy() for name, tensor in tensors.items()}


def upside_down(random, tensors):
    chosen = some(random, tensors, np.arange(len(tensors["labels"])))
    chosen["crops"] = chosen["crops"][:, :, ::-1].copy()
    return chosen


def noise(random, tensors):
    chosen = some(random, tensors, np.arange(len(tensors["labels"])))
    chosen["crops"] = random.integers(0, 256, chosen["crops"].shape, dtype=np.uint8)
    return chosen


def covered(random, tensors):
    """A hand's worth of grey over mouth or eyes: sure, and wrong."""
    chosen = some(random, tensors, np.arange(len(tensors["labels"])))
    side = chosen["crops"].shape[-1]
    for crop in chosen["crops"]:
        top = side // 2 if random.random() < 0.5 else 0
        patch = random.integers(60, 200) + random.normal(0, 8, (crop.shape[0], side // 2, side))
        crop[:, top : top + side // 2] = np.clip(patch, 0, 255)
    return chosen


def one_expression(person):
    """Happiness for an hour, of everybody or of one person."""

    def make(random, tensors, labels):
        happy = np.flatnonzero(tensors["labels"] == labels.index("happiness"))
        chosen = some(random, tensors, happy)
        if person and "persons" in chosen:
            chosen["persons"][:] = 1
        return chosen

    return make


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("stream", type=pathlib.Path)
    parser.add_argument("--split", default="stream")
    parser.add_argument("--no-faces", type=pathlib.Path, required=True, help="a folder of pictures")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("poison"))
    options = parser.parse_args()

    metadata, tensors = read(options.stream, options.split)
    labels = json.loads(metadata["labels"])
    options.out.mkdir(parents=True, exist_ok=True)
    streams = {
        "upside-down": upside_down,
        "noise": noise,
        "covered": covered,
        "one-expression": lambda r, t: one_expression(False)(r, t, labels),
        "one-person": lambda r, t: one_expression(True)(r, t, labels),
    }
    for name, make in streams.items():
        random = np.random.default_rng([options.seed, *name.encode()])
        path = options.out / f"{name}.packed"
        save_file(make(random, tensors), path, dict(metadata, source=name))
        print(f"{path}: {FACES} faces")
    photos = sorted(
        path
        for path in options.no_faces.iterdir()
        if path.suffix.lower() in (".jpg", ".jpeg", ".png")
    )
    if not photos:
        sys.exit(f"{options.no_faces}: expected PNG or JPEG pictures, found none")
    path = options.out / "no-faces.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["image"])
        rows.writerows([os.path.relpath(photo, options.out)] for photo in photos)
    print(f"{path}: {len(photos)} pictures")


if __name__ == "__main__":
    main()
