"""The commands in the documents against the programs: every option and property that they name exists.

FER_PROGRAM names the program `fer`, where it is built.
"""
import os
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHELL = re.compile(r"^ *```sh\n(.*?)^ *```", re.M | re.S)
CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
FER = re.compile(r"(?:^|[\s'])fer ([a-z][a-z-]*)((?: [^\n|;&#]*)?)", re.M)
OPTION = re.compile(r"(?<!\S)(--[a-z][\w-]*)")
ELEMENT = re.compile(
    r"(?:^|!|\s)(fer(?:crop|detect|infer|learn|overlay|publish))((?:\s+[\w-]+=\S+)+)"
)
PROPERTY = re.compile(r"([\w-]+)=\S+")


def pages():
    return [*ROOT.glob("*.md"), *ROOT.glob("models/*.md"), *ROOT.glob("docs/[a-z]*/*.md")]


def commands(text):
    """What a page shows as code: lines of shell, continued ones joined, and code in sentences."""
    for block in SHELL.findall(text):
        yield from block.replace("\\\n", " ").splitlines()
    yield from CODE.findall(SHELL.sub("", text))


def fer_options(command):
    """(subcommand, options) of each call of fer."""
    for subcommand, rest in FER.findall(command):
        yield subcommand, OPTION.findall(rest)


def element_properties(command):
    """(element, properties) of each of our elements in a pipeline or with settings."""
    for element, settings in ELEMENT.findall(command):
        yield element, PROPERTY.findall(settings)


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


class ReadingTest(unittest.TestCase):
    def test_options_are_those_of_one_call(self):
        line = "WORLD_SIZE=2 fer train --data a.packed --out x | fer info --json"
        self.assertEqual(
            list(fer_options(line)), [("train", ["--data", "--out"]), ("info", ["--json"])]
        )

    def test_continued_lines_are_one_command_and_code_in_sentences_counts(self):
        text = "```sh\nfer eval --model m \\\n  --data d\n```\n\nRun `fer sweep --jobs 2`.\n"
        self.assertEqual(
            [found for line in commands(text) for found in fer_options(line)],
            [("eval", ["--model", "--data"]), ("sweep", ["--jobs"])],
        )

    def test_properties_are_those_of_one_element(self):
        line = (
            "ferdetect inference-interval=2 detect-width=480 ! queue leaky=1 ! ferinfer threads=2 !"
        )
        self.assertEqual(
            list(element_properties(line)),
            [("ferdetect", ["inference-interval", "detect-width"]), ("ferinfer", ["threads"])],
        )


class CommandsTest(unittest.TestCase):
    def faults(self, find, known):
        """page: owner name, of everything that `find` sees in a page and `known` does not list."""
        faults, seen = set(), 0
        for page in pages():
            for command in commands(page.read_text(encoding="utf-8")):
                for owner, names in find(command):
                    seen += len(names)
                    missing = set(names) - known(owner) if names else ()
                    faults |= {f"{page.relative_to(ROOT)}: {owner} {name}" for name in missing}
        self.assertEqual(sorted(faults), [])
        self.assertGreater(seen, 50)

    @unittest.skipUnless(os.environ.get("FER_PROGRAM"), "fer is not built")
    def test_options_of_fer_exist(self):
        program, texts = os.environ["FER_PROGRAM"], {}

        def known(subcommand):
            if subcommand not in texts:
                texts[subcommand] = output_of(program, subcommand, "--help")
                if "--task" in texts[subcommand]:
                    texts[subcommand] += output_of(
                        program, subcommand, "--task", "detect", "--help"
                    )
            return set(re.findall(r"--[a-z][\w-]*", texts[subcommand]))

        self.faults(fer_options, known)

    def test_properties_of_elements_exist(self):
        # A test of its own holds these pages to the elements.
        folder, texts = ROOT / "docs" / "reference" / "elements", {}

        def known(element):
            if element not in texts:
                texts[element] = (folder / f"{element}.md").read_text(encoding="utf-8")
            return set(re.findall(r"^\| `([\w-]+)` \|", texts[element], re.M))

        self.faults(element_properties, known)


if __name__ == "__main__":
    unittest.main(verbosity=2)
