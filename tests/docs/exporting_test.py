"""Runs the Python of docs/how-to/exporting.md as it is printed there. FER_PROGRAM names the program
`fer`, FER_TEST_PYTHON perhaps a Python with ONNX Runtime and OpenCV."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PYTHON = os.environ.get("FER_TEST_PYTHON", "python3")
YUNET = "face_detection_yunet_2022mar.onnx"
ANSWER = re.compile(r"(neutral|happiness|surprise|sadness|anger|disgust|fear|contempt) 0\.\d+")


def python(code, folder=None):
    return subprocess.run(
        [PYTHON, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )


class ExportingTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        page = (ROOT / "docs/how-to/exporting.md").read_text(encoding="utf-8")
        cls.onnx_runtime, cls.opencv = re.findall(r"```python\n(.+?)```", page, re.S)

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        subprocess.run(
            [
                os.environ["FER_PROGRAM"],
                "export",
                "--onnx",
                ROOT / "models/fernet.fer",
                "fernet.onnx",
                "--labels",
                "labels.txt",
            ],
            cwd=self.folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def need(self, modules):
        if python(f"import {modules}").returncode != 0:
            self.skipTest(f"{PYTHON} lacks one of {modules}; FER_TEST_PYTHON may name another")

    def answers(self, code):
        done = python(code, self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        for line in lines:
            self.assertRegex(line, ANSWER)
        return lines

    def test_onnx_runtime(self):
        self.need("cv2, numpy, onnxruntime")
        (self.folder / "faces").mkdir()
        python(
            "import cv2, numpy; cv2.imwrite('faces/face-000000.png', "
            "numpy.random.default_rng(1).integers(0, 256, (48, 48, 3)))",
            self.folder,
        )
        self.assertEqual(len(self.answers(self.onnx_runtime)), 1)

    def test_opencv(self):
        self.need("cv2, numpy")
        version = python("import cv2; print(*cv2.__version__.split('.')[:2])").stdout.split()
        if not (4, 5) <= tuple(map(int, version)) < (4, 8):
            self.skipTest(f"{YUNET} is for OpenCV 4.5.4 to 4.7, and here is {'.'.join(version)}")
        folders = os.environ.get("FER_MODELS", "").split(":")
        found = [
            pathlib.Path(f) / YUNET for f in folders if f and (pathlib.Path(f) / YUNET).exists()
        ]
        if not found:
            self.skipTest(f"no folder in FER_MODELS holds {YUNET}")
        shutil.copy(found[0], self.folder)
        # Three drawn faces, the middle one smiling.
        shutil.copy(ROOT / "docs/images/overlay.png", self.folder / "people.png")
        self.assertEqual(len(self.answers(self.opencv)), 3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
