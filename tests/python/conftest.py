"""A clip of a drawn face, as arrays and as a file, and a model that sees happiness in every face."""
import os
import pathlib
import subprocess
import sys

import numpy
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "python"))

WIDTH, HEIGHT, FRAMES, RATE = 320, 240, 45, 15


def pytest_terminal_summary(terminalreporter):
    """One line a test as Python's unittest writes it, which scripts/lib/test_summary.py counts."""
    for state, word in (("passed", "ok"), ("failed", "FAIL"), ("error", "ERROR"), ("skipped", "")):
        for report in terminalreporter.stats.get(state, ()):
            if state == "passed" and report.when != "call":
                continue
            file, _, name = report.nodeid.partition("::")
            if state == "skipped":
                word = "skipped " + repr(report.longrepr[2].removeprefix("Skipped: "))
            name = "".join(c if c.isalnum() else "_" for c in name)
            terminalreporter.write_line(f"{name} ({pathlib.Path(file).stem}) ... {word}")


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Where what all tests share lies: model and clip."""
    folder = tmp_path_factory.mktemp("gstfer")
    files = os.environ["FER_TEST_FILES"]
    subprocess.run([files, "model", folder / "fernet.fer"], check=True)
    with open(folder / "clip.bgr", "wb") as raw:
        subprocess.run(
            [files, "clip", str(WIDTH), str(HEIGHT), str(FRAMES)], stdout=raw, check=True
        )
    before = os.environ.get("FER_MODELS")
    os.environ["FER_MODELS"] = str(folder) + (f":{before}" if before else "")
    return folder


@pytest.fixture(scope="session")
def images(folder):
    """The clip's pictures as arrays of red, green, blue."""
    raw = numpy.frombuffer((folder / "clip.bgr").read_bytes(), numpy.uint8)
    return raw.reshape(FRAMES, HEIGHT, WIDTH, 3)[..., ::-1]


@pytest.fixture(scope="session")
def clip(folder):
    """The clip as a file that has to be decoded, its name none that is easy to quote."""
    path = folder / "a drawn face, 100 %.avi"
    subprocess.run(
        [
            *("gst-launch-1.0", "-q", "filesrc", f"location={folder / 'clip.bgr'}"),
            *(f"blocksize={WIDTH * HEIGHT * 3}", "!", "rawvideoparse", "format=bgr"),
            *(
                f"width={WIDTH}",
                f"height={HEIGHT}",
                f"framerate={RATE}/1",
                "!",
                "videoconvert",
                "!",
            ),
            *("jpegenc", "!", "avimux", "!", "filesink", f"location={path}"),
        ],
        check=True,
        timeout=60,
    )
    return path
