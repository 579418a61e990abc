"""Faces as rows of a table, with the columns that `fer watch` writes."""

import math
from typing import TYPE_CHECKING, Any, Dict, Iterable, List

from gstfer.errors import FerError
from gstfer.faces import Face
from gstfer.frame import Frame

if TYPE_CHECKING:
    import pandas


def to_rows(frames: Iterable[Frame]) -> List[Dict[str, Any]]:
    """One dictionary a face a frame, in order.

    The columns are those of `fer watch --csv`, but for `input`: `frame`, `timestamp` (seconds),
    `face_id` (the track's number; of a face that is not followed, its place in the frame),
    `FaceRectX`, `FaceRectY`, `FaceRectWidth`, `FaceRectHeight` and the landmarks `x_0`, `y_0` to
    `x_4`, `y_4` (pixels of the stored frame), `FaceScore`, `Roll` (degrees clockwise, the line from
    eye to eye), `clear`, one column a class (its probability), `label`, `confidence`, `unsure`,
    `age`, `model_version`. What is not known is None.
    """
    return [
        _row(frame, face, number)
        for frame in frames
        for number, face in enumerate(frame.faces, start=1)
    ]


def to_dataframe(frames: Iterable[Frame]) -> "pandas.DataFrame":
    """The rows of `to_rows()` as a table of pandas; empty where there was no face."""
    try:
        import pandas
    except ImportError as error:
        raise FerError(
            "There is no pandas: install python3-pandas, or take gstfer.to_rows()."
        ) from error
    return pandas.DataFrame(to_rows(frames))


def _row(frame: Frame, face: Face, number: int) -> Dict[str, Any]:
    row: Dict[str, Any] = {
        "frame": frame.number,
        "timestamp": frame.time,
        "face_id": face.track_id or number,
        "FaceRectX": face.box.x * frame.width,
        "FaceRectY": face.box.y * frame.height,
        "FaceRectWidth": face.box.width * frame.width,
        "FaceRectHeight": face.box.height * frame.height,
        "FaceScore": face.score,
    }
    for i in range(5):
        point = face.landmarks[i] if face.landmarks else None
        row[f"x_{i}"] = point.x * frame.width if point else None
        row[f"y_{i}"] = point.y * frame.height if point else None
    row["Roll"] = _roll(frame, face)
    row["clear"] = face.clear
    row.update(face.probabilities)
    row.update(
        label=face.label,
        confidence=face.confidence,
        unsure=face.unsure,
        age=face.age,
        model_version=face.model_version,
    )
    return row


def _roll(frame: Frame, face: Face) -> Any:
    if face.landmarks is None:
        return None
    right, left = face.landmarks.right_eye, face.landmarks.left_eye
    return math.degrees(
        math.atan2((left.y - right.y) * frame.height, (left.x - right.x) * frame.width)
    )
