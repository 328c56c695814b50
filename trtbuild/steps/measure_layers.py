"""Measure what some layers of a quantized model cost in INT8, one by one."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from trtbuild.core.errors import StepInputError
from trtbuild.core.needs import INFERENCE_BATCH, INFERENCE_DEVICE, Needs
from trtbuild.core.patterns import find_nodes
from trtbuild.core.quantized_types import INT8, TYPES, join_words
from trtbuild.core.sensitivity import MeasuredLayers, PickedSamples
from trtbuild.core.user_code import UserCode
from trtbuild.core.words import join_few
from trtbuild.data.archive import read_samples
from trtbuild.measure.metrics import Metric
from trtbuild.quant.account import QuantizationAccount
from trtbuild.steps.base import Context, Ref, Step
from trtbuild.steps.capture_data import DataInput
from trtbuild.steps.infer import GPU_LANES, make_merging
from trtbuild.steps.kept_outputs import KeptOutputs
from trtbuild.steps.layer_metrics import SURVEYED, plan_tally
from trtbuild.steps.measuring import Measuring

if TYPE_CHECKING:
    import numpy as np
    import onnx

    from trtbuild.data.base import Sample
    from trtbuild.model.feeds import Feed, Feeder
    from trtbuild.model.outline import ModelOutline
    from trtbuild.quant.switching.layer_runs import LayerModel, Stretch
    from trtbuild.steps.layer_findings import LayerFindings

__all__ = ["MeasureLayers", "choose_layers", "read_picked", "share_out", "take_whole_batches"]

_MOST = 8


class MeasureLayers(Step):
    """Run the model with each layer alone in INT8, and with all but it; one of several parts.

    Layers are shared out over the parts in graph order. What is in front of a part's layers is
    computed once a sample, and what is behind each layer once for each.
    """

    version: ClassVar[int] = 3
    outputs: ClassVar[Mapping[str, str]] = {"layers": "layers.json"}

    kind: Literal["measure_layers"] = "measure_layers"
    model: Ref
    """The float model."""
    quantized: Ref
    """What quantization made of it."""
    account: Ref
    data: DataInput
    samples: Ref
    picked: Ref
    metrics: tuple[Metric, ...]
    more: Measuring = Measuring()
    """What is measured beside plain metrics."""
    layers: tuple[str, ...] = ()
    """Names or patterns of the layers to measure; all where there is none."""
    others: bool = True
    """Whether the model is run with all layers but each one in INT8 too."""
    part: int = 0
    parts: int = 1

    def fact_names(self) -> tuple[str, ...]:
        """ONNX Runtime computes the outputs, others the figures."""
        return (*self.more.list_packages(), "onnxruntime", INFERENCE_DEVICE, INFERENCE_BATCH)

    def user_code(self) -> UserCode | None:
        """Say what code of the user's measures, where some does."""
        return self.more.user_code()

    def needs(self) -> Needs:
        """Run models; need a process of its own where code of the user's runs."""
        return Needs(inference=True, own_process=self.user_code() is not None)

    def run(self, context: Context) -> None:
        """Write layers.json (core.sensitivity.MeasuredLayers).

        Raises:
            StepInputError: no layer is in INT8, or none that the patterns mean.
        """
        from trtbuild.model.onnx_file import load_onnx
        from trtbuild.model.outline import ModelOutline
        from trtbuild.model.view import GraphView
        from trtbuild.quant.quantized_graph import is_quantized
        from trtbuild.quant.switching.layer_runs import LayerModel
        from trtbuild.quant.switching.opened import open_pairs
        from trtbuild.quant.switching.operands import read_operands

        account = context.read(self.account, QuantizationAccount)
        names = choose_layers(account, self.layers)
        quantized = load_onnx(context.path(self.quantized))
        path, runnable = _load_runnable(context.path(self.model), context.out.parent / "twin")
        if is_quantized(GraphView(runnable)):
            path, runnable = context.path(self.quantized), open_pairs(quantized)
        runnable = _raise_for_pairs(runnable, account)
        operands = read_operands(runnable, quantized)
        layers = [layer.name for layer in account.layers if layer.precision in TYPES]
        model = LayerModel(
            runnable, operands, layers, folder=path.parent, providers=context.providers
        )
        chosen = [each for each in model.switches.layers if model.name(each) in names]
        shares = share_out(model.cut(), chosen, self.parts)
        stretches = shares[self.part]
        mine = [layer for each in stretches for layer in each.layers if layer in chosen]
        measured = MeasuredLayers(layers=(), others=len(model.switches.others))
        if mine:
            outline, whole = ModelOutline(runnable), not any(shares[: self.part])
            found, count = self._measure(context, outline, model, stretches, mine, whole=whole)
            told = (
                found.measure(layer, model.name(layer), names[model.name(layer)]) for layer in mine
            )
            measured = measured.model_copy(
                update={"layers": tuple(told), "whole": found.measure_whole(), "samples": count}
            )
        self.write(context, "layers", measured, indent=1)

    def _measure(
        self,
        context: Context,
        outline: ModelOutline,
        model: LayerModel,
        stretches: Sequence[Stretch],
        mine: Sequence[int],
        *,
        whole: bool,
    ) -> tuple[LayerFindings, int]:
        """Run the layers of this part on the samples; return what was found, and on how many."""
        from trtbuild.data.prefetch import map_in_order
        from trtbuild.quant.switching.layer_runs import LayerRuns
        from trtbuild.steps.layer_findings import COUNTED, LayerFindings

        feeder = self.data.make_feeder(outline.inputs, context)
        picked = take_whole_batches(context.read(self.picked, PickedSamples), feeder)
        count = len(picked.names)
        threads = context.threads or os.cpu_count() or 1
        # Tasks are given samples in order; of a large model, weights fill the memory.
        one_by_one = outline.split or bool(self.more.tasks)
        most = 1 if one_by_one else GPU_LANES if context.inference_device else threads
        lanes = max(1, min(most, count // feeder.batch))
        runs = LayerRuns(
            model, stretches, mine, threads=threads // lanes, whole=whole, others=self.others
        )
        kept = KeptOutputs(outline.outputs, feeder, reference=True)
        first: list[dict[str, np.ndarray]] = []
        for feed in itertools.islice(self._feeds(context, feeder, picked), SURVEYED):
            rows = dict(kept.rows(runs.run_float(feed.arrays), feed.samples))
            first += ({name: each[i] for name, each in rows.items()} for i in range(feeder.batch))
        plan = plan_tally(
            self.metrics,
            self.more,
            context,
            manifest=self.data.read_manifest(context),
            picked=picked,
            first=first,
        )
        found = LayerFindings(plan, outline.outputs, feeder)
        total = (1 + self.others) * len(mine) * count
        # With no more, levels are counted on the same samples as one by one.
        merging = make_merging(context, feeder, outline.outputs, most=COUNTED)
        few = list(itertools.islice(self._feeds(context, feeder, picked), COUNTED))
        merging.settle(few, runs.run_float)
        merging.grow(few, runs.run_float)

        def work(item: tuple[int, list[Feed]]) -> None:
            place, feeds = item
            found.take(runs, place, merging.merge(feeds), context.events, total=total)

        groups = merging.group(self._feeds(context, feeder, picked))
        for _ in map_in_order(work, _number(groups), threads=lanes):
            pass
        return found, count

    def _feeds(self, context: Context, feeder: Feeder, picked: PickedSamples) -> Iterator[Feed]:
        return feeder.feeds(read_picked(context.path(self.samples), picked))


def _number(groups: Iterable[list[Feed]]) -> Iterator[tuple[int, list[Feed]]]:
    """Yield groups of feeds, each with the number of its first sample."""
    place = 0
    for group in groups:
        yield place, group
        place += sum(len(feed.samples) for feed in group)


def read_picked(path: Path, picked: PickedSamples) -> Iterator[Sample]:
    """Yield the samples that were picked, decoded, as they lie in an archive.

    Raises:
        CorruptObject: the archive is damaged.
    """
    names = picked.names
    samples = read_samples(path, labels=None, name_of=lambda index: (*names, "")[index])
    return itertools.islice(samples, len(names))


def take_whole_batches(picked: PickedSamples, feeder: Feeder) -> PickedSamples:
    """Leave out the samples at the end that fill no batch.

    Raises:
        StepInputError: there are not enough for one.
    """
    count = len(picked.names) // feeder.batch * feeder.batch
    feeder.demand_whole_batches(count or len(picked.names))
    return picked.model_copy(
        update={
            "names": picked.names[:count],
            "places": picked.places[:count],
            "labels": picked.labels[:count],
        }
    )


def _raise_for_pairs(model: onnx.ModelProto, account: QuantizationAccount) -> onnx.ModelProto:
    """Return a float model in an opset that has the type that its layers are quantized to."""
    from trtbuild.model.opset import raise_opset

    asked = (TYPES[each.precision] for each in account.layers if each.precision in TYPES)
    needed = max((each.opset for each in asked if each != INT8), default=0)
    return raise_opset(model, needed)[0] if needed else model


def choose_layers(account: QuantizationAccount, patterns: Sequence[str]) -> dict[str, str]:
    """Return the quantized layers that patterns mean, all without any: name → operator.

    Raises:
        StepInputError: no layer is in INT8, or a pattern means none of them.
    """
    layers = {layer.name: layer.op for layer in account.layers if layer.precision in TYPES}
    if not layers:
        raise StepInputError(
            "no layer of the model is in INT8: there is nothing to measure",
            hint="`trtbuild check` says why layers stay in floating point",
        )
    word = join_words(layer.precision for layer in account.layers)
    found = [name for pattern in patterns for name in _find(pattern, layers, word)]
    return {name: op for name, op in layers.items() if not patterns or name in found}


def _find(pattern: str, layers: Mapping[str, str], word: str) -> list[str]:
    found = find_nodes(pattern, layers)
    if not found:
        raise StepInputError(
            f"`{pattern}` means no layer in {word}",
            hint=f"in {word}: {join_few(list(layers), _MOST)}; names, patterns over names (`*`, "
            "`?`), or `op:` and an operator",
        )
    return found


def share_out(
    stretches: Sequence[Stretch], chosen: Sequence[int], parts: int
) -> list[tuple[Stretch, ...]]:
    """Share stretches out over parts in their order, each with about as many chosen layers."""
    shares: list[list[Stretch]] = [[] for _ in range(parts)]
    done, wanted = 0, set(chosen)
    for stretch in stretches:
        own = len(wanted.intersection(stretch.layers))
        if own:
            middle = (2 * done + own) * parts // (2 * len(wanted))
            shares[min(middle, parts - 1)].append(stretch)
        done += own
    return [_fill(share, stretches) for share in shares]


def _fill(share: Sequence[Stretch], stretches: Sequence[Stretch]) -> tuple[Stretch, ...]:
    """Return a share with what lies between its stretches."""
    if not share:
        return ()
    return tuple(each for each in stretches if share[0].start <= each.start <= share[-1].start)


def _load_runnable(path: Path, folder: Path) -> tuple[Path, onnx.ModelProto]:
    """Load the model that ONNX Runtime computes as it is meant: without what plugins make."""
    from trtbuild.model.half_twin import write_half_twin
    from trtbuild.model.onnx_file import load_bare
    from trtbuild.model.opset import raise_opset
    from trtbuild.model.plugins import cut_before_plugins, find_behind

    model = load_bare(path)
    if find_behind(model.graph.node):
        cut_before_plugins(model)
    else:
        path = write_half_twin(path, folder)
        model = load_bare(path)
    return path, raise_opset(model)[0]
