"""`fer run` from the outside: its file, its cameras, its signals, and who may ask its page."""

import json
import pathlib
import signal
import socket
import subprocess
import threading
import time
import unittest

import running

CAMERAS = """
[page]
address = "127.0.0.1:{port}"
[[slot]]
name = "house"
model = "{model}"
[[camera]]
name = "door"
uri = "file://{clip}"
loop = true
"""


class CheckTest(running.ServiceCase):
    def check(self, text):
        return subprocess.run(
            [running.FER, "run", "--check", self.write(text)],
            capture_output=True,
            text=True,
            check=False,
            timeout=running.LIMIT,
        )

    def test_a_good_file_is_said_to_be_one_and_nothing_runs(self):
        done = self.check(CAMERAS)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("1 cameras and 1 slots; nothing is wrong", done.stdout)

    def test_what_is_wrong_is_said_by_line(self):
        done = self.check(CAMERAS + 'uro = 3\n[[camera]]\nname = "door"\nuri = "x.mp4"\n')
        self.assertEqual(done.returncode, 1)
        file = self.folder / "cameras.toml"
        self.assertIn(f'{file}:11: camera "door": unknown key uro; did you mean uri?', done.stderr)
        self.assertIn(f'{file}:13: camera "door": name: line 8 has a camera', done.stderr)
        self.assertIn(f'{file}:14: camera "door": uri: "x.mp4" has no scheme', done.stderr)

    def test_the_example_that_is_installed_is_good(self):
        example = pathlib.Path(__file__).resolve().parents[2] / "service" / "cameras.toml"
        done = self.check(example.read_text())
        self.assertEqual(done.returncode, 0, done.stderr)


class RunTest(running.ServiceCase):
    def test_cameras_play_and_the_page_says_so(self):
        service = self.run_service(CAMERAS)
        self.assertEqual(self.ask("/healthz")[0], 200)
        service.wait_until(lambda: self.ask("/readyz")[0] == 200, "/readyz")
        service.wait_until(lambda: self.camera("door")["persons"] > 0, "a face")
        door = service.wait_until(
            lambda: (now := self.camera("door"))["seconds"].get("happiness", 0) > 0 and now,
            "a second of an expression",
        )
        self.assertEqual(door["state"], "playing")
        rate = 5 if running.has_time() else 0
        service.wait_until(
            lambda: self.camera("door")["fps"] > rate, f"more than {rate} frames a second"
        )
        seconds = json.loads(self.ask("/api/cameras/door/timeline")[2])
        self.assertIn("happiness", seconds["labels"])
        mean = seconds["seconds"][0]["persons"][0]["mean"]
        self.assertEqual(max(mean), mean[seconds["labels"].index("happiness")])
        self.assertEqual(service.stop(), 0)

    def test_motion_jpeg_over_http_is_a_camera_like_any_other(self):
        mirror = """
[[camera]]
name = "mirror"
uri = "http://127.0.0.1:{port}/api/cameras/door/mjpeg"
"""
        service = self.run_service(CAMERAS + mirror)
        service.wait_until(lambda: self.camera("mirror")["persons"] > 0, "a face in the mirror")
        self.assertEqual(self.camera("mirror")["state"], "playing")

    def test_a_port_in_use_is_said_by_line_and_ends_it(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", self.port))
            taken.listen()
            for text in (CAMERAS, CAMERAS.replace("[page]", "[page]\nenabled = false\n[metrics]")):
                done = subprocess.run(
                    [running.FER, "run", self.write(text)],
                    capture_output=True,
                    text=True,
                    check=False,
                    timeout=running.LIMIT,
                )
                self.assertEqual(done.returncode, 1)
                self.assertRegex(done.stderr, rf"cameras.toml:\d+: .*{self.port} is in use")

    def test_records_go_on_where_a_restart_left_them(self):
        text = CAMERAS + 'retry_first = 0.1\n[[camera.records]]\nlocation = "door.jsonl"\n'
        service = self.run_service(text.replace("loop = true\n", ""))
        service.wait_for_words("at its end")
        service.stop()
        lines = (self.folder / "door.jsonl").read_text().count("\n")
        self.assertEqual(lines, running.FRAMES)
        service = self.run_service(text.replace("loop = true\n", ""))
        service.wait_for_words("at its end")
        service.stop()
        self.assertEqual((self.folder / "door.jsonl").read_text().count("\n"), 2 * lines)

    def test_a_change_of_the_file_leaves_other_cameras_alone(self):
        text = CAMERAS + f'[[camera]]\nname = "desk"\nuri = "file://{self.clip}"\nloop = true\n'
        service = self.run_service(text)
        service.wait_until(lambda: self.ask("/readyz")[0] == 200, "/readyz")
        before = self.camera("door")["frames"]
        self.write(text + 'fps = 2\n[[camera]]\nname = "yard"\nuri = "file:///none.mp4"\n')
        service.process.send_signal(signal.SIGHUP)
        service.wait_for_words("1 cameras go on, 1 stopped, 2 started")
        door = self.camera("door")
        self.assertGreaterEqual(door["frames"], before)
        self.assertEqual(door["restarts"], 0)
        service.wait_until(lambda: self.camera("yard")["state"] == "waiting", "yard waits")
        self.assertEqual(self.ask("/readyz")[0], 503)
        self.write("[[camera]]\n")
        service.process.send_signal(signal.SIGHUP)
        service.wait_for_words("what runs goes on")
        self.assertEqual(len(self.state()["cameras"]), 3)

    def test_a_camera_that_dies_all_the_time_costs_the_others_no_frame(self):
        text = CAMERAS + '[[camera]]\nname = "bad"\nuri = "file:///none"\nretry_first = 0.1\n'
        service = self.run_service(text + "retry_last = 0.1\n")
        service.wait_until(lambda: self.camera("door")["state"] == "playing", "door plays")
        begun, first = time.monotonic(), self.camera("door")
        service.wait_until(lambda: self.camera("bad")["restarts"] > 15, "restarts")
        taken, last = time.monotonic() - begun, self.camera("door")
        self.assertEqual(last["restarts"], 0)
        expected = running.RATE * taken
        share = 0.9 if running.has_time() else 0
        self.assertGreater(last["frames"] - first["frames"], share * expected - running.RATE)
        self.assertGreater(last["frames"], first["frames"])

    def test_secrets_are_neither_logged_nor_served(self):
        text = CAMERAS + '[[camera]]\nname = "bad"\n'
        service = self.run_service(text + 'uri = "rtsp://admin:hunter2@127.0.0.1:9/s?key=abc1"\n')
        service.wait_for_words("camera bad:")
        shown = "\n".join(service.lines) + self.ask("/api/state")[2]
        self.assertNotIn("hunter2", shown)
        self.assertNotIn("abc1", shown)
        self.assertIn("rtsp://127.0.0.1:9/s", shown)


class AskTest(running.ServiceCase):
    """One service for all."""

    def setUp(self):
        super().setUp()
        self.service = self.run_service(
            CAMERAS.replace("[[slot]]", "clients = 8\n[[slot]]").replace(
                "[[camera]]", "[slot.learn]\n[[camera]]"
            )
        )
        self.service.wait_until(lambda: self.ask("/readyz")[0] == 200, "/readyz")

    def test_the_page_allows_nothing_from_elsewhere(self):
        status, headers, _ = self.ask("/")
        self.assertEqual(status, 200)
        self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
        self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
        self.assertEqual(self.ask("/api/state", headers={"Host": "evil.example"})[0], 421)
        rollback = "/api/slots/house/rollback"
        self.assertEqual(self.ask(rollback, "POST", b"")[0], 403)
        self.assertEqual(self.post(rollback, Origin="http://evil.example")[0], 403)
        self.assertEqual(self.post(rollback)[0], 202)
        self.assertEqual(self.post("/api/slots/none/rollback")[0], 404)

    def test_a_learner_is_paused_and_resumed(self):
        self.assertEqual(self.post("/api/slots/house/pause")[0], 202)
        self.assertTrue(self.slot("house")["learner"]["paused"])
        self.assertEqual(self.post("/api/slots/house/resume")[0], 202)
        self.assertFalse(self.slot("house")["learner"]["paused"])

    def connect(self, text):
        client = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        self.addCleanup(client.close)
        client.sendall(text.encode())
        return client

    def test_slow_and_many_clients_cost_no_frame(self):
        first, begun = self.camera("door")["frames"], time.monotonic()
        # Some never end their request, some never read what they asked for, most do nothing.
        lines = "GET /api/pictures HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        clients = []
        for number in range(300):
            try:
                clients.append(socket.create_connection(("127.0.0.1", self.port), timeout=0.05))
                clients[-1].sendall((lines + ("\r\n" if number % 3 == 0 else "")).encode())
            except OSError:
                pass  # The system's queue is full, as it should be.
        time.sleep(3)
        for client in clients:
            client.close()
        self.service.wait_until(lambda: self._answers(), "an answer once they have gone")
        taken, door = time.monotonic() - begun, self.camera("door")
        self.assertEqual(door["restarts"], 0)
        share = 0.85 if running.has_time() else 0
        self.assertGreater(door["frames"] - first, share * running.RATE * taken - running.RATE)
        self.assertGreater(door["frames"], first)

    def _answers(self):
        try:
            return self.ask("/healthz")[0] == 200
        except OSError:
            return False

    def test_streams_leave_room_for_others(self):
        request = "GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        streams = [self.connect(request) for _ in range(4)]
        for stream in streams:
            self.assertIn(b"200 OK", stream.recv(100))
        refused = self.connect(request)
        self.assertIn(b"503", refused.recv(100))
        self.assertEqual(self.ask("/healthz")[0], 200)

    def test_pictures_come_as_motion_jpeg(self):
        stream = self.connect("GET /api/cameras/door/mjpeg HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        data = b""
        while data.count(b"\xff\xd8\xff") < 2:
            more = stream.recv(65536)
            self.assertTrue(more, data[:200])
            data += more
        self.assertIn(b"multipart/x-mixed-replace", data)

    def test_news_come_as_server_sent_events(self):
        stream = self.connect("GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        data = b""
        while b"event: seconds" not in data:
            more = stream.recv(65536)
            self.assertTrue(more, data[:200])
            data += more
        self.assertIn(b"event: state", data)

    def test_a_service_ends_while_clients_look(self):
        request = "GET /api/pictures HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        streams = [self.connect(request) for _ in range(3)]
        done = threading.Event()
        thread = threading.Thread(target=lambda: (self.service.stop(), done.set()))
        thread.start()
        self.assertTrue(done.wait(15))
        thread.join()
        self.assertEqual(self.service.process.returncode, 0)
        self.assertTrue(streams)


if __name__ == "__main__":
    unittest.main()
