"""What modules take, found by trying."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from trtbuild.verbs.init.torch_inputs import guess_inputs
from trtbuild.verbs.init.torch_look import run_module


@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (nn.Conv2d(3, 4, 3), ("batch", 3, 224, 224)),
        (nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(72, 3)), ("batch", 1, 8, 8)),
        (nn.Conv1d(2, 4, 3), ("batch", 2, 16000)),
        (nn.Linear(5, 3), ("batch", 5)),
        (nn.LSTM(6, 4), ("length", "batch", 6)),
        (nn.GRU(6, 4, batch_first=True), ("batch", "length", 6)),
        (nn.Embedding(20, 4), ("batch", "length")),
    ],
)
def test_the_first_layer_says_it(module, shape):
    """And the smallest change of it that runs."""
    with torch.no_grad():
        (found, *_), tables = guess_inputs(module, run_module)

    assert shape == found.shape
    assert (20 if isinstance(module, nn.Embedding) else None) == tables.get(found.name)


def test_a_module_that_takes_nothing_known_gives_nothing():
    """Who knows has to say it."""
    assert ((), {}) == guess_inputs(nn.Bilinear(2, 3, 4), run_module)
