"""Sources that a lean tree compiles in one piece hide nothing from each other (meson.build: few_pieces).

There, an unnamed namespace is that of all of them: one name twice is an error at best, and another
overload at worst. Only trees without LibTorch and tests are compiled so, which no other test is.
"""
import collections
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PIECES = {
    "fer-kernels": ("lib/kernels",),
    "fer-vision": ("lib/vision",),
    "fer": ("lib/model", "lib/model/foreign"),
    "plugin-common": ("plugins/common",),
    "fer-front": ("training/files", "training/program", "training/terminal"),
    "fer-watch": ("training/watch",),
}
# Built only where there is GstAnalytics, with a name of which the types tell what is meant.
APART = {"face-analytics.cpp"}
UNNAMED = re.compile(r"^namespace \{$(.*?)^\}  // namespace$", re.M | re.S)
# What stands at the margin and has a name: functions, constants, types. Aliases may be said again.
NAMED = re.compile(
    r"^(?=\S)(?!template|using|namespace|//|\}|#)(?:\[\[\w+\]\] )?"
    r"(?:(?:constexpr|static|inline|const|thread_local) )*"
    r"(?:(?:struct|class|enum)(?: class)? (?P<type>\w+)"
    r"|[\w:<>,&* ]+?[ *&](?P<other>\w+)(?:\(|\{| =|;|\[))",
    re.M,
)


# A constant of a header, which all sources see.
SHARED = re.compile(r"^inline constexpr [^=;{]*?\b(\w+)(?: =|\{|\[)", re.M)


def hidden_names(text):
    """Names at the margin of a source's unnamed namespaces."""
    for block in UNNAMED.findall(text):
        for found in NAMED.finditer(block):
            yield found["type"] or found["other"]


class PiecesTest(unittest.TestCase):
    def test_no_two_sources_of_a_piece_hide_one_name(self):
        twice = {}
        for piece, folders in PIECES.items():
            files = collections.defaultdict(set)
            for folder in folders:
                for header in (ROOT / folder).glob("*.h"):
                    for name in SHARED.findall(header.read_text(encoding="utf-8")):
                        files[name].add(header.name)
                sources = [s for s in (ROOT / folder).glob("*.cpp") if s.name not in APART]
                self.assertTrue(sources, folder)
                for source in sources:
                    for name in hidden_names(source.read_text(encoding="utf-8")):
                        files[name].add(source.name)
            twice |= {f"{piece}: {name}": sorted(f) for name, f in files.items() if len(f) > 1}
        self.assertEqual(twice, {}, "give one of them another name")

    def test_names_are_read(self):
        text = (
            "namespace {\n\nconstexpr int kMost = 3;\nusing nlohmann::json;\n\n/// Of one.\n"
            "struct Point {\n  int x = 0;\n};\n\n[[noreturn]] void fail(int code) {\n  exit(code);\n"
            "}\n\nstd::vector<int> all_of(int n);\n\n}  // namespace\nint seen() { return 1; }\n"
        )
        self.assertEqual(list(hidden_names(text)), ["kMost", "Point", "fail", "all_of"])
        self.assertEqual(
            SHARED.findall(
                "inline constexpr float kLine = 2;\ninline constexpr char kName[] = {};\n"
            ),
            ["kLine", "kName"],
        )


if __name__ == "__main__":
    unittest.main()
