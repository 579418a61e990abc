"""How headers are installed: scripts/lib/public_headers.py."""
import os
import pathlib
import subprocess
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "lib" / "public_headers.py"


class PublicHeadersTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="fer-headers-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        for name in ("source/model", "built"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "source/model/a.h").write_text(
            '#include <map>\n\n#include "model/b.h"\n#include "version.h"\n'
        )
        (self.folder / "source/model/b.h").write_text("#pragma once\n")
        (self.folder / "built/version.h").write_text('#define FER_VERSION "1"\n')

    def install(self, *headers, **environment):
        return subprocess.run(
            [SCRIPT, "include", f"{self.folder}/source:{self.folder}/built", *headers],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **environment},
        )

    def test_headers_find_each_other_below_fer(self):
        done = self.install("model/a.h", "model/b.h", "version.h")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(
            (self.folder / "include/fer/model/a.h").read_text(),
            "#include <map>\n\n#include <fer/model/b.h>\n#include <fer/version.h>\n",
        )
        self.assertTrue((self.folder / "include/fer/version.h").is_file())

    def test_they_go_below_mesons_destination(self):
        prefix = self.folder / "root" / "usr"
        done = self.install("model/b.h", MESON_INSTALL_DESTDIR_PREFIX=str(prefix))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue((prefix / "include/fer/model/b.h").is_file())

    def test_a_header_that_includes_a_private_one_is_refused(self):
        done = self.install("model/a.h", "version.h")
        self.assertEqual(done.returncode, 1)
        self.assertIn("model/a.h: is installed, but includes model/b.h", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
