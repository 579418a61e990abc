"""The manual page and the completion that are made of the program's --help."""
import importlib.util
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "lib" / "fer_help.py"
spec = importlib.util.spec_from_file_location("fer_help", SCRIPT)
HELP = importlib.util.module_from_spec(spec)
spec.loader.exec_module(HELP)

# A program that tells of itself as fer does.
PROGRAM = r"""#!/bin/sh
case "$1" in
  --version) echo "gst-fer 1.2.3" ;;
  --help) cat <<'TEXT'
Trains models.
Usage: fer [OPTIONS] SUBCOMMAND

Options:
  -h,--help                   Print this help message and exit

Subcommands:
  train                       Train a model.
  trace                       .Draw a line.

Exit codes: 0 done.
TEXT
    ;;
  *) cat <<'TEXT'
Train a model.
Usage: fer train [OPTIONS]

Options:
  -h,--help                   Print this help message and exit
  --data TEXT REQUIRED        A packed dataset
  --rate,--learning-rate FLOAT=0.1
                              Step size
TEXT
    ;;
esac
"""


class FerHelpTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="fer-help-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.program = self.folder / "fer"
        self.program.write_text(PROGRAM)
        self.program.chmod(0o755)

    def completed(self, *words):
        """What bash offers behind these words, the last of which is half typed."""
        file = self.folder / "fer.bash"
        subprocess.run([SCRIPT, "completion", self.program, file], check=True)
        listed = " ".join(f"'{word}'" for word in words)
        return subprocess.run(
            [
                "bash",
                "-c",
                f"source {file}; COMP_WORDS=({listed}); COMP_CWORD={len(words) - 1}; _fer; "
                'printf "%s\\n" "${COMPREPLY[@]}"',
            ],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()

    def test_bash_completes_commands_and_their_options(self):
        self.assertEqual(self.completed("fer", "tra"), ["train", "trace"])
        self.assertEqual(self.completed("fer", "train", "--d"), ["--data"])
        self.assertEqual(self.completed("fer", "train", "--learn"), ["--learning-rate"])
        self.assertEqual(self.completed("fer", "train", "photo"), [], "files are for bash itself")
        self.assertEqual(self.completed("fer", "unknown", "--"), [])

    @unittest.skipUnless(shutil.which("help2man"), "there is no help2man")
    def test_the_manual_has_each_command_with_its_options(self):
        page = self.folder / "fer.1"
        subprocess.run([SCRIPT, "manual", self.program, "help2man", page], check=True)
        text = page.read_text()
        self.assertIn('"fer 1.2.3"', text)
        for expected in (
            ".SS fer train",
            r".B \-\-data TEXT REQUIRED",
            "A packed dataset",
            "Step size",
        ):
            self.assertIn(expected, text)
        self.assertIn(r"\&.Draw a line.", text, "no text is taken for a macro")


if __name__ == "__main__":
    unittest.main(verbosity=2)
