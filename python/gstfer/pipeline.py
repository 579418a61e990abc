"""A GStreamer pipeline whose frames come to Python, and into which Python's pictures go."""

import logging
import time
from typing import TYPE_CHECKING, Any, Dict, Iterable, Iterator, Optional, Union

from gstfer.errors import FerError, build_error
from gstfer.frame import Frame, frame_of
from gstfer.introspection import Gst

if TYPE_CHECKING:
    import numpy

LOG = logging.getLogger("gstfer")

SINK = "gstfer_sink"
QUEUED_FRAMES = 4
POLL = Gst.SECOND // 10
ANSWER_SECONDS = 60.0


class Pipeline:
    """Frames of a pipeline, one after the other.

        with Pipeline("v4l2src ! videoconvert ! ferdetect ! ferinfer", latest=True) as pipeline:
            for frame in pipeline:
                print(frame.faces)

    `description` is what gst-launch-1.0 reads, without a sink: frames leave at its end. The stream
    waits where Python is slower, or, with `latest`, as for a camera, skips frames. Raises FerError
    where it cannot be built or fails, and logs warnings as logger "gstfer". Use it on one thread.
    """

    def __init__(self, description: str, *, latest: bool = False):
        drop = "true" if latest else "false"
        frames = 1 if latest else QUEUED_FRAMES
        text = f"{description} ! appsink name={SINK} sync=false max-buffers={frames} drop={drop}"
        try:
            self._pipeline = Gst.parse_launch_full(text, None, Gst.ParseFlags.FATAL_ERRORS)
        except Exception as error:
            raise build_error(getattr(error, "message", str(error))) from error
        self._sink = self._pipeline.get_by_name(SINK)
        source = self._first_of("appsrc")
        if source is not None:
            source.set_property("format", Gst.Format.TIME)
        self._source = source
        self._number = 0
        self._pushed = 0
        self._caps: Optional[str] = None
        self._error: Optional[str] = None

    def __enter__(self) -> "Pipeline":
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()

    def __iter__(self) -> Iterator[Frame]:
        """Frames until the stream ends. Starts the pipeline where nobody has."""
        self.start()
        while (frame := self.pull()) is not None:
            yield frame

    def start(self) -> None:
        """Plays; does nothing where it plays already."""
        if self._pipeline.set_state(Gst.State.PLAYING) == Gst.StateChangeReturn.FAILURE:
            self._raise_errors()
            raise FerError("The pipeline does not start, and does not say why.")

    def stop(self) -> None:
        """Ends it at once; statistics stay until it starts again."""
        self._pipeline.set_state(Gst.State.NULL)

    def pull(self, timeout: Optional[float] = None) -> Optional[Frame]:
        """The next frame; None at the end of the stream. Waits for it, `timeout` seconds at most."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            sample = self._sink.emit("try-pull-sample", POLL)
            if sample is not None:
                self._read_bus()
                frame = frame_of(sample, self._number)
                self._number += 1
                return frame
            self._raise_errors()
            if self._sink.get_property("eos"):
                return None
            if deadline is not None and time.monotonic() >= deadline:
                raise FerError(f"No frame came out of the pipeline in {timeout} s.")

    def push(self, image: "numpy.ndarray", rate: float = 30.0) -> None:
        """Gives a picture to the appsrc that the description begins with.

        `image` is height x width x 3 bytes (red, green, blue) or height x width (grey). The n-th one
        lies n / `rate` seconds into the stream. Sizes may change from one to the next.
        """
        source = self._source
        if source is None:
            raise FerError('Pictures need an appsrc: begin the description with "appsrc ! ".')
        caps, data = _caps_and_bytes(image, rate)
        if caps != self._caps:
            source.set_property("caps", Gst.Caps.from_string(caps))
            self._caps = caps
        self.start()
        buffer = Gst.Buffer.new_wrapped(data)
        buffer.pts = int(self._pushed * Gst.SECOND / rate)
        buffer.duration = int(Gst.SECOND / rate)
        self._pushed += 1
        if source.emit("push-buffer", buffer) != Gst.FlowReturn.OK:
            self._raise_errors()
            raise FerError("The pipeline takes no more pictures: it has ended.")

    def label(self, images: Iterable["numpy.ndarray"], rate: float = 30.0) -> Iterator[Frame]:
        """Pushes picture after picture, and yields what comes out for each.

        For elements that give one frame for one, as all of gst-fer but fercrop do. Faces are
        followed from picture to picture, as in a video.
        """
        for image in images:
            self.push(image, rate)
            frame = self.pull(ANSWER_SECONDS)
            if frame is None:
                raise FerError("The pipeline ended before its pictures did.")
            yield frame

    def element(self, name: str) -> Any:
        """The element of that name ("cam"), or the first one of that kind ("ferinfer")."""
        found = self._pipeline.get_by_name(name) or self._first_of(name)
        if found is None:
            raise FerError(f'The pipeline has no element "{name}".')
        return found

    def set(self, name: str, **properties: Union[str, int, float, bool]) -> None:
        """Sets properties of an element, values as in gst-launch-1.0; a "_" stands for a "-"."""
        element = self.element(name)
        for key, value in properties.items():
            key = key.replace("_", "-")
            if element.find_property(key) is None:
                raise FerError(f'{name} has no property "{key}": see gst-inspect-1.0 {name}.')
            Gst.util_set_object_arg(element, key, str(value))

    def stats(self, name: str) -> Dict[str, Any]:
        """What an element has counted, by name or kind: see `stats()`."""
        return stats(self.element(name))

    def _first_of(self, kind: str) -> Any:
        elements = self._pipeline.iterate_recurse()
        while True:
            result, element = elements.next()
            if result != Gst.IteratorResult.OK:
                return None
            factory = element.get_factory()
            if factory is not None and factory.get_name() == kind:
                return element

    def _read_bus(self) -> None:
        """Logs warnings, and keeps the first error until the frames before it are taken."""
        kinds = Gst.MessageType.ERROR | Gst.MessageType.WARNING
        while (message := self._pipeline.get_bus().pop_filtered(kinds)) is not None:
            name = message.src.get_name()
            if message.type == Gst.MessageType.WARNING:
                LOG.warning("%s: %s", name, message.parse_warning()[0].message)
            elif self._error is None:
                self._error = f"{message.parse_error()[0].message} ({name})"

    def _raise_errors(self) -> None:
        self._read_bus()
        if self._error is not None:
            raise FerError(self._error)


def stats(element: Any) -> Dict[str, Any]:
    """The property `stats` of one of gst-fer's elements: its fields, with "-" in their names.

    Fields that are structures become dictionaries, and arrays lists.
    """
    if element.find_property("stats") is None:
        raise FerError(f"{element.get_name()} has no statistics.")
    return _values_of(element.get_property("stats"))


def _values_of(structure: Any) -> Dict[str, Any]:
    values = {}
    for i in range(structure.n_fields()):
        name = structure.nth_field_name(i)
        try:
            value = structure.get_value(name)
        except TypeError as error:
            raise FerError(f"{name} is an array: to read it, install python3-gst-1.0.") from error
        if isinstance(value, Gst.Structure):
            value = _values_of(value)
        elif not isinstance(value, (str, int, float, bool)) and value is not None:
            value = list(value)
        values[name] = value
    return values


def _caps_and_bytes(image: "numpy.ndarray", rate: float) -> "tuple[str, bytes]":
    """GStreamer wants rows that begin at multiples of four bytes."""
    import numpy

    image = numpy.asarray(image)
    grey = image.ndim == 2
    if image.dtype != numpy.uint8 or not (grey or (image.ndim == 3 and image.shape[2] == 3)):
        raise FerError(
            f"A picture is an array of {' x '.join(map(str, image.shape))} of {image.dtype}: "
            "expected height x width x 3 (red, green, blue) or height x width of uint8."
        )
    height, width = image.shape[:2]
    if height == 0 or width == 0:
        raise FerError(f"A picture is empty: {width} x {height} pixels.")
    rows = image.reshape(height, -1)
    rows = numpy.pad(rows, ((0, 0), (0, -rows.shape[1] % 4)))
    caps = (
        f"video/x-raw,format={'GRAY8' if grey else 'RGB'},width={width},height={height},"
        f"framerate={round(rate * 1000)}/1000"
    )
    return caps, rows.tobytes()
