#!/usr/bin/env python3
"""Draws text, logos, patterns and emoji over photos without faces, as negatives for a detector.

Writes a folder for `fer pack --task detect`: labels.csv, faces.csv and images/, the photos of
--data as links. A drawn picture keeps the split of its photo. Needs Pillow, and fc-list for fonts.
"""

import argparse
import csv
import math
import pathlib
import random
import shutil
import string
import subprocess

from PIL import Image, ImageDraw, ImageFont

EMOJI_SIZE = 109  # the one size of Noto Color Emoji's bitmaps
EMOJI = "😀😃😉😊😍😎😐😕😠😡😢😭😮😱🙂🙃🤔🤖👻💀👽🎃🐵🐶🐱🐻🐼🦁🐸🌝🌞⚽🏀🎯⏰🧭🍕🍩"
WORDS = (
    "NEWS LIVE today Weather sale OPEN the of and Film studio Exit 24h Breaking market Radio music "
    "Produced by directed Episode one Two THREE city sport Goal 2:1 www .com street Hotel Bank café"
).split()


def installed_fonts():
    listed = subprocess.run(
        ["fc-list", "-f", "%{file}\n"], check=True, capture_output=True, text=True
    ).stdout.split("\n")
    files = sorted({f for f in listed if f.endswith((".ttf", ".otf"))})
    emoji = [f for f in files if "Emoji" in f]
    return [f for f in files if f not in emoji], emoji


def log_uniform(rng, low, high):
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def colour(rng, opaque=True):
    if rng.random() < 0.4:
        grey = rng.choice([0, 255, rng.randrange(256)])
        rgb = (grey,) * 3
    else:
        rgb = tuple(rng.randrange(256) for _ in range(3))
    return rgb + ((255,) if opaque else (rng.randrange(120, 256),))


class Artist:
    """Draws one thing after another onto a picture (RGBA)."""

    def __init__(self, rng, picture, fonts, emoji):
        self.rng, self.picture, self.fonts, self.emoji = rng, picture, fonts, emoji
        self.draw = ImageDraw.Draw(picture, "RGBA")

    def place(self, size):
        w, h = self.picture.size
        return self.rng.uniform(-size / 3, w - size / 2), self.rng.uniform(-size / 3, h - size / 2)

    def size(self):
        return log_uniform(self.rng, 12, 0.8 * min(self.picture.size))

    def words(self):
        rng = self.rng
        if rng.random() < 0.3:
            letters = string.ascii_letters + string.digits + "&@#%$€ÄÖéß8B0OQ"
            return "".join(rng.choice(letters) for _ in range(rng.randrange(1, 8)))
        return " ".join(rng.choice(WORDS) for _ in range(rng.randrange(1, 5)))

    def text(self):
        rng = self.rng
        font = ImageFont.truetype(rng.choice(self.fonts), int(log_uniform(rng, 10, 160)))
        text = "\n".join(self.words() for _ in range(rng.randrange(1, 4)))
        left, top, right, bottom = self.draw.textbbox((0, 0), text, font=font)
        layer = Image.new("RGBA", (int(right - left) + 24, int(bottom - top) + 24))
        pen = ImageDraw.Draw(layer)
        if rng.random() < 0.35:
            pen.rectangle((0, 0, *layer.size), fill=colour(rng, opaque=False))
        stroke = rng.choice([0, 0, 0, 1, 3])
        pen.text(
            (12 - left, 12 - top),
            text,
            font=font,
            fill=colour(rng),
            stroke_width=stroke,
            stroke_fill=colour(rng),
        )
        if rng.random() < 0.3:
            layer = layer.rotate(rng.uniform(-180, 180), expand=True)
        x, y = self.place(min(layer.size))
        self.picture.alpha_composite(layer, (max(0, int(x)), max(0, int(y))))

    def logo(self):
        """Discs, rings, bars and letters about a common middle, mostly symmetric as faces are."""
        rng, size = self.rng, self.size()
        x, y = self.place(size)
        aspect = rng.choice([1, 1, rng.uniform(0.6, 1.6)])
        box = (x, y, x + size * aspect, y + size)
        kind = rng.choice([self.draw.ellipse, self.draw.rectangle])
        kind(box, fill=colour(rng), outline=colour(rng), width=int(1 + size / 20))
        for _ in range(rng.randrange(0, 4)):
            dx, dy = rng.uniform(0, 0.35) * size * aspect, rng.uniform(-0.35, 0.35) * size
            r = rng.uniform(0.03, 0.2) * size
            fill = colour(rng)
            for side in (-1, 1):
                cx, cy = x + size * aspect / 2 + side * dx, y + size / 2 + dy
                rng.choice([self.draw.ellipse, self.draw.rectangle])(
                    (cx - r, cy - r * rng.uniform(0.4, 1), cx + r, cy + r), fill=fill
                )
        if rng.random() < 0.5:
            font = ImageFont.truetype(rng.choice(self.fonts), max(8, int(size * 0.5)))
            self.draw.text(
                (x + size * aspect / 2, y + size / 2),
                self.words()[: rng.randrange(1, 4)],
                font=font,
                fill=colour(rng),
                anchor="mm",
            )

    def rings(self):
        size = self.size()
        x, y = self.place(size)
        for i in range(self.rng.randrange(2, 7)):
            inset = i * size / 14
            self.draw.ellipse(
                (x + inset, y + inset, x + size - inset, y + size - inset), fill=colour(self.rng)
            )

    def pattern(self):
        rng, size = self.rng, self.size()
        x, y = self.place(size)
        step = max(2.0, size / rng.randrange(3, 16))
        first, second = colour(rng, opaque=False), colour(rng, opaque=False)
        kind = rng.choice(["stripes", "squares", "dots", "code"])
        for i in range(int(size / step)):
            for j in range(1 if kind == "stripes" else int(size / step)):
                cell = (x + i * step, y + j * step, x + (i + 1) * step, y + (j + 1) * step)
                if kind == "stripes":
                    cell = (cell[0], y, cell[2], y + size)
                odd = rng.random() < 0.5 if kind == "code" else (i + j) % 2
                fill = first if odd else second
                (self.draw.ellipse if kind == "dots" else self.draw.rectangle)(cell, fill=fill)

    def cartoon(self):
        if not self.emoji:
            return self.logo()
        font = ImageFont.truetype(self.rng.choice(self.emoji), EMOJI_SIZE)
        layer = Image.new("RGBA", (140, 140))
        ImageDraw.Draw(layer).text((2, 2), self.rng.choice(EMOJI), font=font, embedded_color=True)
        size = int(self.size())
        layer = layer.resize((size, size)).rotate(self.rng.uniform(-30, 30))
        x, y = self.place(size)
        self.picture.alpha_composite(layer, (max(0, int(x)), max(0, int(y))))


def drawn(rng, photo, fonts, emoji):
    picture = photo.convert("RGBA")
    if rng.random() < 0.15:
        picture.paste(colour(rng), (0, 0, *picture.size))
    artist = Artist(rng, picture, fonts, emoji)
    things = [artist.text] * 5 + [artist.logo] * 3 + [artist.rings, artist.pattern, artist.cartoon]
    for _ in range(rng.randrange(3, 16)):
        rng.choice(things)()
    return picture.convert("RGB")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=pathlib.Path, required=True, help="labels.csv, images/")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="The folder to make")
    parser.add_argument("--split", nargs="+", default=["train"], help="Draw on photos of these")
    parser.add_argument("--count", type=int, default=700, help="Pictures to draw")
    parser.add_argument("--alone", action="store_true", help="Leave the photos themselves out")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    rng = random.Random(options.seed)
    fonts, emoji = installed_fonts()
    if not fonts:
        parser.error("fc-list names no font; install fonts-dejavu, for example")
    with (options.data / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    empty = [r for r in rows if int(r["face_count"]) == 0 and r["split"] in options.split]
    if not empty:
        parser.error(f"{options.data}: no photo without faces in split {options.split}")
    images = options.out / "images"
    images.mkdir(parents=True)
    kept = [] if options.alone else rows
    for row in kept:
        (images / row["image"]).symlink_to((options.data / "images" / row["image"]).resolve())
    with (options.out / "labels.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "split", "source", "face_count", "dropped_false"])
        for row in kept:
            writer.writerow(
                [row[k] for k in ("image", "split", "source")]
                + [row["face_count"], row["dropped_false"]]
            )
        for i in range(options.count):
            row = empty[i % len(empty)]
            name = f"drawn_{i:05}.png"
            with Image.open(options.data / "images" / row["image"]) as photo:
                drawn(rng, photo, fonts, emoji).save(images / name)
            writer.writerow([name, row["split"], "drawn", 0, 0])
    if options.alone:
        with (options.data / "faces.csv").open() as file:
            (options.out / "faces.csv").write_text(file.readline())
    else:
        shutil.copy(options.data / "faces.csv", options.out / "faces.csv")
    print(f"{options.out}: {len(kept)} photos, {options.count} drawn, {len(fonts)} fonts")


if __name__ == "__main__":
    main()
