"""What goes wrong, in one sentence each."""

import re


class FerError(RuntimeError):
    """A pipeline could not be built or has failed; the text says why and what to do."""


OURS = {
    "fercrop": "libgstfer.so",
    "ferdetect": "libgstfer.so",
    "feroverlay": "libgstfer.so",
    "ferpublish": "libgstfer.so",
    "ferinfer": "libgstfertorch.so",
    "ferlearn": "libgstfertorch.so",
}


def build_error(message: str) -> FerError:
    """Of a description that GStreamer could not build a pipeline from."""
    match = re.search(r'no element "([^"]+)"', message)
    if match is None:
        return FerError(f"GStreamer cannot build this pipeline: {message}.")
    name = match[1]
    if name in OURS:
        return FerError(
            f'There is no element "{name}": install gst-fer, and set GST_PLUGIN_PATH to the folder '
            f"that holds {OURS[name]}."
        )
    return FerError(
        f'There is no element "{name}": install the GStreamer plugin that has it '
        f"(Debian: apt-file search libgst{name}, or one of gstreamer1.0-plugins-*)."
    )
