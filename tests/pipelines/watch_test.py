"""`fer watch` on clips and photos of a drawn face, with a model that sees happiness in every face."""
import csv
import json
import os
import pathlib
import signal
import struct
import subprocess
import tempfile
import time
import unittest
import zlib

import browser

FER = os.environ["FER_PROGRAM"]
TEST_FILES = os.environ["FER_TEST_FILES"]
CHART_JS = pathlib.Path("/usr/share/javascript/chart.js/chart.min.js")
WIDTH, HEIGHT, FRAMES, RATE = 320, 240, 30, 15
LIMIT = 120


def raw_frames(width, height, frames):
    return subprocess.run(
        [TEST_FILES, "clip", str(width), str(height), str(frames)],
        stdout=subprocess.PIPE,
        check=True,
    ).stdout


def png(width, height, bgr):
    """A PNG of raw BGR pixels; `bgr` may be shorter than the picture says it is."""

    def chunk(name, content):
        body = name + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    rows = b""
    for y in range(min(height, len(bgr) // (3 * width)) if bgr else 0):
        row = bytearray(bgr[3 * width * y : 3 * width * (y + 1)])
        row[0::3], row[2::3] = row[2::3], row[0::3]
        rows += b"\0" + bytes(row)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows, 1))
        + chunk(b"IEND", b"")
    )


def turned_left(width, height, bgr):
    """The picture turned counter-clockwise: its width and height change places."""
    pixel = [bgr[3 * i : 3 * i + 3] for i in range(width * height)]
    return b"".join(pixel[y * width + (width - 1 - x)] for x in range(width) for y in range(height))


def with_orientation(jpeg, orientation):
    """The JPEG with an EXIF segment that says how it is to be turned."""
    tiff = b"MM\0*\0\0\0\x08" + struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, 0)
    exif = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


def launch(*words):
    subprocess.run(["gst-launch-1.0", "-q", *words], check=True, timeout=LIMIT)


def have(element):
    return subprocess.run(["gst-inspect-1.0", "--exists", element], check=False).returncode == 0


ENCODER = ["x264enc", "!", "h264parse"] if have("x264enc") else ["jpegenc"]


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class WatchTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.TemporaryDirectory(prefix="fer-watch-")
        folder = pathlib.Path(cls.shared.name)
        raw = folder / "clip.bgr"
        raw.write_bytes(raw_frames(WIDTH, HEIGHT, FRAMES))
        cls.clip = folder / "clip.mp4"
        launch(
            "filesrc", f"location={raw}", f"blocksize={WIDTH * HEIGHT * 3}", "!",
            "rawvideoparse", "format=bgr", f"width={WIDTH}", f"height={HEIGHT}",
            f"framerate={RATE}/1", "!", "videoconvert", "!", "video/x-raw,format=I420", "!",
            *ENCODER, "!", "mp4mux", "!", "filesink", f"location={cls.clip}",
        )  # fmt: skip
        cls.photo = folder / "odd.png"
        cls.photo.write_bytes(png(321, 241, raw_frames(321, 241, 1)))
        side = folder / "side.png"
        side.write_bytes(png(240, 320, turned_left(320, 240, raw_frames(320, 240, 1))))
        cls.turned = folder / "turned.jpg"
        launch("filesrc", f"location={side}", "!", "pngdec", "!", "videoconvert", "!", "jpegenc",
               "quality=95", "!", "filesink", f"location={cls.turned}")  # fmt: skip
        cls.turned.write_bytes(with_orientation(cls.turned.read_bytes(), 6))
        cls.model = folder / "fernet.fer"
        subprocess.run([TEST_FILES, "model", str(cls.model)], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.shared.cleanup()

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="fer-watch-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.table = self.folder / "rows.csv"

    def command(self, *words):
        return [FER, "watch", "--model", str(self.model), *map(str, words)]

    def watch(self, *words, code=0):
        done = subprocess.run(
            self.command(*words), capture_output=True, text=True, timeout=LIMIT, check=False
        )
        self.assertEqual(done.returncode, code, done.stderr + done.stdout)
        return done

    def test_a_video_gives_a_row_per_face_per_frame(self):
        lines = self.folder / "rows.jsonl"
        done = self.watch(self.clip, "--csv", self.table, "--jsonl", lines)
        rows = rows_of(self.table)
        self.assertGreaterEqual(len(rows), FRAMES - 2)
        self.assertEqual({row["face_id"] for row in rows}, {"1"})
        self.assertEqual({row["label"] for row in rows}, {"happiness"})
        last = rows[-1]
        self.assertEqual(last["frame"], str(FRAMES - 1))
        self.assertAlmostEqual(float(last["timestamp"]), (FRAMES - 1) / RATE, places=2)
        middle = float(last["FaceRectX"]) + float(last["FaceRectWidth"]) / 2
        self.assertAlmostEqual(middle, WIDTH / 2, delta=0.15 * WIDTH)
        self.assertLess(abs(float(last["Roll"])), 12)
        same = [json.loads(line) for line in lines.read_text().splitlines()]
        self.assertEqual([row["frame"] for row in same], [int(row["frame"]) for row in rows])
        self.assertIn("times real time", done.stdout)
        self.assertEqual(self.table.stat().st_mode & 0o777, 0o600)
        self.assertEqual(list(self.folder.glob("*.parts")), [])

    def test_photos_are_seen_upright_and_may_have_odd_sides(self):
        self.watch(
            self.photo, self.turned, "--csv", self.table, "--annotated", self.folder / "drawn"
        )
        rows = rows_of(self.table)
        self.assertEqual([row["input"] for row in rows], [str(self.photo), str(self.turned)])
        for row, width in zip(rows, (321, 320)):
            self.assertEqual(row["label"], "happiness")
            middle = float(row["FaceRectX"]) + float(row["FaceRectWidth"]) / 2
            self.assertAlmostEqual(middle, width / 2, delta=0.15 * width)
        for name in ("odd.png.jpg", "turned.jpg"):
            self.assertEqual((self.folder / "drawn" / name).read_bytes()[:3], b"\xff\xd8\xff")

    def test_blurred_copies_show_nobody(self):
        def faces_of_copies(folder, *options):
            self.watch(self.photo, self.clip, "--annotated", folder, *options)
            self.watch(folder, "--csv", self.table, "--restart")
            return {pathlib.Path(row["input"]).name for row in rows_of(self.table) if row["label"]}

        self.assertEqual(len(faces_of_copies(self.folder / "plain")), 2)
        self.assertEqual(faces_of_copies(self.folder / "hidden", "--blur", "all"), set())
        refused = self.watch(self.photo, "--csv", self.table, "--blur", "all", code=1)
        self.assertIn("--blur: expected --annotated or --thumbnails", refused.stderr)

    def test_the_overlay_is_a_video_as_long_as_the_input(self):
        self.watch(self.clip, "--annotated", self.folder / "drawn")
        drawn = self.folder / "drawn/clip.mp4"
        self.watch(drawn, "--csv", self.table)
        self.assertEqual(rows_of(self.table)[-1]["frame"], str(FRAMES - 1))
        self.assertEqual([path.name for path in drawn.parent.iterdir()], ["clip.mp4"])

    def test_a_stopped_folder_goes_on_where_it_was(self):
        clips = self.folder / "clips"
        clips.mkdir()
        os.link(self.clip, clips / "a.mp4")
        launch("videotestsrc", "num-buffers=4000", "pattern=ball", "!",
               "video/x-raw,width=320,height=240", "!", *ENCODER, "!", "mp4mux", "!",
               "filesink", f"location={clips / 'b.mp4'}")  # fmt: skip
        command = self.command(clips, "--csv", self.table, "--jobs", "1")
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as fer:
            end = time.monotonic() + LIMIT
            while not list(self.folder.glob("rows.csv.parts/*.jsonl")):
                self.assertLess(time.monotonic(), end)
                self.assertIsNone(fer.poll(), "it ended before it could be stopped")
                time.sleep(0.01)
            fer.send_signal(signal.SIGINT)
            fer.communicate(timeout=LIMIT)
        self.assertEqual(fer.returncode, 130)
        before = rows_of(self.table)
        self.assertGreaterEqual(len(before), FRAMES - 2)
        done = self.watch(clips, "--csv", self.table, "--jobs", "1")
        self.assertIn("1 of them were done by an earlier run", done.stdout)
        self.assertIn("4000 frames", done.stdout)
        self.assertEqual(rows_of(self.table)[: len(before)], before)
        self.assertEqual(list(self.folder.glob("*.parts")), [])

    def test_what_cannot_be_watched_is_named_and_the_rest_is_done(self):
        empty = self.folder / "empty"
        empty.mkdir()
        text = self.folder / "line\nbreak.mp4"
        text.write_text("no video at all")
        huge = self.folder / "huge.png"
        huge.write_bytes(png(50000, 50000, b""))
        cut = self.folder / "cut.jpg"
        cut.write_bytes(self.turned.read_bytes()[:2000])
        done = self.watch(
            empty, text, huge, cut, "/dev/video-gone", self.clip, "--csv", self.table, code=1
        )
        for words in (
            "empty: expected a folder with photos or videos, found none in it",
            "line\\nbreak.mp4: expected a video, but",
            "huge.png: expected a photo, but",
            "cut.jpg: expected a photo, but",
            "/dev/video-gone: expected a camera, but there is no such device",
        ):
            told = [line for line in done.stderr.splitlines() if words in line]
            self.assertEqual(len(told), 1, done.stderr)
        self.assertIn("5 of the inputs could not be watched", done.stderr)
        self.assertGreaterEqual(len(rows_of(self.table)), FRAMES - 2)

    def test_outputs_that_cannot_be_written_are_told_of_before_the_work(self):
        done = self.watch(self.clip, "--csv", self.folder / "gone/rows.csv", code=1)
        self.assertIn("there is no folder", done.stderr)
        done = self.watch(self.clip, "--csv", self.clip, code=1)
        self.assertIn("is read by this command", done.stderr)
        full = self.watch(self.clip, "--csv", "/dev/full", code=1)
        self.assertIn("No space left on device", full.stderr)

    def test_a_name_with_a_line_break_stays_in_its_field(self):
        clip = self.folder / 'a "line\nbreak",.mp4'
        os.link(self.clip, clip)
        self.watch(clip, "--csv", self.table)
        self.assertEqual({row["input"] for row in rows_of(self.table)}, {str(clip)})

    @unittest.skipUnless(browser.BROWSER, browser.MISSING)
    @unittest.skipUnless(CHART_JS.exists(), "there is no Chart.js: scripts/setup installs it")
    def test_the_page_draws_in_a_browser_and_holds_no_pictures_unless_asked(self):
        page = self.folder / "page.html"
        hostile = self.folder / "<img src=x onerror=alert(1)>.mp4"
        os.link(self.clip, hostile)
        self.watch(hostile, self.photo, "--plot", page)
        browser.check_page(self, page, least_charts=4)
        self.assertNotIn("/9j/", page.read_text())
        self.watch(hostile, self.photo, "--plot", page, "--thumbnails")
        browser.check_page(self, page, least_charts=4)
        self.assertIn("/9j/", page.read_text())


if __name__ == "__main__":
    unittest.main(verbosity=2)
