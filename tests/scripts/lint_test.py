"""The checks of our own in scripts/lint and scripts/tidy."""
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def load(path):
    loader = importlib.machinery.SourceFileLoader(path.stem, str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(path.stem, loader))
    loader.exec_module(module)
    return module


PROSE = load(ROOT / "scripts" / "lib" / "check_prose.py")
TIDY = load(ROOT / "scripts" / "tidy")


class ProseTest(unittest.TestCase):
    def test_a_sentence_has_at_most_25_words(self):
        words = " ".join(["word"] * 24)
        self.assertEqual(list(PROSE.long_sentences(f"A {words}.\n")), [])
        ((line, fault),) = PROSE.long_sentences(f"Fine.\n\nOne {words}\nmore.\n")
        self.assertEqual(line, 3)
        self.assertIn("26 words", fault)

    def test_sentences_end_at_full_stops_and_list_items(self):
        half = " ".join(["word"] * 14)
        self.assertEqual(list(PROSE.long_sentences(f"One {half}. Two {half}.\n")), [])
        self.assertEqual(list(PROSE.long_sentences(f"- one {half}\n- two {half}\n")), [])
        self.assertEqual(len(list(PROSE.long_sentences(f"- one {half}\n  two {half}\n"))), 1)

    def test_code_and_a_link_count_as_one_word_and_tables_are_not_read(self):
        many = " ".join(["word"] * 30)
        self.assertEqual(
            list(PROSE.long_sentences(f"Run `{many}` or read [{many}](page.md).\n")), []
        )
        self.assertEqual(list(PROSE.long_sentences(f"| {many} |\n\n```\n{many}\n```\n")), [])

    def test_a_line_of_prose_has_at_most_100_columns(self):
        self.assertEqual(list(PROSE.long_lines("w " * 50 + "\n")), [])
        self.assertEqual([line for line, _ in PROSE.long_lines("\n" + "w " * 51 + "\n")], [2])
        self.assertEqual(list(PROSE.long_lines("| " + "w " * 60 + "|\n")), [])

    @unittest.skipUnless(shutil.which("proselint"), "there is no proselint")
    def test_proselint_reads_prose_and_no_code(self):
        found = [line for line, _ in PROSE.proselint("Fine.\n\nIt is a very unique word.\n")]
        self.assertEqual(set(found), {3})
        self.assertEqual(list(PROSE.proselint("Run `very unique`.\n")), [])


class LintTest(unittest.TestCase):
    def test_fails_where_clang_format_is_missing(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("bash", "dirname", "grep", "git"):
                os.symlink(shutil.which(name), pathlib.Path(folder) / name)
            done = subprocess.run(
                [ROOT / "scripts" / "lint"],
                env={"PATH": folder},
                capture_output=True,
                text=True,
                check=False,
            )
        self.assertEqual(done.returncode, 1)
        self.assertIn("there is no clang-format 14: run scripts/setup lint", done.stderr)


class TidyTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        source = ROOT / "lib" / "made_up.cpp"
        entry = {"file": str(source), "output": "made_up.o", "command": "c++ made_up.cpp"}
        (self.folder / "compile_commands.json").write_text(json.dumps([entry]), encoding="utf-8")
        self.tree = TIDY.Tree(self.folder)

    def test_a_header_is_checked_in_a_source_that_includes_it(self):
        self.tree.read = {
            "lib/a.cpp": [ROOT / "lib/widget.h"],
            "lib/widget.cpp": [ROOT / "lib/widget.h"],
        }
        self.assertEqual(self.tree.source_of("lib/widget.h"), "lib/widget.cpp")
        self.assertIsNone(self.tree.source_of("lib/unknown.h"))

    def test_the_key_changes_with_every_file_that_is_read(self):
        header = self.folder / "read.h"
        header.write_text("int a;\n", encoding="utf-8")
        self.tree.read = {"lib/made_up.cpp": [header]}
        before = self.tree.key("lib/made_up.cpp", "version 14")
        self.assertEqual(self.tree.key("lib/made_up.cpp", "version 14"), before)
        self.assertNotEqual(self.tree.key("lib/made_up.cpp", "version 15"), before)
        header.write_text("int b;\n", encoding="utf-8")
        self.assertNotEqual(self.tree.key("lib/made_up.cpp", "version 14"), before)

    def test_what_the_tree_does_not_know_has_no_key(self):
        self.assertIsNone(self.tree.key("lib/made_up.cpp", "version 14"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
