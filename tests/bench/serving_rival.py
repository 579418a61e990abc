#!/usr/bin/env python3
"""Times the expression model on a CUDA device against Python PyTorch compiled, in one run.

    python3 tests/bench/serving_rival.py --model models/fernet.fer --device cuda

for a python3 with torch and numpy, and gst-fer built against a LibTorch with CUDA
(`-Dtorch_dir=`, the same torch's folder). Both take crops as bytes from the processor's memory and
leave logits there; that both compute the same is checked first. Where onnxruntime-gpu and `fer export`
are at hand, ONNX Runtime takes part too, in fp32, as `fer export` writes the model. They take turns; milliseconds a batch, the median of the rounds.
`--device cpu` shows that it works where there is no GPU, and measures nothing of interest.
"""

import argparse
import json
import pathlib
import statistics
import sys
import time

import numpy as np
import torch

from fernet import FerNet, read_model
from own_programs import OwnPrograms, add_build_dir


def pytorch(info, tensors, options):
    """A function from crops to logits."""
    device = torch.device(options.device)
    network = FerNet(info["network"])
    network.load_state_dict(tensors, strict=False)
    network.to(device, memory_format=torch.channels_last).eval()
    dtype = torch.bfloat16 if options.precision == "bf16" else torch.float32

    def forward(pixels):
        with torch.autocast(device.type, dtype, enabled=dtype == torch.bfloat16):
            x = (pixels.float() / 255 - info["mean"]) / info["std"]
            return network(x.contiguous(memory_format=torch.channels_last)).float()

    # For this batch alone: what was compiled for another would be taken, and made for all sizes.
    torch.compiler.reset()
    compiled = torch.compile(
        forward, dynamic=False, mode="max-autotune" if device.type == "cuda" else "default"
    )

    def run(crops):
        with torch.no_grad():
            return compiled(torch.from_numpy(crops).to(device)).cpu().numpy()

    return run


def onnx_runtime(options, programs, batch):
    """The same by ONNX Runtime; None, and why, where it cannot run."""
    try:
        import onnxruntime

        provider = "CPUExecutionProvider" if options.device == "cpu" else "CUDAExecutionProvider"
        session = onnxruntime.InferenceSession(
            programs.to_onnx(options.model, batch), providers=[provider]
        )
    except Exception as error:  # pylint: disable=broad-except
        # ONNX Runtime has exceptions of its own; the rows of the others are not lost for it.
        return None, f"{type(error).__name__}: {error}".splitlines()[0]
    if provider not in session.get_providers():
        return None, f"it has no {provider}"
    return lambda crops: session.run(["logits"], {"pixels": crops.astype(np.float32)})[0], None


def time_rival(run, crops):
    for _ in range(10):
        run(crops)
    begun, runs = time.perf_counter(), 0
    while time.perf_counter() - begun < 0.3:
        run(crops)
        runs += 1
    return (time.perf_counter() - begun) / runs * 1e3


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="bf16")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 16, 256])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=pathlib.Path)
    add_build_dir(parser)
    options = parser.parse_args()
    programs = OwnPrograms(options.build_dir)

    info, tensors = read_model(options.model)
    network = info["network"]
    side = network["input_size"]
    results, left_out, engine = [], {}, None
    for batch in options.batches:
        crops = np.random.default_rng(1).integers(
            0, 256, (batch, network["channels"], side, side), np.uint8
        )
        rivals = {f"PyTorch {torch.__version__}, compiled": pytorch(info, tensors, options)}
        onnx, reason = onnx_runtime(options, programs, batch)
        if onnx:
            rivals["ONNX Runtime, fp32"] = onnx
        else:
            left_out["ONNX Runtime, fp32"] = reason
            print(f"ONNX Runtime is left out: {reason}")
        expected = programs.logits(options.model, crops, options.precision, options.device)
        for name, run in rivals.items():
            error = np.abs(run(crops) - expected).max() / max(1, np.ptp(expected))
            if error > (1e-3 if options.precision == "fp32" else 5e-2):
                sys.exit(f"{name} does not compute the same: it is off by {error:g} of the range")
        times = {name: [] for name in ["gst-fer", *rivals]}
        for _ in range(options.rounds):
            ms, engine = programs.serving(options.model, batch, options.precision, options.device)
            times["gst-fer"].append(ms)
            for name, run in rivals.items():
                times[name].append(time_rival(run, crops))
        own = statistics.median(times["gst-fer"])
        for name, values in times.items():
            median = statistics.median(values)
            print(f"batch {batch:3}  {name:26} {median:8.3f} ms  {median / own:5.2f} times gst-fer")
            results.append({"batch": batch, "what": name, "ms": median, "ratio": median / own})
    if options.json:
        options.json.write_text(
            json.dumps(
                {
                    "device": options.device,
                    "precision": options.precision,
                    "torch": torch.__version__,
                    "engine": engine,
                    "not_run": left_out,
                    "results": results,
                },
                indent=2,
            )
            + "\n"
        )


if __name__ == "__main__":
    main()
