"""The faces of a buffer as dataclasses."""

from dataclasses import dataclass, field
from typing import Dict, List, NamedTuple, Optional, Tuple, Union

from gstfer.introspection import Gst, GstFer


class Point(NamedTuple):
    """Shares of the stored frame's width and height."""

    x: float
    y: float


class Box(NamedTuple):
    """Upper left corner and size, as shares of the stored frame's width and height, in [0, 1]."""

    x: float
    y: float
    width: float
    height: float

    def pixels(self, frame_width: int, frame_height: int) -> Tuple[int, int, int, int]:
        """x, y, width and height in whole pixels of a frame: at least one pixel, inside it."""

        def pixel(share: float, size: int) -> int:
            return min(max(int(share * size + 0.5), 0), size)

        x = min(pixel(self.x, frame_width), max(0, frame_width - 1))
        y = min(pixel(self.y, frame_height), max(0, frame_height - 1))
        return (
            x,
            y,
            max(1, pixel(self.x + self.width, frame_width) - x),
            max(1, pixel(self.y + self.height, frame_height) - y),
        )


class Landmarks(NamedTuple):
    """Five points of a face; right and left are the person's."""

    right_eye: Point
    left_eye: Point
    nose: Point
    right_mouth: Point
    left_mouth: Point


@dataclass(frozen=True)
class Face:
    """One face of one frame. What a model says is None, or empty, until one was asked."""

    box: Box
    #: How sure the detector is that this is a face, in [0, 1].
    score: float
    #: The same number as long as the face is followed, never used again; 0: not followed.
    track_id: int = 0
    #: None where the detector has none (the Haar cascade).
    landmarks: Optional[Landmarks] = None
    #: False where nobody can tell how the face is turned.
    clear: bool = True
    #: The most likely expression.
    label: Optional[str] = None
    #: Its place among the model's classes, from 0.
    label_id: Optional[int] = None
    #: Its probability.
    confidence: Optional[float] = None
    #: All classes' probabilities by their names, in the model's order; their sum is 1.
    probabilities: Dict[str, float] = field(default_factory=dict)
    #: The label is not to be relied on: its probability lies below the model's operating point
    #: (`ferinfer min-confidence`), or the face is not clear.
    unsure: bool = False
    #: Frames since the label was inferred; 0: in this frame.
    age: Optional[int] = None
    #: The weights that gave it, as `fer info` prints them.
    model_version: Optional[str] = None


def faces(source: Union["Gst.Buffer", "Gst.Sample"]) -> List[Face]:
    """The faces on a buffer or sample, best first.

    Empty where there are none, and where nobody has looked for any: see `analysed()`. Of a buffer
    whose frame was scaled give the sample, whose caps tell the size. Faces whose place is not known,
    since an element flipped or cropped the picture behind ferdetect, are left out.
    """
    return read_faces(source) or []


def analysed(source: Union["Gst.Buffer", "Gst.Sample"]) -> bool:
    """Whether an element has looked for faces in the frame of this buffer or sample."""
    return read_faces(source) is not None


def read_faces(source: Union["Gst.Buffer", "Gst.Sample"]) -> Optional[List[Face]]:
    """The same as `faces()`, but None where nobody has looked."""
    if isinstance(source, Gst.Sample):
        buffer, found = source.get_buffer(), GstFer.sample_get_faces(source)
    elif isinstance(source, Gst.Buffer):
        buffer, found = source, GstFer.buffer_get_faces(source, None)
    else:
        raise TypeError(f"expected a Gst.Buffer or a Gst.Sample, not {type(source).__name__}")
    # PyGObject makes an empty list of NULL, too.
    if not found and not (buffer and GstFer.buffer_is_analysed(buffer)):
        return None
    return [_face(native) for native in found]


def _face(native) -> Face:
    label = native.get_label()
    face = dict(
        box=Box(*native.get_box()),
        score=native.get_score(),
        track_id=native.get_track_id(),
        landmarks=_landmarks(native),
        clear=native.is_clear(),
    )
    if label is not None:
        label_id = native.get_label_id()
        probabilities = native.get_probabilities()
        names = native.get_labels() or [
            label if i == label_id else f"class {i}" for i in range(len(probabilities))
        ]
        face.update(
            label=label,
            label_id=label_id,
            confidence=native.get_confidence(),
            probabilities=dict(zip(names, probabilities)),
            unsure=native.is_unsure(),
            age=native.get_age(),
            model_version=native.get_model_version(),
        )
    return Face(**face)


def _landmarks(native) -> Optional[Landmarks]:
    points = []
    for which in Landmarks._fields:
        known, x, y = native.get_landmark(getattr(GstFer.Landmark, which.upper()))
        if not known:
            return None
        points.append(Point(x, y))
    return Landmarks(*points)
