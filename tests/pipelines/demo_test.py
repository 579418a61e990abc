"""The demo, from its command line to its files, and what its runner says."""

import os
import pathlib
import subprocess
import sys
import unittest

from running_pipelines import PipelineCase, ROOT, PIPELINES, FRAMES, LIMIT, grey_frames


class DemoTest(PipelineCase):
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

    def test_side_by_side(self):
        self.run_script("side-by-side.sh", self.clip, self.clip, "both.mp4", "one", "the <other>")
        frames = grey_frames(self.folder / "both.mp4", self.folder, 1280, 360)
        self.assertEqual(len(frames), FRAMES)
        rows = [frames[FRAMES // 2][at : at + 1280] for at in range(0, 360 * 1280, 1280)]
        # 4:3 in the middle of each half, and words in the corner, which differ.
        self.assertGreater(sum(row[320] for row in rows) / 360, 40)
        self.assertNotEqual([row[:320] for row in rows[:60]], [row[640:960] for row in rows[:60]])

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
