"""Small nets of common kinds, trained here on photographs: seeded, a minute each at most."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import Tensor, nn
from torch.nn import functional

from calib_data.photos import photos

__all__ = ["NETS"]

STEPS, BATCH, SIDE = 150, 16, 48
CLASSES = 6


class Depthwise(nn.Module):
    """Inverted residual blocks with depthwise convolutions, for patches of photographs."""

    def __init__(self, activation: type[nn.Module], width: int = 16) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv2d(3, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), activation()
        )
        self.blocks = nn.ModuleList(self._block(width, activation) for _ in range(5))
        self.last = nn.Linear(width, CLASSES)

    @staticmethod
    def _block(width: int, activation: type[nn.Module]) -> nn.Module:
        inner = width * 4
        return nn.Sequential(
            nn.Conv2d(width, inner, 1, bias=False),
            nn.BatchNorm2d(inner),
            activation(),
            nn.Conv2d(inner, inner, 3, 1, 1, groups=inner, bias=False),
            nn.BatchNorm2d(inner),
            activation(),
            nn.Conv2d(inner, width, 1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures to logits."""
        x = self.first(x)
        for index, block in enumerate(self.blocks):
            x = x + block(x)
            if index in (1, 3):
                x = functional.max_pool2d(x, 2)
        return self.last(x.mean((2, 3)))


class Upscaler(nn.Module):
    """Residual blocks without norms, and a pixel shuffle: twice the size (EDSR in small)."""

    def __init__(self, width: int = 24, blocks: int = 4) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, width, 3, 1, 1)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(width, width, 3, 1, 1), nn.ReLU(), nn.Conv2d(width, width, 3, 1, 1)
            )
            for _ in range(blocks)
        )
        self.last = nn.Conv2d(width, 12, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map [batch, 3, h, w] to [batch, 3, 2 h, 2 w]."""
        first = found = self.first(x)
        for block in self.blocks:
            found = found + block(found)
        return functional.pixel_shuffle(self.last(found + first), 2) + functional.interpolate(
            x, scale_factor=2, mode="nearest"
        )


class Unet(nn.Module):
    """Two halvings and back, joined by Concats; a mask for each pixel."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        sizes = [(3, width), (width, 2 * width), (2 * width, 4 * width)]
        self.down = nn.ModuleList(self._pair(*size) for size in sizes)
        self.up = nn.ModuleList([self._pair(6 * width, 2 * width), self._pair(3 * width, width)])
        self.last = nn.Conv2d(width, 1, 1)

    @staticmethod
    def _pair(source: int, target: int) -> nn.Module:
        layers: list[nn.Module] = []
        for size in (source, target):
            layers += [nn.Conv2d(size, target, 3, 1, 1, bias=False), nn.BatchNorm2d(target)]
            layers.append(nn.ReLU())
        return nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures to logits of being part of a shape."""
        one = self.down[0](x)
        two = self.down[1](functional.max_pool2d(one, 2))
        three = self.down[2](functional.max_pool2d(two, 2))
        for skip, layer in zip((two, one), self.up, strict=True):
            three = layer(torch.cat([functional.interpolate(three, scale_factor=2), skip], 1))
        return self.last(three)


def _patches(split: str, count: int) -> tuple[Tensor, Tensor]:
    """Return patches of photographs, and which of the pictures each is of."""
    images = np.stack([each["input"] for each in photos(split, count, SIDE)])
    which = torch.arange(count) % (CLASSES if split == "calib" else 5)
    return _normal(images), which


def _normal(images: np.ndarray) -> Tensor:
    return torch.from_numpy(images.transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1)


def _shapes(split: str, count: int) -> tuple[Tensor, Tensor]:
    """Return photographs with an ellipse of another photograph in them, and the ellipses."""
    images, _ = _patches(split, count)
    randoms = np.random.default_rng(len(split))
    y, x = np.mgrid[:SIDE, :SIDE]
    masks = []
    for _ in range(count):
        (top, left), (high, wide) = randoms.uniform(12, 36, 2), randoms.uniform(5, 15, 2)
        masks.append(((y - top) / high) ** 2 + ((x - left) / wide) ** 2 < 1)
    mask = torch.from_numpy(np.stack(masks)[:, None].astype(np.float32))
    other = images.roll(1, 0).flip(1)
    return images * (1 - mask) + other * mask, mask


def _train(net: nn.Module, inputs: Tensor, wanted: Tensor, loss) -> nn.Module:
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3)
    order = torch.Generator().manual_seed(0)
    net.train()
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * (1 - step / STEPS)
        chosen = torch.randint(len(inputs), (BATCH,), generator=order)
        optimizer.zero_grad()
        loss(net(inputs[chosen]), wanted[chosen]).backward()
        optimizer.step()
    return net.eval()


def _export(net: nn.Module, sample: Tensor) -> onnx.ModelProto:
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "net.onnx")
        torch.onnx.export(
            net,
            (sample[:2],),
            path,
            opset_version=17,
            dynamo=False,
            input_names=["input"],
            output_names=["output"],
            dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}},
        )
        return onnx.load(io.BytesIO(path.read_bytes()))


def _classifier(activation: type[nn.Module]):
    torch.manual_seed(0)
    inputs, labels = _patches("calib", 512)
    net = _train(Depthwise(activation), inputs, labels, functional.cross_entropy)
    # Other pictures are of none of the classes: what counts is that both answer alike.
    measured, _ = _patches("eval", 64)
    score = lambda found, reference: float(np.mean(found.argmax(1) == reference.argmax(1)))  # noqa: E731
    return _export(net, inputs), inputs[:32].numpy(), measured.numpy(), score


def _upscaler():
    torch.manual_seed(0)
    large, _ = _patches("calib", 256)
    small = functional.avg_pool2d(large, 2)
    net = _train(Upscaler(), small, large, functional.l1_loss)
    wanted = _patches("eval", 64)[0]
    measured = functional.avg_pool2d(wanted, 2).numpy()

    def psnr(found, _):
        return float(10 * np.log10(4 / np.mean((found - wanted.numpy()) ** 2)))

    return _export(net, small), small[:32].numpy(), measured, psnr


def _segmenter():
    torch.manual_seed(0)
    inputs, masks = _shapes("calib", 512)
    net = _train(Unet(), inputs, masks, functional.binary_cross_entropy_with_logits)
    measured, wanted = _shapes("eval", 64)
    truth = wanted.numpy() > 0

    def overlap(found, _):
        return float(((found > 0) & truth).sum() / ((found > 0) | truth).sum())

    return _export(net, inputs), inputs[:32].numpy(), measured.numpy(), overlap


NETS = {
    "relu6": lambda: _classifier(nn.ReLU6),
    "silu": lambda: _classifier(nn.SiLU),
    "hardswish": lambda: _classifier(nn.Hardswish),
    "upscale": _upscaler,
    "segment": _segmenter,
}
"""Makers: → model, samples to calibrate with, samples to measure, score(found, FP32's)."""
