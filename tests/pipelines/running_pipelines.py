"""What tests of pipelines/ share: a clip of a drawn face, and scripts that run on it.

The leaks tracer watches all of them: what a pipeline left behind fails the test that ran it.
"""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PIPELINES = ROOT / "pipelines"
TEST_FILES = os.environ["FER_TEST_FILES"]
RTSP_SERVER = os.environ.get("FER_RTSP_SERVER")
FER = os.environ["FER_PROGRAM"]
WIDTH, HEIGHT, FRAMES, RATE = 320, 240, 45, 15
LIMIT = 60
PARSE_RAW = (
    "rawvideoparse",
    "format=bgr",
    f"width={WIDTH}",
    f"height={HEIGHT}",
    f"framerate={RATE}/1",
    "!",
    "videoconvert",
    "!",
    "video/x-raw,format=I420",
)


def launch(*words):
    subprocess.run(["gst-launch-1.0", "-q", *words], check=True, timeout=LIMIT)


def have(element):
    return subprocess.run(["gst-inspect-1.0", "--exists", element], check=False).returncode == 0


def grey_frames(video, folder, width=WIDTH, height=HEIGHT):
    """The frames of a video in grey, one after the other."""
    raw = pathlib.Path(folder) / "grey.raw"
    launch(
        "filesrc",
        f"location={video}",
        "!",
        "decodebin",
        "!",
        "videoconvert",
        "!",
        "video/x-raw,format=GRAY8",
        "!",
        "filesink",
        f"location={raw}",
    )
    data = raw.read_bytes()
    size = width * height
    return [data[at : at + size] for at in range(0, len(data), size)]


class PipelineCase(unittest.TestCase):
    """A folder with the clip, its raw frames and a model, and how a script is run there."""

    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.TemporaryDirectory(prefix="fer-pipelines-")
        folder = pathlib.Path(cls.shared.name)
        cls.raw, cls.clip = folder / "clip.bgr", folder / "a drawn face.mp4"
        with open(cls.raw, "wb") as frames:
            subprocess.run(
                [TEST_FILES, "clip", str(WIDTH), str(HEIGHT), str(FRAMES)],
                stdout=frames,
                check=True,
            )
        encoder = ["x264enc", "!", "h264parse"] if have("x264enc") else ["jpegenc"]
        launch(
            "filesrc",
            f"location={cls.raw}",
            f"blocksize={WIDTH * HEIGHT * 3}",
            "!",
            *PARSE_RAW,
            "!",
            *encoder,
            "!",
            "mp4mux",
            "!",
            "filesink",
            f"location={cls.clip}",
        )
        subprocess.run([TEST_FILES, "model", str(folder / "fernet.fer")], check=True)
        cls.labelled = folder / "labelled.packed"
        subprocess.run([TEST_FILES, "labelled", str(cls.labelled)], check=True)
        for ending in ("replay", "canary"):
            shutil.copyfile(cls.labelled, folder / f"fernet.{ending}")
        before = os.environ.get("FER_MODELS")
        cls.shared_environment = dict(
            os.environ, FER_MODELS=str(folder) + (f":{before}" if before else "")
        )

    @classmethod
    def tearDownClass(cls):
        cls.shared.cleanup()

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="fer-pipeline-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        # A file of its own for every process: those of gst-inspect-1.0 say nothing.
        self.traces = self.folder / "traces"
        self.traces.mkdir()
        self.environment = dict(
            self.shared_environment,
            GST_TRACERS="leaks",
            GST_DEBUG="GST_TRACER:7,leaks:5",
            GST_DEBUG_NO_COLOR="1",
            GST_DEBUG_FILE=str(self.traces / "%p.log"),
        )

    def check_leaks(self):
        """A pipeline has ended, was searched for objects that outlived it, and none was found."""
        searched = 0
        for trace in self.traces.iterdir():
            text = trace.read_text(encoding="utf-8", errors="replace")
            searched += "checking for leaks" in text
            # Not the line that says how such lines will look.
            self.assertEqual(
                [
                    line
                    for line in text.splitlines()
                    if " object-alive, " in line and "new format string" not in line
                ],
                [],
            )
            self.assertNotIn("Leaks detected", text)
        self.assertGreater(searched, 0)

    def run_to_its_end(self, script, *arguments, **variables):
        return subprocess.run(
            [PIPELINES / script, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=LIMIT,
            stdin=subprocess.DEVNULL,
            cwd=self.folder,
            env=dict(self.environment, **variables),
            check=False,
        )

    def run_script(self, script, *arguments, **variables):
        done = self.run_to_its_end(script, *arguments, **variables)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.check_leaks()
        return done.stdout

    def check_records(self, lines, frames):
        """One a frame, with the one face and what the model says of every face."""
        records = [json.loads(line) for line in lines]
        self.assertEqual(len(records), frames)
        with_face = [record for record in records if record["objects"]]
        self.assertGreater(len(with_face), 0.9 * frames)
        for record in with_face:
            self.assertEqual(record["resolution"], {"width": WIDTH, "height": HEIGHT})
            (face,) = record["objects"]
            self.assertEqual(face["roi_type"], "face")
            self.assertEqual(face["emotion"]["label"], "happiness")
            # The face sways around the middle.
            self.assertLess(abs(face["x"] + face["w"] / 2 - WIDTH / 2), 0.2 * WIDTH)
        self.assertEqual(len({record["objects"][0]["id"] for record in with_face}), 1)
        return records

    def check_annotated(self, video, frames):
        """It plays, and something was drawn on it."""
        annotated = grey_frames(video, self.folder)
        plain = grey_frames(self.clip, self.folder)
        self.assertEqual(len(annotated), frames)
        middle = frames // 2
        changed = sum(abs(a - b) > 40 for a, b in zip(annotated[middle], plain[middle]))
        self.assertGreater(changed, 0.01 * WIDTH * HEIGHT)

    def endless_clip(self):
        """A clip that takes long to play."""
        clip = self.folder / "long.mkv"
        launch(
            "videotestsrc",
            "num-buffers=20000",
            "!",
            "video/x-raw,width=64,height=48",
            "!",
            "jpegenc",
            "!",
            "matroskamux",
            "!",
            "filesink",
            f"location={clip}",
        )
        return clip

    def serve(self):
        if not RTSP_SERVER:
            self.skipTest("built without gst-rtsp-server (libgstrtspserver-1.0-dev)")
        if not have("x264enc") or not have("rtspsrc"):
            self.skipTest("there is no x264enc or no rtspsrc")
        # The raw frames again and again: a camera has no end.
        server = subprocess.Popen(
            [
                RTSP_SERVER,
                f"( multifilesrc loop=true location={self.raw} ! {' '.join(PARSE_RAW)} ! "
                "x264enc tune=zerolatency key-int-max=15 ! rtph264pay name=pay0 pt=96 )",
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        return server, server.stdout.readline().strip()

    def start(self, script, *arguments, **variables):
        script = subprocess.Popen(
            [PIPELINES / script, *map(str, arguments)],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env=dict(self.environment, **variables),
        )
        self.addCleanup(script.stdout.close)
        return script

    def wait_for_lines(self, script, path, least):
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            if path.exists() and path.read_text().count("\n") >= least:
                return
            if script.poll() is not None:
                self.fail(f"ended early: {script.stdout.read()}")
            time.sleep(0.1)
        script.kill()
        self.fail(f"no {least} records in {LIMIT} s: {script.stdout.read()}")

    def read_until(self, script, words):
        text = ""
        for line in script.stdout:
            text += line
            if words in line:
                break
        return text
