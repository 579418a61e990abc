"""The page of `fer run` in a real browser."""

import json
import os
import pathlib
import signal
import unittest

import browser
import running

FILE = """
[page]
address = "127.0.0.1:{port}"
[[slot]]
name = "house"
model = "{model}"
[slot.learn]
max-unsure = 1.0
[[camera]]
name = "door"
uri = "file://{clip}"
loop = true
tags = ["hall"]
slot = "house"
"""
WHY_NOT = browser.why_not()
# Every text with its colour and the ground that it stands on, where their contrast is below AA's.
CONTRAST = """
const luminance = (rgb) => {
  const [r, g, b] = rgb.map((v) => {
    v /= 255;
    return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const parse = (text) => text.match(/[\\d.]+/g).map(Number);
const ground = (node) => {
  for (; node; node = node.parentElement) {
    const colour = parse(getComputedStyle(node).backgroundColor);
    if (colour.length < 4 || colour[3] > 0) return colour;
  }
  return [255, 255, 255];
};
const poor = [];
for (const node of document.querySelectorAll("body *")) {
  const own = [...node.childNodes].some((c) => c.nodeType === 3 && c.textContent.trim());
  if (!own || !node.checkVisibility()) continue;
  const style = getComputedStyle(node);
  const a = luminance(parse(style.color).slice(0, 3)), b = luminance(ground(node).slice(0, 3));
  const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const size = parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  if (contrast < (large ? 3 : 4.5)) poor.push(`${node.tagName} ${node.textContent} ${contrast}`);
}
return poor;
"""


@unittest.skipIf(WHY_NOT, WHY_NOT)
class PageTest(running.ServiceCase):
    def setUp(self):
        super().setUp()
        self.service = self.run_service(FILE)
        self.service.wait_until(lambda: self.ask("/readyz")[0] == 200, "/readyz")
        self.browser = browser.Browser()
        self.addCleanup(self.browser.close)
        self.browser.open(f"http://127.0.0.1:{self.port}/")
        self.browser.wait_for(
            "return document.querySelector('[data-slot=house] .classes tbody tr') !== null",
            "the slot's card",
        )

    def tearDown(self):
        self.assertEqual(self.browser.complaints(), [], "scripts and policy complain of nothing")
        shots = os.environ.get("FER_SCREENSHOTS")
        if shots:
            self.browser.screenshot(pathlib.Path(shots) / f"{self._testMethodName}.png")

    def text(self, selector):
        return self.browser.run(f"return document.querySelector('{selector}')?.textContent ?? ''")

    def test_it_draws_pictures_and_expressions_and_goes_on(self):
        shown = "return Number(document.querySelector('.picture').dataset.pictures ?? 0)"
        self.browser.wait_for(f"{shown} > 2", "pictures")
        colours = self.browser.run(
            "const canvas = document.querySelector('.picture');"
            "const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);"
            "return new Set(new Uint32Array(data.data.buffer)).size"
        )
        self.assertGreater(colours, 100, "a picture, not a blank")
        self.browser.wait_for(
            "return /happiness/.test(document.querySelector('.persons')?.textContent)",
            "a person's expression",
        )
        before = self.browser.run(shown)
        self.browser.wait_for(f"{shown} > {before + 3}", "more pictures")
        self.browser.wait_for(
            "return [...document.querySelectorAll('.counts tr')].some("
            "(row) => row.textContent.startsWith('happiness') && /[1-9]/.test(row.textContent))",
            "counts",
        )
        self.assertIn("playing", self.text("[data-camera=door] .pill"))
        self.assertIn("hall", self.text("[data-camera=door] .tags"))

    def test_a_click_on_roll_back_rolls_back(self):
        self.browser.click("[data-slot=house] [data-action=rollback]")
        # Nothing was promoted yet, which the learner says.
        self.browser.wait_for(
            "return /nothing to roll back to/.test("
            "document.querySelector('[data-slot=house] .decisions').textContent)",
            "the learner's answer",
        )

    def test_a_learner_is_paused_and_resumed_by_the_keyboard(self):
        self.browser.run("document.querySelector('[data-action=pause]').focus()")
        self.browser.press("\ue007")  # Enter
        self.browser.wait_for(
            "return document.querySelector('[data-slot=house] .pill').textContent === 'paused'",
            "paused",
        )
        self.assertTrue(self.slot("house")["learner"]["paused"])
        self.browser.press("\ue007")
        self.browser.wait_for(
            "return document.querySelector('[data-slot=house] .pill').textContent === 'learning'",
            "resumed",
        )

    def test_a_reset_asks_first(self):
        self.browser.click_until(
            "[data-action=reset]", "return document.querySelector('dialog').open", "the question"
        )
        self.browser.press("\ue00c")  # Escape
        self.browser.wait_for("return !document.querySelector('dialog').open", "its end")
        self.assertEqual(self.slot("house")["learner"]["decision"], "")
        self.browser.click_until(
            "[data-action=reset]", "return document.querySelector('dialog').open", "the question"
        )
        self.browser.click("dialog .danger")
        self.browser.wait_for(
            "return /reset/.test(document.querySelector('.decisions').textContent)", "the reset"
        )

    def test_it_is_readable_on_a_phone(self):
        self.browser.devtools(
            "Emulation.setDeviceMetricsOverride",
            {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True},
        )
        self.assertLessEqual(
            self.browser.run("return document.documentElement.scrollWidth"), 360, "no sideways"
        )
        small = self.browser.run(
            "return [...document.querySelectorAll('button')].filter((b) => b.checkVisibility() && "
            "b.getBoundingClientRect().height < 44).map((b) => b.textContent)"
        )
        self.assertEqual(small, [], "buttons are large enough for a thumb")

    def test_contrast_names_and_order_are_as_wcag_asks(self):
        for scheme in ("light", "dark"):
            self.browser.devtools(
                "Emulation.setEmulatedMedia",
                {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
            )
            self.assertEqual(self.browser.run(CONTRAST), [], scheme)
        unnamed = self.browser.run(
            "return [...document.querySelectorAll('button, input, img, canvas')].filter((e) => "
            "e.checkVisibility() && !(e.textContent.trim() || e.getAttribute('aria-label') || "
            "e.alt || e.labels?.length)).map((e) => e.outerHTML)"
        )
        self.assertEqual(unnamed, [])
        self.assertEqual(self.browser.run("return document.documentElement.lang"), "en")
        levels = self.browser.run(
            "return [...document.querySelectorAll('h1, h2, h3, h4')].map((h) => +h.tagName[1])"
        )
        self.assertEqual(levels[0], 1)
        self.assertTrue(all(b - a <= 1 for a, b in zip(levels, levels[1:])), levels)

    def wait_for_question(self, other_than=""):
        """The number of the question that is shown."""
        return self.browser.wait_for(
            "const box = document.querySelector('[data-slot=house] .question');"
            "const number = box.querySelector('.face').dataset.question;"
            f"return !box.hidden && number !== '{other_than}' && number",
            "a question",
        )

    def test_a_face_is_labelled_by_a_key_and_by_a_click(self):
        face = "document.querySelector('[data-slot=house] .face')"
        self.assertFalse(self.browser.run(f"return {face}.hasAttribute('src')"), "nobody asked")
        self.browser.run("document.querySelector('[data-slot=house] .begin').focus()")
        self.browser.press("\ue007")  # Enter
        first = self.wait_for_question()
        self.assertGreater(self.browser.run(f"return {face}.naturalWidth"), 40)
        self.assertEqual(self.browser.run(CONTRAST), [], "with the question")
        # Away from the question, a key is no answer.
        self.browser.run("document.querySelector('[data-action=save]').focus()")
        self.browser.press("2")
        self.browser.run("document.querySelector('[data-slot=house] .question').focus()")
        self.assertEqual(self.wait_for_question(), first)
        self.browser.press("2")  # Happiness is the second class.
        self.service.wait_until(
            lambda: self.slot("house")["learner"]["labels"] == 1, "the label in the learner"
        )
        second = self.wait_for_question(other_than=first)
        self.browser.click("[data-slot=house] [data-answer=no-face]")
        self.browser.wait_for(
            f"return {face}.dataset.question !== '{second}'", "an end of the question"
        )
        self.assertEqual(self.slot("house")["learner"]["labels"], 1)
        self.assertTrue(
            self.browser.run(
                "return document.querySelector('[data-slot=house] .asking')"
                ".contains(document.activeElement)"
            ),
            "the keyboard stays where it was",
        )
        self.browser.click("[data-slot=house] .begin")
        self.browser.wait_for(f"return !{face}.hasAttribute('src')", "no picture")

    def test_a_camera_that_the_file_loses_goes_from_the_page(self):
        self.write(FILE.replace('name = "door"', 'name = "yard"'))
        self.service.process.send_signal(signal.SIGHUP)
        self.browser.wait_for(
            "return document.querySelector('[data-camera=yard]') !== null && "
            "document.querySelector('[data-camera=door]') === null",
            "the other camera",
        )


@unittest.skipIf(WHY_NOT, WHY_NOT)
class TokenTest(running.ServiceCase):
    TOKEN = "correct-horse-battery"

    def test_a_visitor_logs_in_once(self):
        token = self.folder / "token"
        token.write_text(self.TOKEN + "\n")
        token.chmod(0o600)
        service = self.run_service(FILE.replace("[page]", '[page]\ntoken_file = "token"'))
        self.assertEqual(self.ask("/api/state")[0], 401)
        bearer = {"Authorization": f"Bearer {self.TOKEN}"}
        self.assertEqual(self.ask("/api/state", headers=bearer)[0], 200)
        # The page answers before the cameras are there.
        cameras = service.wait_until(
            lambda: json.loads(self.ask("/api/state", headers=bearer)[2])["cameras"], "a camera"
        )
        self.assertEqual(cameras[0]["name"], "door")
        visitor = browser.Browser()
        self.addCleanup(visitor.close)
        visitor.open(f"http://127.0.0.1:{self.port}/")
        visitor.wait_for("return document.getElementById('token') !== null", "the login")
        visitor.run("document.getElementById('token').focus()")
        visitor.press(*"wrong", "\ue007")
        visitor.wait_for(
            "return /not the token/.test(document.getElementById('wrong').textContent)", "no"
        )
        visitor.run("document.getElementById('token').value = ''")
        visitor.run("document.getElementById('token').focus()")
        visitor.press(*self.TOKEN, "\ue007")
        visitor.wait_for("return document.querySelector('[data-camera=door]') !== null", "cards")
        self.assertEqual(visitor.run("return document.cookie"), "", "scripts cannot read it")


if __name__ == "__main__":
    unittest.main()
