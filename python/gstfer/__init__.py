"""Facial expressions in video: the faces that gst-fer's elements find and label.

    import gstfer

    for frame in gstfer.watch("clip.mp4"):
        for face in frame.faces:
            print(frame.time, face.track_id, face.label)

`watch()` runs a whole pipeline; `Pipeline` runs one of your own, and takes numpy pictures too;
`faces()` reads any GStreamer buffer or sample, in a program that has a pipeline already.
"""

from gstfer.errors import FerError
from gstfer.faces import Box, Face, Landmarks, Point, analysed, faces
from gstfer.frame import Frame
from gstfer.pipeline import Pipeline, stats
from gstfer.rows import to_dataframe, to_rows
from gstfer.watching import watch

__all__ = [
    "Box",
    "Face",
    "FerError",
    "Frame",
    "Landmarks",
    "Pipeline",
    "Point",
    "analysed",
    "faces",
    "stats",
    "to_dataframe",
    "to_rows",
    "watch",
]
