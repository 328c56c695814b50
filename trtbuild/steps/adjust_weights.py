"""Fit the integers and biases of an INT8 model to what its layers read."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from trtbuild.core.words import join_few
from trtbuild.steps.base import Context, Events, Step
from trtbuild.steps.calibrate import choose_workers
from trtbuild.steps.capture_data import DataInput
from trtbuild.steps.quantize import Quantize

if TYPE_CHECKING:
    import numpy as np
    import onnx

    from trtbuild.quant.adjusting.table import AdjustmentsAccount

__all__ = ["AdjustWeights"]

SHOWN = 3
FED_BYTES = 1 << 30
"""Of samples, all of which are kept until the first layers are done."""


class AdjustWeights(Step):
    """Round weights by reconstruction and correct biases, front to back, layer by layer."""

    version: ClassVar[int] = 2
    outputs: ClassVar[Mapping[str, str]] = {
        "table": "adjustments.npz",
        "account": "adjustments.json",
    }

    kind: Literal["adjust_weights"] = "adjust_weights"
    quantize: Quantize
    """What is adjusted: what this step would write."""
    quantize_version: int = Quantize.version
    """Whatever else it would write is adjusted otherwise."""
    data: DataInput
    rounding: bool = False
    bias: bool = False

    def fact_names(self) -> tuple[str, ...]:
        """ONNX Runtime computes the values, NumPy what is made of them."""
        return ("numpy", "onnxruntime")

    def run(self, context: Context) -> None:
        """Write adjustments.npz, which the step that quantizes reads, and an account of it.

        Raises:
            StepInputError: the model cannot be run or quantized, or a sample does not fit it.
        """
        from trtbuild.model.onnx_file import load_onnx
        from trtbuild.model.view import GraphView
        from trtbuild.model.weights_file import use_scratch
        from trtbuild.quant.adjusting.adjust import AdjustRequest, adjust_model
        from trtbuild.quant.adjusting.table import Adjustments, AdjustmentsAccount
        from trtbuild.quant.quantized_graph import is_quantized

        path = context.path(self.quantize.model)
        model = load_onnx(path)
        if is_quantized(GraphView(model)):
            context.events.warn(
                "nothing was adjusted: the model came quantized, and its float weights are not "
                "known (hint: leave `rounding` and `bias_correction` out)"
            )
            found, account = Adjustments(), AdjustmentsAccount(samples=0, layers=())
        else:
            with use_scratch(context.out.parent / "scratch", of=model):
                found, account = adjust_model(
                    model,
                    self.quantize.quantize(load_onnx(path), context, halved=False).model,
                    self._list_feeds(path, context),
                    AdjustRequest(rounding=self.rounding, bias=self.bias),
                    threads=choose_workers(context),
                    progress=lambda done, total: context.events.progress(done, total, "layers"),
                    runnable=lambda made: _make_runnable(made, context.out.parent),
                )
            _tell(account, context.events)
        found.write(self.out(context, "table"))
        self.write(context, "account", account, indent=1)

    def _list_feeds(self, path: Path, context: Context) -> list[Mapping[str, np.ndarray]]:
        """Return what the model is fed: samples spread over the data, broken ones left out."""
        from trtbuild.calib.broken_samples import find_broken_samples
        from trtbuild.model.onnx_file import load_bare
        from trtbuild.model.signature import describe_tensor, list_inputs
        from trtbuild.quant.adjusting.adjust import MOST_SAMPLES

        inputs = tuple(map(describe_tensor, list_inputs(load_bare(path).graph)))
        feeder = self.data.make_feeder(inputs, context)
        manifest = self.data.read_manifest(context)
        feeder.demand_whole_batches(manifest.count)
        broken = find_broken_samples(manifest.peaks)
        runs = manifest.count // feeder.batch
        sound = [
            run
            for run in range(runs)
            if broken.keys().isdisjoint(range(run * feeder.batch, (run + 1) * feeder.batch))
        ]
        most = max(1, MOST_SAMPLES // feeder.batch)
        chosen = (
            {sound[i * len(sound) // most] for i in range(most)} if len(sound) > most else sound
        )
        found: list[Mapping[str, np.ndarray]] = []
        for index, feed in enumerate(feeder.feeds(self.data.samples(context))):
            if index in chosen:
                found.append(feed.arrays)
            if sum(array.nbytes for each in found for array in each.values()) > FED_BYTES:
                break
        return found


def _make_runnable(model: onnx.ModelProto, folder: Path) -> onnx.ModelProto:
    """Return a model as ONNX Runtime runs it on a CPU: of one with 16 bits its twin."""
    import onnx

    from trtbuild.model.half_twin import write_half_twin
    from trtbuild.model.onnx_file import load_onnx, write_onnx

    folder = Path(tempfile.mkdtemp(prefix="run-", dir=folder))
    copy = onnx.ModelProto()
    copy.CopyFrom(model)  # what is written is used up
    write_onnx(copy, folder / "model.onnx")
    return load_onnx(write_half_twin(folder / "model.onnx", folder / "twin"))


def _tell(account: AdjustmentsAccount, events: Events) -> None:
    """Say what was gained, and what was left."""
    if not account.layers:
        events.warn("nothing was adjusted: no layer with a weight is INT8")
    gains = sorted(account.list_gains(), reverse=True)
    if gains:
        median = gains[len(gains) // 2][0]
        best = join_few([f"`{name}` {gain:+.1f} dB" for gain, name in gains[:SHOWN]], SHOWN)
        events.note(
            f"adjusted {len(gains)} of {len(account.layers)} layers on {account.samples} samples; "
            f"what they make is closer to FP32 by {median:.1f} dB in the median: {best}"
        )
    for reason in dict.fromkeys(account.left.values()):
        names = [f"`{name}`" for name, why in account.left.items() if why == reason]
        events.note(f"not all of {join_few(names, SHOWN)} was adjusted: {reason}")
