"""Puts what gpu-bench and gpu_rivals.py measured side by side, with the aims, as one JSON object."""
import argparse
import json
import pathlib

# What each kernel is held against, and the least ratio that is aimed at (docs/cuda.md).
COPY_AIM = 0.7
OF_COPY = ("warp_faces", "warp_faces_rgb", "augment", "resize_luma")
RIVALS = {"warp_faces_64": ("warp_faces_64", 5.0),
          "augment_512": ("augment_512", 5.0),
          "pseudo_label_step": ("pseudo_label_step", 5.0),
          "pseudo_label_step_compiled": ("pseudo_label_step", 1.5)}


def report(bench, rivals):
    """The rows of the result: one a comparison, with whether it meets its aim."""
    bandwidth = bench["copy"]["bytes"] / bench["copy"]["seconds"]
    rows = []
    for name in OF_COPY:
        own = bench[name]["bytes"] / bench[name]["seconds"]
        rows.append({"what": name, "against": "copy bandwidth", "seconds": bench[name]["seconds"],
                     "bytes_per_second": own, "ratio": own / bandwidth, "aim": COPY_AIM,
                     "met": own / bandwidth >= COPY_AIM})
    for rival, (name, aim) in RIVALS.items():
        row = {"what": name, "against": f"PyTorch, {rival}", "seconds": bench[name]["seconds"],
               "aim": aim}
        theirs = rivals.get(rival, {"not_run": "it was not asked"})
        if "seconds" in theirs:
            ratio = theirs["seconds"] / bench[name]["seconds"]
            row |= {"rival_seconds": theirs["seconds"], "ratio": ratio, "met": ratio >= aim}
        else:
            row |= {"not_run": theirs["not_run"]}
        rows.append(row)
    return {"card": bench["card"], "capability": bench["capability"], "toolkit": bench["toolkit"],
            "driver": bench["driver"], "torch": rivals.get("torch"),
            "copy_bytes_per_second": bandwidth,
            "decode_detections_seconds": bench["decode_detections"]["seconds"],
            "detector_network_seconds": bench["detector_network"]["seconds"], "rows": rows}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bench", type=pathlib.Path)
    parser.add_argument("rivals", type=pathlib.Path)
    parser.add_argument("--sanitizer", default="none")
    parser.add_argument("--commit", default="unknown")
    parser.add_argument("--command", default="scripts/gpu-check")
    arguments = parser.parse_args()
    result = report(json.loads(arguments.bench.read_text()), json.loads(arguments.rivals.read_text()))
    result |= {"sanitizer": arguments.sanitizer, "commit": arguments.commit,
               "command": arguments.command}
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
