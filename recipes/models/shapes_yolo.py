"""A detector of the YOLOv8 architecture (its anchor-free, decoupled head), in plain PyTorch.

Narrower than the smallest published one, for the five classes of calib_data/shapes.py.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

BINS = 16  # of the distribution that says how far a side of a box is from its cell
STRIDES = (8, 16, 32)
RARE = -4.6  # the logit of 1 %: at the start, few cells hold anything (arXiv:1708.02002)


class Conv(nn.Module):
    """Convolution, batch norm, SiLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03)
        self.act = nn.SiLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map [batch, inputs, h, w] to [batch, outputs, h / stride, w / stride]."""
        return self.act(self.bn(self.conv(x)))


class Bottleneck(nn.Module):
    """Two 3x3 convolutions, with a skip where asked."""

    def __init__(self, channels: int, *, skip: bool) -> None:
        super().__init__()
        self.cv1 = Conv(channels, channels, 3)
        self.cv2 = Conv(channels, channels, 3)
        self.skip = skip

    def forward(self, x: Tensor) -> Tensor:
        """Map a tensor to one of its shape."""
        y = self.cv2(self.cv1(x))
        return x + y if self.skip else y


class C2f(nn.Module):
    """Split in two, one half through a bottleneck, all parts joined."""

    def __init__(self, inputs: int, outputs: int, *, skip: bool) -> None:
        super().__init__()
        self.half = outputs // 2
        self.cv1 = Conv(inputs, 2 * self.half)
        self.cv2 = Conv(3 * self.half, outputs)
        self.m = Bottleneck(self.half, skip=skip)

    def forward(self, x: Tensor) -> Tensor:
        """Map [batch, inputs, h, w] to [batch, outputs, h, w]."""
        first, second = self.cv1(x).split(self.half, dim=1)
        return self.cv2(torch.cat([first, second, self.m(second)], dim=1))


class Sppf(nn.Module):
    """Three poolings of 5x5, one behind the other, joined."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.cv1 = Conv(channels, channels // 2)
        self.cv2 = Conv(2 * channels, channels)
        self.pool = nn.MaxPool2d(5, 1, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Map a tensor to one of its shape."""
        parts = [self.cv1(x)]
        for _ in range(3):
            parts.append(self.pool(parts[-1]))
        return self.cv2(torch.cat(parts, dim=1))


class Head(nn.Module):
    """For each scale, boxes (a distribution for each side) and class scores, apart."""

    def __init__(self, channels: tuple[int, ...], classes: int, width: int) -> None:
        super().__init__()
        self.classes = classes
        self.boxes = nn.ModuleList(self._tower(c, width, 4 * BINS) for c in channels)
        self.scores = nn.ModuleList(self._tower(c, width, classes) for c in channels)
        for tower in self.scores:
            nn.init.constant_(tower[-1].bias, RARE)

    @staticmethod
    def _tower(inputs: int, width: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(
            Conv(inputs, width, 3), Conv(width, width, 3), nn.Conv2d(width, outputs, 1)
        )

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        """Return for each scale [batch, 4 * BINS + classes, h, w]: logits."""
        towers = zip(self.boxes, self.scores, features, strict=True)
        return [torch.cat([boxes(x), scores(x)], dim=1) for boxes, scores, x in towers]


class ShapesYolo(nn.Module):
    """Backbone, neck (down and up again), head; decoded in `forward`."""

    def __init__(self, width: int = 8, classes: int = 5) -> None:
        super().__init__()
        w = [width * 2**i for i in range(4)] + [width * 12]
        self.stem = nn.Sequential(Conv(3, w[0], 3, 2), Conv(w[0], w[1], 3, 2))
        self.stage2 = C2f(w[1], w[1], skip=True)
        self.stage3 = nn.Sequential(Conv(w[1], w[2], 3, 2), C2f(w[2], w[2], skip=True))
        self.stage4 = nn.Sequential(Conv(w[2], w[3], 3, 2), C2f(w[3], w[3], skip=True))
        self.stage5 = nn.Sequential(Conv(w[3], w[4], 3, 2), C2f(w[4], w[4], skip=True), Sppf(w[4]))
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.up4 = C2f(w[4] + w[3], w[3], skip=False)
        self.up3 = C2f(w[3] + w[2], w[2], skip=False)
        self.down3 = Conv(w[2], w[2], 3, 2)
        self.down4 = C2f(w[2] + w[3], w[3], skip=False)
        self.down5 = nn.Sequential(Conv(w[3], w[3], 3, 2))
        self.last = C2f(w[3] + w[4], w[4], skip=False)
        self.head = Head((w[2], w[3], w[4]), classes, w[2])

    def raw(self, x: Tensor) -> list[Tensor]:
        """Return the head's logits for each scale."""
        p3 = self.stage3(self.stage2(self.stem(x)))
        p4 = self.stage4(p3)
        p5 = self.stage5(p4)
        n4 = self.up4(torch.cat([self.up(p5), p4], dim=1))
        n3 = self.up3(torch.cat([self.up(n4), p3], dim=1))
        n4 = self.down4(torch.cat([self.down3(n3), n4], dim=1))
        n5 = self.last(torch.cat([self.down5(n4), p5], dim=1))
        return self.head([n3, n4, n5])

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures [batch, 3, h, w] in 0..1 to [batch, 4 + classes, cells].

        A row of 4: centre x, centre y, width, height, in pixels; then a score of 0..1 a class.
        """
        scales = self.raw(x)
        flat = torch.cat([scale.flatten(2) for scale in scales], dim=2)
        boxes, scores = flat.split((4 * BINS, self.head.classes), dim=1)
        cells, strides = list_cells(scales)
        near, far = sides(boxes).chunk(2, dim=1)
        start, end = cells - near, cells + far
        box = torch.cat([(start + end) / 2, end - start], dim=1) * strides
        return torch.cat([box, scores.sigmoid()], dim=1)


def list_cells(scales: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Return of each cell its centre in strides, [1, 2, cells], and its stride, [1, 1, cells]."""
    centres, strides = [], []
    for scale, stride in zip(scales, STRIDES, strict=True):
        height, width = scale.shape[2:]
        y = torch.arange(height, dtype=scale.dtype, device=scale.device) + 0.5
        x = torch.arange(width, dtype=scale.dtype, device=scale.device) + 0.5
        across = x.view(1, -1).expand(height, width).reshape(-1)
        along = y.view(-1, 1).expand(height, width).reshape(-1)
        centres.append(torch.stack([across, along]))
        strides.append(torch.full_like(across, stride))
    return torch.cat(centres, dim=1)[None], torch.cat(strides)[None, None]


def sides(boxes: Tensor) -> Tensor:
    """Return each side's mean distance: [batch, 4 * BINS, cells] to [batch, 4, cells]."""
    batch, _, cells = boxes.shape
    weights = torch.arange(BINS, dtype=boxes.dtype, device=boxes.device).view(1, 1, BINS, 1)
    return (boxes.view(batch, 4, BINS, cells).softmax(dim=2) * weights).sum(dim=2)


def shapes_yolo(**options: Any) -> nn.Module:
    """Return the model; trtbuild loads its weights, and calls `eval()`."""
    return ShapesYolo(**options)
