"""What the documents say against what there is."""
import json
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
KINDS = ("tutorials", "how-to", "reference", "explanation")
ROW = re.compile(
    r"^\| \[`(\w+)`\]\(docs/reference/elements/(\w+)\.md\) \| ([\w/]+) \| .+ \|$", re.M
)
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)")
HEADING = re.compile(r"^#+ (.+)$", re.M)


def pages():
    return [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("models/*.md")]


def anchors(page):
    """The anchors that GitHub gives to a page's headings."""
    for title in HEADING.findall(page.read_text(encoding="utf-8")):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower()
        yield re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def inspect(name):
    return subprocess.run(
        ["gst-inspect-1.0", "--no-colors", name], capture_output=True, text=True, check=True
    ).stdout


class DocsTest(unittest.TestCase):
    def test_the_readme_lists_all_elements_with_their_class(self):
        rows = ROW.findall((ROOT / "README.md").read_text(encoding="utf-8"))
        for name, page, _ in rows:
            self.assertEqual(name, page)
        listed = {name: klass for name, _, klass in rows}
        found = {}
        for plugin in ("fer", "fertorch"):
            for name in re.findall(r"^  (\w+): ", inspect(plugin), re.M):
                found[name] = re.search(r"^  Klass\s+(\S+)$", inspect(name), re.M)[1]
        self.assertEqual(listed, found)

    def test_links_lead_to_a_file_and_to_a_heading_in_it(self):
        broken = []
        for page in pages():
            for link, heading in LINK.findall(page.read_text(encoding="utf-8")):
                target = page.parent / link if link else page
                if "://" in link:
                    continue
                if not target.exists() or (heading and heading not in anchors(target)):
                    broken.append(f"{page.relative_to(ROOT)}: {link}#{heading}")
        self.assertEqual(broken, [])

    def test_every_page_is_listed_and_installed(self):
        listed = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
        installed = (ROOT / "docs" / "meson.build").read_text(encoding="utf-8")
        for page in (ROOT / "docs").glob("*/*.md"):
            if page.parent.name in KINDS:
                self.assertIn(f"({page.parent.name}/{page.name})", listed)
                self.assertIn(f"'{page.name}'", installed)

    def test_the_dashboard_asks_for_documented_metrics_only(self):
        page = (ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
        rows = dict(re.findall(r"^\| `(fer_\w+)`[^|]*\| (\w+) \|", page, re.M))
        known = {
            name + end
            for name, kind in rows.items()
            for end in (("_sum", "_count") if kind == "summary" else ("",))
        }
        dashboard = json.loads(
            (ROOT / "docs" / "grafana" / "gst-fer.json").read_text(encoding="utf-8")
        )
        asked = {
            name
            for panel in dashboard["panels"]
            for target in panel.get("targets", [])
            for name in re.findall(r"\bfer_\w+", target["expr"])
        }
        self.assertEqual(asked - known, set())
        self.assertGreater(len(asked), 30)
        self.assertIn("fer_publish_expressions_total", asked)
        numbers = [panel["id"] for panel in dashboard["panels"]]
        self.assertEqual(len(numbers), len(set(numbers)))

    def test_the_element_reference_is_up_to_date(self):
        if "\n  topic " not in inspect("ferpublish"):
            self.skipTest("built without MQTT, which the reference tells of")
        done = subprocess.run(
            [ROOT / "scripts" / "element-docs", "--check"],
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
