"""The programs of examples/python, as they lie there."""
import os
import subprocess
import sys

import pytest
from conftest import FRAMES, ROOT

EXAMPLES = ROOT / "examples" / "python"


def run(name, *arguments):
    return subprocess.run(
        [sys.executable, "-B", EXAMPLES / name, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=dict(os.environ, PYTHONPATH=str(ROOT / "python")),
    )


def test_expressions_are_counted(clip):
    done = run("count_expressions.py", clip)
    assert done.returncode == 0, done.stderr
    label, frames, _, seconds, _ = done.stdout.splitlines()[0].split()
    assert label == "happiness"
    assert FRAMES * 0.9 < int(frames) <= FRAMES
    assert 2.5 < float(seconds) <= 3


def test_probabilities_are_drawn_in_the_terminal(clip):
    done = run("live_plot.py", clip)
    assert done.returncode == 0, done.stderr
    assert "face 1" in done.stdout
    assert any(line.startswith("happiness") and "██" in line for line in done.stdout.splitlines())


def test_numpy_frames_go_in_and_faces_come_back(clip):
    done = run("in_the_dark.py", clip)
    assert done.returncode == 0, done.stderr
    full = done.stdout.splitlines()[0].split()
    assert full[:2] == ["light", "100%:"]
    assert int(full[2]) >= FRAMES * 0.9
    assert len(done.stdout.splitlines()) == 4


def test_rows_are_written_as_a_table(clip, tmp_path):
    pandas = pytest.importorskip("pandas", reason="install python3-pandas")
    table = tmp_path / "faces.csv"
    done = run("to_pandas.py", clip, table)
    assert done.returncode == 0, done.stderr
    assert len(pandas.read_csv(table)) >= FRAMES * 0.9
    assert "happiness" in done.stdout.splitlines()[0]


def test_the_camera_example_is_ten_lines_and_names_a_missing_camera():
    path = EXAMPLES / "live_camera.py"
    code = [l for l in path.read_text().splitlines()[2:] if l.strip()]
    assert len(code) <= 10
    done = run("live_camera.py", "/dev/video_none")
    assert done.returncode == 1
    assert "/dev/video_none" in done.stderr


@pytest.mark.parametrize("name", ["count_expressions.py", "in_the_dark.py"])
def test_a_missing_file_is_one_sentence(name):
    done = run(name, "/none.mp4")
    assert done.returncode == 1
    assert done.stderr == "/none.mp4: there is no such file.\n"
