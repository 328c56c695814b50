from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of, outputs_of
from tests.helpers.quant import normal
from tests.steps.test_adjust_weights import DATA
from trtbuild.core.errors import StepInputError
from trtbuild.data.base import Manifest, Sample
from trtbuild.quant.equalizing.equalize import EqualizationAccount
from trtbuild.quant.equalizing.kinds import Awq, CrossLayer, Smooth
from trtbuild.steps import equalize as module
from trtbuild.steps.base import Context, Ref
from trtbuild.steps.capture_data import DataInput
from trtbuild.steps.equalize import Equalize

MODEL = "g (float[N,3] x) => (float[N,2] y) { a = MatMul(x, w)  r = Relu(a)  y = MatMul(r, v) }"
W = normal(3, 4) * np.float32([1, 10, 100, 1000])


@pytest.fixture
def equalize(tmp_path, monkeypatch):
    """Run the step; returns the model before and after, the account, and what was told."""

    def run(*kinds, **more):
        samples = [Sample(f"x[{i}]", {"x": normal(3, seed=i)}) for i in range(6)]
        monkeypatch.setattr(DataInput, "samples", lambda *_, **__: iter(samples))
        manifest = Manifest(count=6, samples=(), tensors=(), labelled=False)
        (tmp_path / "manifest.json").write_text(manifest.model_dump_json())
        model = model_of(MODEL, {"w": W, "v": normal(4, 2, seed=1)})
        onnx.save(model, tmp_path / "in.onnx")
        inputs = {
            "fix_graph/model": tmp_path / "in.onnx",
            "capture/manifest": tmp_path / "manifest.json",
        }
        out = tmp_path / "out"
        out.mkdir()
        context = Context(inputs=inputs, out=out)
        step = Equalize(
            model=Ref(step="fix_graph", output="model"),
            data=DataInput.model_validate_json(DATA),
            equalize=kinds,
            **more,
        )
        Equalize.model_validate_json(step.model_dump_json()).run(context)
        made = onnx.load(out / "model.onnx")
        account = EqualizationAccount.model_validate_json((out / "equalization.json").read_bytes())
        return model, made, account, context.events

    return run


def test_brings_channels_nearer_to_each_other(equalize):
    """The model computes what it did; the note says of what, and how far."""
    model, made, account, events = equalize(CrossLayer(kind="cross_layer"))

    feed = {"x": normal(9, 3)}
    assert np.allclose(outputs_of(model, feed)["y"], outputs_of(made, feed)["y"], rtol=1e-4)
    assert ["r"] == [each.name for each in account.tensors]
    assert account.tensors[0].spread_after < account.tensors[0].spread_before
    assert events.notes[0].startswith("cross_layer: 1 activation, the largest channel over")


def test_a_kind_that_finds_nothing_is_told(equalize):
    """It does nothing then, and a reader may think that it does."""
    model, made, _, events = equalize(Smooth(kind="smooth"))

    assert "`smooth` found nothing to equalize" in events.warnings[0]
    assert [node.op_type for node in model.graph.node] == [n.op_type for n in made.graph.node]


def test_a_model_that_moves_is_refused(equalize, monkeypatch):
    """By more than rounding: here less than nothing is allowed."""
    monkeypatch.setattr(module, "MOST_ERROR", -1.0)

    with pytest.raises(StepInputError, match="`y` is off by"):
        equalize(CrossLayer(kind="cross_layer"))


def test_awq_searches_and_says_what_it_gained(equalize):
    """For the type that the next step rounds to; the model computes what it did."""
    more = {"type": "int4", "block_size": "channel"}
    model, made, account, events = equalize(Awq(kind="awq", steps=5), **more)

    feed = {"x": normal(9, 3)}
    assert np.allclose(outputs_of(model, feed)["y"], outputs_of(made, feed)["y"], rtol=1e-4)
    assert [("r", "awq")] == [(each.name, each.by) for each in account.tensors]
    assert account.tensors[0].gain_db >= 0
    assert any(
        "awq: 1 activation, what reads them is less off by `r`" in each for each in events.notes
    )
