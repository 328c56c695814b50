"""Where a gate fails, the layers that cost most are known, for no more than the comparison cost."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.projects import edit, small_project
from trtbuild.recipe.load import load_recipe
from trtbuild.recipe.schema import LayerMeasurement
from trtbuild.run.executor import QuietListener
from trtbuild.run.inline import Inline
from trtbuild.verbs.sensitivity import measure_layers

TARGET = "rtx: {kind: tensorrt_rtx, compute_capabilities: [8.9], workspace: 256MiB}"


class Hearing(QuietListener):
    """Remembers what is done beyond the plan."""

    def __init__(self):
        self.said = []

    def extended(self, message):
        self.said.append(message)


@pytest.fixture
def recipe(tmp_path):
    """A recipe whose gate nothing in INT8 passes."""
    file = edit(small_project(tmp_path / "small"), TARGET, "ort: {kind: onnxruntime}")
    return edit(file, "at_least: 10", "at_least: 90")


def test_layers_are_measured_alone_once_a_gate_failed(recipe, apply):
    """On all 6 samples that were compared; the cost is said before, and spent once."""
    listener = Hearing()

    done = apply(recipe, listener=listener)

    assert (False, 3, 6) == (
        done.passed,
        len(done.record.sensitivity.layers),
        done.record.sensitivity.samples,
    )
    assert {()} == {each.others for each in done.record.sensitivity.layers}
    (said,) = listener.said
    assert "layers × samples: 3 × 6, so 18 passes" in said
    again = apply(recipe, listener=listener)
    assert (1, ()) == (len(listener.said), again.changed)


@pytest.mark.parametrize("change", [("at_least: 90", "at_least: 10"), ("rule", "no_gates")])
def test_nothing_is_measured_where_no_gate_refuses_the_build(recipe, apply, change):
    """None fails, or they are asked not to count."""
    waived = change[1] == "no_gates"
    done = apply(recipe if waived else edit(recipe, *change), no_gates=waived)

    assert done.record.sensitivity is None


def test_what_sensitivity_has_measured_is_taken(recipe, apply, store, tmp_path):
    """32 samples, or as many as there are, and with all layers but each in INT8."""
    measure_layers(
        load_recipe(recipe),
        store,
        executor=Inline(),
        directory=tmp_path / "build",
        asked=LayerMeasurement(),
        listener=QuietListener(),
        announce=lambda _: None,
    )
    listener = Hearing()

    done = apply(recipe, listener=listener)

    assert [] == listener.said
    assert all(each.others for each in done.record.sensitivity.layers)


def test_many_layers_are_not_worth_a_few_samples(recipe, apply, monkeypatch):
    """Of one sample compared, 3 layers are run on one; with half of that allowed, on none."""
    file = recipe.parent / "eval.npz"
    with np.load(file) as found:
        arrays = {name: found[name][:1] for name in found.files}
    np.savez(file, **arrays)
    assert apply(recipe).record.sensitivity is not None
    monkeypatch.setattr("trtbuild.verbs.costliest_layers.PASSES_COMPARED", 1)

    assert apply(recipe).record.sensitivity is None
