"""Labelled stills of a CSV as a stream for gst-launch-1.0."""

import csv
import pathlib
import sys

ALIASES = {
    "happy": "happiness",
    "sad": "sadness",
    "angry": "anger",
    "surprised": "surprise",
    "disgusted": "disgust",
    "fearful": "fear",
}


def label_of(name):
    name = name.strip().lower()
    return ALIASES.get(name, name)


def rows_of(path, split, classes=None):
    """(image, label, person) of the rows of a split (None: all), of these classes only."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = [
            (path.parent / row["image"], label_of(row["label"]), row.get("person", ""))
            for row in csv.DictReader(file)
            if split is None or row["split"] == split
        ]
    rows = [row for row in rows if classes is None or row[1] in classes]
    if not rows:
        sys.exit(f"{path}: no rows of split {split} with a label among {classes or 'all'}")
    return rows


def source_of(images, folder, framerate):
    """Elements that play the JPEG files in order; their sizes differ, so the caps change."""
    folder = pathlib.Path(folder)
    for number, image in enumerate(images):
        (folder / f"{number:06}.jpg").symlink_to(image.resolve())
    return [
        "multifilesrc",
        f"location={folder}/%06d.jpg",
        f"caps=image/jpeg,framerate={framerate}",
        "!",
        "jpegdec",
    ]
