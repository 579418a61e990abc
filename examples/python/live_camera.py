#!/usr/bin/env python3
"""Prints who shows what in front of a camera: live_camera.py [/dev/video0]"""
import sys

import gstfer

with gstfer.Pipeline(
    f"v4l2src device={sys.argv[1] if len(sys.argv) > 1 else '/dev/video0'}"
    " ! decodebin ! videoconvert ! ferdetect ! ferinfer",
    latest=True,
) as pipeline:
    for frame in pipeline:
        print(*(f"{face.track_id}: {face.label}" for face in frame.faces), sep=", ")
