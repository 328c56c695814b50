"""The steps that measure layers: samples picked, layers shared out, parts put together."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.helpers.emulated_cuda import stand_in
from tests.helpers.quant import normal, observed, seeded
from trtbuild.core.errors import StepInputError
from trtbuild.core.needs import INFERENCE_DEVICE
from trtbuild.core.sensitivity import MeasuredLayers, PickedSamples, Sensitivity
from trtbuild.core.values import TensorSpec
from trtbuild.data.archive import write_samples
from trtbuild.data.arrays import Arrays
from trtbuild.data.base import Manifest, Sample
from trtbuild.quant.apply import quantize_model
from trtbuild.quant.switching.layer_runs import Stretch
from trtbuild.steps.base import Context, QuietEvents, Ref
from trtbuild.steps.capture_data import DataInput
from trtbuild.steps.layer_findings import LayerFindings
from trtbuild.steps.measure_layers import MeasureLayers, share_out
from trtbuild.steps.merge_layers import MergeLayers

CHAIN = """
g (float[{batch}, 4] x) => (float[{batch}, 4] y) <float[4, 4] a, float[4, 4] b, float[4, 4] c> {{
  [one] p = MatMul(x, a)
  q = Relu(p)
  [two] r = MatMul(q, b)
  [three] y = MatMul(r, c)
}}
"""
DATA = DataInput(
    source=Arrays(kind="arrays", path="eval.npz"),
    files=(),
    manifest=Ref(step="capture", output="manifest"),
    stored=Ref(step="capture", output="samples"),
)
PICKED = Ref(step="pick", output="picked")


class Setup:
    """The steps' inputs on disk: a chain of three layers, and eight samples."""

    def __init__(self, folder, batch="N", *, quantized=False):
        self.folder = folder
        self.events = QuietEvents()
        self.facts = {}
        self.samples = normal(8, 4, seed=5)
        model = seeded(CHAIN.format(batch=batch), a=(4, 4), b=(4, 4), c=(4, 4))
        ranges = observed(
            seeded(CHAIN.format(batch=8), a=(4, 4), b=(4, 4), c=(4, 4)), {"x": self.samples}
        )
        onnx.save(model, self.path("fix_graph/model"))
        made = quantize_model(model, ranges=ranges)
        onnx.save(made.model, self.path("quantize/model"))
        if quantized:
            onnx.save(made.model, self.path("fix_graph/model"))
        self.path("quantize/account").write_text(made.account.model_dump_json())
        spec = TensorSpec(name="x", dtype="float32", shape=(4,))
        manifest = Manifest(count=8, samples=("sha256:aa",) * 8, tensors=(spec,), labelled=False)
        self.path("capture/manifest").write_text(manifest.model_dump_json())
        names = tuple(f"s{index}" for index in range(8))
        picked = PickedSamples(of=8, names=names, places=tuple(range(8)), digests=manifest.samples)
        self.path("pick/picked").write_text(picked.model_dump_json())
        with write_samples(self.path("pick/samples")) as store:
            for name, values in zip(names, self.samples, strict=True):
                store(Sample(name, {"x": values}))

    def path(self, name):
        self.folder.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
        return self.folder / name

    def run(self, step):
        """Run a step on what lies there; return the file that it wrote."""
        out = self.folder / "run" / "out"
        out.mkdir(parents=True, exist_ok=True)
        names = ("fix_graph/model", "quantize/model", "quantize/account", "capture/manifest")
        names += ("pick/picked", "pick/samples", *(f"part/{index}" for index in range(4)))
        inputs = {name: self.folder / name for name in names}
        step.run(Context(inputs=inputs, out=out, events=self.events, threads=2, facts=self.facts))
        return out / next(iter(step.outputs.values()))

    def measure(self, part=0, parts=1, *, layers=(), metrics=("cosine",), others=True):
        """Measure some layers."""
        step = MeasureLayers(
            model=Ref(step="fix_graph", output="model"),
            quantized=Ref(step="quantize", output="model"),
            account=Ref(step="quantize", output="account"),
            data=DATA,
            samples=Ref(step="pick", output="samples"),
            picked=PICKED,
            metrics=metrics,
            layers=layers,
            others=others,
            part=part,
            parts=parts,
        )
        return MeasuredLayers.model_validate_json(self.run(step).read_bytes())


def test_parts_come_to_what_one_step_comes_to(tmp_path):
    """Put together, the worst first; a part without layers has nothing to say."""
    setup = Setup(tmp_path)
    whole = setup.measure()
    for part in range(4):
        found = setup.measure(part, 4)
        setup.path(f"part/{part}").write_text(found.model_dump_json())
    merge = MergeLayers(
        parts=tuple(Ref(step="part", output=str(part)) for part in range(4)),
        model=Ref(step="fix_graph", output="model"),
        picked=PICKED,
    )
    found = Sensitivity.model_validate_json(setup.run(merge).read_bytes())
    costs = {layer.name: layer.worst_db for layer in whole.layers}

    assert ["one", "two", "three"] == list(costs)
    assert whole.whole == found.whole != ()
    assert sorted(costs, key=costs.get) == [layer.name for layer in found.layers]
    assert ("FP32 model", 8, 8) == (found.reference, found.samples, found.of)
    for layer in found.layers:
        assert costs[layer.name] == pytest.approx(layer.worst_db, abs=0.01)


def test_on_a_gpu_samples_share_runs(tmp_path, monkeypatch):
    """Figures are those of one by one; here a CPU stands in for it."""
    setup = Setup(tmp_path)
    alone = setup.measure()
    stand_in(monkeypatch, {})
    setup.facts = {INFERENCE_DEVICE: "NVIDIA L4 (8.9), CUDA"}
    sizes, take = [], LayerFindings.take

    def count(found, runs, place, feed, events, *, total):
        sizes.append((place, len(feed.samples)))
        take(found, runs, place, feed, events, total=total)

    monkeypatch.setattr(LayerFindings, "take", count)
    together = setup.measure()

    assert [(0, 8)] == sizes
    assert 8 == together.samples
    for one, other in zip(alone.layers, together.layers, strict=True):
        assert one.operands == other.operands
        assert one.own_db == pytest.approx(other.own_db, abs=1e-3)
        assert one.worst_db == pytest.approx(other.worst_db, abs=1e-3)
    assert [] == setup.events.notes


def test_signal_over_noise_is_measured_whatever_the_recipe_says(tmp_path):
    """By it layers are put in order; what the recipe asks for comes first."""
    (layer, *_) = Setup(tmp_path).measure(metrics=("cosine",)).layers

    assert ["cosine", "sqnr_db"] == [each.metric for each in layer.alone]


def test_passes_are_counted_as_they_are_done(tmp_path):
    """Two for each layer and sample, or one where it is only to be alone in INT8."""
    told = []
    setup = Setup(tmp_path)
    setup.events.progress = lambda *told_: told.append(told_)
    setup.measure(layers=("t*",))

    assert (32, 32, "passes") == told[-1]
    assert 32 == len(told)
    (layer, *_) = setup.measure(layers=("t*",), others=False).layers
    assert (16, 16, "passes") == told[-1]
    assert ((), True) == (layer.others, bool(layer.alone))


def test_a_fixed_batch_takes_whole_batches(tmp_path):
    """Of eight samples a model that takes three at once sees six."""
    assert 6 == Setup(tmp_path, batch=3).measure().samples


def test_of_a_source_that_came_quantized_activations_are_switched(tmp_path):
    """Its weights are INT8 on both sides, so that a layer alone may cost less than from float."""
    came, made = (
        {layer.name: layer for layer in Setup(tmp_path / name, quantized=came).measure().layers}
        for name, came in (("came", True), ("made", False))
    )

    assert came.keys() == made.keys()
    assert made["two"].worst_db + 3 < came["two"].worst_db < 60
    assert "q" == came["two"].operands[0].tensor


def test_a_pattern_that_means_nothing_is_an_error(tmp_path):
    """And says what would be something."""
    with pytest.raises(StepInputError, match="`gone` means no layer in INT8") as raised:
        Setup(tmp_path).measure(layers=("gone",))

    assert "in INT8: one, two, three; names" in str(raised.value.hint)


def test_layers_are_shared_out_evenly_and_in_order():
    """Each in one part; what lies between two of a part's stretches is run with it."""
    stretches = [Stretch(place, place + 1, (place,)) for place in range(8)]

    assert [2, 2, 2, 2] == [len(each) for each in share_out(stretches, range(8), 4)]
    assert [[3], [], [4]] == [
        [each.start for each in share] for share in share_out(stretches, [3, 4], 3)
    ]
    assert [5, 6, 7] == [each.start for each in share_out(stretches, [5, 7], 1)[0]]


def test_own_figures_are_those_of_the_layers_input(tmp_path):
    """What it reads is named, and how it fills its range."""
    (one, *_) = Setup(tmp_path).measure().layers
    (operand,) = one.operands

    assert ("x", 0.0) == (operand.tensor, operand.clipped)
    assert operand.limit == pytest.approx(operand.largest)
    assert 2**operand.bits == pytest.approx(operand.levels)
    assert 25 < one.own_db < 60
    assert np.isfinite(one.own_db)
