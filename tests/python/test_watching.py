import itertools
import subprocess

import pytest
from conftest import FRAMES, HEIGHT, RATE, WIDTH

import gstfer


def test_a_video_is_watched_frame_by_frame(clip):
    frames = list(gstfer.watch(clip))
    assert [frame.number for frame in frames] == list(range(FRAMES))
    assert frames[-1].time == pytest.approx((FRAMES - 1) / RATE, abs=0.02)
    assert (frames[0].width, frames[0].height) == (WIDTH, HEIGHT)
    seen = [frame for frame in frames if frame.faces]
    assert len(seen) > FRAMES * 0.9
    assert {frame.faces[0].label for frame in seen} == {"happiness"}
    assert len({frame.faces[0].track_id for frame in seen}) == 1


def test_a_uri_is_watched_too(clip):
    assert len(list(gstfer.watch(clip.resolve().as_uri()))) == FRAMES


def test_a_photo_is_a_video_of_one_frame(folder, tmp_path):
    photo = tmp_path / "photo.jpg"
    subprocess.run(
        [
            *("gst-launch-1.0", "-q", "filesrc", f"location={folder / 'clip.bgr'}"),
            *(f"blocksize={WIDTH * HEIGHT * 3}", "num-buffers=1", "!", "rawvideoparse"),
            *("format=bgr", f"width={WIDTH}", f"height={HEIGHT}", "!", "videoconvert", "!"),
            *("jpegenc", "!", "filesink", f"location={photo}"),
        ],
        check=True,
        timeout=60,
    )
    (frame,) = gstfer.watch(photo)
    assert [face.label for face in frame.faces] == ["happiness"]


def test_settings_reach_the_elements(clip):
    frame = next(gstfer.watch(clip, min_confidence=1, detect={"inference-interval": 3}))
    assert frame.faces[0].unsure
    with pytest.raises(gstfer.FerError, match='ferinfer has no property "speed"'):
        gstfer.watch(clip, infer={"speed": 1})


def test_watching_may_stop_early(clip):
    watched = gstfer.watch(clip)
    assert len(list(itertools.islice(watched, 3))) == 3
    watched.close()


def test_a_missing_file_is_named_before_anything_is_watched(tmp_path):
    with pytest.raises(gstfer.FerError, match="none.mp4: there is no such file"):
        gstfer.watch(tmp_path / "none.mp4")
    with pytest.raises(gstfer.FerError, match="is a folder"):
        gstfer.watch(tmp_path)
    with pytest.raises(gstfer.FerError, match="there is no such camera"):
        gstfer.watch("/dev/video_none")
    with pytest.raises(gstfer.FerError, match="there is no such model"):
        gstfer.watch(__file__, model=str(tmp_path / "none.fer"))


def test_a_file_that_is_no_video_is_named(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("no video at all\n" * 100)
    with pytest.raises(gstfer.FerError, match="notes.txt: "):
        list(gstfer.watch(text))


def test_sound_without_video_is_an_error(tmp_path):
    sound = tmp_path / "sound.wav"
    subprocess.run(
        [
            *("gst-launch-1.0", "-q", "audiotestsrc", "num-buffers=20", "!", "wavenc", "!"),
            *("filesink", f"location={sound}"),
        ],
        check=True,
        timeout=60,
    )
    with pytest.raises(gstfer.FerError, match="sound.wav: There is no video in it"):
        list(gstfer.watch(sound))
