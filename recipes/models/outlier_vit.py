"""A vision transformer for 32 x 32 pictures, whose norms have outlier channels from the start.

Large transformers grow a few channels that are tens of times larger than the rest behind a norm
(LLM.int8(), arXiv:2208.07339; SmoothQuant, arXiv:2211.10438). One this small does not: so it is
made with them, in a way that leaves its function as it was, and trained with them in place.
Weight decay has drawn them in, to about 10 to 25 times the median: `raised` multiplies them once
more when trained weights are loaded, again in a way that leaves the function as it was, to the 100
times that SmoothQuant tells of. Training alone grew none: two such networks of 6 layers, without
any to start with, at two and four times the rate, stayed below 5.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from recipes.models.digits_vit import Encoder


class OutlierVit(nn.Module):
    """An Image is Worth 16x16 Words (arXiv:2010.11929), with 4x4 patches and mean pooling."""

    def __init__(
        self,
        width: int = 64,
        heads: int = 4,
        depth: int = 4,
        classes: int = 10,
        gain: float = 40,
        raised: float = 1,
    ) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, 4, stride=4)
        self.position = nn.Parameter(0.02 * torch.randn(1, 64, width))
        self.layers = nn.Sequential(*(Encoder(width, heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.fc = nn.Linear(width, classes)
        self._raise_all(gain)
        if raised != 1:
            self.register_load_state_dict_post_hook(lambda *_: self._raise_all(raised))

    @torch.no_grad()
    def _raise_all(self, gain: float) -> None:
        width = len(self.norm.weight)
        for number, layer in enumerate(self.layers):
            attention, rows = layer.attention, [number * 5 % width, (number * 11 + 7) % width]
            readers = [attention.query, attention.key, attention.value]
            _raise_channels(layer.norm1, readers, rows, gain)
            _raise_channels(layer.norm2, [layer.fc1], rows, gain)

    def forward(self, x: Tensor) -> Tensor:
        """Map pictures [batch, 3, 32, 32] in 0..1 to logits [batch, classes]."""
        tokens = self.patches(x).flatten(2).transpose(1, 2) + self.position
        return self.fc(self.norm(self.layers(tokens)).mean(dim=1))


def _raise_channels(
    norm: nn.LayerNorm, readers: list[nn.Linear], channels: list[int], gain: float
) -> None:
    """Multiply channels behind a norm, and divide what reads them: the function stays the same."""
    norm.weight[channels] *= gain
    norm.bias[channels] *= gain
    for reader in readers:
        reader.weight[:, channels] /= gain


def outlier_vit(**options: Any) -> nn.Module:
    """Return the model; trtbuild loads its weights, and calls `eval()`."""
    return OutlierVit(**options)
