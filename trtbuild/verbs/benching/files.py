"""How fast ONNX models and engines are that somebody else made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.core.errors import MissingFile, NotWritable, TrtbuildError, UsageError
from trtbuild.core.files import write_whole
from trtbuild.core.placed import BENCH
from trtbuild.core.timing import NotRun
from trtbuild.run.executor import Executor, Listener
from trtbuild.steps.base import Pinned
from trtbuild.steps.timed_subjects import TimedSubject, Timings
from trtbuild.store.benches import keep_bench
from trtbuild.store.store import Store
from trtbuild.verbs.benching.loads import choose_batches
from trtbuild.verbs.benching.measure import BenchWork, measure
from trtbuild.verbs.benching.report import BenchReport, DrawFiles, draw_nothing
from trtbuild.verbs.benching.request import BenchRequest, choose_runners, demand_timed
from trtbuild.verbs.benching.shapes import choose_shapes
from trtbuild.verbs.pair_sections import RECIPES
from trtbuild.verbs.pair_sides import open_side

if TYPE_CHECKING:
    from trtbuild.core.values import TensorSpec

__all__ = ["bench_files", "is_recipe"]


def is_recipe(paths: Sequence[Path]) -> bool:
    """Tell whether a recipe is named, and not files.

    Raises:
        UsageError: there is a recipe among several.
    """
    found = [path for path in paths if path.suffix in RECIPES]
    if found and len(paths) > 1:
        raise UsageError(
            f"{found[0]}: is a recipe, and one recipe is timed at a time",
            hint="give one recipe; or ONNX models and engines, to be timed side by side",
        )
    return bool(found)


def bench_files(
    paths: Sequence[Path],
    store: Store,
    *,
    executor: Executor,
    request: BenchRequest,
    listener: Listener,
    out: Path | None,
    draw: DrawFiles = draw_nothing,
) -> BenchReport:
    """Time files side by side; a folder `out` gets `bench.json`, and what `draw` makes of it.

    Raises:
        MissingFile: one is not there.
        UsageError: what is asked for fits none of them; `data` is asked for, which recipes have.
        StepInputError, StepFailed: one cannot be read, or a process that times died.
        NotWritable: the result cannot be written.
    """
    if request.data:
        raise UsageError("`--data` names a recipe's data set", hint="inputs are drawn; see --seed")
    names = _name_apart(paths)
    subjects: list[TimedSubject] = []
    left: list[NotRun] = []
    inputs: Sequence[TensorSpec] = ()
    with store.using():
        for path, name in zip(paths, names, strict=True):
            if not path.is_file():
                raise MissingFile(f"{path}: there is no such file", hint="give models or engines")
            try:
                side = open_side(path, executor)
            except TrtbuildError as error:
                if path.suffix == ".onnx":
                    raise
                left.append(NotRun(name=name, reason=error.message))
                continue
            inputs = inputs or side.inputs
            subjects.append(_subject(path.absolute(), name, side.side.engine or "", store))
        if not subjects:
            raise UsageError(
                "none of them can run here", lines=[f"{each.name}: {each.reason}" for each in left]
            )
        work = BenchWork(
            name=names[0],
            subjects=tuple(subjects),
            runners=choose_runners(()),
            timings=Timings(
                protocol=request.protocol,
                shapes=choose_shapes(inputs, (), batches=request.batches, shapes=request.shapes),
                only=request.only,
            ),
            not_run=tuple(left),
            cold=request.cold,
            load=request.load,
            batches=()
            if request.load is None
            else choose_batches(inputs, (), request.shapes, request.load),
        )
        result = measure(work, executor, listener)
        demand_timed(result, request)
        keep_bench(store, result)
    texts = {BENCH: result.model_dump_json(indent=2) + "\n", **draw(result)}
    return BenchReport(result, () if out is None else _write(out, texts))


def _subject(path: Path, name: str, flavour: str, store: Store) -> TimedSubject:
    digest = store.digests.digest(path)
    return TimedSubject(
        name=name,
        sort="engine" if flavour else "onnx",
        model=Pinned(path=str(path), digest=digest),
        flavour=flavour,
    )


def _name_apart(paths: Sequence[Path]) -> list[str]:
    """Return what files are called: their names, or where two are alike all by their paths."""
    names = [path.name for path in paths]
    alike = len(set(names)) < len(names)
    return [str(path) if alike else path.name for path in paths]


def _write(out: Path, texts: Mapping[str, str]) -> tuple[Path, ...]:
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            write_whole(out / name, text.encode())
    except OSError as error:
        raise NotWritable(
            f"--out {out}: cannot be written to: {error.strerror}", hint="choose another folder"
        ) from None
    return tuple(out / name for name in texts)
