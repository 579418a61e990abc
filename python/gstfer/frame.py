"""A frame of a video with the faces in it."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, List, Optional

from gstfer.errors import FerError
from gstfer.faces import Face, read_faces
from gstfer.introspection import Gst, GstVideo

if TYPE_CHECKING:
    import numpy

CONVERT_SECONDS = 10


@dataclass(frozen=True)
class Frame:
    """What came out of a pipeline."""

    #: From 0, of those that came out.
    number: int
    #: Seconds from the beginning of the stream; None where the frame has no time.
    time: Optional[float]
    #: As stored, in pixels.
    width: int
    height: int
    #: Best first.
    faces: List[Face]
    #: False where nobody has looked for faces in it: ferdetect is missing, or could not read it.
    analysed: bool
    #: GStreamer's own, for whatever else is needed.
    sample: Any = field(repr=False, compare=False)

    def image(self) -> "numpy.ndarray":
        """The picture as an array of height x width x 3 bytes: red, green, blue."""
        import numpy

        sample = self.sample
        if GstVideo.VideoInfo.new_from_caps(sample.get_caps()).finfo.name != "RGB":
            caps = Gst.Caps.from_string("video/x-raw,format=RGB")
            try:
                sample = GstVideo.video_convert_sample(sample, caps, CONVERT_SECONDS * Gst.SECOND)
            except Exception as error:
                raise FerError(
                    f"Frame {self.number} cannot be converted to RGB: {error}"
                ) from error
        info = GstVideo.VideoInfo.new_from_caps(sample.get_caps())
        buffer = sample.get_buffer()
        rows = numpy.frombuffer(
            buffer.extract_dup(0, buffer.get_size()), numpy.uint8, info.stride[0] * info.height
        ).reshape(info.height, info.stride[0])
        return rows[:, : 3 * info.width].reshape(info.height, info.width, 3).copy()


def frame_of(sample: Any, number: int) -> Frame:
    """Of a sample with raw video."""
    info = GstVideo.VideoInfo.new_from_caps(sample.get_caps())
    found = read_faces(sample)
    return Frame(
        number=number,
        time=_time_of(sample),
        width=info.width,
        height=info.height,
        faces=found or [],
        analysed=found is not None,
        sample=sample,
    )


def _time_of(sample: Any) -> Optional[float]:
    segment, time = sample.get_segment(), sample.get_buffer().pts
    if time == Gst.CLOCK_TIME_NONE or segment.format != Gst.Format.TIME:
        return None
    time = segment.to_stream_time(Gst.Format.TIME, time)
    return None if time == Gst.CLOCK_TIME_NONE else time / Gst.SECOND
