"""A headless Chromium, driven through chromedriver by the W3C's WebDriver protocol."""

import base64
import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # The protocol's name for a reference.


def why_not():
    """Why no browser can be driven here; empty where one can."""
    missing = [name for name in ("chromium", "chromedriver") if not shutil.which(name)]
    return f"{' and '.join(missing)} are missing (scripts/setup test)" if missing else ""


class Browser:
    def __init__(self, width=1280, height=900, *options):
        # It says at which port of its own choice it listens.
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.port = None
        for line in self.driver.stdout:
            if "started successfully on port" in line:
                self.port = int(line.rsplit(" ", 1)[1].strip(" .\n"))
                break
        assert self.port, "chromedriver does not start"
        arguments = ["--headless=new", "--disable-gpu", f"--window-size={width},{height}"]
        if os.geteuid() == 0:
            arguments.append("--no-sandbox")  # Chromium refuses root's sandbox.
        capabilities = {
            "goog:chromeOptions": {"args": arguments + list(options)},
            "goog:loggingPrefs": {"browser": "ALL"},
            "acceptInsecureCerts": True,
        }
        self.session = ""
        answer = self._ask("POST", "", {"capabilities": {"alwaysMatch": capabilities}})
        self.session = "/" + answer["sessionId"]

    def _ask(self, method, path, body=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/session{self.session}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as refused:
            raise AssertionError(refused.read().decode()) from None

    def close(self):
        try:
            self._ask("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait(30)
            self.driver.stdout.close()

    def open(self, url):
        self._ask("POST", "/url", {"url": url})

    def run(self, script, *arguments):
        """What the body of a function of this script returns; it may wait for promises."""
        return self._ask("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def wait_for(self, script, what, limit=30):
        end = time.monotonic() + limit
        while time.monotonic() < end:
            found = self.run(script)
            if found:
                return found
            time.sleep(0.1)
        raise AssertionError(f"not in {limit} s: {what}; {self.complaints()}")

    def click(self, selector):
        """As a mouse does: what covers the element, or hides it, is an error."""
        found = self._ask("POST", "/element", {"using": "css selector", "value": selector})
        self._ask("POST", f"/element/{found[ELEMENT]}/click", {})

    def click_until(self, selector, script, what, limit=30):
        """Clicks again where news moved the element away from under the pointer."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            self.click(selector)
            try:
                return self.wait_for(script, what, limit=3)
            except AssertionError:
                continue
        raise AssertionError(f"not in {limit} s: {what}; {self.complaints()}")

    def press(self, *keys):
        actions = []
        for key in keys:
            actions += [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self._ask(
            "POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]}
        )

    def resize(self, width, height):
        self._ask("POST", "/window/rect", {"width": width, "height": height})

    def devtools(self, command, parameters):
        return self._ask("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def complaints(self):
        """Errors and warnings of the page's scripts and of its policy, since the last look."""
        log = self._ask("POST", "/se/log", {"type": "browser"})
        return [one["message"] for one in log if one["level"] in ("SEVERE", "WARNING")]

    def screenshot(self, path):
        path.write_bytes(base64.b64decode(self._ask("GET", "/screenshot")))
