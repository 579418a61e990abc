"""Writes the page's files into a C++ source: embed_assets.py OUTPUT FILE…"""

import pathlib
import sys

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def main():
    output, files = pathlib.Path(sys.argv[1]), [pathlib.Path(name) for name in sys.argv[2:]]
    lines = ['#include "page/assets.h"', "", "namespace fer {", "namespace {", ""]
    rows = []
    for number, file in enumerate(files):
        data = file.read_bytes()
        numbers = ",".join(f"'\\x{byte:02x}'" for byte in data)
        lines.append(f"constexpr char kFile{number}[] = {{{numbers}}};")
        path = "/" if file.name == "index.html" else f"/{file.name}"
        if file.name == "login.html":
            path = "/login"
        rows.append(f'      {{"{path}", "{TYPES[file.suffix]}", {{kFile{number}, {len(data)}}}}},')
    lines += ["", "}  // namespace", "", "const std::vector<PageAsset>& page_assets() {"]
    lines += ["  static const std::vector<PageAsset> assets{", *rows, "  };", "  return assets;"]
    lines += ["}", "", "}  // namespace fer", ""]
    output.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
