"""What a stream of ferpublish's records says: faces, and their expressions over time."""
import collections
import json
import math

COLUMNS = 60
# Beyond this many bins a track's neighbours are merged, so that a stream without end fits in memory.
MOST_BINS = 1200
MOST_TRACKS = 2000
BARS = " ▁▂▃▄▅▆▇█"
ASCII_BARS = " .:-=+*%#"


class Track:
    """One face that was followed."""

    def __init__(self, at):
        self.first = self.last = at
        self.frames = 0
        self.labels = collections.Counter()
        self.bins = collections.defaultdict(collections.Counter)  # bin → label → frames

    def add(self, at, bin_index, label):
        self.last = at
        self.frames += 1
        if label:
            self.labels[label] += 1
            self.bins[bin_index][label] += 1

    def merge_bins(self):
        merged = collections.defaultdict(collections.Counter)
        for index, labels in self.bins.items():
            merged[index // 2].update(labels)
        self.bins = merged


class Summary:
    """Takes records as they come. Times are in seconds since the first one."""

    def __init__(self):
        self.frames = 0
        self.frames_with_faces = 0
        self.most_faces = 0
        self.first = None
        self.last = 0.0
        self.bin_seconds = 0.05
        self.tracks = {}
        self.forgotten = 0
        self.now = []  # (label or None, confidence) of the faces of the last frame
        self.models = set()

    def add_line(self, line):
        """Raises ValueError for a line that is no record."""
        try:
            record = json.loads(line)
            timestamp, objects = record["timestamp"], record["objects"]
        except (TypeError, KeyError) as error:
            raise ValueError(f"no timestamp and objects in {line[:80]!r}") from error
        if timestamp is not None:
            if self.first is None:
                self.first = timestamp
            self.last = (timestamp - self.first) / 1e9
        self.frames += 1
        self.frames_with_faces += bool(objects)
        self.most_faces = max(self.most_faces, len(objects))
        while self.last / self.bin_seconds > MOST_BINS:
            self.bin_seconds *= 2
            for track in self.tracks.values():
                track.merge_bins()
        self.now = []
        for thing in objects:
            emotion = thing.get("emotion", {})
            label = emotion.get("label")
            if emotion.get("model_version"):
                self.models.add(emotion["model_version"])
            self.now.append((label, emotion.get("confidence", 0.0)))
            track = self.tracks.setdefault(thing.get("id"), Track(self.last))
            track.add(self.last, int(self.last / self.bin_seconds), label)
        if len(self.tracks) > MOST_TRACKS:
            shortest = sorted(self.tracks, key=lambda name: self.tracks[name].frames)
            for name in shortest[: MOST_TRACKS // 2]:
                del self.tracks[name]
                self.forgotten += 1

    def now_text(self):
        """The last frame in a few words."""
        if not self.now:
            return "no face"
        seen = [f"{label} {confidence:.0%}" for label, confidence in self.now if label]
        many = f"{len(self.now)} face{'s' if len(self.now) > 1 else ''}"
        return many + (": " + ", ".join(seen[:3]) if seen else "")

    def timeline(self, track, label, bars):
        """One character for each of COLUMNS equal parts of the whole time: how often the label was
        what the track expressed."""
        hits, frames = [0] * COLUMNS, [0] * COLUMNS
        for index, labels in track.bins.items():
            at = min(self.last, (index + 0.5) * self.bin_seconds)
            column = min(COLUMNS - 1, int(at / max(self.last, 1e-9) * COLUMNS))
            hits[column] += labels[label]
            frames[column] += sum(labels.values())
        # Where frames are further apart than columns, each lasts until the next one.
        apart = math.ceil(COLUMNS / max(1, self.frames - 1))
        seen = [column for column in range(COLUMNS) if frames[column]]
        for left, right in zip(seen, seen[1:]):
            if right - left <= apart:
                for column in range(left + 1, right):
                    hits[column], frames[column] = hits[left], frames[left]
        level = len(bars) - 1
        return "".join(
            bars[max(1, round(hit / total * level)) if hit else 0] if total else " "
            for hit, total in zip(hits, frames)
        ).rstrip()

    def report(self, unicode=True, tracks=6):
        """Lines for people."""
        if self.frames == 0:
            return ["No frame was seen."]
        bars = BARS if unicode else ASCII_BARS
        lines = []
        if not self.tracks:
            return ["No face was seen."]
        share = self.frames_with_faces / self.frames
        followed = len(self.tracks) + self.forgotten - (None in self.tracks)
        lines.append(
            f"Faces: in {share:.0%} of the frames, {self.most_faces} at most at a time, "
            f"{followed} followed."
        )
        longest = sorted(self.tracks.items(), key=lambda item: -item[1].frames)[:tracks]
        for name, track in sorted(longest, key=lambda item: item[1].first):
            lines.append("")
            title = "faces that were not followed" if name is None else f"face {name}"
            lines.append(
                f"{title}: {track.first:.1f} to {track.last:.1f} s, " f"{track.frames} frames"
            )
            total = sum(track.labels.values())
            if not total:
                lines.append("  no expression")
                continue
            for label, frames in track.labels.most_common():
                share = frames / total
                if share >= 0.02 or len(track.labels) == 1:
                    drawn = self.timeline(track, label, bars)
                    lines.append(f"  {label:>9} {share:4.0%} |{drawn:<{COLUMNS}}|")
            end = f"{self.last:.1f} s"
            lines.append(f"  {'':9} {'':4}  0 s{end:>{COLUMNS - 3}}")
        more = len(self.tracks) + self.forgotten - len(longest)
        if more:
            lines.append("")
            lines.append(f"and {more} more, seen for a shorter time")
        return lines
