"""Makes C++ of the page's style and script: embed.py HEADER NAME=FILE…"""
import pathlib
import sys

header, *files = sys.argv[1:]
text = "// Written by page/embed.py. Do not edit.\n#pragma once\n\nnamespace fer {\n\n"
for argument in files:
    name, file = argument.split("=", 1)
    content = pathlib.Path(file).read_text(encoding="utf-8")
    text += f'inline constexpr char {name}[] = R"page(\n{content})page";\n\n'
pathlib.Path(header).write_text(text + "}  // namespace fer\n", encoding="utf-8")
