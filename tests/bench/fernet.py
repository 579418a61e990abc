"""The shipped network in Python, and model files as it takes them: what rivals run."""
import json

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self, i, o, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(i, o, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(o)
        self.conv2 = nn.Conv2d(o, o, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(o)
        self.shortcut = None
        if stride != 1 or i != o:
            self.shortcut = nn.Conv2d(i, o, 1, stride, bias=False)
            self.bn_shortcut = nn.BatchNorm2d(o)

    def forward(self, x):
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + (x if self.shortcut is None else self.bn_shortcut(self.shortcut(x))))


class Attention(nn.Module):
    def __init__(self, channels, branches, reduction, drop):
        super().__init__()
        inner = channels // reduction
        self.drop = drop
        self.reduce = nn.Conv2d(channels, branches * inner, 1)
        self.score = nn.Conv2d(branches * inner, branches, 1, groups=branches)

    def forward(self, x):
        maps = torch.sigmoid(self.score(torch.relu(self.reduce(x))).float())
        if self.training and self.drop > 0:
            n, branches = maps.shape[:2]
            falls = (torch.rand(n, 1, device=x.device) < self.drop).float()
            which = torch.randint(branches, (n,), device=x.device)
            keep = 1 - F.one_hot(which, branches) * falls
            maps = maps * keep.view(n, branches, 1, 1)
        return x * maps.amax(1, keepdim=True).to(x.dtype)


class FerNet(nn.Module):
    def __init__(self, config):
        super().__init__()
        width = config["stem_width"]
        kernel = config["stem_kernel"]
        self.stem = nn.Conv2d(
            config["channels"], width, kernel, config["stem_stride"], kernel // 2, bias=False
        )
        self.stem_bn = nn.BatchNorm2d(width)
        self.blocks = []
        for stage, (out, depth) in enumerate(zip(config["widths"], config["depths"])):
            for i in range(depth):
                block = Block(width, out, config["strides"][stage] if i == 0 else 1)
                self.add_module(f"stage{stage}_{i}", block)
                self.blocks.append(block)
                width = out
        self.attention = Attention(
            width,
            config["attention_branches"],
            config["attention_reduction"],
            config["drop_branch"],
        )
        self.dropout = config["dropout"]
        self.head = nn.Linear(width, config["classes"])

    def forward(self, x):
        x = torch.relu(self.stem_bn(self.stem(x)))
        for block in self.blocks:
            x = block(x)
        x = self.attention(x).mean((2, 3))
        return self.head(F.dropout(x, self.dropout, self.training)).float()


def read_model(path):
    """Metadata and tensors of a model file."""
    data = path.read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    info = json.loads(header.pop("__metadata__")["model"])
    dtypes = {"F32": torch.float32, "BF16": torch.bfloat16}
    tensors = {}
    for name, tensor in header.items():
        begin, stop = tensor["data_offsets"]
        flat = torch.frombuffer(
            bytearray(data[end + begin : end + stop]), dtype=dtypes[tensor["dtype"]]
        )
        tensors[name] = flat.reshape(tensor["shape"]).float()
    return info, tensors
