"""What a Python without its packages, or a GStreamer without our plugins, says: one sentence."""
import os
import subprocess
import sys

from conftest import ROOT


def last_line(program, **environment):
    done = subprocess.run(
        [sys.executable, "-B", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=dict(os.environ, PYTHONPATH=str(ROOT / "python"), **environment),
    )
    assert done.returncode == 1, done.stderr
    return done.stderr.strip().splitlines()[-1]


def test_without_gi_the_package_is_named():
    line = last_line("import sys; sys.modules['gi'] = None; import gstfer")
    assert line.startswith("ImportError: ")
    assert "install python3-gi" in line and "--system-site-packages" in line


def test_without_gstreamers_description_its_package_is_named():
    line = last_line(
        "import gi\n"
        "def none(name, version): raise ValueError('Namespace %s not available' % name)\n"
        "gi.require_version = none\n"
        "import gstfer"
    )
    assert "Gst-1.0.typelib" in line and "install gir1.2-gstreamer-1.0" in line


def test_without_our_description_the_path_is_named():
    line = last_line("import gstfer", GI_TYPELIB_PATH="/nowhere")
    assert "GstFer-1.0.typelib" in line and "set GI_TYPELIB_PATH" in line and "/nowhere" in line


def test_without_our_plugins_the_path_is_named(tmp_path):
    line = last_line(
        "import gstfer; gstfer.Pipeline('videotestsrc ! ferdetect')",
        GST_PLUGIN_PATH_1_0="/nowhere",
        GST_REGISTRY=str(tmp_path / "registry.bin"),
    )
    assert line.startswith('gstfer.errors.FerError: There is no element "ferdetect"')
    assert "set GST_PLUGIN_PATH" in line and "libgstfer.so" in line
