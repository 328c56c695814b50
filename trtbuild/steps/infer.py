"""Run a model over data."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from trtbuild.core.errors import StepInputError
from trtbuild.core.needs import INFERENCE_BATCH, INFERENCE_DEVICE, Needs
from trtbuild.core.options import Location
from trtbuild.model.nodes import iterate_nodes
from trtbuild.steps.base import Context, Ref, Step
from trtbuild.steps.capture_data import DataInput
from trtbuild.steps.kept_outputs import KeptOutputs
from trtbuild.steps.known_outputs import KnownRows, open_known

if TYPE_CHECKING:
    import numpy as np

    from trtbuild.core.values import TensorSpec
    from trtbuild.data.base import Sample
    from trtbuild.model.feeds import Feed, Feeder
    from trtbuild.model.merging import Merging
    from trtbuild.model.outline import ModelOutline
    from trtbuild.model.plugins import Front

__all__ = ["GPU_LANES", "Infer", "make_merging", "write_outputs"]

WIDER = (
    "FP16 is computed in FP32 here: on a CPU, ONNX Runtime drops the casts between FP16 layers, so "
    "what overflows or is rounded between them does not show"
)

GPU_LANES = 2


class Infer(Step):
    """Run a model over every sample and keep its outputs, one array an output.

    Of a model with plugins, which ONNX Runtime cannot run, it runs what stands in front of them:
    the tensors at the cut are outputs in the place of those behind.
    """

    version: ClassVar[int] = 4
    outputs: ClassVar[Mapping[str, str]] = {"outputs": "outputs.npz"}

    kind: Literal["infer"] = "infer"
    model: Ref
    data: DataInput
    reference: bool = False
    """Others are compared with this run: then a NaN is an error, and else a note."""
    known: tuple[Location, Location] | None = None
    """Outputs that the same model made of some samples before, and which those are
    (core.sensitivity.PickedSamples): it saves time, and is no ingredient."""

    def fact_names(self) -> tuple[str, ...]:
        """Name the facts that may change what this step makes."""
        return ("onnxruntime", INFERENCE_DEVICE, INFERENCE_BATCH)

    def needs(self) -> Needs:
        """Run a model."""
        return Needs(inference=True)

    def run(self, context: Context) -> None:
        """Write outputs.npz: for each output an array whose axis 0 is the samples, or ragged rows.

        Raises:
            StepInputError: a sample does not fit an input, or an output cannot be kept.
        """

        def choose(feeder: Feeder) -> tuple[Sequence[int], Iterator[Sample]]:
            total = self.data.read_manifest(context).count
            feeder.demand_whole_batches(total)
            return range(total), self.data.samples(context)

        write_outputs(
            self.out(context, "outputs"),
            context,
            model=self.model,
            data=self.data,
            choose=choose,
            reference=self.reference,
            known=None if self.known is None else open_known(*map(Path, self.known)),
        )


def write_outputs(
    path: Path,
    context: Context,
    *,
    model: Ref,
    data: DataInput,
    choose: Callable[[Feeder], tuple[Sequence[int], Iterator[Sample]]],
    reference: bool,
    known: KnownRows | None = None,
) -> None:
    """Write what a model makes of samples: of each output an array, or ragged rows; note oddities.

    `choose` says which samples there are, by their places in the data set, given what is fed. What
    is `known` is not run again where each is run by itself, and so is the same in any company.

    Raises:
        StepInputError: a sample does not fit an input, or an output cannot be kept.
    """
    from trtbuild.core.arrays import write_npz
    from trtbuild.model.half_twin import ROUNDED

    given = context.path(model)
    twin, outline = _read_twin(given, context.out.parent / "twin")
    feeder = data.make_feeder(outline.inputs, context)
    places, samples = choose(feeder)
    known = None if context.inference_device or feeder.batch > 1 else known
    rest = places if known is None else known.leave_out(places)
    front, cut = _cut_off(twin, outline)
    runs = _run_all(
        front,
        feeder.feeds(_choose(samples, places, rest)),
        merging=make_merging(context, feeder, outline.outputs),
        at_once=1 if outline.split else len(rest) // feeder.batch,
        context=context,
        mapped=outline.split,
        folder=twin.parent,
    )
    kept = KeptOutputs(outline.outputs, feeder, reference=reference)
    with write_npz(path) as file, contextlib.closing(runs):
        made = ((len(feed.samples), kept.rows(each, feed.samples)) for feed, each in runs)
        done = 0
        for count, outputs in made if known is None else known.weave(places, made, kept):
            for name, rows in outputs:
                file.append(name, rows, ragged=True)
            done += count
            context.events.progress(done, len(rest), "samples")
    if cut.lost:
        context.events.caveat(f"nothing compared {cut.behind}")
        context.events.note(_say_not_compared(cut))
    if twin != given:
        context.events.note(ROUNDED)
    elif _has_half(outline):
        context.events.note(WIDER)
    for note in kept.notes():
        context.events.note(note)


def _choose(
    samples: Iterator[Sample], places: Sequence[int], rest: Sequence[int]
) -> Iterator[Sample]:
    """Yield the samples of some of the places."""
    if len(rest) == len(places):
        return samples
    wanted = frozenset(rest)
    return (sample for place, sample in zip(places, samples, strict=True) if place in wanted)


def _read_twin(path: Path, folder: Path) -> tuple[Path, ModelOutline]:
    """Return the model that ONNX Runtime computes as it is meant, made in a folder, and read it."""
    from trtbuild.model.half_twin import write_half_twin
    from trtbuild.model.outline import ModelOutline
    from trtbuild.model.plugins import find_behind

    model = ModelOutline.read(path)
    if find_behind(model.nodes):  # their results have no types, and what reads them is cut off
        return path, model
    twin = write_half_twin(path, folder)
    return twin, model if twin == path else ModelOutline.read(twin)


def _cut_off(path: Path, outline: ModelOutline) -> tuple[Path | bytes, Front]:
    """Return the model to run: the file, or what stands in front of its plugins."""
    from trtbuild.model.onnx_file import load_bare
    from trtbuild.model.plugins import Front, cut_before_plugins, find_behind

    if not find_behind(outline.nodes):
        return path, Front(())
    model = load_bare(path)
    front = cut_before_plugins(model)
    if not model.graph.output:
        raise StepInputError(
            f"nothing can be compared: all of the model stands {front.behind}, which ONNX Runtime "
            "cannot run",
            hint="leave `compare` out of the recipe, or replace the plugin before the export",
        )
    return model.SerializeToString(), front


def _say_not_compared(cut: Front) -> str:
    """Say which outputs are not compared, and what is in their place."""
    lost = ", ".join(f"`{name}`" for name in cut.lost)
    seams = ", ".join(f"`{name}`" for name in cut.seams)
    instead = f"; compared instead, at the cut: {seams}" if seams else ""
    return f"not compared: {lost}, {cut.behind}{instead}"


def _run_all(
    model: Path | bytes,
    feeds: Iterator[Feed],
    *,
    merging: Merging,
    at_once: int,
    context: Context,
    mapped: bool,
    folder: Path,
) -> Generator[tuple[Feed, Mapping[str, np.ndarray]]]:
    """Yield each feed, or several merged, with what the model makes of it, in order.

    Up to `at_once` run side by side, and share the threads: operators that wait for each other's
    threads, and for the next sample, leave a processor idle. Each holds its activations in memory.
    """
    from trtbuild.data.prefetch import MOST_THREADS, map_in_order
    from trtbuild.model.session import open_session

    # A GPU computes one after the other: two keep it busy while results are fetched.
    most = GPU_LANES if context.inference_device else MOST_THREADS
    threads = context.threads or os.cpu_count() or 1
    lanes = max(1, min(at_once, threads, most))
    session = open_session(
        model,
        threads=threads // lanes,
        mapped=mapped,
        folder=folder if isinstance(model, bytes) else None,
        providers=context.providers,
    )

    first = list(itertools.islice(feeds, 2))
    merging.settle(first, session.run)
    groups = merging.group(itertools.chain(first, feeds))
    for made in map_in_order(lambda group: merging.run(group, session.run), groups, threads=lanes):
        yield from made


def make_merging(
    context: Context, feeder: Feeder, outputs: Sequence[TensorSpec], *, most: int = 0
) -> Merging:
    """Say how many samples share a run: on a GPU what goes, at `most` so many; on a CPU one."""
    from trtbuild.model.merging import MOST_BATCH, Merging

    asked = min(context.inference_batch or MOST_BATCH, most or MOST_BATCH)
    return Merging(
        feeder, outputs, most=asked if context.inference_device else 1, note=context.events.note
    )


def _has_half(model: ModelOutline) -> bool:
    """Tell whether a model computes in float16: it takes it, or casts to it."""
    import onnx

    half = onnx.TensorProto.FLOAT16
    return any(spec.dtype == "float16" for spec in model.inputs) or any(
        node.op_type == "Cast" and any(each.i == half for each in node.attribute)
        for node in iterate_nodes(model.nodes)
    )
