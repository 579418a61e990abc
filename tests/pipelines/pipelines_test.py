"""Runs every script of pipelines/, and the demo's runner, on a clip of a drawn face.

The leaks tracer watches all of them: what a pipeline left behind fails the test that ran it.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
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


class PipelinesTest(unittest.TestCase):
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

    def test_file(self):
        self.run_script("file.sh", self.clip, "annotated.mp4", "records.jsonl")
        lines = (self.folder / "records.jsonl").read_text().splitlines()
        records = self.check_records(lines, FRAMES)
        steps = {round(b["timestamp"] - a["timestamp"], -6) for a, b in zip(records, records[1:])}
        self.assertEqual(steps, {round(1e9 / RATE, -6)})
        self.check_annotated(self.folder / "annotated.mp4", FRAMES)

    def test_file_takes_a_name_with_a_backslash(self):
        odd = self.folder / "a\\b \\\\c=d.mp4"
        shutil.copy(self.clip, odd)
        self.run_script("file.sh", odd, "out\\put.mp4", "rec\\ords.jsonl")
        lines = (self.folder / "rec\\ords.jsonl").read_text().splitlines()
        self.assertEqual(len(lines), FRAMES)
        self.assertTrue((self.folder / "out\\put.mp4").stat().st_size > 1000)

    def test_file_takes_a_photo_of_odd_sides(self):
        photo = self.folder / "photo.jpg"
        launch(
            "videotestsrc",
            "num-buffers=1",
            "!",
            "video/x-raw,format=I420,width=321,height=241",
            "!",
            "jpegenc",
            "!",
            "filesink",
            f"location={photo}",
        )
        self.run_script("file.sh", photo, "photo.mp4")
        # The sides became even, by a pixel.
        self.assertEqual(len(grey_frames(self.folder / "photo.mp4", self.folder, 320, 240)), 1)

    def test_the_demo_from_its_command_line_to_its_files(self):
        if pathlib.Path(os.environ["FER_BUILD_TREE"]) != ROOT / "build":
            self.skipTest("scripts/demo builds in build/, which is another tree than this one")
        # Nobody listens at port 9 of this machine: what is fetched fails at once.
        dead = "http://127.0.0.1:9"
        done = subprocess.run(
            [
                ROOT / "scripts" / "demo",
                f"--input={self.clip}",
                "--output",
                "demo.mp4",
                "--json",
                "demo.jsonl",
                "--learn",
            ],
            capture_output=True,
            text=True,
            timeout=6 * LIMIT,
            stdin=subprocess.DEVNULL,
            cwd=self.folder,
            check=False,
            env=dict(
                self.environment,
                XDG_CACHE_HOME=str(self.folder / "cache"),
                https_proxy=dead,
                HTTPS_PROXY=dead,
            ),
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.check_leaks()
        self.check_records((self.folder / "demo.jsonl").read_text().splitlines(), FRAMES)
        self.check_annotated(self.folder / "demo.mp4", FRAMES)
        for words in ("Faces: in", "happiness", "frames a second", "demo.mp4", "demo.jsonl"):
            self.assertIn(words, done.stdout)
        # What --learn adds. A drawn face is no stream to learn from: the model stays as it was, and
        # the demo says what is missing rather than to show the same twice.
        self.assertIn("stays as it was", done.stdout)
        self.assertRegex(done.stdout, r"What is missing: \d+ of the \d+ tracklets")
        self.assertIn("</html>", (self.folder / "demo-learnt.html").read_text())
        self.assertIn("demo-learnt.html", done.stdout)
        self.assertFalse((self.folder / "demo-side-by-side.mp4").exists())

    def test_hls(self):
        for element in ("hlssink2", "x264enc", "tsdemux"):
            if not have(element):
                self.skipTest(f"there is no {element}")
        # Once in some ten runs the pipeline does not come to its end; why is not known yet.
        try:
            self.run_script("hls.sh", self.clip, "live", FER_OVERLAY="show-bars=false")
        except subprocess.TimeoutExpired:
            shutil.rmtree(self.folder / "live")
            self.run_script("hls.sh", self.clip, "live", FER_OVERLAY="show-bars=false")
        playlist = (self.folder / "live" / "live.m3u8").read_text().splitlines()
        segments = [line for line in playlist if line.endswith(".ts")]
        self.assertEqual(playlist[0], "#EXTM3U")
        # A player reads them one after the other.
        whole = self.folder / "live.ts"
        whole.write_bytes(
            b"".join((self.folder / "live" / pathlib.Path(s).name).read_bytes() for s in segments)
        )
        self.check_annotated(whole, FRAMES)

    def test_virtual_camera(self):
        done = subprocess.run(
            [PIPELINES / "virtual-camera.sh", self.clip, "/dev/video_none"],
            capture_output=True,
            text=True,
            check=False,
            env=self.environment,
        )
        self.assertEqual(done.returncode, 1)
        self.assertIn("sudo modprobe v4l2loopback", done.stderr)
        # What the device gets: YUY2, with something drawn on it.
        frames = self.folder / "camera.yuy2"
        self.run_script("virtual-camera.sh", self.clip, FER_SINK=f"filesink location={frames}")
        data, size = frames.read_bytes(), 2 * WIDTH * HEIGHT
        self.assertEqual(len(data), FRAMES * size)
        plain = grey_frames(self.clip, self.folder)[FRAMES // 2]
        drawn = data[FRAMES // 2 * size :][:size:2]
        self.assertGreater(sum(abs(a - b) > 40 for a, b in zip(drawn, plain)), 0.01 * len(plain))

    def test_a_loopback_device_takes_the_picture(self):
        device = "/dev/video10"
        if not os.path.exists(device):
            self.skipTest(f"there is no v4l2loopback device {device}")
        self.run_script("virtual-camera.sh", self.clip, device)

    def test_side_by_side(self):
        self.run_script("side-by-side.sh", self.clip, self.clip, "both.mp4", "one", "the <other>")
        frames = grey_frames(self.folder / "both.mp4", self.folder, 1280, 360)
        self.assertEqual(len(frames), FRAMES)
        rows = [frames[FRAMES // 2][at : at + 1280] for at in range(0, 360 * 1280, 1280)]
        # 4:3 in the middle of each half, and words in the corner, which differ.
        self.assertGreater(sum(row[320] for row in rows) / 360, 40)
        self.assertNotEqual([row[:320] for row in rows[:60]], [row[640:960] for row in rows[:60]])

    def test_a_model_adapts_to_a_video(self):
        done = subprocess.run(
            [
                FER,
                "adapt",
                "--input",
                self.clip,
                "--passes",
                "3",
                "--least-memory",
                "3",
                "--thresholds",
                "fixed:tau=0",
                "--out",
                "adapted.fer",
                "--json",
                "adapted.json",
            ],
            capture_output=True,
            text=True,
            timeout=LIMIT,
            cwd=self.folder,
            env=self.shared_environment,
            check=False,
        )
        self.assertIn(done.returncode, (0, 3), done.stdout + done.stderr)
        stats = json.loads((self.folder / "adapted.json").read_text())["stats"]
        # In each of three passes of 45 frames: the detector looks at every second one, and a look at
        # the face is due each fifth of a second, which is every fourth then.
        self.assertEqual(stats["faces"] + sum(stats["refused"].values()), 3 * 12)
        # Of each second a tracklet, each of which is drawn four times; a step draws 32.
        self.assertEqual(stats["tracklets"], 9)
        self.assertEqual(stats["steps"], 1)

    def test_file_takes_a_uri(self):
        self.run_script("file.sh", self.clip.as_uri(), "annotated.mp4")
        self.check_annotated(self.folder / "annotated.mp4", FRAMES)

    def test_webcam(self):
        raw = self.folder / "window.raw"
        self.run_script("webcam.sh", self.clip, FER_SINK=f"filesink location={raw}")
        self.assertEqual(raw.stat().st_size, FRAMES * WIDTH * HEIGHT * 3 // 2)

    def test_adapt(self):
        raw = self.folder / "window.raw"
        said = self.run_script(
            "adapt.sh", self.clip, "learnt", self.labelled, FER_SINK=f"filesink location={raw}"
        )
        self.assertNotIn("nothing is learnt", said)
        self.assertEqual(raw.stat().st_size, FRAMES * WIDTH * HEIGHT * 3 // 2)
        self.assertTrue((self.folder / "learnt" / "served.fer").exists())

    def test_many_streams(self):
        self.run_script("many-streams.sh", "out", self.clip, self.clip, self.clip)
        versions = set()
        for number in (1, 2, 3):
            lines = (self.folder / "out" / f"stream-{number}.jsonl").read_text().splitlines()
            for record in self.check_records(lines, FRAMES):
                versions.update(face["emotion"]["model_version"] for face in record["objects"])
        self.assertEqual(len(versions), 1)

    def test_many_streams_go_on_where_one_cannot_be_read(self):
        broken = self.folder / "broken.mp4"
        broken.write_bytes(b"no video at all" * 100)
        done = self.run_to_its_end(
            "many-streams.sh", "out", self.clip, broken, "none.mp4", self.clip
        )
        self.assertEqual(done.returncode, 1)
        for number in (1, 4):
            lines = (self.folder / "out" / f"stream-{number}.jsonl").read_text().splitlines()
            for record in self.check_records(lines, FRAMES):
                self.assertEqual(record["source"], f"stream-{number}")
        for words in (
            f"stream-2: {broken} failed",
            "none.mp4: no such file",
            "2 of 4 inputs failed",
        ):
            self.assertIn(words, done.stderr)

    def test_many_streams_try_a_dead_camera_again_with_growing_pauses(self):
        # Nobody listens at port 9 of this machine.
        script = self.start(
            "many-streams.sh",
            "out",
            "rtsp://me:s3cret@127.0.0.1:9/x",
            self.clip,
            FER_RETRY="1",
            FER_RETRY_MOST="2",
        )
        said = self.read_until(script, "again in 1 s")
        said += self.read_until(script, "again in 2 s")
        said += self.read_until(script, "again in 2 s")
        script.send_signal(signal.SIGTERM)
        said += script.stdout.read()
        self.assertEqual(script.wait(LIMIT), 0, said)
        self.assertIn("stream-1: rtsp://***@127.0.0.1:9/x has gone", said)
        self.assertIn("stream-1: ERROR: from element", said)
        self.assertNotIn("s3cret", said)
        lines = (self.folder / "out" / "stream-2.jsonl").read_text().splitlines()
        self.check_records(lines, FRAMES)

    def test_passwords_are_shown_by_nobody(self):
        secret, dots = "s3cret", self.folder / "dots"
        dots.mkdir()
        address = f"rtsp://me:{secret}@127.0.0.1:9/x?token={secret}"
        for script, arguments in {
            "file.sh": [address, "out.mp4"],
            "webcam.sh": [address],
            "adapt.sh": [address, "learnt"],
            "crops-to-disk.sh": [address, "crops"],
            "json-to-stdout.sh": [address],
            "side-by-side.sh": [address, address, "out.mp4"],
            "rtsp.sh": [address],
            "many-streams.sh": ["out", address],
        }.items():
            done = self.run_to_its_end(
                script,
                *arguments,
                FER_RETRY="0",
                FER_SINK="fakesink",
                GST_DEBUG_DUMP_DOT_DIR=str(dots),
                GST_DEBUG_FILE=str(self.folder / "gst.log"),
                GST_DEBUG="GST_PIPELINE:6,rtspsrc:6,GST_STATES:4",
            )
            said = done.stdout + done.stderr
            self.assertNotEqual(done.returncode, 0, script)
            self.assertIn("ERROR", said, script)
            self.assertNotIn(secret, said, script)
        self.assertEqual(list(dots.iterdir()), [])
        self.assertFalse((self.folder / "gst.log").exists())

    def test_warnings_are_shown_beside_records(self):
        # One element says that the disk is full; -q would keep that back.
        done = subprocess.run(
            [
                "bash",
                "-c",
                f". {PIPELINES}/common.sh; launch_records 'here: ' "
                "videotestsrc num-buffers=40 ! video/x-raw,width=64,height=48 "
                "! ferpublish location=/dev/full ! ferpublish method=fd fd=3 ! fakesink",
            ],
            capture_output=True,
            text=True,
            timeout=LIMIT,
            env=self.environment,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("here: WARNING: from element", done.stderr)
        self.assertIn("/dev/full", done.stderr)
        self.assertNotIn("Setting pipeline", done.stderr)
        self.assertEqual(len([json.loads(line) for line in done.stdout.splitlines()]), 40)

    def test_json_to_stdout_ends_with_its_reader(self):
        script = subprocess.Popen(
            [PIPELINES / "json-to-stdout.sh", self.endless_clip()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self.environment,
        )
        self.addCleanup(script.kill)
        json.loads(script.stdout.readline())
        script.stdout.close()
        self.assertEqual(script.wait(LIMIT), 0)
        self.check_leaks()

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

    def test_crops_to_disk(self):
        self.run_script("crops-to-disk.sh", self.clip, "crops", 96)
        crops = sorted((self.folder / "crops").glob("face-*.png"))
        self.assertGreater(len(crops), 0.9 * FRAMES)
        self.assertLessEqual(len(crops), FRAMES)
        for crop in crops:
            header = crop.read_bytes()[:24]
            self.assertEqual(header[:8], b"\x89PNG\r\n\x1a\n")
            self.assertEqual(
                [int.from_bytes(header[at : at + 4], "big") for at in (16, 20)], [96, 96]
            )

    def test_json_to_stdout(self):
        # Nothing but records, hence every line of it must be one.
        self.check_records(self.run_script("json-to-stdout.sh", self.clip).splitlines(), FRAMES)

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

    def test_rtsp(self):
        server, address = self.serve()
        records = self.folder / "records.jsonl"
        script = self.start("rtsp.sh", address, "records.jsonl", FER_RETRY="1")
        self.wait_for_lines(script, records, 5)
        faces = [json.loads(line)["objects"] for line in records.read_text().splitlines()[:5]]
        self.assertTrue(any(faces))
        server.kill()
        # It says so and tries again.
        self.assertIn("trying again in 1 s", self.read_until(script, "trying again"))
        script.send_signal(signal.SIGINT)
        self.assertEqual(script.wait(LIMIT), 0)
        self.check_leaks()

    def read_until(self, script, words):
        text = ""
        for line in script.stdout:
            text += line
            if words in line:
                break
        return text

    def test_ctrl_c_leaves_a_whole_mp4(self):
        _, address = self.serve()
        script = self.start("file.sh", address, "annotated.mp4", "records.jsonl")
        self.wait_for_lines(script, self.folder / "records.jsonl", 10)
        script.send_signal(signal.SIGINT)
        self.assertEqual(script.wait(LIMIT), 0, script.stdout.read())
        self.check_leaks()
        self.assertGreater(len(grey_frames(self.folder / "annotated.mp4", self.folder)), 5)

    def test_errors_name_the_file(self):
        for script, arguments in {
            "file.sh": ["none.mp4", "out.mp4"],
            "json-to-stdout.sh": ["none.mp4"],
            "webcam.sh": ["/dev/video-none"],
        }.items():
            done = subprocess.run(
                [PIPELINES / script, *arguments],
                capture_output=True,
                text=True,
                env=self.environment,
                timeout=LIMIT,
                check=False,
            )
            self.assertEqual(done.returncode, 1)
            self.assertIn(arguments[0], done.stderr)

    def test_usage(self):
        for script in PIPELINES.glob("*.sh"):
            if script.name == "common.sh":
                continue
            done = subprocess.run(
                [script, "--help"], capture_output=True, text=True, timeout=LIMIT, check=False
            )
            self.assertEqual(done.returncode, 0)
            self.assertIn(f"  {script.name}", done.stdout)

    def run_demo(self, input_file):
        return subprocess.run(
            [
                sys.executable,
                ROOT / "scripts" / "lib" / "run_demo.py",
                "--credit",
                "Drawn by us",
                PIPELINES / "file.sh",
                input_file,
                "demo.mp4",
                "demo.jsonl",
            ],
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=self.folder,
            timeout=LIMIT,
            env=dict(self.environment, PYTHONUTF8="1", PYTHONDONTWRITEBYTECODE="1"),
            check=False,
        )

    def test_demo_says_what_it_saw(self):
        done = self.run_demo(self.clip)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.check_leaks()
        self.check_annotated(self.folder / "demo.mp4", FRAMES)
        self.assertIn("1 at most at a time, 1 followed", done.stdout)
        self.assertRegex(done.stdout, r"happiness 100% \|█{50,60} *\|")
        self.assertIn(f"{FRAMES} frames", done.stdout)
        self.assertIn(str(self.folder / "demo.mp4"), done.stdout)
        self.assertIn("Drawn by us", done.stdout)

    def test_demo_names_what_it_could_not_play(self):
        broken = self.folder / "broken.mp4"
        broken.write_bytes(b"no video at all" * 100)
        done = self.run_demo(broken)
        self.assertEqual(done.returncode, 1)
        self.assertIn(str(broken), done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
