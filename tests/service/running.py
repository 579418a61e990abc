"""`fer run` at work, clips for it, and how its page is asked."""

import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

FER = os.environ["FER_PROGRAM"]
TEST_FILES = os.environ["FER_TEST_FILES"]
WIDTH, HEIGHT, FRAMES, RATE = 320, 240, 45, 15
LIMIT = 60


def has_time():
    """Whether the machine has processors to spare, so that rates of frames mean something."""
    return os.getloadavg()[0] < os.cpu_count()


def free_port():
    with contextlib.closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def make_clip(path):
    """A drawn face that sways, as Motion JPEG in AVI, which every GStreamer can play."""
    raw = path.with_suffix(".bgr")
    with open(raw, "wb") as frames:
        subprocess.run(
            [TEST_FILES, "clip", str(WIDTH), str(HEIGHT), str(FRAMES)], stdout=frames, check=True
        )
    subprocess.run(
        [
            "gst-launch-1.0",
            "-q",
            *f"filesrc location={raw} blocksize={WIDTH * HEIGHT * 3} ! rawvideoparse format=bgr"
            f" width={WIDTH} height={HEIGHT} framerate={RATE}/1 ! videoconvert ! jpegenc"
            f" ! avimux ! filesink location={path}".split(),
        ],
        check=True,
        timeout=LIMIT,
    )
    raw.unlink()


class Running:
    """The program with a file; its lines of stderr are collected."""

    def __init__(self, file, environment=None):
        self.process = subprocess.Popen(
            [FER, "run", str(file)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=dict(os.environ, **(environment or {})),
        )
        self.lines = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))

    def said(self, words):
        return any(words in line for line in list(self.lines))

    def wait_until(self, condition, what, limit=LIMIT):
        end = time.monotonic() + limit
        while time.monotonic() < end:
            found = condition()
            if found:
                return found
            if self.process.poll() is not None:
                self.reader.join()
                raise AssertionError(f"it ended early: {self.lines}")
            time.sleep(0.05)
        raise AssertionError(f"not in {limit} s: {what}\n" + "\n".join(self.lines[-20:]))

    def wait_for_words(self, words, limit=LIMIT):
        self.wait_until(lambda: self.said(words), words, limit)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(LIMIT)
        self.reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return self.process.returncode


class ServiceCase(unittest.TestCase):
    """A folder with a clip and a model, and services that end with their test."""

    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.TemporaryDirectory(prefix="fer-service-")
        cls.files = pathlib.Path(cls.shared.name)
        cls.clip = cls.files / "face.avi"
        make_clip(cls.clip)
        cls.model = cls.files / "fernet.fer"
        subprocess.run([TEST_FILES, "model", str(cls.model)], check=True)
        labelled = cls.files / "labelled.packed"
        subprocess.run([TEST_FILES, "labelled", str(labelled)], check=True)
        for ending in ("replay", "canary"):
            shutil.copyfile(labelled, cls.files / f"fernet.{ending}")

    @classmethod
    def tearDownClass(cls):
        cls.shared.cleanup()

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="fer-service-test-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.port = free_port()

    def write(self, text):
        """The file; {clip}, {model} and {port} stand for what their names say."""
        file = self.folder / "cameras.toml"
        for name in ("clip", "model", "port"):
            text = text.replace("{" + name + "}", str(getattr(self, name)))
        file.write_text(text)
        file.chmod(0o600)
        return file

    def run_service(self, text, environment=None):
        running = Running(self.write(text), environment)
        self.addCleanup(running.stop)
        running.wait_for_words("the page is at")
        return running

    def ask(self, path, method="GET", body=None, headers=None):
        """(status, headers, text) of an answer."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", method=method, data=body, headers=headers or {}
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.headers, refused.read().decode()

    def post(self, path, body=b"", **headers):
        return self.ask(path, "POST", body, {"X-Fer": "1", **headers})

    def state(self):
        return json.loads(self.ask("/api/state")[2])

    def camera(self, name):
        return next(one for one in self.state()["cameras"] if one["name"] == name)

    def slot(self, name):
        return next(one for one in self.state()["slots"] if one["name"] == name)
