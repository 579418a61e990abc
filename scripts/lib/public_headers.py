#!/usr/bin/env python3
"""Copies the headers that programs of others include, so that they find each other as <fer/…>.

    public_headers.py DESTINATION ROOT HEADER…

HEADER is a path below ROOT, or below ROOT of a build tree for what a build generates. It goes to
DESTINATION/fer/HEADER. In the tree, headers include each other as "model/labels.h"; in the copies it
says <fer/model/labels.h>. Fails where a header includes one of ours that is not among them.

Run by `meson install`, DESTINATION is below its destination.
"""
import os
import pathlib
import re
import sys

INCLUDE = re.compile(r'^(\s*#\s*include\s+)"([^"]+)"', re.MULTILINE)


def rewritten(text, header, public):
    """The text with <fer/…> for the headers of ours. SystemExit for one that is not public."""

    def replace(match):
        if match[2] not in public:
            sys.exit(
                f"{header}: is installed, but includes {match[2]}, which is not: install that, "
                "too, or do without it"
            )
        return f"{match[1]}<fer/{match[2]}>"

    return INCLUDE.sub(replace, text)


def main(destination, roots, headers):
    prefix = os.environ.get("MESON_INSTALL_DESTDIR_PREFIX")
    folder = pathlib.Path(prefix or ".") / destination / "fer"
    for header in headers:
        source = next((path for root in roots if (path := pathlib.Path(root) / header).is_file()))
        target = folder / header
        target.parent.mkdir(parents=True, exist_ok=True)
        text = rewritten(source.read_text(encoding="utf-8"), header, set(headers))
        target.write_text(text, encoding="utf-8")
        target.chmod(0o644)


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2].split(":"), sys.argv[3:])
