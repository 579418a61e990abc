"""The scripts' own logic: fetching models, summing up records and test runs."""
import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
HELPFUL = (
    "demo",
    "setup",
    "models",
    "package",
    "sample-clip",
    "test",
    "lint",
    "coverage",
    "gpu-check",
)
YUNET = {"2022": "face_detection_yunet_2022mar.onnx", "2023": "face_detection_yunet_2023mar.onnx"}


def load(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / "lib" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(script, *arguments, **variables):
    return subprocess.run(
        [ROOT / "scripts" / script, *map(str, arguments)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
        check=False,
        env=dict(os.environ, **variables),
    )


class ModelsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="fer-models-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.cache = self.folder / "cache" / "gst-fer" / "models"

    def models(self, *arguments, named=""):
        # Nobody listens at port 9 of this machine: every source on the net fails at once.
        dead = "http://127.0.0.1:9"
        return run(
            "models",
            *arguments,
            XDG_CACHE_HOME=str(self.folder / "cache"),
            FER_MODELS=named,
            FER_DETECTOR="yunet",
            https_proxy=dead,
            HTTPS_PROXY=dead,
        )

    def test_takes_no_file_with_another_hash(self):
        for name in YUNET.values():
            (self.folder / name).write_bytes(b"not YuNet")
        done = self.models(self.folder)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(f"{self.folder}: another file, its SHA-256 is", done.stderr)
        self.assertIn("Remedy", done.stderr)
        self.assertEqual([path.name for path in self.cache.iterdir()], [])

    def test_names_every_source_that_it_tried(self):
        done = self.models("--all", named=f"{self.folder}/none")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(f"{self.folder}/none: no such file in it", done.stderr)
        for name in YUNET.values():
            self.assertRegex(done.stderr, rf"https://\S+/{name}: ")

    def test_copies_what_a_named_folder_has_and_then_needs_no_source(self):
        folders = [pathlib.Path(folder) for folder in os.environ.get("FER_MODELS", "").split(":")]
        source = next(
            (
                folder
                for folder in folders
                if (folder / YUNET["2022"]).exists() and (folder / YUNET["2023"]).exists()
            ),
            None,
        )
        if source is None:
            self.skipTest("FER_MODELS names no folder with both versions of YuNet")
        done = self.models("--all", named=str(source))
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in YUNET.values():
            self.assertEqual((self.cache / name).read_bytes(), (source / name).read_bytes())
        (self.cache / YUNET["2022"]).write_bytes(b"damaged")
        self.assertNotEqual(self.models("--all").returncode, 0)
        self.assertEqual(self.models("--all", source).returncode, 0)
        again = self.models("--all")
        self.assertEqual((again.returncode, again.stdout), (0, ""))


class ArgumentsTest(unittest.TestCase):
    def test_demo_names_the_input_that_is_missing(self):
        done = run("demo", "--input", "/none/video.mp4")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/none/video.mp4", done.stderr)

    def test_demo_names_the_folder_that_is_missing(self):
        done = run("demo", "--output=/none/out.mp4")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/none", done.stderr)

    def test_scripts_refuse_what_they_do_not_know(self):
        for script in ("demo", "setup", "models", "sample-clip", "lint", "gpu-check"):
            done = run(script, "--nonsense")
            self.assertEqual(done.returncode, 1, script)
            self.assertIn("--nonsense", done.stderr)
        self.assertIn("expected debian13", run("test", "--on", "windows").stderr)
        self.assertIn("expected address", run("test", "--sanitize=everything").stderr)
        self.assertIn("expected a number", run("gpu-check", "--device", "first").stderr)
        self.assertIn("/none/clip.mp4", run("gpu-check", "--clip=/none/clip.mp4").stderr)

    def test_scripts_say_how_they_are_used(self):
        for script in HELPFUL:
            done = run(script, "--help")
            self.assertEqual(done.returncode, 0)
            self.assertIn(f"scripts/{script}", done.stdout)


class PackagesTest(unittest.TestCase):
    def test_the_demo_installs_what_fer_watch_stands_on_and_no_libtorch(self):
        packages = run("setup", "--list", "demo").stdout.split()
        for needed in ("libcli11-dev", "libopencv-imgcodecs-dev", "libjs-chart.js"):
            self.assertIn(needed, packages)
        self.assertFalse([name for name in packages if "torch" in name])

    def test_options_of_the_demos_tree_are_options_of_the_project(self):
        known = set(re.findall(r"option\('([\w-]+)'", (ROOT / "meson_options.txt").read_text()))
        used = re.findall(r"-D([\w-]+)=disabled", (ROOT / "scripts" / "demo").read_text())
        self.assertGreater(len(used), 5)
        self.assertEqual(set(used) - known, set())

    def test_four_files_name_one_version(self):
        versions = {
            name: re.search(pattern, (ROOT / name).read_text(), re.M)[1]
            for name, pattern in {
                "meson.build": r"^  version: '(.+)',$",
                "debian/changelog": r"\A.*\((.+)\)",
                "python/pyproject.toml": r'^version = "(.+)"$',
                "CHANGELOG.md": r"^(?:## \[?|To become )(\d+\.\d+\.\d+)",
            }.items()
        }
        self.assertEqual(len(set(versions.values())), 1, versions)


class GpuReportTest(unittest.TestCase):
    BENCH = {
        "card": "A card",
        "capability": "9.0",
        "toolkit": 13000,
        "driver": 13000,
        "copy": {"seconds": 1.0, "bytes": 2e12},
        **{
            name: {"seconds": 1e-3, "bytes": 1.5e9}
            for name in (
                "warp_faces",
                "warp_faces_rgb",
                "augment",
                "resize_luma",
                "decode_detections",
                "detector_network",
                "warp_faces_64",
                "augment_512",
                "pseudo_label_step",
            )
        },
    }

    def rows(self, rivals):
        rows = load("gpu_report").report(self.BENCH, rivals)["rows"]
        return {row["against"] + " " + row["what"]: row for row in rows}

    def test_holds_large_batches_against_the_copy(self):
        row = self.rows({})["copy bandwidth augment"]
        self.assertAlmostEqual(row["ratio"], 0.75)
        self.assertTrue(row["met"])

    def test_holds_small_ones_against_pytorch(self):
        rows = self.rows(
            {
                "warp_faces_64": {"seconds": 4e-3},
                "pseudo_label_step_compiled": {"seconds": 2e-3},
                "augment_512": {"not_run": "ModuleNotFoundError: torchvision"},
            }
        )
        row = rows["PyTorch, warp_faces_64 warp_faces_64"]
        self.assertAlmostEqual(row["ratio"], 4)
        self.assertFalse(row["met"])
        self.assertTrue(rows["PyTorch, pseudo_label_step_compiled pseudo_label_step"]["met"])
        self.assertIn("torchvision", rows["PyTorch, augment_512 augment_512"]["not_run"])
        self.assertIn("not_run", rows["PyTorch, pseudo_label_step pseudo_label_step"])

    def files(self, **contents):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        for name, content in contents.items():
            (pathlib.Path(folder.name) / f"{name}.json").write_text(json.dumps(content))
        return pathlib.Path(folder.name)

    def test_holds_the_networks_against_pytorch(self):
        serving = {
            "precision": "bf16",
            "not_run": {"ONNX Runtime": "it has no CUDA"},
            "results": [
                {"batch": batch, "what": what, "ms": ms, "ratio": ms / 2}
                for batch in (1, 256)
                for what, ms in (("gst-fer", 2), ("PyTorch", 3))
            ],
        }
        training = {
            "torch": "2.11",
            "network": "fernet",
            "batch": 64,
            "mu": 7,
            "compiled": True,
            "images_per_second": {"gst-fer": [1000, 1024, 5000], "PyTorch": [1, 1024, 1100]},
            "ratio": 1.0,
            "data_share": 0.01,
        }
        small, large, left_out, step = load("gpu_report").network_rows(
            self.files(serving=serving, training=training), ""
        )
        self.assertNotIn("aim", small)
        self.assertEqual(
            (large["seconds"], large["rival_seconds"], large["met"]), (2e-3, 3e-3, True)
        )
        self.assertEqual(left_out["not_run"], "it has no CUDA")
        self.assertEqual((step["seconds"], step["met"]), (0.5, False))
        self.assertIn("compiled", step["against"])

    def test_says_why_the_networks_were_not_measured(self):
        report = load("gpu_report")
        for folder, missing in ((self.files(), "no torch"), (self.files(), "")):
            rows = report.network_rows(folder, missing)
            self.assertEqual(len(rows), 2)
            for row in rows:
                self.assertIn(missing or "the log", row["not_run"])
            self.assertIn(missing or "--clip", report.streams(folder, missing)["not_run"])
        runs = {"runs": [{"streams": 4}]}
        self.assertEqual(report.streams(self.files(streams=runs), ""), runs)


class RecordsTest(unittest.TestCase):
    def setUp(self):
        self.summary = load("records").Summary()

    def add(self, seconds, *faces):
        objects = [
            {"id": track, "emotion": {"label": label, "confidence": 0.5, "model_version": "abc"}}
            for track, label in faces
        ]
        self.summary.add_line(json.dumps({"timestamp": int(seconds * 1e9), "objects": objects}))

    def test_counts_frames_faces_and_tracks(self):
        self.add(10.0)
        self.add(10.5, (1, "anger"), (2, "fear"))
        self.add(11.0, (2, "fear"))
        self.assertEqual(
            (
                self.summary.frames,
                self.summary.frames_with_faces,
                self.summary.most_faces,
                len(self.summary.tracks),
            ),
            (3, 2, 2, 2),
        )
        self.assertEqual(self.summary.last, 1.0)
        self.assertEqual(self.summary.now_text(), "1 face: fear 50%")
        self.assertEqual(self.summary.models, {"abc"})

    def test_draws_when_each_expression_was_seen(self):
        for frame in range(600):
            self.add(frame / 10, (7, "sadness" if frame < 300 else "happiness"))
        lines = [line for line in self.summary.report() if "|" in line]
        self.assertEqual(len(lines), 2)
        drawn = {line.split()[0]: line.split("|")[1] for line in lines}
        self.assertRegex(drawn["sadness"], r"^█{30} {30}$")
        self.assertRegex(drawn["happiness"], r"^ {30}█{30}$")
        ascii_lines = "\n".join(self.summary.report(unicode=False))
        ascii_lines.encode("ascii")

    def test_a_day_of_video_stays_small_and_keeps_its_shares(self):
        for second in range(0, 86400, 10):
            self.add(second, (1, "neutral" if second < 43200 else "surprise"))
        track = self.summary.tracks[1]
        self.assertLess(len(track.bins), 2000)
        self.assertEqual(track.labels, {"neutral": 4320, "surprise": 4320})
        self.assertRegex(self.summary.timeline(track, "surprise", " x"), r"^ {29,30}x{30,31}$")

    def test_faces_without_an_expression_count_too(self):
        self.summary.add_line('{"timestamp": null, "objects": [{"id": null}]}')
        report = "\n".join(self.summary.report())
        self.assertIn("faces that were not followed: 0.0 to 0.0 s, 1 frames", report)
        self.assertIn("no expression", report)
        self.assertEqual(self.summary.now_text(), "1 face")

    def test_says_so_where_there_was_nothing(self):
        self.assertEqual(self.summary.report(), ["No frame was seen."])
        self.add(0)
        self.assertEqual(self.summary.report(), ["No face was seen."])

    def test_a_line_that_is_no_record_is_an_error(self):
        for line in ("", "{}", "[1]", '{"timestamp": 1}'):
            with self.assertRaises(ValueError):
                self.summary.add_line(line)


class TestSummaryTest(unittest.TestCase):
    def sum_up(self, *programs):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as log:
            for name, result, output in programs:
                log.write(
                    json.dumps({"name": name, "result": result, "stdout": output, "duration": 1.0})
                    + "\n"
                )
            log.flush()
            return subprocess.run(
                [sys.executable, ROOT / "scripts" / "lib" / "test_summary.py", log.name],
                capture_output=True,
                text=True,
                check=True,
            ).stdout

    def test_counts_cases_of_googletest(self):
        text = self.sum_up(
            (
                "a",
                "FAIL",
                "[       OK ] A.one (3 ms)\n"
                "[       OK ] Sizes/A.two/0 (0 ms)\n"
                "x_test.cpp:7: Skipped\nno YuNet here\n\n"
                "[  SKIPPED ] A.three (0 ms)\n"
                "[  FAILED  ] A.four (1 ms)\n"
                "[  FAILED  ] A.four\n",
            )
        )
        self.assertEqual(text.splitlines()[-1], "2 passed, 1 failed, 1 skipped")
        self.assertIn("no YuNet here\n    a: A.three", text)
        self.assertIn("a: A.four", text)

    def test_counts_cases_of_unittest(self):
        text = self.sum_up(
            (
                "b",
                "OK",
                "test_x (__main__.T.test_x) ... ok\n"
                "test_y (__main__.T.test_y)\nWhat it does. ... ok\n"
                "test_z (__main__.T.test_z) ... skipped 'no server'\n",
            )
        )
        self.assertEqual(text.splitlines()[-1], "2 passed, 0 failed, 1 skipped")
        self.assertIn("no server", text)

    def test_a_program_that_died_has_failed(self):
        text = self.sum_up(
            ("c", "TIMEOUT", "[       OK ] A.one (3 ms)\n"),
            ("d", "OK", "fine"),
            ("e", "SKIP", "not here"),
        )
        self.assertEqual(text.splitlines()[-1], "2 passed, 1 failed, 1 skipped")
        self.assertIn("c: timeout", text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
