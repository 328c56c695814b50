"""A tiny PyTorch model as an entrypoint's source: conv, batch norm, ReLU, a residual, a head."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = """
import torch
from torch import nn

class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU()

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(y)) + x)

class Tiny(nn.Module):
    def __init__(self, channels=4, classes=3):
        super().__init__()
        self.stem = nn.Conv2d(3, channels, 3, stride=2, bias=False)
        self.layer1 = nn.Sequential(Block(channels), Block(channels))
        self.pool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(channels, classes)

    def forward(self, x):
        return self.fc(torch.flatten(self.pool(self.layer1(self.stem(x))), 1))

def tiny(**options):
    return Tiny(**options)

class Pair(nn.Module):
    def forward(self, left, right):
        return left + 2 * right, left - right

def pair():
    return Pair()

def frozen():
    module = nn.Linear(2, 2)
    nn.init.ones_(module.weight)
    nn.init.zeros_(module.bias)
    return module

class Python(nn.Module):
    def forward(self, x):
        return x if float(x.sum()) > 0 else -x

def branchy():
    return Python()

class Clashing(nn.Module):
    def __init__(self):
        super().__init__()
        self.relu = nn.Parameter(torch.full((77,), 3.0))
        self.register_buffer("scale", torch.ones(1))

    def forward(self, x):
        rows = torch.relu(self.relu[: x.shape[1]] + x * self.scale)
        return {"relu": rows, "softmax": torch.flip(torch.softmax(rows, dim=1), (1,))}

def clashing():
    return Clashing()

class Counting(nn.Module):
    def forward(self, x):
        return x + 1, 3

def counting():
    return Counting()

class Paired(nn.Module):
    def forward(self, x):
        return x.reshape(2, 2) * 2

def paired():
    return Paired()

def failing(**options):
    raise ValueError("no such width\\nsecond line")

def not_a_module():
    return "module"
"""


def write_source(folder: Path) -> Path:
    """Write the source as `net.py` in a folder; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "net.py").write_text(SOURCE)
    return folder


def tiny(**fields: Any) -> str:
    """Return the JSON of a `torch` model section for `net.py`, seeded, with a dynamic batch."""
    section = {
        "kind": "torch",
        "entrypoint": "net.py:tiny",
        "weights": {"path": "net.pth"},
        "without_weights": "seeded",
        "inputs": {"input": {"shape": ["batch", 3, 9, 9]}},
        "outputs": ["logits"],
        **fields,
    }
    return json.dumps({key: value for key, value in section.items() if value is not None})
