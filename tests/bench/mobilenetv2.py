"""MobileNetV2 (arXiv:1801.04381) in plain PyTorch: few products, many activations."""

from __future__ import annotations

import torch
from torch import Tensor, nn

# expansion, channels, blocks, stride of the first block
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def convolution(source: int, target: int, size: int, *, stride: int = 1, groups: int = 1):
    """Convolution, batch norm, ReLU6."""
    return nn.Sequential(
        nn.Conv2d(source, target, size, stride, size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(target),
        nn.ReLU6(),
    )


class Block(nn.Module):
    """Expand, depthwise 3x3, project; a skip where the shape stays."""

    def __init__(self, source: int, target: int, *, expansion: int, stride: int) -> None:
        super().__init__()
        inner = source * expansion
        self.skips = stride == 1 and source == target
        self.layers = nn.Sequential(
            *([convolution(source, inner, 1)] if expansion > 1 else []),
            convolution(inner, inner, 3, stride=stride, groups=inner),
            nn.Conv2d(inner, target, 1, bias=False),
            nn.BatchNorm2d(target),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map [batch, source, h, w] to [batch, target, h / stride, w / stride]."""
        return x + self.layers(x) if self.skips else self.layers(x)


class MobileNetV2(nn.Module):
    """Width 1.0."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        layers: list[nn.Module] = [convolution(3, 32, 3, stride=2)]
        source = 32
        for expansion, target, blocks, stride in STAGES:
            for index in range(blocks):
                first = stride if index == 0 else 1
                layers.append(Block(source, target, expansion=expansion, stride=first))
                source = target
        self.features = nn.Sequential(*layers, convolution(source, 1280, 1))
        self.classifier = nn.Linear(1280, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map images [batch, 3, 224, 224] to logits [batch, classes]."""
        return self.classifier(self.features(x).mean((2, 3)))


def mobilenetv2() -> nn.Module:
    """Return the model with seeded weights, ready for inference."""
    torch.manual_seed(0)
    return MobileNetV2().eval()
