"""Which engines can run here."""

from __future__ import annotations

from types import SimpleNamespace

from trtbuild.backends.tensorrt11 import Tensorrt11
from trtbuild.backends.tensorrt_rtx import TensorrtRtx
from trtbuild.core.needs import GPU
from trtbuild.machine.places import Place
from trtbuild.verbs.benching.engines import find_engines


def test_an_engine_runs_where_its_gpu_is():
    """What is compiled ahead of time for another one is named, and so is what is not installed."""
    rtx, other = (
        TensorrtRtx(kind="tensorrt_rtx", compute_capabilities=(each,)) for each in (8.9, 8.6)
    )
    targets = {"ada": rtx, "ampere": other, "eleven": Tensorrt11(kind="tensorrt11")}
    loaded = SimpleNamespace(recipe=SimpleNamespace(targets=targets))
    facts = {GPU: "NVIDIA A10 (8.6)"}

    def place(needs):
        return Place(facts, "tensorrt is not installed" if needs.kind == "tensorrt11" else "")

    found = find_engines(loaded, SimpleNamespace(place=place))

    assert ("ampere",) == found.runnable
    assert [
        "ada/engine: it is for 8.9, and here is NVIDIA A10 (8.6)",
        "eleven/engine: tensorrt is not installed",
    ] == [f"{each.name}: {each.reason}" for each in found.not_run]
