"""Real clips, stored as cameras and phones store them, against the same clip in upright square pixels.

The clips are not in the repository: FER_TEST_VIDEO names their folder, by default `shared/video`
beside the checkout. Without them the tests are skipped.
"""
import collections
import functools
import json
import math
import os
import pathlib
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
VIDEO = pathlib.Path(os.environ.get("FER_TEST_VIDEO", ROOT.parent / "shared" / "video"))
MODELS = os.environ.get("FER_TEST_MODELS", str(ROOT / "models"))
CLIP, SHORT = VIDEO / "WolfgangLanger_Pexels.mp4", VIDEO / "single_face.mp4"
FRAMES = 120
# Each frame is inferred and stands for itself.
INFER = ["ferinfer", "reclassify-interval=1", "smoothing=0"]


def records(clip, *between, detect=(), after=(), frames=FRAMES):
    """The records of a clip's first frames, with elements between decoder and ferdetect."""
    # Without -q, which swallows the warnings.
    command = ["gst-launch-1.0", "filesrc", f"location={clip}", "!", "decodebin", "!"]
    command += ["identity", f"eos-after={frames}", "!", "videoconvert", "!", "videoscale", "!"]
    for words in between:
        command += [*words, "!"]
    command += ["ferdetect", *detect, "!", *INFER, "!"]
    for words in after:
        command += [*words, "!"]
    command += ["ferpublish", "method=stdout", "!", "fakesink"]
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=400,
        check=True,
        env=dict(os.environ, FER_MODELS=MODELS),
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    return [json.loads(line) for line in lines], done.stdout + done.stderr


def caps(text):
    return [f"video/x-raw,{text}"]


def largest(face):
    return face["w"] * face["h"]


def surest(face):
    return face["detection"]["confidence"]


def labels(found, chosen=largest):
    """Frame → label of one face, without those that are marked unsure."""
    by_frame = {}
    for number, record in enumerate(found):
        faces = [face for face in record["objects"] if "emotion" in face]
        if faces:
            face = max(faces, key=chosen)
            if not face["emotion"]["unsure"]:
                by_frame[number] = face["emotion"]["label"]
    return by_frame


def ids(found):
    return {face["id"] for record in found for face in record["objects"]}


def rolled(clip, degrees):
    """The records of the clip turned clockwise on a square that holds the whole picture."""
    # The elements' `rotate` keeps the picture's size and works on AYUV.
    square = ["videobox", "autocrop=true"]
    turn = ["rotate", f"angle={math.radians(degrees)}"]
    found, _ = records(
        clip,
        caps("width=640,height=360,pixel-aspect-ratio=1/1"),
        square,
        caps("width=736,height=736"),
        ["videoconvert"],
        turn,
        ["videoconvert"],
        detect=["detect-width=736"],
    )
    return found


@functools.cache
def upright(clip):
    """The labels of the clip on the same square, as it is."""
    return labels(rolled(clip, 0), surest)


@unittest.skipUnless(CLIP.exists() and SHORT.exists(), f"the clips are not in {VIDEO}")
class RealVideoTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.square, _ = records(CLIP, caps("width=640,height=360"))

    def assert_agrees(self, found, share):
        expected, is_now = labels(self.square), labels(found)
        self.assertGreater(len(expected), FRAMES * 0.9)
        same = sum(1 for frame, label in expected.items() if is_now.get(frame) == label)
        self.assertGreaterEqual(same / len(expected), share, collections.Counter(is_now.values()))

    def test_pixels_that_are_not_square_change_no_label(self):
        # The same pictures, stored narrower or lower.
        for size, aspect in (("450,height=360", "64/45"), ("320,height=360", "2/1")):
            with self.subTest(aspect=aspect):
                stored = caps(f"width={size},pixel-aspect-ratio={aspect}")
                found, _ = records(CLIP, stored)
                self.assert_agrees(found, 0.97)
                self.assertEqual(len(ids(found)), len(ids(self.square)))

    def test_turned_clips_are_labelled_as_the_upright_one(self):
        turned = (["videoflip", "video-direction=90l"],)
        for tag in ("taginject", None):
            with self.subTest(tag=tag):
                between = [*turned]
                detect = []
                if tag:
                    between.append(["taginject", "tags=image-orientation=rotate-90"])
                else:
                    detect = ["orientation=90r"]
                found, _ = records(CLIP, *between, detect=detect)
                self.assert_agrees(found, 0.97)
                record = found[10]
                self.assertEqual(record["resolution"]["orientation"], 1)
                # In the buffer's own coordinates: 360 pixels wide, 640 high.
                self.assertEqual(record["resolution"]["width"], 360)

    def test_formats_of_cameras_and_decoders_are_taken_as_they_come(self):
        for video_format in ("YUY2", "UYVY", "P010_10LE", "I420_10LE", "Y42B"):
            with self.subTest(format=video_format):
                found, _ = records(CLIP, caps(f"format={video_format}"), frames=40)
                expected = {k: v for k, v in labels(self.square).items() if k < 40}
                same = sum(1 for k, v in expected.items() if labels(found).get(k) == v)
                self.assertGreaterEqual(same / len(expected), 0.97)

    def test_rolled_faces_are_labelled_as_upright_ones_or_not_at_all(self):
        # What is not clear is marked, so that of what is labelled nine in ten are right.
        for clip in (CLIP, SHORT):
            expected = upright(clip)
            for degrees in range(0, 360, 30):
                with self.subTest(clip=clip.name, degrees=degrees):
                    is_now = labels(rolled(clip, degrees), surest)
                    both = [frame for frame in expected if frame in is_now]
                    same = sum(1 for frame in both if is_now[frame] == expected[frame])
                    self.assertGreaterEqual(len(both), 0.9 * len(expected), "labelled")
                    self.assertGreaterEqual(same, 0.9 * len(both), "as upright")

    def test_faces_behind_a_filter_that_moves_the_picture_are_left_out_with_a_warning(self):
        found, said = records(
            CLIP, after=[["videoconvert"], ["videoflip", "video-direction=horiz"]], frames=20
        )
        self.assertEqual(sum(len(record["objects"]) for record in found), 0)
        self.assertIn("before ferdetect", said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
