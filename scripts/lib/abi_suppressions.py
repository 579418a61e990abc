#!/usr/bin/env python3
"""Writes what abidiff is to leave alone: all that no installed header declares.

    abi_suppressions.py FOLDER-OF-HEADERS… > FILE

A class counts with its members, a function by its name. What is exported without one of these is for
our own programs.
"""
import pathlib
import re
import sys

CLASS = re.compile(r"^(?:class|struct)\s+(?:FER_API\s+)?(\w+)[^;]*?\{", re.MULTILINE)
FUNCTION = re.compile(r"^FER_API\s[^;({]*?(\w+)\(", re.MULTILINE)


def declared_in(text):
    """Names of the classes that are defined, and of the functions that are offered, in namespace fer."""
    return set(CLASS.findall(text)) | set(FUNCTION.findall(text))


def suppressions(names):
    # As the compiler mangles what lies in namespace fer: each name behind its length.
    known = "|".join(f"{len(name)}{name}" for name in sorted(names))
    return "\n".join(
        f"[suppress_{kind}]\n"
        "  label = no installed header declares it\n"
        "  drop = yes\n"
        f"  symbol_name_not_regexp = ^_Z(T[ISV])?NK?3fer({known})\n"
        for kind in ("function", "variable")
    )


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    headers = [path for folder in sys.argv[1:] for path in pathlib.Path(folder).rglob("*.h")]
    names = set().union(*(declared_in(path.read_text(encoding="utf-8")) for path in headers))
    print(suppressions(names))
