"""A small CNN of depthwise convolutions, SiLU and squeeze-and-excitation, in plain PyTorch.

The block of MobileNetV3 and EfficientNet (arXiv:1905.02244, 1905.11946): the sort of network that
INT8 with a scale per tensor treats worst, since the channels of a depthwise convolution take up
ranges of their own. Long training on much data spreads them by a factor of hundreds
(arXiv:1906.04721, figure 2); training as short as this one does not, so it starts with them spread.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

SPREAD = 1.5  # the standard deviation of the logarithm of a channel's scale, at the start


class Block(nn.Module):
    """Widen, convolve each channel, weigh the channels, narrow; a skip where shapes are equal."""

    def __init__(self, inputs: int, outputs: int, *, stride: int, widen: int = 4) -> None:
        super().__init__()
        inner = inputs * widen
        self.expand = nn.Conv2d(inputs, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.depthwise = nn.Conv2d(inner, inner, 3, stride, 1, groups=inner, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.act = nn.SiLU()
        self.squeeze = nn.Conv2d(inner, max(inputs // 4, 4), 1)
        self.excite = nn.Conv2d(max(inputs // 4, 4), inner, 1)
        self.project = nn.Conv2d(inner, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.skip = stride == 1 and inputs == outputs
        for norm in (self.bn1, self.bn2):
            with_spread = torch.exp(SPREAD * torch.randn(inner))
            norm.weight = nn.Parameter(with_spread)

    def forward(self, x: Tensor) -> Tensor:
        """Map [batch, inputs, h, w] to [batch, outputs, h / stride, w / stride]."""
        y = self.act(self.bn1(self.expand(x)))
        y = self.act(self.bn2(self.depthwise(y)))
        weights = self.excite(self.act(self.squeeze(y.mean(dim=(2, 3), keepdim=True)))).sigmoid()
        y = self.bn3(self.project(y * weights))
        return x + y if self.skip else y


class Depthwise(nn.Module):
    """A stem, six blocks, a pooled classifier, for pictures of 32 x 32."""

    def __init__(self, width: int = 16, classes: int = 10) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.bn = nn.BatchNorm2d(width)
        self.act = nn.SiLU()
        self.blocks = nn.Sequential(
            Block(width, width, stride=1),
            Block(width, 2 * width, stride=2),
            Block(2 * width, 2 * width, stride=1),
            Block(2 * width, 3 * width, stride=2),
            Block(3 * width, 3 * width, stride=1),
            Block(3 * width, 4 * width, stride=2),
        )
        self.fc = nn.Linear(4 * width, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures [batch, 3, 32, 32] in 0..1 to logits [batch, classes]."""
        x = self.blocks(self.act(self.bn(self.stem(x))))
        return self.fc(torch.flatten(x.mean(dim=(2, 3)), 1))


def depthwise(**options: Any) -> nn.Module:
    """Return the model; trtbuild loads its weights, and calls `eval()`."""
    return Depthwise(**options)
