#!/usr/bin/env python3
"""Writes a row a face a frame as CSV, and prints each person's mean probabilities.

    to_pandas.py FILE TABLE.csv
"""
import sys

import gstfer


def main(path, table):
    rows = gstfer.to_dataframe(gstfer.watch(path))
    if rows.empty:
        sys.exit(f"{path}: there is no face in it")
    rows.to_csv(table, index=False)
    classes = list(rows.columns[rows.columns.get_loc("clear") + 1 : rows.columns.get_loc("label")])
    print(rows.groupby("face_id")[classes].mean().round(3).to_string())


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        main(sys.argv[1], sys.argv[2])
    except (gstfer.FerError, OSError) as error:
        sys.exit(str(error))
