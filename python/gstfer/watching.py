"""Frames of a file, camera or network stream, their faces found and labelled."""

import pathlib
import re
from typing import Any, Dict, Iterator, Optional, Union

from gstfer.errors import FerError
from gstfer.frame import Frame
from gstfer.introspection import GLib, Gst
from gstfer.pipeline import Pipeline

URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
LIVE = re.compile(r"(rtsp|rtsps|rtmp|srt|udp)://")
SOURCE = "gstfer_source"
CONVERT = "gstfer_convert"
FILE = f"uridecodebin name={SOURCE} ! videoconvert name={CONVERT}"
CAMERA = f"v4l2src name={SOURCE} ! decodebin ! videoconvert"


def watch(
    source: Union[str, "pathlib.Path"],
    *,
    model: Optional[str] = None,
    min_confidence: Optional[float] = None,
    latest: Optional[bool] = None,
    detect: Optional[Dict[str, Any]] = None,
    infer: Optional[Dict[str, Any]] = None,
) -> Iterator[Frame]:
    """Finds, follows and labels the faces of a video, photo, camera or network stream.

    `source` is a path, a camera ("/dev/video0") or a URI ("rtsp://…"). `model` is a `*.fer` file,
    or an ONNX network with its description beside it; without it ferinfer takes the one that gst-fer
    ships. Labels below `min_confidence` are unsure; without it those below the operating points in
    the model's file are. `latest` skips frames where Python is slower, as is usual for what is live.
    `detect` and `infer` set more properties of ferdetect and ferinfer, such as
    `{"inference-interval": 2}`.

    Raises FerError at once where the source is no file, and while it is watched where it cannot be
    read. Stops where the iterator is closed or forgotten.
    """
    text = str(source)
    camera = text.startswith("/dev/")
    uri = URI.match(text)
    if not uri:
        _check_file(pathlib.Path(text), camera)
    if latest is None:
        latest = camera or LIVE.match(text) is not None
    pipeline = Pipeline(f"{CAMERA if camera else FILE} ! ferdetect ! ferinfer", latest=latest)
    if camera:
        pipeline.set(SOURCE, device=text)
    else:
        pipeline.set(SOURCE, uri=text if uri else pathlib.Path(text).resolve().as_uri())
        pad = pipeline.element(CONVERT).get_static_pad("sink")
        pipeline.element(SOURCE).connect("no-more-pads", _expect_video, pad)
        pipeline.element(SOURCE).connect("deep-element-added", _accept_motion_jpeg)
    settings = dict(infer or {})
    if model is not None:
        if not pathlib.Path(model).is_file():
            raise FerError(f"{model}: there is no such model file.")
        settings["model"] = model
    if min_confidence is not None:
        settings["min-confidence"] = min_confidence
    pipeline.set("ferdetect", **(detect or {}))
    pipeline.set("ferinfer", **settings)
    return _frames(pipeline, text)


def _check_file(path: pathlib.Path, camera: bool) -> None:
    if path.is_dir():
        raise FerError(f"{path} is a folder: give one of its files.")
    if not path.exists():
        raise FerError(f"{path}: there is no such {'camera' if camera else 'file'}.")


def _accept_motion_jpeg(_source: Any, _bin: Any, element: Any) -> None:
    """Motion JPEG over HTTP never says that it has shown all its streams, unless told so."""
    factory = element.get_factory()
    if factory is not None and factory.get_name() == "multipartdemux":
        element.set_property("single-stream", True)


def _expect_video(source: Any, pad: Any) -> None:
    """Ends the pipeline where the source has decoded all that there is, and none of it is video."""
    if not pad.is_linked():
        error = GLib.Error.new_literal(
            Gst.stream_error_quark(), "There is no video in it.", int(Gst.StreamError.WRONG_TYPE)
        )
        source.post_message(Gst.Message.new_error(source, error, ""))


def _frames(pipeline: Pipeline, source: str) -> Iterator[Frame]:
    try:
        with pipeline:
            yield from pipeline
    except FerError as error:
        raise FerError(f"{source}: {error}") from error.__cause__
