"""GStreamer and gst-fer's own library, as GObject introspection describes them.

Importing this starts GStreamer. What is missing is an ImportError that names the package.
"""

import importlib
import os
import sys

try:
    import gi
except ImportError as error:
    raise ImportError(
        f"{sys.executable} has no module gi: install python3-gi, and run the system's Python or a "
        "virtual environment that /usr/bin/python3 -m venv --system-site-packages made."
    ) from error

PACKAGES = {"Gst": "gir1.2-gstreamer-1.0", "GstVideo": "gir1.2-gst-plugins-base-1.0"}


def _require(namespace: str):
    try:
        gi.require_version(namespace, "1.0")
        return importlib.import_module(f"gi.repository.{namespace}")
    except (ValueError, ImportError) as error:
        if namespace in PACKAGES:
            remedy = f"install {PACKAGES[namespace]}."
        else:
            remedy = (
                "install gst-fer, and set GI_TYPELIB_PATH to the folder that holds the file "
                f"(searched beside the system's: {os.environ.get('GI_TYPELIB_PATH') or 'nowhere'})."
            )
        raise ImportError(f"{namespace}-1.0.typelib cannot be loaded: {remedy}") from error


Gst = _require("Gst")
GstVideo = _require("GstVideo")
GstFer = _require("GstFer")

# Comes with gi itself.
GLib = importlib.import_module("gi.repository.GLib")

if not Gst.is_initialized():
    Gst.init(None)
