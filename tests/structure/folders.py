"""What the sources include, folder by folder, and what docs/explanation/architecture.md allows."""
import collections
import pathlib
import re

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"(?P<own>[^"]+)"|<(?P<foreign>[^>]+)>)', re.MULTILINE)
SOURCES = {".c", ".cpp", ".cu", ".cuh", ".h"}

# Where "a/b.h" is looked up, beside the folder of the file that includes it.
INCLUDE_ROOTS = ("lib", "service", "training", "plugins/common", "plugins/fer", "plugins/fertorch")

# Libraries by the first part of <their/header.h>, as the table names them. Others go unchecked.
LIBRARIES = {
    "ATen": "LibTorch",
    "c10": "LibTorch",
    "torch": "LibTorch",
    "CLI": "CLI11",
    "cairo.h": "Cairo",
    "dlib": "dlib",
    "gst": "GStreamer",
    "httplib.h": "cpp-httplib",
    "mosquitto.h": "Mosquitto",
    "nlohmann": "nlohmann-json",
    "oneapi": "oneDNN",
    "onnx": "ONNX",
    "onnxruntime_cxx_api.h": "onnxruntime",
    "opencv2": "OpenCV",
    "openssl": "OpenSSL",
    "pango": "Pango",
    "prometheus": "prometheus-cpp",
    "sqlite3.h": "SQLite",
    "systemd": "libsystemd",
    "toml++": "tomlplusplus",
}

Include = collections.namedtuple("Include", "file line header folder")  # folder: or a library


def includes_of(root, tops):
    """All includes of sources below `tops` that lead to another folder of ours or to a library."""
    found = []
    for file in sorted(
        path for top in tops for path in (root / top).rglob("*") if path.suffix in SOURCES
    ):
        text = file.read_text(encoding="utf-8")
        for match in INCLUDE.finditer(text):
            line = text.count(
                "\n", 0, match.start("own") if match["own"] else match.start("foreign")
            )
            if match["foreign"]:
                folder = LIBRARIES.get(match["foreign"].split("/")[0])
            else:
                folder = _folder_of(root, file.parent, match["own"])
            if folder and folder != _name(root, file.parent):
                found.append(
                    Include(
                        file.relative_to(root), line + 1, match["own"] or match["foreign"], folder
                    )
                )
    return found


def _name(root, folder):
    return folder.relative_to(root).as_posix()


def _folder_of(root, beside, header):
    """Of the header's file; None where the build generates it."""
    for folder in (beside, *(root / name for name in INCLUDE_ROOTS)):
        if (folder / header).is_file():
            return _name(root, (folder / header).resolve().parent)
    return None


def tables_in(page):
    """Rows of the tables that begin with "| folder |": {folder: what it may use}, in order.

    In a row's last cell, names in backticks are folders, and names of LIBRARIES are libraries.
    """
    rows = {}
    in_table = False
    for line in page.splitlines():
        if line.startswith("| folder |"):
            in_table = True
        elif not line.startswith("|"):
            in_table = False
        elif in_table and not line.startswith("|-"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            rows[cells[0].strip("`")] = set(re.findall(r"`([^`]+)`", cells[-1])) | {
                library
                for library in LIBRARIES.values()
                if re.search(rf"\b{re.escape(library)}\b", cells[-1])
            }
    return rows


def allows(allowed, folder):
    """Whether a cell that names `allowed` lets one use the folder: by its name or one above it."""
    above = map(str, pathlib.PurePosixPath(folder).parents)
    return folder in allowed or any(name in allowed for name in above)


def row_of(folder, rows):
    """The row that speaks for a folder: its own, or that of a folder above it.

    A folder whose subfolders have rows speaks for its own files alone.
    """
    if folder in rows or folder in LIBRARIES.values():
        return folder
    for above in map(str, pathlib.PurePosixPath(folder).parents):
        if above in rows:
            return None if any(row.startswith(above + "/") for row in rows) else above
    return None


def circle_in(graph):
    """A list of nodes of which each leads to the next and the last to the first; [] without one."""
    done, path = set(), []

    def visit(node):
        if node in path:
            return path[path.index(node) :]
        if node in done:
            return []
        path.append(node)
        for other in sorted(graph.get(node, ())):
            circle = visit(other)
            if circle:
                return circle
        done.add(path.pop())
        return []

    for node in sorted(graph):
        circle = visit(node)
        if circle:
            return circle
    return []
