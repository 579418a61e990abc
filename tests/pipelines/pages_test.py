"""Pages of `fer report`, `fer eval` and `fer adapt` in a browser: scripts run, no chart is empty."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import browser

FER = os.environ["FER_PROGRAM"]
TEST_FILES = os.environ["FER_TEST_FILES"]
CHART_JS = pathlib.Path("/usr/share/javascript/chart.js/chart.min.js")
LIMIT = 120


@unittest.skipUnless(browser.BROWSER, browser.MISSING)
@unittest.skipUnless(CHART_JS.exists(), "there is no Chart.js: scripts/setup installs it")
class PagesTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="fer-pages-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.page = self.folder / "page.html"
        self.model, self.faces = self.folder / "fernet.fer", self.folder / "faces.packed"
        subprocess.run([TEST_FILES, "model", str(self.model)], check=True)
        subprocess.run([TEST_FILES, "labelled", str(self.faces)], check=True)

    def fer(self, *words, codes=(0,)):
        done = subprocess.run(
            [FER, *map(str, words)], capture_output=True, text=True, timeout=LIMIT, check=False
        )
        self.assertIn(done.returncode, codes, done.stderr)

    def test_report(self):
        run, learner = self.folder / "run <script>alert(1)<!--", self.folder / "learner"
        run.mkdir()
        learner.mkdir()
        labels = {"fear": 0.5, "anger": 0.25}
        epochs = [
            {"epoch": i, "accuracy": 0.5 + 0.01 * i, "macro_recall": 0.4, "loss": 2.0 / (i + 1),
             "loss_x": 1.0, "recall": labels, "thresholds": labels, "accept_rate": 0.5,
             "labels": list(labels), "confusion": [[3, 1], [0, 4]]}
            for i in range(5)
        ]  # fmt: skip
        told = [
            {"steps": 10 * i, "serving_version": "abc", "loss": 1.0, "source_score": 0.5, "serving_score": 0.5 + 0.01 * i,
             "classes": {"fear": {"threshold": 0.9, "accept_rate": 0.1, "remembered": i}},
             "promotions": i // 2, "kept": 0, "rollbacks": 0,
             "decision": "promoted" if i > 1 else "", "reason": "better"}
            for i in range(5)
        ]  # fmt: skip
        for path, entries in ((run, epochs), (learner, told)):
            (path / "log.jsonl").write_text("".join(json.dumps(one) + "\n" for one in entries))
        self.fer("report", run, learner, "--out", self.page)
        browser.check_page(self, self.page, least_charts=9)

    def test_eval(self):
        self.fer("eval", "--model", self.model, "--data", self.faces, "--plot", self.page,
                 "--prior-corrections", ".5,1", "--compare", self.model,
                 "--resamples", 20)  # fmt: skip
        browser.check_page(self, self.page, least_charts=4)

    def test_adapt(self):
        for ending in ("replay", "canary"):
            shutil.copyfile(self.faces, self.folder / f"fernet.{ending}")
        self.fer("adapt", "--model", self.model, "--input", self.faces, "--align", "never",
                 "--out", self.folder / "adapted.fer", "--report", self.page, "--passes", 3,
                 "--min-memory", 6, "--thresholds", "fixed:tau=0", "--without", "all",
                 "--threads", 1, codes=(0, 3))  # fmt: skip
        browser.check_page(self, self.page, least_charts=3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
