#!/usr/bin/env python3
"""Times ONNX Runtime and OpenVINO on a model file, against gst-fer's own classifier, in one run.

    python3 -m venv /tmp/rivals && /tmp/rivals/bin/pip install numpy onnxruntime openvino
    /tmp/rivals/bin/python tests/bench/rivals.py --model models/fernet.fer

The network comes as ONNX from `fer export`; that all compute the same is checked on random crops
first. Every figure is milliseconds of
processor time a face, the least over many rounds, so that what else the machine does counts little;
rounds of all take turns.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import time

import numpy as np
import onnxruntime
import openvino

from own_programs import OwnPrograms, add_build_dir


def onnx_runtime(model, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda crops: session.run(["logits"], {"pixels": crops.astype(np.float32)})[0]


def open_vino(precision):
    def make(model, threads):
        compiled = openvino.Core().compile_model(
            openvino.Core().read_model(model=model),
            "CPU",
            {
                "INFERENCE_NUM_THREADS": threads,
                "NUM_STREAMS": 1,
                "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_PRECISION_HINT": precision,
            },
        )
        request = compiled.create_infer_request()
        return lambda crops: request.infer({0: crops.astype(np.float32)})[compiled.output(0)]

    return make


def time_ours(programs, model, precision, batch):
    """Milliseconds of processor time a face, the least of a few runs of the benchmark."""
    done = subprocess.run(
        [
            programs.classifier_bench,
            f"--model={model}",
            f"--benchmark_filter=^BM_Classifier/{precision}/{batch}$",
            "--benchmark_format=json",
            "--benchmark_min_time=0.2",
            "--benchmark_repetitions=5",
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    runs = json.loads(done.stdout)["benchmarks"]
    return min(run["cpu_time"] / batch / 1e6 for run in runs if run["run_type"] == "iteration")


def time_rival(infer, crops):
    least = float("inf")
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        before = time.process_time()
        infer(crops)
        infer(crops)
        least = min(least, (time.process_time() - before) / 2)
    return least / len(crops) * 1e3


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=pathlib.Path)
    add_build_dir(parser)
    options = parser.parse_args()
    programs = OwnPrograms(options.build_dir)

    rivals = {
        "ONNX Runtime fp32": onnx_runtime,
        "OpenVINO fp32": open_vino("f32"),
        "OpenVINO bf16": open_vino("bf16"),
    }
    print(
        f"ONNX Runtime {onnxruntime.__version__}, OpenVINO {openvino.__version__}; one thread, "
        "ms of processor time a face"
    )
    results = []
    for batch in options.batches:
        model = programs.to_onnx(options.model, batch)
        session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        version = session.get_modelmeta().custom_metadata_map["version"]
        crops = np.random.default_rng(1).integers(0, 256, session.get_inputs()[0].shape, np.uint8)
        infer = {name: make(model, 1) for name, make in rivals.items()}
        expected = programs.logits(options.model, crops, "fp32")
        for name, run in infer.items():
            error = np.abs(run(crops) - expected).max() / max(1, np.ptp(expected))
            if error > (1e-3 if name.endswith("fp32") else 5e-2):
                sys.exit(f"{name} does not compute the same: it is off by {error:g} of the range")
        least = {}
        for _ in range(options.rounds):
            for name, run in infer.items():
                least[name] = min(least.get(name, float("inf")), time_rival(run, crops))
            for precision in ("fp32", "bf16"):
                name = f"gst-fer {precision}"
                least[name] = min(
                    least.get(name, float("inf")),
                    time_ours(programs, options.model, precision, batch),
                )
        for name, ms in least.items():
            ratio = ms / least["gst-fer " + name.split()[-1]]
            print(f"batch {batch:2}  {name:18} {ms:6.2f} ms  {ratio:5.2f} times gst-fer")
            results.append({"batch": batch, "what": name, "ms_per_face": ms, "ratio": ratio})
    if options.json:
        options.json.write_text(
            json.dumps(
                {
                    "model": version,
                    "onnxruntime": onnxruntime.__version__,
                    "openvino": openvino.__version__,
                    "results": results,
                },
                indent=2,
            )
            + "\n"
        )


if __name__ == "__main__":
    main()
