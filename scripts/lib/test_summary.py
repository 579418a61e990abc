"""Sums up a run of `meson test`: what failed, what was skipped and why, and how many cases passed.

Cases are those of GoogleTest and of Python's unittest where a program is written with them; any other
program is one case. The last line is `N passed, N failed, N skipped`.
"""
import json
import re
import sys

GTEST_CASE = re.compile(r"^\[ +(OK|FAILED|SKIPPED) +\] ([\w./]+(?:, where .*)?) \(\d+ ms\)$", re.M)
GTEST_REASON = re.compile(r"^.*: Skipped\n((?:(?!\[).*\n)*)", re.M)
UNITTEST_CASE = re.compile(
    r"^(\w+ \([\w.]+\))(?:\n.*)? \.\.\. (.*\b)?(ok|FAIL|ERROR|skipped .*)$", re.M
)


def cases_of(output):
    """(name, "passed" | "failed" | "skipped", reason) of each case that the output tells of."""
    reasons = iter(GTEST_REASON.findall(output))
    for state, name in GTEST_CASE.findall(output):
        word = {"OK": "passed", "FAILED": "failed", "SKIPPED": "skipped"}[state]
        reason = " ".join(next(reasons, "").split()) if word == "skipped" else ""
        yield name, word, reason
    for name, _, state in UNITTEST_CASE.findall(output):
        if state.startswith("skipped"):
            yield name, "skipped", state[len("skipped ") :].strip("'\"")
        else:
            yield name, "passed" if state == "ok" else "failed", ""


def main(log):
    count = {"passed": 0, "failed": 0, "skipped": 0}
    failed, skipped = [], {}
    programs, seconds = 0, 0.0
    with open(log, encoding="utf-8") as lines:
        for line in lines:
            program = json.loads(line)
            name = program["name"]
            programs += 1
            seconds += program["duration"]
            cases = list(cases_of(program.get("stdout", "") + "\n" + program.get("stderr", "")))
            good = program["result"] in ("OK", "EXPECTEDFAIL")
            if program["result"] == "SKIP" and not cases:
                cases = [(name, "skipped", (program.get("stdout") or "").strip()[-200:])]
            elif good and not cases:
                cases = [(name, "passed", "")]
            elif not good and not any(state == "failed" for _, state, _ in cases):
                # It died outside of a case, or was ended.
                cases.append((program["result"].lower(), "failed", ""))
            for case, state, reason in cases:
                count[state] += 1
                if state == "failed":
                    failed.append(f"{name}: {case}")
                elif state == "skipped":
                    skipped.setdefault(reason or "no reason given", []).append(f"{name}: {case}")
    if skipped:
        print("Skipped:")
        for reason, names in skipped.items():
            print(f"  {reason}")
            for name in names:
                print(f"    {name}")
    if failed:
        print("Failed:")
        for name in failed:
            print(f"  {name}")
    print(f"{programs} test programs, {seconds:.0f} s in all")
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**count))


if __name__ == "__main__":
    main(sys.argv[1])
