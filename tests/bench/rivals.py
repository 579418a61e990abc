#!/usr/bin/env python3
"""Times ONNX Runtime and OpenVINO on a model file, against gst-fer's own classifier, in one run.

    python3 -m venv /tmp/rivals && /tmp/rivals/bin/pip install numpy onnx onnxruntime openvino
    /tmp/rivals/bin/python tests/bench/rivals.py --model models/fernet.fer

The network is built as ONNX from the model file's weights, the batch norm left for the runtimes to
fold; that all compute the same is checked on random crops first. Every figure is milliseconds of
processor time a face, the least over many rounds, so that what else the machine does counts little;
rounds of all take turns.
"""

import argparse
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx
import onnxruntime
import openvino
from onnx import TensorProto, helper, numpy_helper

BENCH = pathlib.Path(__file__).resolve().parents[2] / "build/tests/bench/classifier-bench"


def read_model(path):
    """Description and fp32 weights of a *.fer file, which is a safetensors file."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    description = json.loads(header.pop("__metadata__")["model"])
    weights = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        raw = data[8 + length + begin:8 + length + end]
        if entry["dtype"] == "BF16":
            values = (np.frombuffer(raw, np.uint16).astype(np.uint32) << 16).view(np.float32)
        else:
            values = np.frombuffer(raw, np.float32)
        weights[name] = values.reshape(entry["shape"])
    return description, weights


def to_onnx(description, weights, batch):
    """The network on uint8 crops, N x C x S x S, as lib/model/network.cpp has it."""
    config = description["network"]
    nodes, constants = [], []

    def constant(name, values):
        constants.append(numpy_helper.from_array(np.ascontiguousarray(values, np.float32), name))
        return name

    def node(kind, inputs, **attributes):
        out = f"{kind}_{len(nodes)}"
        nodes.append(helper.make_node(kind, inputs, [out], **attributes))
        return out

    def conv(x, name, stride=1, groups=1):
        weight = weights[name + ".weight"]
        inputs = [x, constant(name + ".weight", weight)]
        if name + ".bias" in weights:
            inputs.append(constant(name + ".bias", weights[name + ".bias"]))
        side = weight.shape[2]
        return node("Conv", inputs, kernel_shape=[side, side], strides=[stride, stride],
                    pads=[side // 2] * 4, group=groups)

    def norm(x, name):
        fields = ("weight", "bias", "running_mean", "running_var")
        return node("BatchNormalization",
                    [x] + [constant(f"{name}.{f}", weights[f"{name}.{f}"]) for f in fields],
                    epsilon=1e-5)

    x = node("Cast", ["crops"], to=TensorProto.FLOAT)
    x = node("Mul", [x, constant("scale", [1 / (255 * description["std"])])])
    x = node("Sub", [x, constant("shift", [description["mean"] / description["std"]])])
    x = node("Relu", [norm(conv(x, "stem", config["stem_stride"]), "stem_bn")])
    if config["stem_pool"]:
        x = node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    for stage, depth in enumerate(config["depths"]):
        for index in range(depth):
            name = f"stage{stage}_{index}"
            stride = config["strides"][stage] if index == 0 else 1
            y = node("Relu", [norm(conv(x, name + ".conv1", stride), name + ".bn1")])
            y = norm(conv(y, name + ".conv2"), name + ".bn2")
            if name + ".shortcut.weight" in weights:
                x = norm(conv(x, name + ".shortcut", stride), name + ".bn_shortcut")
            x = node("Relu", [node("Add", [y, x])])
    branches = config["attention_branches"]
    if branches > 0:
        maps = node("Relu", [conv(x, "attention.reduce")])
        maps = node("Sigmoid", [conv(maps, "attention.score", groups=branches)])
        x = node("Mul", [x, node("ReduceMax", [maps], axes=[1], keepdims=1)])
    x = node("Flatten", [node("GlobalAveragePool", [x])])
    nodes.append(helper.make_node(
        "Gemm", [x, constant("head.weight", weights["head.weight"]),
                 constant("head.bias", weights["head.bias"])], ["logits"], transB=1))
    side = config["input_size"]
    graph = helper.make_graph(
        nodes, "fer",
        [helper.make_tensor_value_info("crops", TensorProto.UINT8,
                                       [batch, config["channels"], side, side])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [batch, config["classes"]])],
        constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def onnx_runtime(model, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda crops: session.run(["logits"], {"crops": crops})[0]


def open_vino(precision):
    def make(model, threads):
        compiled = openvino.Core().compile_model(
            openvino.Core().read_model(model=model), "CPU",
            {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
             "INFERENCE_PRECISION_HINT": precision})
        request = compiled.create_infer_request()
        return lambda crops: request.infer({0: crops})[compiled.output(0)]
    return make


def ours(model, crops, precision):
    """Logits by the classifier."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "crops").write_bytes(crops.tobytes())
        subprocess.run([BENCH, f"--model={model}", f"--precision={precision}",
                        f"--crops={folder / 'crops'}", f"--logits={folder / 'logits'}"], check=True)
        return np.fromfile(folder / "logits", np.float32).reshape(len(crops), -1)


def time_ours(model, precision, batch):
    """Milliseconds of processor time a face, the least of a few runs of the benchmark."""
    done = subprocess.run(
        [BENCH, f"--model={model}", f"--benchmark_filter=^BM_Classifier/{precision}/{batch}$",
         "--benchmark_format=json", "--benchmark_min_time=0.2", "--benchmark_repetitions=5"],
        check=True, capture_output=True, text=True)
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
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    options.model = options.model.resolve()

    description, weights = read_model(options.model)
    config = description["network"]
    rivals = {"ONNX Runtime fp32": onnx_runtime, "OpenVINO fp32": open_vino("f32"),
              "OpenVINO bf16": open_vino("bf16")}
    print(f"ONNX Runtime {onnxruntime.__version__}, OpenVINO {openvino.__version__}; one thread, "
          "ms of processor time a face")
    results = []
    for batch in options.batches:
        crops = np.random.default_rng(1).integers(
            0, 256, (batch, config["channels"], config["input_size"], config["input_size"]), np.uint8)
        model = to_onnx(description, weights, batch)
        infer = {name: make(model, 1) for name, make in rivals.items()}
        expected = ours(options.model, crops, "fp32")
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
                least[name] = min(least.get(name, float("inf")),
                                  time_ours(options.model, precision, batch))
        for name, ms in least.items():
            ratio = ms / least["gst-fer " + name.split()[-1]]
            print(f"batch {batch:2}  {name:18} {ms:6.2f} ms  {ratio:5.2f} times gst-fer")
            results.append({"batch": batch, "what": name, "ms_per_face": ms, "ratio": ratio})
    if options.json:
        options.json.write_text(json.dumps(
            {"model": description["version"], "onnxruntime": onnxruntime.__version__,
             "openvino": openvino.__version__, "results": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
