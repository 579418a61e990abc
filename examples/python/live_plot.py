#!/usr/bin/env python3
"""Draws the probabilities of the best face in the terminal, as they change.

    live_plot.py [SOURCE]      a camera (default /dev/video0), file or URI
"""
import shutil
import sys

import gstfer

BAR = "█"


def lines_of(frame, width):
    """What the terminal shows of a frame, one string a line."""
    when = f"{frame.time:.1f} s" if frame.time is not None else f"frame {frame.number}"
    if not frame.faces or frame.faces[0].label is None:
        return [f"{when}: nobody"]
    face = frame.faces[0]
    room = max(1, width - 20)
    return [f"{when}: face {face.track_id}" + (", unsure" if face.unsure else "")] + [
        f"{label:10} {share:5.0%} {BAR * round(share * room)}"
        for label, share in face.probabilities.items()
    ]


def main(source):
    shown = 0
    for frame in gstfer.watch(source):
        lines = lines_of(frame, shutil.get_terminal_size().columns)
        if sys.stdout.isatty() and shown:
            sys.stdout.write(f"\x1b[{shown}A\x1b[J")  # up, and clear what was there
        print("\n".join(lines), flush=True)
        shown = len(lines)


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "/dev/video0")
    except gstfer.FerError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        pass
