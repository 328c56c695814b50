"""What measuring every layer of ResNet-50 costs, in forward passes of half the network.

Run it with `python -m tests.bench.sensitivity --samples 32`; it needs torch and onnxscript. All is
counted in processor time of one thread, so that what else a machine does hardly matters, and passes
are measured before, between and after.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx

from tests.helpers.quant import normal, observed
from trtbuild.core.sensitivity import MeasuredLayers, PickedSamples
from trtbuild.core.values import TensorSpec
from trtbuild.data.archive import write_samples
from trtbuild.data.arrays import Arrays
from trtbuild.data.base import Manifest, Sample
from trtbuild.model.onnx_file import load_onnx
from trtbuild.model.session import open_session
from trtbuild.plan.sensitivity import PARTS
from trtbuild.quant.apply import quantize_model
from trtbuild.steps.base import Context, Ref
from trtbuild.steps.capture_data import DataInput
from trtbuild.steps.measure_layers import MeasureLayers

SHAPE = (1, 3, 224, 224)


def write_inputs(folder: Path, samples: int) -> int:
    """Write a seeded ResNet-50, what quantization makes of it, and samples; return its layers."""
    import torch

    from recipes.models.resnet50 import resnet50

    torch.manual_seed(0)
    torch.onnx.export(
        resnet50().eval(),
        (torch.zeros(SHAPE),),
        folder / "float.onnx",
        input_names=["input"],
        dynamic_shapes=({0: "batch"},),
        external_data=False,
        verbose=False,
    )
    model = load_onnx(folder / "float.onnx")
    made = quantize_model(
        model, ranges=observed(load_onnx(folder / "float.onnx"), {"input": normal(*SHAPE)})
    )
    onnx.save(made.model, folder / "int8.onnx")
    (folder / "account").write_text(made.account.model_dump_json())
    names = tuple(map(str, range(samples)))
    picked = PickedSamples(
        of=samples, names=names, places=tuple(range(samples)), digests=("sha256:aa",) * samples
    )
    (folder / "picked").write_text(picked.model_dump_json())
    spec = TensorSpec(name="input", dtype="float32", shape=SHAPE[1:])
    manifest = Manifest(count=samples, samples=picked.digests, tensors=(spec,), labelled=False)
    (folder / "manifest").write_text(manifest.model_dump_json())
    with write_samples(folder / "samples") as store:
        for index, name in enumerate(names):
            store(Sample(name, {"input": normal(*SHAPE[1:], seed=index)}))
    return made.account.asked


def make_step(part: int, *, others: bool) -> MeasureLayers:
    """Return one of the steps that measure the layers."""
    here = {name: Ref(step="s", output=name) for name in NAMES}
    data = DataInput(
        source=Arrays(kind="arrays", path="x"),
        files=(),
        manifest=here["manifest"],
        stored=here["samples"],
    )
    return MeasureLayers(
        model=here["float.onnx"],
        quantized=here["int8.onnx"],
        account=here["account"],
        data=data,
        samples=here["samples"],
        picked=here["picked"],
        metrics=("sqnr_db", "top1_agreement"),
        others=others,
        part=part,
        parts=PARTS,
    )


NAMES = ("float.onnx", "int8.onnx", "account", "picked", "manifest", "samples")


class Passes:
    """Forward passes of a model, in processor time."""

    def __init__(self, model: Path) -> None:
        self.session = open_session(model, threads=1)
        self.feed = {"input": normal(*SHAPE)}
        self.seconds: list[float] = []

    def measure(self, times: int = 10) -> None:
        """Run some; the first does not count."""
        for index in range(times + 1):
            begin = time.process_time()
            self.session.run(self.feed)
            self.seconds += [time.process_time() - begin] if index else []


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=32)
    samples = parser.parse_args().samples
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        layers = write_inputs(folder, samples)
        passes = Passes(folder / "float.onnx")
        for others in (False, True):
            spent = 0.0
            for part in range(PARTS):
                passes.measure()
                spent += run(make_step(part, others=others), folder)
            passes.measure()
            half = layers * samples * float(np.mean(passes.seconds)) / 2
            told = "alone, and all but it" if others else "alone"
            sys.stdout.write(
                f"{layers} layers, {samples} samples, {told}: {spent:.1f} s; half passes "
                f"{half:.1f} s: {spent / half:.2f} times\n"
            )
            sys.stdout.flush()


def run(step: MeasureLayers, folder: Path) -> float:
    """Run a step; return its processor time."""
    out = folder / "run" / "out"
    out.mkdir(parents=True, exist_ok=True)
    begin = time.process_time()
    inputs = {f"s/{name}": folder / name for name in NAMES}
    step.run(Context(inputs=inputs, out=out, threads=1))
    spent = time.process_time() - begin
    found = MeasuredLayers.model_validate_json((out / "layers.json").read_bytes())
    assert found.layers
    return spent


if __name__ == "__main__":
    main()
