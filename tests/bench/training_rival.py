#!/usr/bin/env python3
"""Times a semi-supervised training step in Python PyTorch, against `fer train`'s, in one run.

    python3 -m venv /tmp/rival && /tmp/rival/bin/pip install torch numpy
    /tmp/rival/bin/python tests/bench/training_rival.py --model models/fernet.fer

Same network (checked: its logits for the same weights are those of gst-fer's classifier), same batch,
same threads, bfloat16 autocast, channels last: teacher without gradients over weak and labelled views,
student over labelled and strong views, losses of dta-snl, backward, SGD with Nesterov momentum, moving
average. PyTorch's views lie ready in memory; `fer train` makes its own while it learns, and says which
share of the time it waited for them. Both take turns. On a GPU, with 448 + 64 images a step and
PyTorch's step compiled: `--device cuda --compile --batch 64 --mu 7`.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch
from torch.nn import functional as F

from fernet import FerNet, read_model
from own_programs import OwnPrograms, add_build_dir

LABELS = ["neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt"]


def check_same(network, info, model, programs):
    """Ends the program where the two do not compute the same."""
    config = info["network"]
    side = config["input_size"]
    crops = np.random.default_rng(1).integers(
        0, 256, (16, config["channels"], side, side), np.uint8
    )
    expected = programs.logits(model, crops, "fp32")
    network.eval()
    with torch.no_grad():
        pixels = torch.from_numpy(crops).float() / 255
        logits = network((pixels - info["mean"]) / info["std"]).numpy()
    error = np.abs(logits - expected).max() / max(1, np.ptp(expected))
    if error > 1e-3:
        sys.exit(
            f"PyTorch's network does not compute the same: it is off by {error:g} of the range"
        )


class Rival:
    """The step in PyTorch."""

    def __init__(self, config, tensors, options):
        batch, mu = options.batch, options.mu
        self.device = torch.device(options.device)
        self.student, self.teacher = FerNet(config), FerNet(config)
        for network in (self.student, self.teacher):
            network.load_state_dict(tensors, strict=False)
            network.to(self.device, memory_format=torch.channels_last)
        self.student.train()
        self.teacher.eval()
        decay = [p for p in self.student.parameters() if p.dim() > 1]
        plain = [p for p in self.student.parameters() if p.dim() <= 1]
        self.sgd = torch.optim.SGD(
            [{"params": decay, "weight_decay": 5e-4}, {"params": plain}],
            lr=1e-3,
            momentum=0.9,
            nesterov=True,
            foreach=True,
        )
        self.pairs = [
            [t for t in network.state_dict().values() if t.is_floating_point()]
            for network in (self.teacher, self.student)
        ]
        side, channels = config["input_size"], config["channels"]
        views = [
            torch.randn(n, channels, side, side, device=self.device).contiguous(
                memory_format=torch.channels_last
            )
            for n in (batch, mu * batch, mu * batch)
        ]
        self.labelled, self.weak, self.strong = views
        self.labels = torch.arange(batch, device=self.device) % config["classes"]
        self.images = batch * (1 + mu)
        self.mean_right = torch.full((config["classes"],), 0.8, device=self.device)
        self.loss = torch.compile(self.eager_loss) if options.compile else self.eager_loss

    def eager_loss(self):
        n = len(self.labels)
        with torch.autocast(self.device.type, torch.bfloat16):
            with torch.no_grad():
                q = torch.softmax(self.teacher(torch.cat([self.weak, self.labelled])), 1)
                unlabelled, own = q[: len(self.weak)], q[len(self.weak) :]
                confidence, said = unlabelled.max(1)
                top, label = own.max(1)
                # Of each class, over the rows that were told right; without asking how many.
                right = F.one_hot(label, len(self.mean_right)) * (label == self.labels)[:, None]
                count = right.sum(0)
                mean = (right * top[:, None]).sum(0) / count.clamp_min(1)
                self.mean_right.lerp_(torch.where(count > 0, mean, self.mean_right), 0.001)
                accepted = confidence >= (0.97 * self.mean_right).clamp(0.8, 1)[said]
            logits = self.student(torch.cat([self.labelled, self.strong]))
            x = F.cross_entropy(logits[:n], self.labels)
            strong = logits[n:]
            u = (F.cross_entropy(strong, said, reduction="none") * accepted).mean()
            p = torch.softmax(strong, 1)
            ruled_out = (unlabelled < 0.05) & (p.detach() > 0.01) & ~accepted[:, None]
            count = ruled_out.sum(1).clamp_min(1)
            nl = (-torch.log1p(-p.clamp_max(1 - 1e-6)) * ruled_out).sum(1).div(count).mean()
            return 0.5 * x + u + 0.1 * nl

    def step(self):
        loss = self.loss()
        loss.backward()
        self.sgd.step()
        self.sgd.zero_grad()
        with torch.no_grad():
            torch._foreach_lerp_(self.pairs[0], self.pairs[1], 0.001)
        return loss

    def images_per_second(self, steps):
        for _ in range(10 if self.device.type == "cuda" else 3):
            self.step().item()
        begun = time.perf_counter()
        for i in range(steps):
            loss = self.step()
            # As often as `fer train` looks at it.
            if self.device.type == "cpu" or i % 10 == 9:
                loss.item()
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return steps * self.images / (time.perf_counter() - begun)


def pack_noise(path, side):
    """A packed dataset of grey noise, 60 faces a class: what the pixels show costs no time."""
    rows = 60 * len(LABELS)
    labels = np.arange(rows, dtype=np.int64) % len(LABELS)
    votes = np.eye(len(LABELS), dtype=np.float32)[labels]
    none = np.zeros(rows, np.uint8)
    crops = np.random.default_rng(1).integers(0, 256, (rows, 1, side, side), np.uint8)
    header = {
        "__metadata__": {
            "format": "gst-fer-faces/1",
            "labels": json.dumps(LABELS),
            "splits": json.dumps(["train"]),
            "align_template": "fer",
            "source": "noise",
        }
    }
    content = b""
    for name, values, dtype in (
        ("labels", labels, "I64"),
        ("votes", votes, "F32"),
        ("crops", crops, "U8"),
        ("splits", none, "U8"),
        ("duplicates", none, "U8"),
        ("aligned", none, "U8"),
    ):
        begin = len(content)
        content += values.tobytes()
        header[name] = {
            "dtype": dtype,
            "shape": values.shape,
            "data_offsets": [begin, len(content)],
        }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + content)


def ours(programs, packed, folder, name, network, options, steps):
    """Images a second and the share of the time that data was waited for, of `fer train`."""
    out = folder / name
    subprocess.run(
        [
            programs.fer,
            "train",
            "--labeled",
            packed,
            "--labels-per-class",
            "25",
            "--valid",
            packed,
            "--method",
            "dta-snl",
            "--network",
            network,
            "--batch",
            str(options.batch),
            "--mu",
            str(options.mu),
            "--threads",
            str(options.threads),
            "--device",
            options.device,
            "--steps",
            str(2 * steps),
            "--epoch-steps",
            str(steps),
            "--out",
            out,
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    epoch = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()][-1]
    return epoch["images_per_second"], epoch["data_share"]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--mu", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--compile", action="store_true", help="PyTorch's step, by torch.compile")
    parser.add_argument("--steps", type=int, default=30, help="of each, a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--data", type=pathlib.Path, help="packed faces of the model's size; default: noise"
    )
    parser.add_argument("--json", type=pathlib.Path)
    add_build_dir(parser)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    info, tensors = read_model(options.model)
    config = info["network"]
    network = FerNet(config)
    network.load_state_dict(tensors, strict=False)
    programs = OwnPrograms(options.build_dir)
    check_same(network, info, options.model, programs)
    rival = Rival(config, tensors, options)
    rates, shares = {"gst-fer": [], "PyTorch": []}, []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        packed = options.data or folder / "noise.packed"
        if not options.data:
            pack_noise(packed, config["input_size"])
        for turn in range(options.rounds):
            rates["PyTorch"].append(rival.images_per_second(options.steps))
            rate, share = ours(
                programs, packed, folder, f"run{turn}", config["name"], options, options.steps
            )
            rates["gst-fer"].append(rate)
            shares.append(share)
    median = {name: float(np.median(values)) for name, values in rates.items()}
    result = {
        "torch": torch.__version__,
        "network": config["name"],
        "batch": options.batch,
        "mu": options.mu,
        "threads": options.threads,
        "device": options.device,
        "compiled": options.compile,
        "images_per_second": rates,
        "ratio": median["gst-fer"] / median["PyTorch"],
        "data_share": float(np.median(shares)),
    }
    for name, rate in median.items():
        print(f"{name:8} {rate:7.1f} images/s")
    print(
        f"gst-fer's rate is {result['ratio']:.2f} times PyTorch {torch.__version__}'s; it waited "
        f"for data {result['data_share'] * 100:.1f} % of the time"
    )
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
