#!/usr/bin/env python3
"""Shows an annotated camera or video in browsers by WebRTC.

    webrtc.py [SOURCE] [--port N] [--overlay SETTINGS]

SOURCE is a camera (default /dev/video0), a file or a URI. Open http://localhost:8080 to watch. Only
this machine can, unless --host names an address of it. A page asks for the stream by one POST of its
offer, and gets the answer with all candidates in it. Needs webrtcbin (gstreamer1.0-plugins-bad),
gstreamer1.0-nice and gir1.2-gst-plugins-bad-1.0.
"""
import argparse
import http.server
import re
import sys
import threading
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import Gst, GstSdp, GstWebRTC

PAGE = b"""<!doctype html><meta charset="utf-8"><title>gst-fer</title>
<style>body{margin:0;background:#111}video{width:100vw;height:100vh;object-fit:contain}</style>
<video id="v" autoplay muted playsinline></video>
<script>
(async () => {
  const peer = new RTCPeerConnection();
  peer.addTransceiver("video", {direction: "recvonly"});
  peer.ontrack = event => { v.srcObject = new MediaStream([event.track]); };
  v.onplaying = () => console.log("gst-fer: playing", v.videoWidth, v.videoHeight);
  await peer.setLocalDescription(await peer.createOffer());
  while (peer.iceGatheringState !== "complete") await new Promise(r => setTimeout(r, 50));
  const reply = await fetch("/offer", {method: "POST", body: peer.localDescription.sdp});
  if (!reply.ok) throw new Error(await reply.text());
  await peer.setRemoteDescription({type: "answer", sdp: await reply.text()});
})().catch(error => { document.title = "gst-fer: " + error.message; console.error(error.message); });
</script>"""
MAX_OFFER = 1 << 18
GATHER_SECONDS = 5
# One encoder serves all viewers. Those who come late ask for a key frame.
ENCODE = (
    " ! ferdetect ! ferinfer ! feroverlay {0} ! queue leaky=downstream max-size-buffers=2 ! videoconvert"
    " ! vp8enc deadline=1 cpu-used=8 keyframe-max-dist=60 target-bitrate=2000000"
    " ! tee name=viewers allow-not-linked=true"
)
VIEWER = (
    "queue leaky=downstream max-size-buffers=60 ! rtpvp8pay pt={0}"
    " ! application/x-rtp,media=video,encoding-name=VP8,payload={0}"
    " ! webrtcbin name=peer bundle-policy=max-bundle"
)


def source_of(source):
    if source.startswith("/dev/"):
        return f'v4l2src device="{source}" ! decodebin ! videoconvert'
    uri = source if "://" in source else Gst.filename_to_uri(source)
    return f'uridecodebin uri="{uri}" ! videoconvert ! identity sync=true'


def answer_to(pipeline, offer):
    """Adds a viewer to the pipeline; the answer to its offer, both SDP."""
    payload = re.search(r"^a=rtpmap:(\d+) VP8/90000", offer, re.M)
    if payload is None:
        raise ValueError("the offer has no VP8 in it")
    viewer = Gst.parse_bin_from_description(VIEWER.format(payload[1]), True)
    peer = viewer.get_by_name("peer")
    pipeline.add(viewer)
    viewer.sync_state_with_parent()
    pad = pipeline.get_by_name("viewers").request_pad_simple("src_%u")
    pad.link(viewer.get_static_pad("sink"))
    peer.connect("notify::connection-state", lambda *_: gone(pipeline, viewer, pad, peer))

    _, message = GstSdp.SDPMessage.new_from_text(offer)
    ask(
        peer,
        "set-remote-description",
        GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.OFFER, message),
    )
    reply = ask(peer, "create-answer", None)
    ask(peer, "set-local-description", reply.get_value("answer"))
    deadline = time.monotonic() + GATHER_SECONDS
    complete = GstWebRTC.WebRTCICEGatheringState.COMPLETE
    while peer.get_property("ice-gathering-state") != complete and time.monotonic() < deadline:
        time.sleep(0.02)
    return peer.get_property("local-description").sdp.as_text()


def ask(peer, action, *arguments):
    """What webrtcbin replies to an action."""
    promise = Gst.Promise.new()
    peer.emit(action, *arguments, promise)
    promise.wait()
    return promise.get_reply()


def gone(pipeline, viewer, pad, peer):
    """Takes a viewer out again who has left."""
    state = GstWebRTC.WebRTCPeerConnectionState
    if peer.get_property("connection-state") not in (state.FAILED, state.CLOSED):
        return

    def remove(*_):
        pad.unlink(viewer.get_static_pad("sink"))
        pipeline.get_by_name("viewers").release_request_pad(pad)
        # Not on webrtcbin's own thread, which setting the state waits for.
        pipeline.call_async(lambda *_: (viewer.set_state(Gst.State.NULL), pipeline.remove(viewer)))
        return Gst.PadProbeReturn.REMOVE

    pad.add_probe(Gst.PadProbeType.IDLE, remove)


def handler_of(pipeline):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path != "/":
                return self.send_error(404)
            self.reply(200, PAGE, "text/html")

        def do_POST(self):
            length = int(self.headers.get("Content-Length") or 0)
            if self.path != "/offer" or not 0 < length <= MAX_OFFER:
                return self.send_error(400)
            try:
                answer = answer_to(pipeline, self.rfile.read(length).decode())
                self.reply(200, answer.encode(), "application/sdp")
            except (ValueError, AttributeError) as error:
                self.reply(400, str(error).encode(), "text/plain")

        def reply(self, status, body, kind):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Handler


def main():
    options = argparse.ArgumentParser()
    options.add_argument("source", nargs="?", default="/dev/video0")
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, default=8080)
    options.add_argument("--overlay", default="", help="settings of feroverlay, as blur=all")
    options = options.parse_args()
    Gst.init(None)
    try:
        pipeline = Gst.parse_launch(source_of(options.source) + ENCODE.format(options.overlay))
        server = http.server.ThreadingHTTPServer((options.host, options.port), handler_of(pipeline))
    except Exception as error:
        sys.exit(f"webrtc.py: {getattr(error, 'message', error)}")
    status = None
    try:
        pipeline.set_state(Gst.State.PLAYING)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"watch at http://{options.host}:{server.server_port}", flush=True)
        message = None
        while message is None:  # not for ever: Ctrl-C would wait for the end, too
            message = pipeline.get_bus().timed_pop_filtered(
                Gst.SECOND // 5, Gst.MessageType.ERROR | Gst.MessageType.EOS
            )
        if message.type == Gst.MessageType.ERROR:
            status = f"{options.source}: {message.parse_error()[0].message}"
    except KeyboardInterrupt:
        pass
    pipeline.set_state(Gst.State.NULL)
    sys.exit(status)


if __name__ == "__main__":
    main()
