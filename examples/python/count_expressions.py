#!/usr/bin/env python3
"""Counts the expressions in a video or photo, in frames and in seconds.

    count_expressions.py FILE
"""
import collections
import sys

import gstfer


def main(path):
    frames, unsure, last = collections.Counter(), 0, 0.0
    for frame in gstfer.watch(path):
        last = frame.time or last
        for face in frame.faces:
            if face.unsure or face.label is None:
                unsure += 1
            else:
                frames[face.label] += 1
    seconds = last / max(1, frame.number)
    for label, count in frames.most_common():
        print(f"{label:12} {count:7} frames {count * seconds:8.1f} s")
    print(f"{'unsure':12} {unsure:7} frames {unsure * seconds:8.1f} s")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        main(sys.argv[1])
    except gstfer.FerError as error:
        sys.exit(str(error))
