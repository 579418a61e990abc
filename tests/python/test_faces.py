import gc

import pytest
from conftest import HEIGHT, WIDTH

import gstfer
from gstfer.introspection import Gst


def test_a_box_is_as_many_pixels_as_elements_say():
    box = gstfer.Box(0.25, 0.5, 0.5, 0.25)
    assert box.pixels(400, 200) == (100, 100, 200, 50)
    assert gstfer.Box(0.999, 0.999, 0.001, 0.001).pixels(10, 10) == (9, 9, 1, 1)


def test_a_face_says_where_it_is_and_what_it_expresses(images):
    with gstfer.Pipeline("appsrc ! ferdetect ! ferinfer") as pipeline:
        frame = list(pipeline.label(images[:10]))[-1]
    (face,) = frame.faces
    assert frame.analysed
    assert face.track_id > 0
    assert 0.5 < face.score <= 1
    x, y, width, height = face.box.pixels(WIDTH, HEIGHT)
    assert 60 < x < 160 and 20 < y < 90 and 60 < width < 180 and 80 < height < 200
    right, left, nose = (face.landmarks.right_eye, face.landmarks.left_eye, face.landmarks.nose)
    assert right.x < nose.x < left.x
    assert right.y < nose.y < face.landmarks.left_mouth.y
    assert face.label == "happiness"
    assert face.probabilities["happiness"] == pytest.approx(face.confidence)
    assert list(face.probabilities)[face.label_id] == "happiness"
    assert len(face.probabilities) == 8
    assert sum(face.probabilities.values()) == pytest.approx(1, abs=1e-4)
    assert face.age is not None and face.model_version
    assert face.clear and not face.unsure


def test_without_ferinfer_a_face_has_no_expression(images):
    with gstfer.Pipeline("appsrc ! ferdetect") as pipeline:
        (frame,) = pipeline.label(images[:1])
    (face,) = frame.faces
    assert (face.label, face.label_id, face.confidence, face.age) == (None,) * 4
    assert face.probabilities == {}


def test_faces_are_read_of_a_buffer_that_a_program_of_ones_own_has():
    pipeline = Gst.parse_launch("videotestsrc num-buffers=1 ! ferdetect ! appsink name=out")
    pipeline.set_state(Gst.State.PLAYING)
    sample = pipeline.get_by_name("out").emit("pull-sample")
    pipeline.set_state(Gst.State.NULL)
    assert gstfer.faces(sample.get_buffer()) == gstfer.faces(sample) == []
    assert gstfer.analysed(sample.get_buffer())


def test_nobody_looked_is_not_the_same_as_no_faces():
    assert gstfer.faces(Gst.Buffer()) == []
    assert not gstfer.analysed(Gst.Buffer())


def test_faces_outlive_their_buffers(images):
    with gstfer.Pipeline("appsrc ! ferdetect ! ferinfer") as pipeline:
        faces = [frame.faces for frame in pipeline.label(images[:3])]
    del pipeline
    gc.collect()
    assert [face.label for (face,) in faces] == ["happiness"] * 3


def test_something_that_is_no_buffer_is_named():
    with pytest.raises(TypeError, match="Gst.Sample, not str"):
        gstfer.faces("clip.mp4")


def test_a_face_that_was_scaled_lies_at_the_same_share(images):
    with gstfer.Pipeline(
        "appsrc ! ferdetect ! videoscale ! video/x-raw,width=160,height=120"
    ) as small, gstfer.Pipeline("appsrc ! ferdetect") as large:
        (a,), (b,) = (next(p.label(images[:1])).faces for p in (small, large))
    assert a.box == pytest.approx(b.box, abs=0.01)
