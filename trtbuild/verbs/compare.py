"""Two models or engines without a recipe, run on the same data and compared."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trtbuild.core.errors import NotWritable, RecipeError
from trtbuild.core.files import write_whole
from trtbuild.core.needs import Needs
from trtbuild.core.placed import COMPARISON
from trtbuild.core.records import Comparison, DataUse, Record
from trtbuild.machine.facts import list_doubts
from trtbuild.measure.metrics import LABELLED
from trtbuild.plan.compile import CompileContext
from trtbuild.plan.explain import decide
from trtbuild.plan.measuring import list_tasks
from trtbuild.plan.observed import add_observed
from trtbuild.plan.pair import COMPARE, compile_pair
from trtbuild.plan.plan import Plan
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.run.executor import Executor, Listener
from trtbuild.run.expectations import estimate_seconds
from trtbuild.steps.base import Pinned
from trtbuild.store.store import Store
from trtbuild.verbs.build import build_plan
from trtbuild.verbs.deliver import RenderPage
from trtbuild.verbs.overview import drop_run_details
from trtbuild.verbs.pair_sections import PairRequest, blame_options, read_sections
from trtbuild.verbs.pair_sides import OpenSide, demand_alike, name_apart, open_side
from trtbuild.verbs.run_artifacts import RunArtifacts

__all__ = ["ComparedPair", "compare_pair"]

LONGEST_NAME = 36
_OTHER = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class ComparedPair:
    """How a model compares with another."""

    comparison: Comparison
    record: Record
    """What the report is made from."""
    files: tuple[Path, ...]
    """What was written."""

    @property
    def passed(self) -> bool:
        """Tell whether every gate passed."""
        return all(verdict.passed for verdict in self.comparison.verdicts)


def compare_pair(  # noqa: PLR0913  # what to compare, on what, and where
    reference: Path,
    candidate: Path,
    request: PairRequest,
    store: Store,
    *,
    executor: Executor,
    listener: Listener,
    plugins: Sequence[Path] = (),
    out: Path | None = None,
    pages: Mapping[str, RenderPage] | None = None,
) -> ComparedPair:
    """Compare a model or engine with one that is taken as right; a folder `out` gets the report.

    Each runs where it can: an ONNX model in ONNX Runtime, an engine on its GPU.

    Raises:
        UsageError: what is asked for is wrong; or the two differ in their inputs or outputs, or
            the data does not fit them.
        RecipeError: the recipe that is named is wrong.
        MissingFile: one of the two, or the data, is not there.
        NoGpu: one is an engine, and cannot run here.
        StepInputError, StepFailed: one of the two cannot be read, or does not run.
        NotWritable: the report cannot be written.
    """
    sides = [open_side(path, executor, plugins=plugins) for path in (reference, candidate)]
    demand_alike(*sides)
    loaded = read_sections(
        request,
        name=_name_run(reference, candidate),
        model=candidate,
        inputs=[spec.name for spec in sides[0].inputs],
    )
    if out is not None:
        _make_folder(out)
    with store.using():
        facts = executor.place(Needs()).facts
        made = _compile(loaded, sides, store, facts)
        decisions = decide(made, store)
        listener.planned(made, decisions)
        listener.expected(estimate_seconds(made, decisions, store))
        try:
            outcomes = build_plan(loaded, made, store, executor, listener)
        except RecipeError as error:
            raise blame_options(error.problems, request) from None
        found = RunArtifacts(outcomes, store)
        comparison = found.read(COMPARE, "comparison", Comparison)
        assert comparison is not None  # noqa: S101  # the step has run
        engines = any(each.side.engine for each in sides)
        record = Record(
            recipe=" against ".join(reversed(name_apart(reference, candidate))),
            file="",
            facts=made.facts,
            outcomes=outcomes,
            comparison=None if engines else comparison,
            engine_comparisons=(comparison,) if engines else (),
            model=f"{candidate}, held against {reference}",
            data=(_describe_data(loaded, comparison),),
            notes=(
                *_list_notes(loaded, request),
                *list_doubts(facts),
                *filter(None, [store.remark]),
            ),
            caveats=comparison.caveats,
        )
    files = () if out is None else _write(out, record, comparison, pages or {})
    return ComparedPair(comparison, record, files)


def _compile(
    loaded: LoadedRecipe, sides: Sequence[OpenSide], store: Store, facts: Mapping[str, str]
) -> Plan:
    here = CompileContext(
        base=loaded.file.parent.absolute(),
        pin=lambda path: Pinned(path=str(path), digest=store.digests.digest(path)),
        facts=facts,
        observe=lambda step, tree, there: add_observed(step, tree, there, store),
    )
    names = name_apart(*(each.side.path for each in sides))
    one, other = (each.side.located(name) for each, name in zip(sides, names, strict=True))
    return compile_pair(loaded.recipe, one, other, here)


def _name_run(reference: Path, candidate: Path) -> str:
    """Return the name by which the store remembers what was run for the two."""
    one, other = (_OTHER.sub("-", path.stem)[:LONGEST_NAME] for path in (candidate, reference))
    return f"{one or 'model'}-vs-{other or 'model'}".lstrip("._-")


def _describe_data(loaded: LoadedRecipe, found: Comparison) -> DataUse:
    (name,) = loaded.recipe.data
    return DataUse(
        name=name,
        kind=loaded.recipe.data[name].kind,
        used_for="comparison",
        samples=found.samples,
        labelled=found.labelled,
    )


def _list_notes(loaded: LoadedRecipe, request: PairRequest) -> Iterator[str]:
    compare = loaded.recipe.compare
    assert compare is not None  # noqa: S101  # that is what it was made for
    if on_lock := [g.metric for g in compare.gates if g.drop_from_lock_at_most is not None]:
        yield f"not judged, since there is no lock here: gates on it ({', '.join(on_lock)})"
    measured = [*compare.metrics, *(gate.metric for gate in compare.gates)]
    read = list_tasks(compare) or any(each in LABELLED for each in measured)
    if request.labels and not read:
        yield "the labels are read by no metric: add --metric top1, or one with options"


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _not_writable(out, error) from None


def _write(
    out: Path, record: Record, found: Comparison, pages: Mapping[str, RenderPage]
) -> tuple[Path, ...]:
    """Write the comparison and its pages, which are the same for the same results."""
    page = drop_run_details(record)
    texts = {COMPARISON: found.model_dump_json(indent=2) + "\n"}
    texts |= {name: render(page) for name, render in pages.items()}
    try:
        for name, text in texts.items():
            write_whole(out / name, text.encode())
    except OSError as error:
        raise _not_writable(out, error) from None
    return tuple(out / name for name in texts)


def _not_writable(out: Path, error: OSError) -> NotWritable:
    return NotWritable(
        f"--out {out}: cannot be written to: {error.strerror}", hint="choose another folder"
    )
