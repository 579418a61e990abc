"""The code of docs/tutorials/python.md, as it stands there."""
import re

from conftest import ROOT

import gstfer

PAGE = (ROOT / "docs" / "tutorials" / "python.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)


def block(words):
    (found,) = [text for text in BLOCKS if words in text]
    return found


def run(code, clip, **names):
    exec(code.replace('"clip.mp4"', "CLIP"), dict(names, gstfer=gstfer, CLIP=str(clip)))


def test_all_code_compiles():
    assert len(BLOCKS) >= 7
    for text in BLOCKS:
        compile(text, "python.md", "exec")


def test_a_file_is_watched(clip, capsys):
    run(block('in gstfer.watch("clip.mp4")'), clip)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 40
    assert re.fullmatch(r"0\.07 s  face \d+  happiness  90%", lines[1])


def test_settings_go_along(clip):
    run(block("min_confidence=0.6"), clip)


def test_the_camera_is_the_examples():
    program = (ROOT / "examples" / "python" / "live_camera.py").read_text(encoding="utf-8")
    assert program.endswith(block("v4l2src"))


def test_arrays_are_labelled(images, capsys):
    run(block("label(images, rate=25)"), None, images=images[:3])
    assert capsys.readouterr().out.splitlines()[2] == "2 ['happiness']"


def test_a_table_is_made(clip, capsys):
    run(block("to_dataframe"), clip)
    assert "happiness" in capsys.readouterr().out


def test_statistics_are_read_and_properties_set(images):
    with gstfer.Pipeline("appsrc ! ferdetect ! ferinfer") as pipeline:
        list(pipeline.label(images[:1]))
        run(block("pipeline.stats"), None, pipeline=pipeline)
        assert pipeline.element("ferinfer").get_property("min-confidence") == 0.7


def test_every_field_of_a_face_is_explained():
    table = PAGE[PAGE.index("| field | is |") :].split("\n\n")[0]
    told = set(re.findall(r"`(\w+)`", " ".join(line.split("|")[1] for line in table.splitlines())))
    fields = set(gstfer.Face.__dataclass_fields__) - {"label_id", "model_version"}
    assert fields == told
