"""Puts what scripts/gpu-check measured side by side, with the aims, as one JSON object."""
import argparse
import json
import pathlib
import statistics

# What each kernel is held against, and the least ratio that is aimed at (docs/reference/benchmarks-gpu.md).
COPY_AIM = 0.7
OF_COPY = ("warp_faces", "warp_faces_rgb", "augment", "resize_luma")
RIVALS = {
    "warp_faces_64": ("warp_faces_64", 5.0),
    "augment_512": ("augment_512", 5.0),
    "pseudo_label_step": ("pseudo_label_step", 5.0),
    "pseudo_label_step_compiled": ("pseudo_label_step", 1.5),
}
SERVING_BATCH, SERVING_AIM = 256, 1.0
TRAINING_AIM = 1.2


def serving_rows(serving):
    """Rows of what tests/bench/serving_rival.py wrote: one a rival and batch; aimed at is the largest."""
    rows = []
    own = {row["batch"]: row["ms"] for row in serving["results"] if row["what"] == "gst-fer"}
    for row in serving["results"]:
        if row["what"] == "gst-fer":
            continue
        entry = {
            "what": f"expression, batch {row['batch']}, {serving['precision']}",
            "against": row["what"],
            "seconds": own[row["batch"]] / 1e3,
            "rival_seconds": row["ms"] / 1e3,
            "ratio": row["ratio"],
        }
        if row["batch"] == SERVING_BATCH:
            entry |= {"aim": SERVING_AIM, "met": row["ratio"] >= SERVING_AIM}
        rows.append(entry)
    for name, reason in serving.get("not_run", {}).items():
        rows.append({"what": "expression", "against": name, "aim": SERVING_AIM, "not_run": reason})
    return rows


def training_rows(training):
    """The row of what tests/bench/training_rival.py wrote."""
    images = training["batch"] * (1 + training["mu"])
    rates = {
        name: statistics.median(values) for name, values in training["images_per_second"].items()
    }
    return [
        {
            "what": f"training step, {training['network']}, {images} images",
            "against": f"PyTorch {training['torch']}" + ", compiled" * training["compiled"],
            "seconds": images / rates["gst-fer"],
            "rival_seconds": images / rates["PyTorch"],
            "ratio": training["ratio"],
            "aim": TRAINING_AIM,
            "met": training["ratio"] >= TRAINING_AIM,
            "data_share": training["data_share"],
        }
    ]


def network_rows(folder, missing):
    """Rows of the networks from the files that were written there. `missing`: why there are none."""
    rows = []
    for name, read, what in (
        ("serving", serving_rows, "expression"),
        ("training", training_rows, "training step"),
    ):
        path = folder / f"{name}.json"
        if not missing and path.is_file():
            rows += read(json.loads(path.read_text()))
        else:
            rows.append(
                {
                    "what": what,
                    "against": "PyTorch, compiled",
                    "not_run": missing or "it failed; the log says why",
                }
            )
    return rows


def streams(folder, missing):
    """What tests/bench/streams-bench wrote, or why it did not."""
    path = folder / "streams.json"
    if not missing and path.is_file():
        return json.loads(path.read_text())
    return {
        "not_run": missing
        or "it takes --clip, GStreamer and OpenCV; where they were, the log says why"
    }


def report(bench, rivals):
    """The rows of the result: one a comparison, with whether it meets its aim."""
    bandwidth = bench["copy"]["bytes"] / bench["copy"]["seconds"]
    rows = []
    for name in OF_COPY:
        own = bench[name]["bytes"] / bench[name]["seconds"]
        rows.append(
            {
                "what": name,
                "against": "copy bandwidth",
                "seconds": bench[name]["seconds"],
                "bytes_per_second": own,
                "ratio": own / bandwidth,
                "aim": COPY_AIM,
                "met": own / bandwidth >= COPY_AIM,
            }
        )
    for rival, (name, aim) in RIVALS.items():
        row = {
            "what": name,
            "against": f"PyTorch, {rival}",
            "seconds": bench[name]["seconds"],
            "aim": aim,
        }
        theirs = rivals.get(rival, {"not_run": "it was not asked"})
        if "seconds" in theirs:
            ratio = theirs["seconds"] / bench[name]["seconds"]
            row |= {"rival_seconds": theirs["seconds"], "ratio": ratio, "met": ratio >= aim}
        else:
            row |= {"not_run": theirs["not_run"]}
        rows.append(row)
    return {
        "card": bench["card"],
        "capability": bench["capability"],
        "toolkit": bench["toolkit"],
        "driver": bench["driver"],
        "torch": rivals.get("torch"),
        "copy_bytes_per_second": bandwidth,
        "decode_detections_seconds": bench["decode_detections"]["seconds"],
        "detector_network_seconds": bench["detector_network"]["seconds"],
        "rows": rows,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bench", type=pathlib.Path)
    parser.add_argument("rivals", type=pathlib.Path)
    parser.add_argument(
        "--networks", type=pathlib.Path, required=True, help="where the networks' files lie"
    )
    parser.add_argument("--networks-missing", default="", help="why there are none")
    parser.add_argument("--sanitizer", default="none")
    parser.add_argument("--commit", default="unknown")
    parser.add_argument("--command", default="scripts/gpu-check")
    arguments = parser.parse_args()
    result = report(
        json.loads(arguments.bench.read_text()), json.loads(arguments.rivals.read_text())
    )
    result["rows"] += network_rows(arguments.networks, arguments.networks_missing)
    result["streams"] = streams(arguments.networks, arguments.networks_missing)
    result |= {
        "sanitizer": arguments.sanitizer,
        "commit": arguments.commit,
        "command": arguments.command,
    }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
