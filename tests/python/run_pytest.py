"""Runs a folder's tests by pytest, in the first Python here that has what they need.

The `python3` of the PATH may be one that does not see the system's PyGObject. Where none does, the
program ends with 77, by which meson counts it as skipped, and says what to install.
"""
import os
import subprocess
import sys

PACKAGES = {"gi": "python3-gi", "pytest": "python3-pytest", "numpy": "python3-numpy"}
NEEDED = "import " + ", ".join(PACKAGES)


def can(python):
    try:
        return not subprocess.run(
            [python, "-c", NEEDED], capture_output=True, check=False
        ).returncode
    except OSError:
        return False


def main():
    for python in (sys.executable, "/usr/bin/python3"):
        if can(python):
            # Of tests that were run: their plugins and caches are not ours to write.
            os.execv(
                python,
                [
                    python,
                    "-B",
                    "-m",
                    "pytest",
                    "-q",
                    "-p",
                    "no:cacheprovider",
                    "-o",
                    "faulthandler_timeout=60",
                    *sys.argv[1:],
                ],
            )
    print(f"Python's tests need {', '.join(PACKAGES.values())}: run scripts/setup test")
    return 77


if __name__ == "__main__":
    sys.exit(main())
