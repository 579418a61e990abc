"""Runs pipelines/file.sh, says how far it is while it goes, and at the end what was seen."""
import argparse
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from records import Summary

# What the element progressreport prints.
DURATION = re.compile(r"\(\d\d:\d\d:\d\d\): \d+ / (\d+) seconds")
POLL_SECONDS = 0.2
LINE_SECONDS = 5.0  # between lines where there is no terminal to rewrite one


def size_text(path):
    size = os.path.getsize(path)
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def hidden(text):
    """The text without the passwords of addresses."""
    rules = pathlib.Path(__file__).resolve().parents[2] / "pipelines" / "hide.sed"
    filtered = subprocess.run(
        ["sed", "-E", "-f", rules], input=text, capture_output=True, text=True, check=True
    )
    return filtered.stdout


class Follower:
    """Reads the lines that are added to a file; half a line waits for its other half."""

    def __init__(self, path):
        self.path = path
        self.file = None

    def lines(self):
        if self.file is None:
            if not os.path.exists(self.path):
                return
            self.file = open(self.path, encoding="utf-8")
        while True:
            start = self.file.tell()
            line = self.file.readline()
            if not line.endswith("\n"):
                self.file.seek(start)
                return
            yield line


class Progress:
    """One line, rewritten; or, without a terminal, one now and then."""

    def __init__(self):
        self.terminal = sys.stdout.isatty()
        self.shown = False
        self.last = time.monotonic()

    def show(self, text):
        if self.terminal:
            width = shutil.get_terminal_size().columns - 1
            sys.stdout.write("\r" + text[:width].ljust(width))
            self.shown = True
        elif time.monotonic() - self.last < LINE_SECONDS:
            return
        else:
            sys.stdout.write(text + "\n")
            self.last = time.monotonic()
        sys.stdout.flush()

    def end(self):
        if self.shown:
            sys.stdout.write("\n")
            sys.stdout.flush()


def progress_text(summary, duration, rate):
    place = f"{summary.last:.1f} s"
    if duration:
        place = f"{min(1.0, summary.last / duration):4.0%} of {duration} s"
    return f"{place}  {summary.frames} frames  {rate:.0f} a second  {summary.now_text()}"


def error_text(log):
    """GStreamer's own sentence on what went wrong, and of which element it is."""
    if found := re.search(r"^ERROR: from element \S*?([^/:]+): (.*)$", log, re.M):
        return f"{found[2]} ({found[1]})"
    return "\n".join(log.splitlines()[-5:])


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--credit", default="")
    options.add_argument("pipeline")
    options.add_argument("input")
    options.add_argument("output")
    options.add_argument("json")
    options = options.parse_args()

    # What lies there from an earlier run must not be taken for this one's.
    for path in (options.output, options.json):
        if os.path.isfile(path):
            os.remove(path)
    summary, progress, follower = Summary(), Progress(), Follower(options.json)
    stops = 0
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        # In a session of its own: Ctrl-C then comes from us, once, and the MP4 is finished.
        pipeline = subprocess.Popen(
            [options.pipeline, options.input, options.output, options.json],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

        def stop(_signal, _frame):
            nonlocal stops
            stops += 1
            pipeline.send_signal(signal.SIGINT)

        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGTERM, stop)
        started, duration, last_frame = time.monotonic(), 0, None
        while True:
            ended = pipeline.poll() is not None
            before = summary.frames
            for line in follower.lines():
                summary.add_line(line)
            now = time.monotonic()
            if summary.frames > before:
                last_frame = now
            if not duration:
                # The child writes at the end of the file that it shares with us.
                text = os.pread(log.fileno(), 1 << 16, 0).decode(errors="replace")
                if found := DURATION.search(text):
                    duration = int(found[1])
            if ended:
                break
            rate = summary.frames / (now - started)
            progress.show(progress_text(summary, duration, rate))
            time.sleep(POLL_SECONDS)
        progress.end()
        seconds = (last_frame or started) - started
        log.seek(0)
        text = log.read()
    for line in dict.fromkeys(re.findall(r"^WARNING:.*$", text, re.M)):
        print(line, file=sys.stderr)
    if pipeline.returncode not in (0, -signal.SIGINT) and not (stops and summary.frames):
        print(hidden(f"demo: {options.input}: {error_text(text)}"), file=sys.stderr)
        return 1
    if not summary.frames:
        print(hidden(f"demo: {options.input}: no frame came out of it"), file=sys.stderr)
        return 1

    encoding = (sys.stdout.encoding or "").lower()
    print()
    for line in summary.report(unicode=encoding.startswith("utf")):
        print(line)
    print()
    print(
        f"Watched {summary.last:.1f} s of video, {summary.frames} frames, in {seconds:.1f} s "
        f"with loading, decoding and encoding: {summary.frames / max(seconds, 1e-3):.0f} frames a second."
    )
    if summary.models:
        print(f"Model:   {', '.join(sorted(summary.models))}")
    if options.credit:
        print(options.credit)
    print(f"Video:   {os.path.abspath(options.output)} ({size_text(options.output)}, no sound)")
    print(
        f"Records: {os.path.abspath(options.json)} ({size_text(options.json)}, "
        f"{summary.frames} lines)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
