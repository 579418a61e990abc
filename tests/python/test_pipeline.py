import logging
import os
import subprocess
import threading

import numpy
import pytest
from conftest import HEIGHT, WIDTH

import gstfer


def test_frames_come_one_by_one_until_the_stream_ends():
    with gstfer.Pipeline(
        "videotestsrc num-buffers=7 ! video/x-raw,width=64,height=48,framerate=10/1 ! ferdetect"
    ) as pipeline:
        frames = list(pipeline)
    assert [frame.number for frame in frames] == list(range(7))
    assert [frame.time for frame in frames] == pytest.approx([i / 10 for i in range(7)])
    assert {(frame.width, frame.height) for frame in frames} == {(64, 48)}
    assert all(frame.analysed and frame.faces == [] for frame in frames)


def test_a_frame_that_nobody_looked_at_says_so():
    with gstfer.Pipeline("videotestsrc num-buffers=1") as pipeline:
        (frame,) = pipeline
    assert not frame.analysed


@pytest.mark.parametrize("width", [WIDTH, 317])
def test_a_picture_comes_back_as_it_went_in(images, width):
    picture = images[0][:, :width]
    with gstfer.Pipeline("appsrc ! ferdetect") as pipeline:
        (frame,) = pipeline.label([picture])
    assert frame.image().shape == (HEIGHT, width, 3)
    assert numpy.array_equal(frame.image(), picture)


def test_other_formats_come_as_rgb():
    with gstfer.Pipeline(
        "videotestsrc num-buffers=1 pattern=red ! video/x-raw,format=NV12,width=50,height=30"
    ) as pipeline:
        (frame,) = pipeline
    red = frame.image()
    assert red.shape == (30, 50, 3)
    assert red[15, 25] == pytest.approx([255, 0, 0], abs=4)


def test_pictures_may_be_grey_and_of_any_size(images):
    grey = images[0].mean(axis=2).astype(numpy.uint8)
    large = numpy.kron(images[0], numpy.ones((2, 2, 1), numpy.uint8))
    with gstfer.Pipeline("appsrc ! ferdetect ! ferinfer") as pipeline:
        frames = list(pipeline.label([images[0], grey, large]))
    assert [len(frame.faces) for frame in frames] == [1, 1, 1]
    assert [frame.width for frame in frames] == [WIDTH, WIDTH, 2 * WIDTH]


def test_pictures_of_a_generator_are_labelled_as_they_come(images):
    taken = []

    def pictures():
        for image in images:
            taken.append(1)
            yield image

    with gstfer.Pipeline("appsrc ! ferdetect ! ferinfer") as pipeline:
        labelled = pipeline.label(pictures(), rate=10)
        first, second = next(labelled), next(labelled)
    assert len(taken) == 2
    assert (first.time, second.time) == pytest.approx((0, 0.1))


@pytest.mark.parametrize(
    "image, words",
    [
        (numpy.zeros((4, 4, 3), numpy.float32), "4 x 4 x 3 of float32"),
        (numpy.zeros((4, 4, 4), numpy.uint8), "4 x 4 x 4 of uint8"),
        (numpy.zeros((0, 4), numpy.uint8), "empty: 4 x 0"),
    ],
)
def test_an_array_that_is_no_picture_is_named(image, words):
    with gstfer.Pipeline("appsrc ! ferdetect") as pipeline:
        with pytest.raises(gstfer.FerError, match=words):
            pipeline.push(image)


def test_pictures_without_an_appsrc_are_refused(images):
    with gstfer.Pipeline("videotestsrc num-buffers=1") as pipeline:
        with pytest.raises(gstfer.FerError, match='begin the description with "appsrc ! "'):
            pipeline.push(images[0])


def test_statistics_are_a_dictionary(images):
    with gstfer.Pipeline("appsrc ! ferdetect name=finder ! ferinfer") as pipeline:
        list(pipeline.label(images[:5]))
        assert pipeline.stats("finder")["frames"] == 5
        assert pipeline.stats("ferinfer")["faces"] == 5
        assert gstfer.stats(pipeline.element("ferinfer"))["model-version"]
        with pytest.raises(gstfer.FerError, match="has no statistics"):
            pipeline.stats("appsrc")


def test_thresholds_and_other_arrays_of_the_learner_are_lists(folder, images):
    labelled = folder / "labelled.packed"
    subprocess.run([os.environ["FER_TEST_FILES"], "labelled", labelled], check=True)
    with gstfer.Pipeline(
        "appsrc ! ferdetect ! ferinfer model-slot=a"
        f" ! ferlearn model-slot=a replay={labelled} canary={labelled}"
    ) as pipeline:
        list(pipeline.label(images[:2]))
        stats = pipeline.stats("ferlearn")
    assert len(stats["thresholds"]) == 8
    assert all(0 <= threshold <= 1 for threshold in stats["thresholds"])


def test_a_label_below_the_threshold_is_unsure(images):
    pipeline = gstfer.Pipeline("appsrc ! ferdetect ! ferinfer")
    pipeline.set("ferinfer", min_confidence=1)
    with pipeline:
        (frame,) = pipeline.label(images[:1])
    assert frame.faces[0].unsure


def test_a_property_that_an_element_lacks_is_named():
    pipeline = gstfer.Pipeline("appsrc ! ferdetect")
    with pytest.raises(gstfer.FerError, match='ferdetect has no property "speed"'):
        pipeline.set("ferdetect", speed=2)
    with pytest.raises(gstfer.FerError, match='no element "cam"'):
        pipeline.element("cam")


def test_an_unknown_element_is_named_with_the_remedy():
    with pytest.raises(gstfer.FerError, match='no element "nosuch"'):
        gstfer.Pipeline("videotestsrc ! nosuch")


def test_a_description_that_does_not_parse_is_an_error():
    with pytest.raises(gstfer.FerError, match="cannot build"):
        gstfer.Pipeline("videotestsrc num-buffers=many ! ! ferdetect")


def test_an_error_of_an_element_ends_the_iteration():
    pipeline = gstfer.Pipeline("appsrc ! ferdetect ! ferinfer name=namer model=/none.fer")
    with pytest.raises(gstfer.FerError, match=r"/none\.fer.*\(namer\)"):
        list(pipeline)
    pipeline.stop()


def test_warnings_are_logged(images, caplog):
    with caplog.at_level(logging.WARNING, "gstfer"):
        with gstfer.Pipeline("appsrc ! feroverlay blur=all") as pipeline:
            list(pipeline.label(images[:1]))
            with pytest.raises(gstfer.FerError):
                pipeline.pull(timeout=0.2)
    assert "nobody has looked for faces" in caplog.text


def test_what_is_live_skips_frames_that_come_too_fast():
    with gstfer.Pipeline("videotestsrc num-buffers=200 ! ferdetect", latest=True) as pipeline:
        first = pipeline.pull()
        threading.Event().wait(0.5)
        assert pipeline.pull().time > first.time + 0.1


def test_other_threads_run_while_a_frame_is_awaited():
    ticks = []
    stop = threading.Event()

    def tick():
        while not stop.wait(0.01):
            ticks.append(1)

    thread = threading.Thread(target=tick)
    thread.start()
    with gstfer.Pipeline("appsrc ! ferdetect") as pipeline:
        with pytest.raises(gstfer.FerError, match="0.5 s"):
            pipeline.pull(timeout=0.5)
    stop.set()
    thread.join()
    assert len(ticks) > 10
