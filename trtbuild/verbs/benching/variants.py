"""How fast the variants of a recipe are: all timed in turn, and told to each what is of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from trtbuild.core.timing import BenchResult, NotRun, SpeedRow
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.recipe.variants import find_variant, read_shared_name
from trtbuild.run.executor import Executor, Listener
from trtbuild.steps.timed_subjects import TimedSubject
from trtbuild.store.store import Store
from trtbuild.timing.judge import Recall, judge_speed
from trtbuild.verbs.benching.locked import make_recall
from trtbuild.verbs.benching.measure import BenchWork, measure
from trtbuild.verbs.benching.recipe import PreparedBench, prepare_bench
from trtbuild.verbs.benching.report import BenchReport, DrawFiles, draw_nothing, place_bench
from trtbuild.verbs.benching.request import BenchRequest, demand_timed
from trtbuild.verbs.deliver import prepare_directory

__all__ = ["are_variants", "bench_variants", "split_bench"]

Names = Mapping[str, str]
"""What a model is called beside those of other variants → what it is called in its own recipe."""


@dataclass(frozen=True)
class _Joined:
    """All variants, as one work."""

    parts: Mapping[str, PreparedBench]
    """By the names of the variants."""

    @cached_property
    def finals(self) -> Mapping[str, TimedSubject]:
        """The model that the engines of each variant are built from, by the variant's name."""
        return {
            name: next(s for s in reversed(part.work.subjects) if s.sort == "onnx")
            for name, part in self.parts.items()
        }

    @cached_property
    def names(self) -> Mapping[str, Names]:
        """Of each variant, what its models are called here and in its own recipe.

        Its last model goes by its own name, its engines by that and the target's. What several
        share is timed once.
        """
        taken = {name: final.model.digest for name, final in self.finals.items()}
        found: dict[str, Names] = {}
        for variant, part in self.parts.items():
            mine: dict[str, str] = {}
            for each in part.work.subjects:
                name = self._name(variant, each, taken)
                taken[name] = each.model.digest
                mine[name] = each.name
            mine |= {f"{variant}.{name}": name for name in part.loaded.recipe.targets}
            found[variant] = mine
        return found

    def _name(self, variant: str, subject: TimedSubject, taken: Mapping[str, str]) -> str:
        digest = subject.model.digest
        if subject is self.finals[variant]:
            return variant
        if subject.sort == "engine":
            return f"{variant}.{subject.name}"
        alike = [name for name, each in self.finals.items() if each.model.digest == digest]
        if alike and subject.sort == "onnx":
            return alike[0]
        same = taken.get(subject.name, digest) == digest
        return subject.name if same else f"{variant}.{subject.name}"

    def make_work(self, name: str) -> BenchWork:
        """Return all subjects as one work, asked for as the first variant has it."""
        subjects: dict[str, TimedSubject] = {}
        left: list[NotRun] = []
        for variant, part in self.parts.items():
            named = {own: new for new, own in self.names[variant].items()}
            for each in part.work.subjects:
                new = named[each.name]
                subjects.setdefault(new, each.model_copy(update={"name": new}))
            for absent in part.work.not_run:
                new = f"{variant}.{absent.name}"
                left.append(absent.model_copy(update={"name": new}))
        first = next(iter(self.parts.values())).work
        notes = dict.fromkeys(note for part in self.parts.values() for note in part.work.notes)
        ordered = sorted(subjects.values(), key=lambda each: each.sort == "engine")
        return replace(
            first, name=name, subjects=tuple(ordered), not_run=tuple(left), notes=tuple(notes)
        )

    def make_recall(self, splits: Mapping[str, BenchResult]) -> Recall:
        """Return what says where a time lay by the lock of the variant that it is of."""
        recalls = {
            variant: make_recall(part.loaded, splits[variant])
            for variant, part in self.parts.items()
        }

        def recall(row: SpeedRow) -> tuple[tuple[float, float] | None, str]:
            model = row.variant.rpartition("/")[0]
            holders = (v for v, names in self.names.items() if model in names)
            owner = model if model in self.names else next(holders)
            own = _rename(row.variant, self.names[owner])
            return recalls[owner](row.model_copy(update={"variant": own}))

        return recall


def are_variants(paths: Sequence[Path]) -> bool:
    """Tell whether several recipes are named, all of one file."""
    found = [find_variant(path) for path in paths]
    return len(paths) > 1 and all(variant for _, variant in found) and len(dict(found)) == 1


def bench_variants(
    recipes: Sequence[LoadedRecipe],
    store: Store,
    *,
    executor: Executor,
    build_dir: Path,
    request: BenchRequest,
    listener: Listener,
    draw: DrawFiles = draw_nothing,
) -> BenchReport:
    """Time the models and engines of variants in turn; place `bench.json` where their page is.

    What is of one variant is placed and kept as its own bench, too, so that its report, its lock
    and the page on all variants have it. Shapes, data and runners are those of the first; gates
    are of all, and mean models by the names that they have here: `int8` is the model of the
    variant `int8`.

    Raises:
        RecipeError, StepFailed: one cannot be built.
        UsageError: what is asked for fits none of the models.
    """
    name = read_shared_name(find_variant(recipes[0].file)[0])
    directory = build_dir / name
    remarks = prepare_directory(directory)
    with store.using():
        parts = {
            find_variant(each.file)[1]: prepare_bench(
                each, store, executor, request, listener, remarks
            )
            for each in recipes
        }
        joined = _Joined(parts)
        result = measure(joined.make_work(name), executor, listener)
        demand_timed(result, request)
        accuracy = [
            each.model_copy(update={"model": new})
            for variant, part in parts.items()
            for new, own in joined.names[variant].items()
            for each in part.accuracy
            if each.model == own
        ]
        shown = {(each.model, each.metric, each.output): each for each in accuracy}
        splits = {
            variant: split_bench(result, joined.names[variant], part)
            for variant, part in parts.items()
        }
        gates = dict.fromkeys(gate for part in parts.values() for gate in part.section.gates)
        verdicts = judge_speed(tuple(gates), result, joined.make_recall(splits))
        told = {"verdicts": verdicts, "accuracy": tuple(shown.values())}
        result = result.model_copy(update=told)
        for variant, part in parts.items():
            own = build_dir / part.loaded.recipe.name
            prepare_directory(own)
            place_bench(splits[variant], own, store, draw)
        files = place_bench(result, directory, store, draw)
    return BenchReport(result, files)


def split_bench(found: BenchResult, names: Names, part: PreparedBench) -> BenchResult:
    """Return what of a result is one variant's, by the names that its own recipe has."""

    def own(name: str) -> dict[str, str]:
        return {"variant": _rename(name, names)}

    variants = tuple(
        each.model_copy(update={"name": _rename(each.name, names), "model": names[each.model]})
        for each in found.variants
        if each.model in names
    )
    rows = [each for each in found.rows if _rename(each.variant, names)]
    contrasts = [
        each.model_copy(update={**own(each.variant), "against": _rename(each.against, names)})
        for each in found.contrasts
        if _rename(each.variant, names) and _rename(each.against, names)
    ]
    profiles = [
        each.model_copy(update=own(each.variant))
        for each in found.layers.profiles
        if _rename(each.variant, names)
    ]
    loads = None
    if found.load is not None:
        kept = (each for each in found.load.rows if _rename(each.variant, names))
        loads = found.load.model_copy(
            update={
                "rows": tuple(each.model_copy(update=own(each.variant)) for each in kept),
                "not_run": _split_absent(found.load.not_run, names),
            }
        )
    return found.model_copy(
        update={
            "name": part.loaded.recipe.name,
            "variants": variants,
            "rows": tuple(each.model_copy(update=own(each.variant)) for each in rows),
            "contrasts": tuple(contrasts),
            "accuracy": part.accuracy,
            "layers": found.layers.model_copy(
                update={
                    "profiles": tuple(profiles),
                    "not_run": _split_absent(found.layers.not_run, names),
                }
            ),
            "load": loads,
            "not_run": _split_absent(found.not_run, names),
        }
    )


def _split_absent(absent: Sequence[NotRun], names: Names) -> tuple[NotRun, ...]:
    named = ((each, _rename(each.name, names)) for each in absent)
    return tuple(each.model_copy(update={"name": own}) for each, own in named if own)


def _rename(name: str, names: Names) -> str:
    """Return what a model with its runner is called in its own recipe; empty where it is none."""
    model = next((each for each in names if name.startswith(f"{each}/")), "")
    return names[model] + name.removeprefix(model) if model else ""
