#!/usr/bin/env python3
"""Replaces the five landmarks in a faces.csv by those of a 478-point face mesh, where it is sure.

The mesh (face_landmarks_detector.tflite in MediaPipe's face_landmarker.task, Apache-2.0) sees a
face upright in the middle of its picture, as it is and mirrored. Its points are the means of the
eyes' contours, the tip of the nose and the corners of the mouth. They are moved by the mean
difference to the landmarks that the table had, so that they mean the same places. A face keeps its
old landmarks where the mesh sees no face, or where the views or the tables differ. Needs NumPy,
OpenCV and ai-edge-litert.
"""

import argparse
import csv
import pathlib
import zipfile

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter

SIDE = 256  # of the mesh's input
MARGIN = 1.5  # side of the picture over the longer side of the face's box
# Of the person's right eye, then the left; each the whole contour.
EYES = [
    [33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246],
    [263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466],
]
NOSE, MOUTH = 1, [61, 291]
NAMES = ["right_eye", "left_eye", "nose", "right_mouth", "left_mouth"]
MIRRORED = [1, 0, 2, 4, 3]
# In shares of the distance between the eyes: between both views, and to the old landmarks.
LARGEST_DISAGREEMENT, LARGEST_CHANGE = 0.12, 0.35


class Mesh:
    def __init__(self, task):
        with zipfile.ZipFile(task) as archive:
            model = archive.read("face_landmarks_detector.tflite")
        self.net = Interpreter(model_content=model, num_threads=1)
        self.net.allocate_tensors()
        self.input = self.net.get_input_details()[0]["index"]
        self.outputs = [d["index"] for d in self.net.get_output_details()[:2]]

    def look(self, picture):
        """RGB, SIDE x SIDE → five points in its pixels and the probability of a face."""
        self.net.set_tensor(self.input, picture[None].astype(np.float32) / 255)
        self.net.invoke()
        points, presence = (self.net.get_tensor(i) for i in self.outputs)
        points = points.reshape(-1, 3)[:, :2]
        five = [points[eye].mean(axis=0) for eye in EYES]
        five += [points[NOSE]] + [points[i] for i in MOUTH]
        return np.array(five), float(1 / (1 + np.exp(-presence.reshape(-1)[0])))

    def landmarks(self, photo, centre, size, old):
        """The mean of both views, or None where the mesh is not sure of the face."""
        points = old
        for _ in range(2):  # the second time turned by what the first one saw
            eyes = points[1] - points[0]
            roll = np.degrees(np.arctan2(eyes[1], eyes[0]))
            there = cv2.getRotationMatrix2D(tuple(map(float, centre)), roll, SIDE / (MARGIN * size))
            there[:, 2] += SIDE / 2 - np.asarray(centre)
            picture = cv2.warpAffine(photo, there, (SIDE, SIDE), flags=cv2.INTER_CUBIC)
            seen, sure = self.look(picture)
            mirrored, sure_too = self.look(picture[:, ::-1].copy())
            mirrored = mirrored[MIRRORED] * [-1, 1] + [SIDE - 1, 0]
            if min(sure, sure_too) < 0.5:
                return None
            if error(seen, mirrored) > LARGEST_DISAGREEMENT:
                return None
            back = cv2.invertAffineTransform(there)
            points = cv2.transform(((seen + mirrored) / 2)[None], back)[0]
        return points


def error(points, truth):
    """Mean distance in shares of the distance between the eyes."""
    return np.linalg.norm(points - truth, axis=1).mean() / np.linalg.norm(truth[1] - truth[0])


def axes(points):
    """From the face's own axes to pixels: along the eyes, across them; unit: their distance."""
    x = points[1] - points[0]
    return np.array([x, [-x[1], x[0]]])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=pathlib.Path, required=True, help="faces.csv, images/")
    parser.add_argument("--mesh", type=pathlib.Path, required=True, help="face_landmarker.task")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="The new faces.csv")
    parser.add_argument("--min-face", type=float, default=28, help="Lower faces are left as is")
    options = parser.parse_args()

    mesh = Mesh(options.mesh)
    with (options.data / "faces.csv").open(newline="") as file:
        reader = csv.DictReader(file)
        columns, rows = reader.fieldnames, list(reader)
    found = []
    name, photo = None, None
    for row in rows:
        x, y, w, h = (float(row[k]) for k in "xywh")
        if row.get("sure", "1") != "1" or h < options.min_face:
            continue
        if row["image"] != name:
            name = row["image"]
            photo = cv2.imread(str(options.data / "images" / name))[:, :, ::-1]
        old = np.array([[float(row[f"{n}_{axis}"]) for axis in "xy"] for n in NAMES])
        if np.linalg.norm(old[1] - old[0]) < 0.15 * h:
            continue  # from the side: the eyes' distance says nothing
        points = mesh.landmarks(photo, (x + w / 2, y + h / 2), max(w, h), old)
        if points is not None and error(points, old) <= LARGEST_CHANGE:
            found.append((row, h, points, old))
    # Where both tables mean the same, the mean difference is none.
    offsets = [
        (old - points) @ np.linalg.inv(axes(points)) for _, h, points, old in found if h >= 64
    ]
    offset = np.median(offsets, axis=0)
    for row, _, points, _ in found:
        moved = points + offset @ axes(points)
        for n, point in zip(NAMES, moved):
            row[f"{n}_x"], row[f"{n}_y"] = (f"{value:.2f}" for value in point)
    with options.out.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    changes = [error(p + offset @ axes(p), old) for _, _, p, old in found]
    print(
        f"{options.out}: {len(found)} of {len(rows)} faces have new landmarks, by "
        f"{100 * np.mean(changes):.1f} % of the eyes' distance in the mean; offsets (across the "
        f"face, down) {np.round(offset, 3).tolist()} from {len(offsets)} faces of 64 px or more"
    )


if __name__ == "__main__":
    main()
