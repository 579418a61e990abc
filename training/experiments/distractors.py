#!/usr/bin/env python3
"""Makes what is no face for E6, as packed datasets of one kind each and as mixtures.

    pip install numpy pillow safetensors
    training/experiments/distractors.py stream.packed --split stream --no-faces PHOTOS --out e6

`stream.packed` is what `fer pack` made of a stream's stills, PHOTOS a folder of pictures without
faces (PNG or JPEG). In e6: KIND.packed for each kind, and distractors-20.packed and
distractors-50.packed, equal parts of the kinds that stand in POOL, so many that they are 20 and 50
percent of a pool with the whole stream.

A gate that is made of labelled faces, turned upside down and shuffled, has seen the kinds
`upside-down` and `shuffled`; the others it has not. `corner` and `part` are cut from the faces' own
pictures, so that neither light nor grain tells them apart.
"""

import argparse
import json
import pathlib
import sys

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps
from safetensors.numpy import save_file

from poison import read

EACH = 1000  # of each kind by itself
POOL = ["background", "cartoon", "upside-down"]


def crop_of(image, side):
    return np.asarray(image.convert("L").resize((side, side), Image.BILINEAR), np.uint8)


class Maker:
    def __init__(self, crops, photos, seed):
        self.crops = crops  # N x S x S
        self.photos = photos
        self.random = np.random.default_rng(seed)
        self.side = crops.shape[-1]

    def face(self):
        return self.crops[self.random.integers(len(self.crops))]

    def background(self):
        """A square of a photo without faces, a tenth to all of its shorter side."""
        photo = self.photos[self.random.integers(len(self.photos))]
        shorter = min(photo.size)
        size = int(self.random.uniform(max(self.side, shorter // 10), shorter))
        x = self.random.integers(photo.width - size + 1)
        y = self.random.integers(photo.height - size + 1)
        return crop_of(photo.crop((x, y, x + size, y + size)), self.side)

    def upside_down(self):
        return self.face()[::-1]

    def sideways(self):
        return np.rot90(self.face(), 1 if self.random.random() < 0.5 else 3)

    def shuffled(self):
        tile = self.side // 3
        face, out = self.face(), self.face().copy()
        for to, source in enumerate(np.roll(self.random.permutation(9), 1)):
            a, b = divmod(int(source), 3), divmod(to, 3)
            out[b[0] * tile : (b[0] + 1) * tile, b[1] * tile : (b[1] + 1) * tile] = face[
                a[0] * tile : (a[0] + 1) * tile, a[1] * tile : (a[1] + 1) * tile
            ]
        return out

    def negative(self):
        return 255 - self.face()

    def part(self):
        """A quarter of a face, enlarged."""
        half = self.side // 2
        x, y = self.random.integers(self.side - half + 1, size=2)
        return crop_of(Image.fromarray(self.face()[y : y + half, x : x + half]), self.side)

    def corner(self):
        """What lies in a face crop's corner, enlarged: hair, ears, collars and walls."""
        third = self.side // 3
        x, y = self.random.integers(2, size=2) * (self.side - third)
        return crop_of(Image.fromarray(self.face()[y : y + third, x : x + third]), self.side)

    def text(self):
        image = Image.new("L", (96, 96), int(self.random.integers(120, 256)))
        draw = ImageDraw.Draw(image)
        for y in range(2, 96, 12):
            letters = self.random.integers(97, 123, size=16)
            draw.text((2, y), "".join(map(chr, letters)), int(self.random.integers(100)))
        return crop_of(image, self.side)

    def noise(self):
        noise = Image.fromarray(self.random.integers(0, 256, (self.side,) * 2, dtype=np.uint8))
        return np.asarray(noise.filter(ImageFilter.GaussianBlur(self.random.uniform(0, 3))))

    def cartoon(self):
        """A drawn face: an oval, two eyes, brows and a mouth, with lines of a pen."""
        size, u = 144, self.random.uniform
        image = Image.new("L", (size, size), int(u(120, 255)))
        draw = ImageDraw.Draw(image)
        skin, ink, pen = int(u(150, 255)), int(u(0, 70)), int(u(2, 6))
        w, h = u(0.36, 0.48) * size, u(0.4, 0.5) * size
        c = size / 2
        draw.ellipse((c - w, c - h, c + w, c + h), fill=skin, outline=ink, width=pen)
        apart, y, r = u(0.16, 0.24) * size, c - u(0.02, 0.14) * size, u(0.05, 0.11) * size
        for x in (c - apart, c + apart):
            draw.ellipse((x - r, y - r * 1.2, x + r, y + r * 1.2), 255, ink, pen)
            draw.ellipse((x - r / 2, y - r / 2, x + r / 2, y + r / 2), ink)
            tilt = u(-6, 6)
            draw.line((x - r, y - 2 * r - tilt, x + r, y - 2 * r + tilt), ink, pen)
        m, bend, my = u(0.12, 0.25) * size, u(-0.12, 0.2) * size, c + u(0.2, 0.28) * size
        box = (c - m, my - abs(bend), c + m, my + abs(bend) + 1)
        draw.arc(box, 0 if bend > 0 else 180, 180 if bend > 0 else 360, ink, pen)
        draw.line((c, y, c - u(-6, 6), c + u(0.06, 0.14) * size), ink, pen)
        return crop_of(image.filter(ImageFilter.GaussianBlur(u(0, 1))), self.side)


def packed(metadata, labels, crops, source):
    n = len(crops)
    tensors = {
        "crops": np.ascontiguousarray(np.stack(crops)[:, None], np.uint8),
        "votes": np.zeros((n, len(labels)), np.float32),
        "labels": np.full(n, -1, np.int64),
        "splits": np.zeros(n, np.uint8),
        "duplicates": np.zeros(n, np.uint8),
        "aligned": np.zeros(n, np.uint8),
    }
    return tensors, dict(metadata, source=source, splits=json.dumps(["stream"]))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("stream", type=pathlib.Path)
    parser.add_argument("--split", default="stream")
    parser.add_argument("--no-faces", type=pathlib.Path, required=True, help="a folder of pictures")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("e6"))
    options = parser.parse_args()

    metadata, tensors = read(options.stream, options.split)
    labels = json.loads(metadata["labels"])
    faces = tensors["crops"][:, 0]
    photos = []
    for path in sorted(options.no_faces.iterdir()):
        if path.suffix.lower() in (".jpg", ".jpeg", ".png"):
            photo = ImageOps.exif_transpose(Image.open(path)).convert("L")
            if min(photo.size) > faces.shape[-1]:
                photos.append(photo)
    if not photos:
        sys.exit(f"{options.no_faces}: expected PNG or JPEG pictures, found none")
    options.out.mkdir(parents=True, exist_ok=True)
    kinds = {
        "background": Maker.background,
        "cartoon": Maker.cartoon,
        "upside-down": Maker.upside_down,
        "sideways": Maker.sideways,
        "shuffled": Maker.shuffled,
        "negative": Maker.negative,
        "part": Maker.part,
        "corner": Maker.corner,
        "text": Maker.text,
        "noise": Maker.noise,
    }

    def write(name, crops):
        path = options.out / f"{name}.packed"
        rows, about = packed(metadata, labels, crops, name)
        save_file(rows, path, about)
        print(f"{path}: {len(crops)} crops")

    for i, (name, make) in enumerate(kinds.items()):
        maker = Maker(faces, photos, [options.seed, i])
        write(name, [make(maker) for _ in range(EACH)])
    for percent in (20, 50):
        count = len(faces) * percent // (100 - percent)
        maker = Maker(faces, photos, [options.seed, 100 + percent])
        write(f"distractors-{percent}", [kinds[POOL[i % len(POOL)]](maker) for i in range(count)])


if __name__ == "__main__":
    main()
