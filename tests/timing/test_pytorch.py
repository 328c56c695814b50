"""PyTorch modules as what is timed."""

from __future__ import annotations

import time

import numpy as np
import pytest

from trtbuild.core.errors import StepInputError
from trtbuild.core.values import TensorSpec
from trtbuild.timing.base import MadeModule, Setting, TimedModel
from trtbuild.timing.pytorch import Pytorch

torch = pytest.importorskip("torch")
ONE = Setting(threads=1)
SPEC = TensorSpec(name="x", dtype="float32", shape=("n", 2))
OTHER = TensorSpec(name="k", dtype="int64", shape=("n",))


class Named(torch.nn.Module):
    def forward(self, x, *, k):
        return {"sum": x.sum(1) + k, "more": (x.dtype == torch.float16, [x])}


def subject(module, order=("x",), keywords=(), inputs=(SPEC,)):
    made = MadeModule(module, inputs, order, keywords, ("a note",))
    return TimedModel("source", "module", None, make=lambda: made)


def test_inputs_go_by_name_where_they_must():
    """Tensors are found however deep they lie in what comes back."""
    given = subject(Named(), ("k", "x"), ("k", "x"), (SPEC, OTHER))
    opened = Pytorch(kind="pytorch").open(given, ONE)
    opened.feed({"x": np.ones((3, 2), np.float32), "k": np.arange(3)})
    found = list(opened.outputs().values())

    assert [2, 3, 4] == list(found[0])
    assert (3, 2) == found[1].shape


def test_numbers_are_converted_where_that_is_asked():
    """Whole ones are not; the name says it, and so does the precision."""
    kind = Pytorch(kind="pytorch", dtype="bf16", device="cpu")
    seen = []

    class Watching(torch.nn.Module):
        def forward(self, x, k):
            seen.append((x.dtype, k.dtype))
            return x

    opened = kind.open(subject(Watching(), ("x", "k"), (), (SPEC, OTHER)), ONE)
    opened.feed({"x": np.ones((1, 2), np.float32), "k": np.arange(1)})

    assert [(torch.bfloat16, torch.int64)] == seen
    assert ("torch-eager-cpu-bf16", "cpu") == (kind.label(), kind.place())
    assert ("BF16", ("a note",)) == kind.describe(None, opened)


def test_each_set_of_shapes_is_compiled_for_itself(monkeypatch):
    """What PyTorch refuses is told in its words."""
    asked = []
    monkeypatch.setenv("TORCHINDUCTOR_COMPILE_THREADS", "1")

    def compiling(module, **options):
        asked.append(options)
        if len(asked) > 2:
            raise RuntimeError("no compiler here. Install one")
        return module

    monkeypatch.setattr(torch, "compile", compiling)
    kind = Pytorch(kind="pytorch", compiled=True, device="cpu")
    opened = kind.open(subject(torch.nn.Identity()), ONE)
    opened.feed({"x": np.ones((1, 2), np.float32)})
    opened.feed({"x": np.ones((4, 2), np.float32)})

    assert [{"dynamic": False, "mode": None}] * 2 == asked
    assert "torch-compiled-cpu" == kind.label()
    with pytest.raises(StepInputError, match=r"torch.compile: RuntimeError: no compiler here"):
        opened.feed({"x": np.ones((5, 2), np.float32)})


def test_compiling_has_a_limit(monkeypatch):
    """What was too slow at some shapes is not tried at others."""
    asked = []
    monkeypatch.setenv("TORCHINDUCTOR_COMPILE_THREADS", "1")

    def compiling(module, **_):
        asked.append(module)
        time.sleep(60)

    monkeypatch.setattr(torch, "compile", compiling)
    kind = Pytorch(kind="pytorch", compiled=True, device="cpu", compile_seconds=0.05)
    opened = kind.open(subject(torch.nn.Identity()), ONE)
    for size in (1, 2):
        with pytest.raises(StepInputError, match=r"^compiling took longer than 0.05 s$"):
            opened.feed({"x": np.ones((size, 2), np.float32)})

    assert 1 == len(asked)


def test_what_cannot_run_says_why():
    """No GPU where one is asked for; a source without a module of its own."""
    plain = subject(torch.nn.Identity())
    other = TimedModel("source", "module", None, why_not="not timed")

    assert "" == Pytorch(kind="pytorch").find_hindrance(plain, ONE)
    assert "not timed" == Pytorch(kind="pytorch").find_hindrance(other, ONE)
    if not torch.cuda.is_available():
        cuda = Pytorch(kind="pytorch", device="cuda")
        assert "sees no GPU" in cuda.find_hindrance(plain, ONE)
