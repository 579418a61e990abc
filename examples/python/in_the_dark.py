#!/usr/bin/env python3
"""Asks how dark a video may get before faces and labels are lost.

    in_the_dark.py FILE

Takes the frames as numpy arrays, darkens them, pushes them through an appsrc into a second
pipeline, and reads the faces back.
"""
import sys

import numpy
import gstfer

LIGHT = (1.0, 0.5, 0.25, 0.12)


def main(path):
    for light in LIGHT:
        before, found, same = 0, 0, 0
        with gstfer.Pipeline("appsrc ! ferdetect ! ferinfer") as pipeline:
            for frame in gstfer.watch(path):
                dark = (frame.image() * light).astype(numpy.uint8)
                pipeline.push(dark)
                again = pipeline.pull()
                before += len(frame.faces)
                found += len(again.faces)
                if frame.faces and again.faces:
                    same += frame.faces[0].label == again.faces[0].label
        print(f"light {light:4.0%}: {found} of {before} faces, {same} labels the same")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        main(sys.argv[1])
    except gstfer.FerError as error:
        sys.exit(str(error))
