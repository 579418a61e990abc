"""Opens pages of results in a headless browser, and says what is wrong with them."""
import json
import pathlib
import re
import shutil
import subprocess
import tempfile

BROWSER = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
MISSING = "there is no chromium: scripts/setup test installs it"
LIMIT = 120

# Looks at what was drawn: of each chart the number of pixels that are not empty.
PROBE = """<script>
addEventListener("load", () => requestAnimationFrame(() => {
  const inked = [...document.querySelectorAll("canvas")].map((canvas) => {
    const all = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    let count = 0;
    for (let i = 3; i < all.length; i += 4) count += all[i] > 0;
    return count;
  });
  const root = document.documentElement.dataset;
  const found = { inked, fault: root.fault || "", drawn: root.drawn || "", charts: root.charts };
  document.title = `PROBE${JSON.stringify(found)}ENDPROBE`;
}));
</script></body>"""
# A line, its axes and its legend cover more than that.
LEAST_INK = 500


def look_at(page):
    """{"inked": [pixels of each chart], "fault": an error of a script, "drawn": "yes", "charts"}"""
    with tempfile.TemporaryDirectory(prefix="fer-page-") as folder:
        copy = pathlib.Path(folder) / "page.html"
        text = pathlib.Path(page).read_text(encoding="utf-8")
        copy.write_text(text.replace("</body>", PROBE), encoding="utf-8")
        done = subprocess.run(
            [
                BROWSER,
                "--headless",
                # Tests run as root in containers; the page is our own.
                "--no-sandbox",
                "--disable-gpu",
                f"--user-data-dir={folder}/profile",
                "--window-size=1280,1600",
                "--virtual-time-budget=10000",
                "--dump-dom",
                copy.as_uri(),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            timeout=LIMIT,
            check=True,
        )
    found = re.search(r"PROBE(\{.*?\})ENDPROBE", done.stdout)
    if not found:
        raise AssertionError(f"{page}: its scripts did not end:\n{done.stderr}")
    return json.loads(found[1])


def check_page(test, page, least_charts):
    """Fails the test on a script's error, an empty chart, or fewer charts than that."""
    found = look_at(page)
    test.assertEqual(found["fault"], "")
    test.assertEqual(found["drawn"], "yes")
    test.assertGreaterEqual(len(found["inked"]), least_charts)
    test.assertEqual(int(found["charts"]), len(found["inked"]))
    test.assertEqual([ink for ink in found["inked"] if ink < LEAST_INK], [])
