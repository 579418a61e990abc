"""Holds docs/explanation/architecture.md's tables of folders to what the sources include."""
import collections
import pathlib
import tempfile
import unittest

import folders

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = "docs/explanation/architecture.md"
FOR_ALL = {"lib", "lib/util"}  # As the page says below its table.


class TreeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rows = folders.tables_in((ROOT / PAGE).read_text(encoding="utf-8"))
        cls.includes = folders.includes_of(ROOT, ("lib", "plugins", "service", "training"))
        assert len(cls.includes) > 500, "the sources were not found"

    def rows_used(self):
        """{row: {row or library that it uses: an include that shows it}}"""
        used = collections.defaultdict(dict)
        for include in self.includes:
            from_row = folders.row_of(include.file.parent.as_posix(), self.rows)
            to_row = folders.row_of(include.folder, self.rows)
            if from_row and to_row and from_row != to_row:
                used[from_row].setdefault(to_row, include)
        return used

    def test_every_folder_of_sources_has_a_row(self):
        with_sources = {
            path.parent.relative_to(ROOT).as_posix()
            for top in ("lib", "plugins", "service", "training")
            for path in (ROOT / top).rglob("*")
            if path.suffix in folders.SOURCES
        }
        without = sorted(name for name in with_sources if not folders.row_of(name, self.rows))
        self.assertEqual(without, [], f"{PAGE} must say what these are and what they use")

    def test_folders_include_what_their_row_allows_and_nothing_else(self):
        wrong = [
            f"{seen.file}:{seen.line} includes {seen.header}, but {PAGE} does not let {row} "
            f"use {other}"
            for row, others in self.rows_used().items()
            for other, seen in others.items()
            if other not in FOR_ALL and not folders.allows(self.rows[row], other)
        ]
        self.assertEqual(wrong, [])

    def test_rows_allow_only_what_is_used(self):
        unused = [
            f"{row}: {name}"
            for row, allowed in self.rows.items()
            for name in sorted(allowed)
            if not any(folders.allows({name}, other) for other in self.rows_used()[row])
        ]
        self.assertEqual(unused, [], f"{PAGE} allows more than the sources need")

    def test_every_row_is_a_folder(self):
        self.assertEqual([row for row in self.rows if not (ROOT / row).is_dir()], [])

    def test_no_folders_include_each_other_in_a_circle(self):
        graph = {
            row: {other for other in others if other in self.rows}
            for row, others in self.rows_used().items()
        }
        circle = folders.circle_in(graph)
        shown = [
            f"{seen.file}:{seen.line} includes {seen.header}"
            for row, after in zip(circle, circle[1:] + circle[:1])
            for seen in [self.rows_used()[row][after]]
        ]
        self.assertEqual(circle, [], "\n".join(shown))

    def test_rows_use_rows_above_them(self):
        order = list(self.rows)
        wrong = [
            f"{row}: {other}"
            for row, allowed in self.rows.items()
            for other in order
            if folders.allows(allowed, other) and order.index(other) >= order.index(row)
        ]
        self.assertEqual(wrong, [], f"{PAGE}: a row may name only rows above it")


class FoldersTest(unittest.TestCase):
    """The reading itself, on trees and tables made up for it."""

    def test_an_include_is_found_with_its_file_line_and_folder(self):
        with tempfile.TemporaryDirectory() as name:
            root = pathlib.Path(name)
            (root / "lib/low").mkdir(parents=True)
            (root / "lib/high").mkdir()
            (root / "lib/low/a.h").write_text("#pragma once\n")
            (root / "lib/high/b.cpp").write_text(
                '#include <torch/types.h>\n\n#include "low/a.h"\n#include <vector>\n'
            )
            found = [(str(i.file), i.line, i.folder) for i in folders.includes_of(root, ["lib"])]
        self.assertEqual(
            found, [("lib/high/b.cpp", 1, "LibTorch"), ("lib/high/b.cpp", 3, "lib/low")]
        )

    def test_a_table_says_what_its_folders_may_use(self):
        rows = folders.tables_in(
            "| folder | is | uses |\n|---|---|---|\n"
            "| `lib/low` | numbers | OpenCV |\n"
            "| `lib/high` | `words` | `lib/low`, LibTorch, Gloo |\n\n"
            "| package | other |\n|---|---|\n| `lib/x` | `lib/low` |\n"
        )
        self.assertEqual(rows, {"lib/low": {"OpenCV"}, "lib/high": {"lib/low", "LibTorch"}})

    def test_a_row_speaks_for_subfolders_unless_they_have_rows(self):
        rows = {"lib": set(), "lib/kernels": set(), "lib/learn/data": set()}
        self.assertEqual(folders.row_of("lib/kernels/thresholds", rows), "lib/kernels")
        self.assertEqual(folders.row_of("lib", rows), "lib")
        self.assertIsNone(folders.row_of("lib/new", rows))

    def test_a_folder_is_allowed_by_its_name_or_one_above_it(self):
        self.assertTrue(folders.allows({"lib/learn"}, "lib/learn/data"))
        self.assertTrue(folders.allows({"LibTorch"}, "LibTorch"))
        self.assertFalse(folders.allows({"lib/learn/data"}, "lib/learn"))

    def test_a_circle_is_named_by_its_folders(self):
        self.assertEqual(folders.circle_in({"a": {"b"}, "b": {"c"}, "c": {"d", "b"}}), ["b", "c"])
        self.assertEqual(folders.circle_in({"a": {"b", "c"}, "b": {"c"}}), [])


if __name__ == "__main__":
    unittest.main()
