"""What scripts/check-abi leaves alone: scripts/lib/abi_suppressions.py."""
import importlib.util
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location(
    "abi_suppressions", ROOT / "scripts" / "lib" / "abi_suppressions.py"
)
ABI = importlib.util.module_from_spec(spec)
spec.loader.exec_module(ABI)

HEADER = """
class ModelSlot;
class FER_API Reader {
 public:
  int read();
};
struct Row {
  int value = 0;
};
/// Of several lines.
FER_API std::vector<Row> rows_of(const Reader& reader,
                                 int most);
inline int helper(int a) { return a; }
"""


class AbiSuppressionsTest(unittest.TestCase):
    def test_classes_with_a_body_and_offered_functions_are_declared(self):
        self.assertEqual(ABI.declared_in(HEADER), {"Reader", "Row", "rows_of"})

    def test_symbols_of_other_names_are_left_alone(self):
        text = ABI.suppressions(ABI.declared_in(HEADER))
        pattern = re.search(r"symbol_name_not_regexp = (.+)", text)[1]
        for symbol in ("_ZN3fer6Reader4readEv", "_ZNK3fer3Row4sizeEv", "_ZTVN3fer6ReaderE"):
            self.assertRegex(symbol, pattern)
        for symbol in ("_ZN3fer9ModelSlot4openEv", "_ZN3fer6helperEi", "fer_torch_backend_1"):
            self.assertNotRegex(symbol, pattern)

    def test_the_installed_headers_are_understood(self):
        names = set()
        for header in (ROOT / "lib" / "public_headers.txt").read_text().split():
            if (ROOT / "lib" / header).is_file():
                names |= ABI.declared_in((ROOT / "lib" / header).read_text())
        self.assertLessEqual({"Classifier", "Learner", "read_stored_model", "Tracker"}, names)
        self.assertNotIn("AtomicFile", names)


if __name__ == "__main__":
    unittest.main(verbosity=2)
