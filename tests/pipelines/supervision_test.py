"""What the scripts of pipelines/ do where an input, a reader or a person lets them down."""

import json
import signal
import subprocess
import unittest

from running_pipelines import PipelineCase, PIPELINES, FRAMES, LIMIT, grey_frames


class SupervisionTest(PipelineCase):
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


if __name__ == "__main__":
    unittest.main(verbosity=2)
