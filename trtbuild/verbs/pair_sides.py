"""Two models or engines that somebody else made: what each takes and gives, and where it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from trtbuild.backends.tensorrt.engine import EngineKind
from trtbuild.backends.tensorrt.plan_header import HEADER_BYTES, read_header
from trtbuild.core.errors import MissingFile, NoGpu, UsageError
from trtbuild.core.values import TensorSpec
from trtbuild.plan.pair import PairSide
from trtbuild.plan.reference_fit import agree
from trtbuild.run.engines import describe_engine, find_gpu_place
from trtbuild.run.executor import Executor
from trtbuild.verbs.inspect import explain_misfit
from trtbuild.verbs.pair_sections import RECIPES

__all__ = ["OpenSide", "demand_alike", "name_apart", "open_side"]

_KINDS: Mapping[str, EngineKind] = {kind: kind for kind in get_args(EngineKind)}


@dataclass(frozen=True)
class OpenSide:
    """One of the two, with what it takes and gives."""

    side: PairSide
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


def open_side(path: Path, executor: Executor, *, plugins: Sequence[Path] = ()) -> OpenSide:
    """Say what an ONNX model, or an engine, takes and gives.

    Raises:
        MissingFile: it is not there.
        UsageError: it is a recipe.
        StepInputError: it is neither an engine nor an ONNX model.
        NoGpu: it is an engine, and cannot run here.
        StepFailed: it is an engine that does not load.
    """
    hint = "give two ONNX files or engines: build/NAME/model.fp32.onnx, build/NAME/model.int8.onnx"
    if path.suffix in RECIPES:
        told = f"{path}: is a recipe, and two models are compared"
        raise UsageError(told, hint=f"{hint}; `trtbuild apply {path}` compares what it builds")
    if not path.is_file():
        told = "is a folder" if path.is_dir() else "there is no such file"
        raise MissingFile(f"{path}: {told}", hint=hint)
    with path.open("rb") as file:
        header = read_header(file.read(HEADER_BYTES))
    if header is not None:
        return _open_engine(path, header.kind, executor, plugins)
    from trtbuild.model.outline import ModelOutline

    model = ModelOutline.read(path)
    return OpenSide(PairSide(path, str(path)), model.inputs, model.outputs)


def _open_engine(path: Path, kind: str, executor: Executor, plugins: Sequence[Path]) -> OpenSide:
    known = _KINDS.get(kind)
    place = None if known is None else find_gpu_place(known, executor)
    why = "trtbuild knows no such TensorRT"
    if place is not None:
        why = place.hindrance or explain_misfit(path, place.facts)
    if known is None or place is None or why:
        raise NoGpu(
            f"{path}: is an engine, and cannot run here: {why}",
            hint="compare them where its GPU is, or the ONNX models that they were built from",
        )
    found = describe_engine(known, path, executor, plugins=plugins)
    side = PairSide(path, str(path), known, place.facts, tuple(plugins))
    return OpenSide(side, found.inputs, found.outputs)


def name_apart(one: Path, other: Path) -> tuple[str, str]:
    """Return what two files are called: their names, or where these are alike their paths."""
    return (str(one), str(other)) if one.name == other.name else (one.name, other.name)


def demand_alike(one: OpenSide, other: OpenSide) -> None:
    """Demand that the two have inputs and outputs of the same names and shapes.

    Raises:
        UsageError: they have not; says what each has.
    """
    for what in ("inputs", "outputs"):
        ours, theirs = ({s.name: s for s in getattr(each, what)} for each in (one, other))
        if ours.keys() == theirs.keys() and all(agree(ours[name], theirs[name]) for name in ours):
            continue
        shapes = "" if ours.keys() != theirs.keys() else "the shapes of "
        raise UsageError(
            f"the two differ in {shapes}their {what}, and are compared by name",
            hint="export both alike, with the same names of inputs and outputs",
            lines=[f"  {each.side.path}: {_describe(each)}" for each in (one, other)],
        )


def _describe(side: OpenSide) -> str:
    return "; ".join(
        f"{what} " + (", ".join(map(_shown, specs)) or "none")
        for what, specs in (("inputs", side.inputs), ("outputs", side.outputs))
    )


def _shown(spec: TensorSpec) -> str:
    return f"`{spec.name}` [{', '.join(map(str, spec.shape))}]"
