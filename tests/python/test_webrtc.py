"""examples/python/webrtc.py, watched by a peer that decodes what it gets."""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import pytest
from conftest import ROOT

from gstfer.introspection import Gst

SECONDS = 30
FRAMES = 10


def missing():
    for element in ("webrtcbin", "nicesrc", "dtlsdec", "srtpdec", "vp8enc", "vp8dec"):
        if Gst.ElementFactory.find(element) is None:
            return f"there is no {element}: run scripts/setup test"
    try:
        import gi

        gi.require_version("GstSdp", "1.0")
        gi.require_version("GstWebRTC", "1.0")
    except ValueError:
        return "there is no GstWebRTC-1.0.typelib: install gir1.2-gst-plugins-bad-1.0"
    return None


pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))


@pytest.fixture
def server(folder, tmp_path):
    """The example, on a clip that is long enough; its address."""
    clip = tmp_path / "long.avi"
    subprocess.run(
        [
            *("gst-launch-1.0", "-q", "videotestsrc", "num-buffers=900", "!"),
            *("video/x-raw,width=320,height=240,framerate=15/1", "!", "jpegenc", "!", "avimux"),
            *("!", "filesink", f"location={clip}"),
        ],
        check=True,
        timeout=60,
    )
    program = subprocess.Popen(
        [sys.executable, "-B", ROOT / "examples" / "python" / "webrtc.py", clip, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    line = program.stdout.readline()
    match = re.search(r"http://\S+", line)
    assert match, program.stderr.read()
    yield match[0]
    program.send_signal(signal.SIGINT)
    _, errors = program.communicate(timeout=SECONDS)
    assert program.returncode == 0, errors
    assert "CRITICAL" not in errors


class Peer:
    """Offers to receive, and decodes what comes."""

    def __init__(self):
        from gi.repository import GstSdp, GstWebRTC

        self.sdp, self.webrtc = GstSdp, GstWebRTC
        self.pipeline = Gst.Pipeline.new(None)
        self.peer = Gst.ElementFactory.make("webrtcbin", "peer")
        self.peer.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self.pipeline.add(self.peer)
        self.peer.connect("pad-added", self._added)
        self.count, self.enough = 0, threading.Event()

    def _added(self, _, pad):
        if pad.get_direction() != Gst.PadDirection.SRC:
            return
        decoder = Gst.parse_bin_from_description(
            "queue ! rtpvp8depay ! vp8dec ! fakesink name=end signal-handoffs=true sync=false", True
        )
        decoder.get_by_name("end").connect("handoff", self._frame)
        self.pipeline.add(decoder)
        decoder.sync_state_with_parent()
        pad.link(decoder.get_static_pad("sink"))

    def _frame(self, *_):
        self.count += 1
        if self.count >= FRAMES:
            self.enough.set()

    def _ask(self, action, *arguments):
        promise = Gst.Promise.new()
        self.peer.emit(action, *arguments, promise)
        promise.wait()
        return promise.get_reply()

    def offer(self):
        self.pipeline.set_state(Gst.State.PLAYING)
        caps = Gst.Caps.from_string(
            "application/x-rtp,media=video,encoding-name=VP8,clock-rate=90000,payload=101"
        )
        self.peer.emit("add-transceiver", self.webrtc.WebRTCRTPTransceiverDirection.RECVONLY, caps)
        reply = self._ask("create-offer", None)
        self._ask("set-local-description", reply.get_value("offer"))
        end = time.monotonic() + SECONDS
        complete = self.webrtc.WebRTCICEGatheringState.COMPLETE
        while self.peer.get_property("ice-gathering-state") != complete:
            assert time.monotonic() < end
            time.sleep(0.02)
        return self.peer.get_property("local-description").sdp.as_text()

    def accept(self, answer):
        _, message = self.sdp.SDPMessage.new_from_text(answer)
        self._ask(
            "set-remote-description",
            self.webrtc.WebRTCSessionDescription.new(self.webrtc.WebRTCSDPType.ANSWER, message),
        )

    def stop(self):
        self.pipeline.set_state(Gst.State.NULL)


def post(address, text):
    request = urllib.request.Request(address + "/offer", data=text.encode(), method="POST")
    with urllib.request.urlopen(request, timeout=SECONDS) as reply:
        return reply.read().decode()


def test_a_peer_gets_the_picture_and_so_does_a_second_one(server):
    for _ in range(2):
        peer = Peer()
        try:
            answer = post(server, peer.offer())
            assert "a=sendonly" in answer and "101 VP8/90000" in answer
            peer.accept(answer)
            assert peer.enough.wait(SECONDS), f"{peer.count} frames came"
        finally:
            peer.stop()


def test_the_page_is_served_and_nonsense_is_refused(server):
    with urllib.request.urlopen(server + "/", timeout=SECONDS) as reply:
        assert b"RTCPeerConnection" in reply.read()
    for address, text in ((server, "no offer"), (server + "/other", "v=0")):
        with pytest.raises(urllib.error.HTTPError) as refused:
            post(address, text)
        assert refused.value.code == 400


def test_a_browser_plays_it(server, tmp_path):
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("there is no chromium")
    process = subprocess.Popen(
        [
            *(
                browser,
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--enable-logging=stderr",
            ),
            *("--autoplay-policy=no-user-gesture-required", f"--user-data-dir={tmp_path}", server),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    # Not for ever: a browser that never plays logs on.
    end = threading.Timer(2 * SECONDS, os.killpg, (process.pid, signal.SIGKILL))
    end.start()
    try:
        said = next((line for line in process.stderr if '"gst-fer: ' in line), "nothing")
        assert "playing 320 240" in said
    finally:
        end.cancel()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stderr.close()
