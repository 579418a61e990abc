#!/usr/bin/env python3
"""Checks the documents' prose: short lines, short sentences, and what proselint finds.

    scripts/lib/check_prose.py FILE.md…

A line has at most 100 columns, unless it is a table's row, code, or one link that cannot be broken.
A sentence has at most 25 words; code and links count as one word each. Tables and code are not
read.
proselint reads the same prose with the settings in scripts/lib/lint/proselint/config.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

COLUMNS = 100
WORDS = 25
LINT = pathlib.Path(__file__).resolve().parent / "lint"
FENCE = re.compile(r"^\s*(```|~~~)")
LINK = re.compile(r"!?\[((?:[^\[\]]|\[[^\]]*\])*)\]\([^)]*\)")
CODE = re.compile(r"(`+).+?\1")
# A full stop, and what may close behind it; then the next sentence's first character.
END = re.compile(r"(?<=[.!?:;])[\"')*_]*\s+(?=[\"'(*_`\[]*[A-Z0-9`λβα±])")
ABBREVIATIONS = re.compile(r"\b(e\.g|i\.e|et al|vs|etc|cf|No|Fig)\.")
ITEM = re.compile(r"^\s*(?:[-*+]|\d+\.)\s+")


def masked(line):
    """The line with code in it blanked, at its length."""
    return CODE.sub(lambda match: "`" + "x" * (len(match[0]) - 2) + "`", line)


def prose_of(text):
    """(line number, line) of what is prose: no code block, table, heading, comment or picture."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if FENCE.match(line):
            fenced = not fenced
            yield number, ""
        elif fenced or line.startswith(("|", "    ", "#", "<!--", "![")):
            yield number, ""
        else:
            yield number, line


def paragraphs(lines):
    """(number of the first line, text) of each paragraph and list item."""
    first, words = 0, []
    for number, line in [*lines, (0, "")]:
        if not line.strip() or ITEM.match(line):
            if words:
                yield first, " ".join(words)
            first, words = number, [ITEM.sub("", line).strip()] if line.strip() else []
        else:
            if not words:
                first = number
            words.append(line.strip())


def sentences(paragraph):
    text = LINK.sub("Link", CODE.sub("Code", paragraph))
    text = ABBREVIATIONS.sub(lambda match: match[1].replace(".", "") + "", text)
    return END.split(text)


def long_lines(text):
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        fenced ^= bool(FENCE.match(line))
        if len(line) <= COLUMNS or fenced or line.startswith(("|", "<!--", "![")):
            continue
        if re.search(r"\S{60}", line) and " " not in line.strip().lstrip("-* "):
            continue
        yield number, f"{len(line)} columns, expected at most {COLUMNS}"


def long_sentences(text):
    for number, paragraph in paragraphs(prose_of(text)):
        for sentence in sentences(paragraph):
            words = len(re.findall(r"[^\s–—·→|]*\w[^\s]*", sentence))
            if words > WORDS:
                yield number, f"a sentence of {words} words, expected at most {WORDS}: {sentence}"


def proselint(text):
    """What proselint says of the prose, code in it blanked."""
    lines = "\n".join(masked(line) for _, line in prose_of(text)) + "\n"
    run = subprocess.run(
        ["proselint", "-"],
        input=lines,
        env=dict(os.environ, XDG_CONFIG_HOME=str(LINT), LC_ALL="C.UTF-8"),
        capture_output=True,
        text=True,
        check=False,
    )
    for line in run.stdout.splitlines():
        if match := re.match(r"(?:-|<stdin>):(\d+):\d+: (.*)", line):
            yield int(match[1]), f"proselint: {match[2]}"


def main(paths):
    if shutil.which("proselint") is None:
        sys.exit("check_prose: there is no proselint; scripts/setup lint installs it")
    bad = 0
    for path in paths:
        text = pathlib.Path(path).read_text(encoding="utf-8")
        for check in (long_lines, long_sentences, proselint):
            for number, fault in check(text):
                print(f"{path}:{number}: {fault}")
                bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
