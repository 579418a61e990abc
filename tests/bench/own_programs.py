"""gst-fer's side of a comparison: the programs of a build tree."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]


def add_build_dir(parser):
    """The option that says where they were built."""
    parser.add_argument(
        "--build-dir", type=pathlib.Path, default=ROOT / "build", help="the build tree of gst-fer"
    )


class OwnPrograms:
    """What was built in a tree; each call runs a program, and raises CalledProcessError as it fails."""

    def __init__(self, build):
        self.fer = build / "training/fer"
        self.classifier_bench = build / "tests/bench/classifier-bench"
        self.serving_bench = build / "tests/bench/serving-bench"
        # As in the tree's own environment: without them nothing is done by kernels or CUDA graphs.
        for variable, library in (
            ("FER_CUDA_LIBRARY", "lib/kernels/libfer-cuda.so.0"),
            ("FER_TORCH_CUDA_LIBRARY", "lib/model/libfer-torch-cuda.so.0"),
        ):
            if (build / library).exists():
                os.environ.setdefault(variable, str((build / library).resolve()))

    def logits(self, model, crops, precision, device="cpu"):
        """Logits of the classifier, N x classes, of crops as N x channels x side x side bytes."""
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "crops").write_bytes(crops.tobytes())
            subprocess.run(
                [
                    self.serving_bench,
                    model,
                    f"--precision={precision}",
                    f"--device={device}",
                    f"--crops={folder / 'crops'}",
                    f"--logits={folder / 'logits'}",
                ],
                check=True,
            )
            return np.fromfile(folder / "logits", np.float32).reshape(len(crops), -1)

    def serving(self, model, batch, precision, device):
        """Milliseconds a batch by the clock, the crops' way there and the logits' way back included;
        and what computed. Ends the program where that is of another precision."""
        done = subprocess.run(
            [
                self.serving_bench,
                model,
                f"--precision={precision}",
                f"--device={device}",
                f"--batch={batch}",
            ],
            check=True,
            capture_output=True,
            text=True,
        )
        result = json.loads(done.stdout)
        if result["precision"] != precision:
            sys.exit(f"gst-fer computes in {result['precision']} here, not in {precision}")
        return result["batches"][0]["ms"], result["engine"]

    def to_onnx(self, model, batch):
        """The bytes of the model as ONNX, for batches of this size. RuntimeError: what the program said."""
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder) / "model.onnx"
            done = subprocess.run(
                [self.fer, "export", "--onnx", "--logits", f"--batch={batch}", model, out],
                capture_output=True,
                text=True,
            )
            if done.returncode != 0:
                raise RuntimeError(done.stderr.strip())
            return out.read_bytes()
