"""Installs the build into a folder and uses it from there: headers, libraries, plugins, pipelines."""
import os
import pathlib
import shlex
import subprocess
import tempfile
import unittest
import unittest.mock

BUILD = os.environ["FER_BUILD"]
PREFIX = os.environ["FER_PREFIX"]
CXX = shlex.split(os.environ["FER_CXX"])

VISION = """
#include <fer/vision/detector.h>
#include <fer/vision/tracker.h>
#include <cstdio>
int main() {
  // Throws nothing and finds nothing where there is no model; the library was linked and loaded.
  std::puts(fer::find_detector_model().path.c_str());
}
"""
MODEL = """
#include <fer/model/classifier.h>
#include <fer/model/labels.h>
#include <fer/model/slot.h>
#include <fer/model/stored_model.h>
#include <fer/version.h>
#include <cstdio>
int main() {
  try {
    fer::read_stored_model("/none.fer");
  } catch (const std::exception& error) {
    std::puts(error.what());
  }
  std::puts(fer::canonical_label("Joy")->c_str());
  std::puts(FER_VERSION);
}
"""
FACES = """
#include <gst/fer/fer.h>
int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  GstBuffer *buffer = gst_buffer_new();
  g_autoptr(GPtrArray) faces = gst_fer_buffer_get_faces(buffer, NULL);
  g_print(faces == NULL ? "nobody looked" : "somebody looked");
  gst_buffer_unref(buffer);
  return 0;
}
"""
LEARNER = """
#include <fer/stream/learner.h>
#include <cstdio>
int main() {
  fer::Learner::Settings settings;
  settings.source_model = "/none.fer";
  std::puts(settings.source_model.c_str());
}
"""
# As until version 0.1; for one more MINOR.
OLD_NAME = """
#include <vision/tracker.h>
int main() { return fer::TrackerConfig().min_hits < 0; }
"""


def run(*command, **variables):
    return subprocess.run(
        list(map(str, command)),
        check=True,
        capture_output=True,
        text=True,
        env=dict(os.environ, **variables),
    ).stdout


class InstallTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="fer-install-")
        run(
            "meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", cls.folder.name
        )
        cls.prefix = pathlib.Path(cls.folder.name + PREFIX)
        cls.libraries = next(cls.prefix.glob("lib*/**/libfer-vision.so")).parent
        # As if the folder had been the prefix from the start.
        for package in (cls.libraries / "pkgconfig").glob("*.pc"):
            text = package.read_text()
            package.write_text(text.replace(f"prefix={PREFIX}\n", f"prefix={cls.prefix}\n"))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def compile_and_run(self, package, source, language=("c++", "c++20")):
        """Against what pkg-config says."""
        flags = shlex.split(
            run(
                "pkg-config",
                "--cflags",
                "--libs",
                package,
                PKG_CONFIG_PATH=str(self.libraries / "pkgconfig"),
            )
        )
        program = pathlib.Path(self.folder.name) / package
        text = program.with_name(program.name + ".source")
        text.write_text(source)
        name, standard = language
        subprocess.run(
            [*CXX, "-x", name, "-std=" + standard, text, "-x", "none", *flags, "-o", program],
            check=True,
        )
        return run(program, LD_LIBRARY_PATH=str(self.libraries))

    def test_what_was_installed_takes_no_model_of_a_checkout(self):
        with unittest.mock.patch.dict(os.environ, HOME="/nonexistent"):
            for variable in ("FER_MODELS", "FER_SHIPPED_MODELS", "XDG_CACHE_HOME"):
                os.environ.pop(variable, None)
            found = self.compile_and_run("fer-vision", VISION).strip()
        if found.endswith(".onnx"):
            self.assertTrue(found.startswith(PREFIX), found)

    def test_the_programs_that_try_files_are_installed(self):
        for name in ("fer-detector-trial", "fer-network-trial"):
            (program,) = self.prefix.glob(f"libexec/**/{name}")
            self.assertTrue(os.access(program, os.X_OK))

    def test_a_program_with_the_names_of_headers_until_0_1(self):
        self.compile_and_run("fer-vision", OLD_NAME)

    def test_a_program_against_fer(self):
        lines = self.compile_and_run("fer", MODEL).splitlines()
        self.assertIn("/none.fer", lines[0])
        self.assertEqual(lines[1], "happiness")
        self.assertEqual(
            lines[2],
            run(
                "pkg-config",
                "--modversion",
                "fer",
                PKG_CONFIG_PATH=str(self.libraries / "pkgconfig"),
            ).strip(),
        )

    def test_a_program_against_fer_learn(self):
        if not (self.libraries / "libfer-learn.so").exists():
            self.skipTest("built without LibTorch")
        self.assertEqual(self.compile_and_run("fer-learn", LEARNER).strip(), "/none.fer")

    def test_headers_include_what_they_need(self):
        include = self.prefix / "include"
        # But for those that take LibTorch's headers, and 10 s.
        names = sorted(
            path.relative_to(include)
            for path in (include / "fer").rglob("*.h")
            if "torch/" not in path.read_text()
        )
        self.assertGreater(len(names), 20)
        flags = [f"-I{include}", "-isystem/usr/include/opencv4"]
        for order in (names, reversed(names)):
            subprocess.run(
                [*CXX, "-fsyntax-only", "-std=c++20", "-Wall", "-Wextra", *flags, "-xc++", "-"],
                input="".join(f"#include <{name}>\n" for name in order),
                text=True,
                check=True,
            )

    def test_what_serves_needs_no_libtorch(self):
        for library in (
            self.libraries / "libfer-vision.so",
            self.libraries / "libfer.so",
            self.libraries / "gstreamer-1.0" / "libgstfer.so",
            self.prefix / "bin" / "fer",
        ):
            if not library.exists():
                continue
            needed = run("ldd", library, LD_LIBRARY_PATH=str(self.libraries))
            self.assertIn("libc.so", needed)
            self.assertNotIn("libtorch", needed, library)

    def test_fer_says_what_brings_the_commands_that_are_not_installed(self):
        program = self.prefix / "bin" / "fer"
        if not program.exists():
            self.skipTest("built without CLI11")
        # It looks where it was to be installed, and not in this folder or in the build tree.
        if pathlib.Path(PREFIX, "libexec/gst-fer/fer-learn").exists():
            self.skipTest("there is an installation")
        env = dict(os.environ, LD_LIBRARY_PATH=str(self.libraries))
        refused = subprocess.run(
            [program, "train", "--help"], capture_output=True, text=True, env=env
        )
        self.assertEqual(refused.returncode, 1)
        self.assertIn("fer: train: needs LibTorch", refused.stderr)
        self.assertIn("gst-fer-learn", refused.stderr)
        help_ = run(program, "--help", LD_LIBRARY_PATH=str(self.libraries))
        here, _, missing = help_.partition("Not installed; install the package gst-fer-learn")
        self.assertIn("\n  watch ", here)
        self.assertIn("\n  train ", missing)
        self.assertNotIn("\n  train ", here)

    def test_a_program_in_c_against_gstreamer_fer(self):
        if not (self.libraries / "libgstfer-1.0.so").exists():
            self.skipTest("built without the plugins")
        said = self.compile_and_run("gstreamer-fer-1.0", FACES, ("c", "c11"))
        self.assertEqual(said, "nobody looked")

    def test_gstreamer_finds_the_elements_by_the_plugin_path_alone(self):
        plugins = self.libraries / "gstreamer-1.0"
        for element, library in {
            "ferdetect": "libgstfer.so",
            "ferinfer": "libgstfer.so",
            "ferlearn": "libgstfertorch.so",
        }.items():
            if not (plugins / library).exists():
                continue
            text = run(
                "gst-inspect-1.0",
                element,
                GST_PLUGIN_PATH_1_0=str(plugins),
                GST_REGISTRY=self.folder.name + "/registry.bin",
                LD_LIBRARY_PATH=str(self.libraries),
            )
            self.assertIn(str(plugins / library), text)

    def test_pipelines_know_where_the_plugins_went(self):
        folder = self.prefix / "share" / "gst-fer" / "pipelines"
        if not folder.exists():
            self.skipTest("built without the plugins")
        self.assertEqual(
            self.prefix.parent / (folder / "plugin-path").read_text().strip(),
            pathlib.Path(PREFIX) / self.libraries.relative_to(self.prefix) / "gstreamer-1.0",
        )
        self.assertIn("file.sh INPUT", run(folder / "file.sh", "--help"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
