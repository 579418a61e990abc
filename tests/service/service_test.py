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


class LabelTest(running.ServiceCase):
    """Questions that a learner asks, answered by HTTP and by `fer label`."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The model sees happiness everywhere. A canary that knows none lets another head serve.
        subprocess.run(
            [running.TEST_FILES, "labelled", cls.files / "fernet.canary", "happiness"], check=True
        )

    def setUp(self):
        super().setUp()
        self.service = self.run_service(
            CAMERAS.replace("[[camera]]", "[slot.learn]\nmax-unsure = 1.0\n[[camera]]")
        )
        self.service.wait_until(self.questions, "a question")
        self.pictures = self.folder / "faces"

    def questions(self):
        status, _, text = self.ask("/api/slots/house/questions?n=8")
        return status == 200 and json.loads(text)["questions"]

    def answer(self, number, text):
        body = json.dumps({"id": number, "answer": text}).encode()
        return self.post("/api/slots/house/answers", body)

    def label(self, *arguments, slot="house", typed=""):
        return subprocess.run(
            [running.FER, "label", "--url", f"http://127.0.0.1:{self.port}", "--slot", slot]
            + list(arguments),
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            timeout=running.LIMIT,
        )

    def learner(self):
        return self.slot("house")["learner"]

    def shown(self, label):
        """The probability of the class in the camera's last second; 0 before the first."""
        timeline = json.loads(self.ask("/api/cameras/door/timeline")[2])
        seconds = [second for second in timeline["seconds"] if second["persons"]]
        if not seconds:
            return 0
        return seconds[-1]["persons"][0]["mean"][timeline["labels"].index(label)]

    def labels(self):
        return self.learner()["labels"]

    def test_answers_train_the_head_and_the_camera_shows_it(self):
        before = self.service.wait_until(lambda: self.shown("happiness"), "a second of the camera")
        self.assertEqual(self.shown("sadness"), self.shown("anger"), "the model knows one class")
        for count, text in enumerate(["sadness", "anger"] * 2, start=1):
            question = self.service.wait_until(self.questions, "a question")[0]
            self.assertEqual(question["camera"], "door")
            self.assertTrue(question["picture"].startswith("data:image/png;base64,"))
            self.assertAlmostEqual(sum(question["probabilities"].values()), 1, places=3)
            begun = time.monotonic()
            self.assertEqual(self.answer(question["id"], text)[0], 202)
            self.service.wait_until(lambda n=count: self.labels() == n, "the label")
        learner = self.service.wait_until(
            lambda: "4 labelled faces" in self.learner()["reason"] and self.learner(), "a verdict"
        )
        print(f"labels are judged {time.monotonic() - begun:.2f} s after the last answer")
        if running.has_time():
            self.assertLess(time.monotonic() - begun, 2)
        self.assertEqual(learner["decision"], "promoted", learner["reason"])
        self.assertNotEqual(learner["serving_version"], learner["source_version"])

        self.service.wait_until(
            lambda: self.shown("happiness") < before - 0.05, "another word of the camera"
        )
        self.assertGreater(self.shown("sadness"), 2 * self.shown("fear"))

    def test_an_answer_is_taken_once_and_what_is_none_is_refused(self):
        number = self.questions()[0]["id"]
        status, _, text = self.answer(number, "boredom")
        self.assertEqual(status, 409)
        self.assertIn(
            '"boredom" is no class of the model; expected cannot-tell', json.loads(text)["error"]
        )
        self.assertEqual(self.answer(number, "no-face")[0], 202)
        status, _, text = self.answer(number, "happiness")
        self.assertEqual(status, 409)
        self.assertIn(f"question {number} was not asked, is answered already", text)
        self.assertEqual(self.post("/api/slots/house/answers", b"[1]")[0], 400)
        self.assertEqual(self.ask("/api/slots/yard/questions")[0], 404)
        self.assertEqual(self.ask("/api/slots/house/answers", "POST", b"{}")[0], 403, "X-Fer")
        self.assertNotIn(number, [one["id"] for one in self.questions()])
        self.assertEqual(self.labels(), 0)

    def test_a_number_labels_a_face(self):
        done = self.label("--pictures", self.pictures, "--count", "1", typed="99\n2\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('"99" is none of the 10 above', done.stdout)
        self.assertIn("1 answer taken", done.stdout)
        self.service.wait_until(lambda: self.labels() == 1, "the label in the learner")
        (picture,) = self.pictures.glob("*.png")
        self.assertEqual(picture.read_bytes()[:4], b"\x89PNG")
        self.assertEqual(picture.stat().st_mode & 0o077, 0, "for nobody else's eyes")

    def test_a_table_is_filled_in_and_sent(self):
        self.assertEqual(self.label("--pictures", self.pictures, typed="q\n").returncode, 0)
        table = self.pictures / "questions.csv"
        head, first, *_ = table.read_text().splitlines()
        columns = head.split(",")
        number = first.split(",")[0]

        def send(**changed):
            fields = dict(zip(columns, first.split(","))) | changed
            table.write_text(f"{head}\n{','.join(fields[name] for name in columns)}\n")
            return self.label("--answers", table)

        for changed, complaint in [
            ({"label": "boredom"}, '"boredom" is no class of the slot\'s model'),
            ({"label": "anger", "model": "0123"}, "the label is for model 0123, but the slot"),
            ({"label": "anger", "slot": "yard"}, "the label is for slot yard, not for house"),
            ({"label": "anger", "camera": "gate"}, "the label is for camera gate, but slot house"),
            ({"label": "anger", "question": "x1"}, '"x1" is no question\'s number'),
        ]:
            done = send(**changed)
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"{table}, line 2: {complaint}", done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertEqual(self.labels(), 0)
        done = send(label="Happiness")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("1 of 1 answers taken", done.stdout)
        self.service.wait_until(lambda: self.labels() == 1, "the label in the learner")
        again = send(label="happiness")
        self.assertEqual(again.returncode, 1)
        self.assertIn(f"line 2: question {number} was not asked, is answered already", again.stderr)

    def test_a_slot_that_is_not_there_and_a_page_that_does_not_answer_are_one_sentence(self):
        done = self.label("--pictures", self.pictures, slot="yard")
        self.assertEqual(done.returncode, 1)
        self.assertIn("there is no slot yard", done.stderr)
        self.service.stop()
        done = self.label("--pictures", self.pictures)
        self.assertEqual(done.returncode, 1)
        self.assertIn("does fer run serve its page there?", done.stderr)
        self.assertFalse(self.pictures.exists())

    def test_faces_of_a_camera_that_is_blurred_are_shown_to_nobody(self):
        learns = "[slot.learn]\nmax-unsure = 1.0\n[[camera]]"
        self.write(CAMERAS.replace("[[camera]]", learns) + 'blur = "all"\n')
        self.service.process.send_signal(signal.SIGHUP)
        self.service.wait_for_words("is read anew")
        self.assertEqual(self.questions(), [])

    def test_a_slot_may_ask_nothing(self):
        text = CAMERAS.replace("[[camera]]", "ask = false\n[slot.learn]\n[[camera]]")
        self.write(text)
        self.service.process.send_signal(signal.SIGHUP)
        self.service.wait_for_words("is read anew")
        status, _, text = self.ask("/api/slots/house/questions")
        self.assertEqual(status, 404)
        self.assertIn("slot house asks nothing: the file says ask = false", text)
        self.assertFalse(self.slot("house")["asks"])

    def test_what_is_too_old_to_be_kept_is_shown_no_more(self):
        number = self.questions()[0]["id"]
        learns = "[slot.learn]\nmax-unsure = 1.0\nmax-sample-age = 1\n[[camera]]"
        self.write(CAMERAS.replace("[[camera]]", learns))
        self.service.process.send_signal(signal.SIGHUP)
        self.service.wait_for_words("is read anew")
        self.assertEqual(self.answer(number, "anger")[0], 409, "of a learner that is gone")
        question = self.service.wait_until(self.questions, "a question")[0]
        self.assertLessEqual(question["expires"] - question["time"], 2)
        time.sleep(3)
        status, _, text = self.answer(question["id"], "anger")
        self.assertEqual(status, 409)
        self.assertIn("is too old", text)


if __name__ == "__main__":
    unittest.main()
