import sys

import pytest
from conftest import FRAMES, HEIGHT, WIDTH

import gstfer


def frame_with(*faces):
    return gstfer.Frame(7, 0.5, 200, 100, list(faces), True, None)


def test_a_row_tells_of_one_face_in_pixels():
    landmarks = gstfer.Landmarks(
        *(
            gstfer.Point(x, y)
            for x, y in ((0.3, 0.3), (0.4, 0.5), (0.5, 0.5), (0.3, 0.6), (0.5, 0.6))
        )
    )
    face = gstfer.Face(
        box=gstfer.Box(0.25, 0.5, 0.5, 0.25),
        score=0.9,
        track_id=3,
        landmarks=landmarks,
        label="fear",
        label_id=1,
        confidence=0.75,
        probabilities={"anger": 0.25, "fear": 0.75},
        age=2,
        model_version="v1",
    )
    (row,) = gstfer.to_rows([frame_with(face)])
    assert [row[k] for k in ("frame", "timestamp", "face_id", "FaceScore")] == [7, 0.5, 3, 0.9]
    box = [row["FaceRect" + k] for k in ("X", "Y", "Width", "Height")]
    assert box == pytest.approx([50, 50, 100, 25])
    assert (row["x_1"], row["y_1"]) == pytest.approx((80, 50))
    assert row["Roll"] == pytest.approx(45)
    assert (row["anger"], row["fear"], row["label"], row["unsure"]) == (0.25, 0.75, "fear", False)


def test_what_is_not_known_is_none():
    face = gstfer.Face(box=gstfer.Box(0, 0, 1, 1), score=0.5)
    rows = gstfer.to_rows([frame_with(face, face), frame_with()])
    assert [row["face_id"] for row in rows] == [1, 2]
    assert {rows[0][k] for k in ("x_0", "Roll", "label", "confidence", "age")} == {None}


def test_a_table_has_a_row_a_face_a_frame(clip):
    pandas = pytest.importorskip("pandas", reason="install python3-pandas")
    table = gstfer.to_dataframe(gstfer.watch(clip))
    assert FRAMES * 0.9 < len(table) <= FRAMES
    assert isinstance(table, pandas.DataFrame)
    assert set(table["label"]) == {"happiness"}
    assert table["happiness"].between(0, 1).all()
    assert (table["FaceRectX"] + table["FaceRectWidth"] <= WIDTH).all()
    assert (table["FaceRectY"] + table["FaceRectHeight"] <= HEIGHT).all()


def test_without_pandas_the_error_names_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(gstfer.FerError, match="python3-pandas"):
        gstfer.to_dataframe([])
