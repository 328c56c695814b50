"""A small multilayer perceptron for 8x8 digits, in plain PyTorch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class DigitsMlp(nn.Module):
    """Two hidden layers with ReLU, and a classifier."""

    def __init__(self, width: int = 128, classes: int = 10) -> None:
        super().__init__()
        self.fc1 = nn.Linear(64, width)
        self.fc2 = nn.Linear(width, width)
        self.fc3 = nn.Linear(width, classes)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map images [batch, 1, 8, 8] in 0..1 to logits [batch, classes]."""
        x = torch.flatten(x, 1)
        return self.fc3(self.relu(self.fc2(self.relu(self.fc1(x)))))


def digits_mlp(**options: Any) -> nn.Module:
    """Return the model; trtbuild loads its weights, and calls `eval()`."""
    return DigitsMlp(**options)
