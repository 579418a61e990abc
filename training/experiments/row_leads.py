#!/usr/bin/env python3
"""How far one method of a sweep leads the others, over all of its rows.

    pip install numpy
    training/experiments/row_leads.py RUNS/e6-shift --method cv-soft-gate --out leads.json

RUNS/e6-shift is the sweep's folder of runs, RESULTS what it wrote. A row is a pool of unlabelled
faces with a number of labels. In each row all runs of the compared methods get the constant prior
correction that makes them equally accurate on split valid. A method's score is its macro recall on
split test there, mean over seeds.

Intervals are of the paired bootstrap: test faces and seeds are drawn anew, the same ones for all
methods. Corrections stay as they were chosen on valid. "best rival" is the best of the others in
each row, chosen anew in each draw.
"""

import argparse
import csv
import json
import pathlib

import numpy as np


def read_run(folder):
    result = json.loads((folder / "result.json").read_text())
    with open(folder / "test.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    classes = [name for name in rows[0] if name not in ("image", "truth", "predicted", "person")]
    shares = np.array([[float(row[name]) for name in classes] for row in rows])
    truth = np.array([classes.index(row["truth"]) for row in rows])
    return result, np.log(np.maximum(shares, 1e-30)), truth


def corrections_at(curve, accuracy):
    """Two entries of the curve around the accuracy on valid, and the share of the second."""
    for i, entry in enumerate(curve):
        if entry["valid_accuracy"] < accuracy:
            continue
        if i == 0:
            return 0, 0, 0.0
        below = curve[i - 1]["valid_accuracy"]
        return i - 1, i, (accuracy - below) / (entry["valid_accuracy"] - below)
    best = max(range(len(curve)), key=lambda i: curve[i]["valid_accuracy"])
    return best, best, 0.0


def hits_of(logits, truth, mix, curve, accuracy):
    """Of each face, how far it counts as right."""
    first, second, share = corrections_at(curve, accuracy)
    shift = np.log(np.maximum(mix, 1e-4))
    right = [(logits + curve[i]["correction"] * shift).argmax(1) == truth for i in (first, second)]
    return (1 - share) * right[0] + share * right[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("runs", type=pathlib.Path)
    parser.add_argument("--method", required=True, help="the one that leads or does not")
    parser.add_argument("--against", nargs="*", help="its rivals; otherwise all others")
    parser.add_argument(
        "--valid-mix", required=True, help="share of each class on valid, by commas"
    )
    parser.add_argument("--resamples", type=int, default=2000)
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    mix = np.array([float(share) for share in options.valid_mix.split(",")])
    mix /= mix.sum()

    runs, truth = {}, None
    for folder in sorted(options.runs.iterdir()):
        if not (folder / "test.csv").exists() or not (folder / "result.json").exists():
            continue
        result, logits, truth = read_run(folder)
        name = result["method"]
        if name != options.method and options.against and name not in options.against:
            continue
        row = (result.get("pool", ""), result["labels_per_class"])
        runs.setdefault(row, {}).setdefault(name, {})[result["seed"]] = (result["curve"], logits)
    methods = sorted({name for row in runs.values() for name in row})
    # Rows and seeds that all methods have.
    rows = [row for row in runs if all(name in runs[row] for name in methods)]
    seeds = sorted(set.intersection(*(set(runs[r][m]) for r in rows for m in methods)))
    hits = {}
    for row in rows:
        curves = [runs[row][m][s][0] for m in methods for s in seeds]
        accuracy = min(max(e["valid_accuracy"] for e in curve) for curve in curves)
        for m in methods:
            for s in seeds:
                curve, logits = runs[row][m][s]
                hits[row, m, s] = hits_of(logits, truth, mix, curve, accuracy)

    classes = len(mix)
    # Means over the faces of a class are all that the figures need.
    stack = np.array([[[hits[r, m, s] for s in seeds] for m in methods] for r in rows])

    def scores(weights, drawn):
        recalls = []
        for k in range(classes):
            of_class = weights * (truth == k)
            if of_class.sum() > 0:
                recalls.append(stack @ of_class / of_class.sum())
        return np.mean(recalls, 0)[:, :, drawn].mean(2)  # rows x methods

    own = methods.index(options.method)
    rivals = [i for i in range(len(methods)) if i != own]

    def leads(table):
        best = table[:, own] - table[:, rivals].max(1)
        return np.array([(table[:, own] - table[:, i]).mean() for i in rivals] + [best.mean()])

    table = scores(np.ones(len(truth)), np.arange(len(seeds)))
    random = np.random.default_rng(0)
    draws = np.array(
        [
            leads(
                scores(
                    np.bincount(random.integers(0, len(truth), len(truth)), minlength=len(truth)),
                    random.integers(0, len(seeds), len(seeds)),
                )
            )
            for _ in range(options.resamples)
        ]
    )
    low, high = 100 * np.quantile(draws, [0.025, 0.975], 0)
    print(f"{len(rows)} rows, seeds {seeds}; macro recall on test at matched accuracy, percent")
    for row, line in zip(rows, table):
        print(
            f"{row[0]:>10} {row[1]:4d}  "
            + "  ".join(f"{m} {100 * v:.1f}" for m, v in zip(methods, line))
        )
    print(
        f"{'mean':>15}  " + "  ".join(f"{m} {100 * v:.1f}" for m, v in zip(methods, table.mean(0)))
    )
    names = [methods[i] for i in rivals] + ["the best rival of each row"]
    report = {"method": options.method, "seeds": seeds, "rows": [list(row) for row in rows]}
    report["scores"] = {m: [float(v) for v in table[:, i]] for i, m in enumerate(methods)}
    report["leads"] = {}
    for name, lead, a, b in zip(names, 100 * leads(table), low, high):
        print(f"{options.method} over {name}: {lead:+.1f} (95 %: {a:+.1f} to {b:+.1f})")
        report["leads"][name] = [float(lead), float(a), float(b)]
    worst = 100 * (table[:, own] - table[:, rivals].max(1)).min()
    print(f"worst row against its best rival: {worst:+.1f}")
    report["worst_row"] = float(worst)
    if options.out:
        options.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
