"""Equalize a float model before it is calibrated."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from trtbuild.core.errors import StepInputError
from trtbuild.core.late_options import LATER
from trtbuild.core.placed import MODELS
from trtbuild.core.quantized_types import TYPES, QuantizedName
from trtbuild.core.words import join_few
from trtbuild.quant import AnyEqualization, AnyWeightScaling
from trtbuild.quant.requests import BlockSize
from trtbuild.quant.writing.weights import WeightsAbsmax
from trtbuild.steps.base import Context, Events, Ref, Step
from trtbuild.steps.capture_data import DataInput

if TYPE_CHECKING:
    import numpy.typing as npt

    from trtbuild.model.view import GraphView
    from trtbuild.quant.equalizing.awq import Found, Seen
    from trtbuild.quant.equalizing.balances import Balance
    from trtbuild.quant.equalizing.equalize import EqualizationAccount

    Peaks = dict[str, npt.NDArray[Any]]

__all__ = ["Equalize"]

MOST_ERROR = 1e-4
"""How far outputs may move, against their own root mean square: rounding in deep models."""
SHOWN = 3
HELD = 2
"""Samples on which the model is held against what it was."""


class Equalize(Step):
    """Scale channels so that quantization costs less; the model computes what it did."""

    version: ClassVar[int] = 3
    outputs: ClassVar[Mapping[str, str]] = {"model": "model.onnx", "account": "equalization.json"}
    beside: ClassVar[Mapping[str, str]] = {"weights": MODELS["fp32"].weights}

    kind: Literal["equalize"] = "equalize"
    model: Ref
    data: DataInput
    equalize: tuple[AnyEqualization, ...]
    type: Annotated[QuantizedName, LATER] = "int8"
    """What `awq` rounds weights to, as the next step does, with what follows."""
    block_size: Annotated[BlockSize, LATER] = 128
    weights: Annotated[AnyWeightScaling, LATER] = WeightsAbsmax(kind="absmax")

    def fact_names(self) -> tuple[str, ...]:
        """ONNX Runtime computes the values."""
        return ("numpy", "onnxruntime")

    def run(self, context: Context) -> None:
        """Write the equalized model, and an account of it.

        Raises:
            StepInputError: the model cannot be run, a sample does not fit it, or the outputs move
                by more than rounding does.
        """
        from trtbuild.model.onnx_file import load_onnx, write_onnx
        from trtbuild.model.view import GraphView
        from trtbuild.model.weights_file import use_scratch
        from trtbuild.quant.equalizing.awq import Seen
        from trtbuild.quant.equalizing.equalize import (
            choose_balances,
            choose_searched,
            equalize,
        )

        path = context.path(self.model)
        model = load_onnx(path)
        view = GraphView(model)
        balances = choose_balances(view, self.equalize)
        awq = [each for each in self.equalize if each.kind == "awq"]
        steps, inserting = max((each.steps for each in awq), default=0), any(x.insert for x in awq)
        taken = [each for each, _ in balances]
        more = choose_searched(view, taken, inserting=inserting) if steps else []
        seen = {each.tensor: Seen() for each in more}
        every = [*taken, *more]
        peaks = self._measure(path, every, context, seen) if every else {}
        found = self._search(view, more, seen, steps)
        with use_scratch(context.out.parent / "scratch", of=model):
            account = equalize(model, [*balances, *((each, 0.0) for each in more)], peaks, found)
            write_onnx(model, self.out(context, "model"), self.out(context, "weights"))
        if account.tensors:
            self._hold(path, context)
        self._tell(account, context.events)
        self.write(context, "account", account, indent=1)

    def _search(
        self, view: GraphView, balances: list[Balance], seen: Mapping[str, Seen], steps: int
    ) -> dict[str, Found]:
        """Return the factors with which what reads each activation is least off."""
        from trtbuild.quant.equalizing.awq import make_rounding, search_balance

        block = None if self.block_size == "channel" else self.block_size
        rounding = make_rounding(TYPES[self.type], block, self.weights)
        return {
            each.tensor: search_balance(view, each, seen[each.tensor], rounding, steps)
            for each in balances
        }

    def _measure(
        self, path: Path, balances: list[Balance], context: Context, seen: Mapping[str, Seen]
    ) -> Peaks:
        """Return the largest |x| of each channel that calibration data shows; fill in `seen`."""
        from trtbuild.calib.broken_samples import find_broken_samples
        from trtbuild.calib.observe import observing
        from trtbuild.model.half_twin import load_runnable
        from trtbuild.quant.equalizing.equalize import measure_channels

        path, model = load_runnable(path, context.out.parent / "twin")
        manifest = self.data.read_manifest(context)
        broken = find_broken_samples(manifest.peaks)
        axes = {balance.tensor: balance.axis for balance in balances}
        peaks: Peaks = {}
        with observing(
            model,
            list(axes),
            folder=path.parent,
            below=context.out.parent,
            feeder_for=lambda inputs: self.data.make_feeder(inputs, context),
        ) as (observer, feeder):
            feeder.demand_whole_batches(manifest.count)
            done = 0
            for feed in feeder.feeds(self.data.samples(context)):
                samples = range(done, done + len(feed.samples))
                done = samples.stop
                if broken.keys().isdisjoint(samples):
                    with feed.blamed():
                        found = list(observer.values(feed.arrays))
                    measure_channels(peaks, found, axes)
                    for name, values in found:
                        if name in seen:
                            seen[name].add(values)
                context.events.progress(done, manifest.count, "samples")
        return peaks

    def _hold(self, path: Path, context: Context) -> None:
        """Hold the model's outputs against what they were, on the first samples.

        Raises:
            StepInputError: they moved.
        """
        import itertools

        from trtbuild.model.half_twin import load_runnable
        from trtbuild.model.onnx_file import load_bare
        from trtbuild.model.session import open_session
        from trtbuild.model.signature import describe_tensor, list_inputs
        from trtbuild.quant.equalizing.equalize import measure_change

        inputs = tuple(map(describe_tensor, list_inputs(load_bare(path).graph)))
        feeder = self.data.make_feeder(inputs, context)
        models = {"before": path, "after": self.out(context, "model")}
        twins = [load_runnable(each, context.out.parent / name)[0] for name, each in models.items()]
        sessions = [open_session(each, threads=1) for each in twins]
        for feed in itertools.islice(feeder.feeds(self.data.samples(context)), HELD):
            before, after = (session.run(feed.arrays) for session in sessions)
            for name, change in measure_change(before, after):
                if change > MOST_ERROR:
                    raise StepInputError(
                        f"`{name}` is off by {change:.1e} of its size once the model is equalized",
                        hint="its numbers are too far apart for that: leave `equalize` out",
                    )

    def _tell(self, account: EqualizationAccount, events: Events) -> None:
        for asked in self.equalize:
            told = [each for each in account.tensors if each.by == asked.kind]
            if not told:
                events.warn(
                    f"`{asked.kind}` found nothing to equalize: no constants stand on both sides "
                    "of an activation (hint: leave it out)"
                )
                continue
            several = "s" * (len(told) > 1)
            if asked.kind == "awq":
                told.sort(key=lambda each: -(each.gain_db or 0))
                gains = [
                    f"`{each.name}` {each.gain_db:.1f} dB{' by a Mul' * each.inserted}"
                    for each in told
                ]
                what = f"{len(told)} activation{several}, what reads them is less off by"
                events.note(f"awq: {what} {join_few(gains, SHOWN)}")
                continue
            told.sort(key=lambda each: each.spread_after - each.spread_before)
            names = [
                f"`{each.name}` {each.spread_before:.1f} → {each.spread_after:.1f}" for each in told
            ]
            events.note(
                f"{asked.kind}: {len(told)} activation{several}, the largest channel over the mean "
                f"one: {join_few(names, SHOWN)}"
            )
