"""What is guaranteed of a build, held against a rebuild from its sources in a store of its own."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trtbuild.core.delivered import list_deliveries
from trtbuild.core.errors import StepFailed
from trtbuild.core.options import Options
from trtbuild.core.placed import MODELS
from trtbuild.core.records import Comparison, GateVerdict, Outcome, TargetResult
from trtbuild.core.values import Ranges
from trtbuild.core.words import abbreviate
from trtbuild.plan.compile import name_target_step
from trtbuild.plan.lock import Lock, LockedTarget, find_lock
from trtbuild.plan.range_diff import compare_ranges
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.run.executor import Executor, Listener
from trtbuild.store.store import Store
from trtbuild.verbs.build import build_plan, compile_for_machine
from trtbuild.verbs.demand_int8 import demand_delivered
from trtbuild.verbs.lock import BYTES, TACTICS, add_results, compare_with_lock, lock_built
from trtbuild.verbs.lock_mismatch import list_broken
from trtbuild.verbs.run_artifacts import RunArtifacts, list_engine_comparisons
from trtbuild.verbs.unrun_engines import list_engine_runs, list_unrun_engines
from trtbuild.verbs.weights import copy_published

__all__ = ["RebuildCheck", "Verification", "verify_build"]

GUARANTEED = {
    0: "the same INT8 delivered; tactics may differ",
    TACTICS: "the same tactics",
    BYTES: "the same bytes",
}


class RebuildCheck(Options):
    """One thing that was made again, and how it compares."""

    what: str
    level: int | None = None
    """Of a target: 0 the same model, 1 also the same tactics, 2 also the same bytes."""
    guaranteed: str
    found: str
    holds: bool | None
    """None where it could not be checked; `found` says why."""


class Verification(Options):
    """How a rebuild compares with what is guaranteed of it."""

    recipe: str
    against: Literal["lock", "last build"]
    holds: bool
    """Nothing differs from what is guaranteed; checks that could not be made do not count."""
    checks: tuple[RebuildCheck, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Rebuilt:
    outcomes: tuple[Outcome, ...]
    lock: Lock
    results: Mapping[str, TargetResult]
    comparison: Comparison | None
    engines: tuple[Comparison, ...]
    """How the engines themselves compare, where they were to run."""
    notes: tuple[str, ...]


@contextlib.contextmanager
def _scratch_folder() -> Iterator[Path]:
    """Yield a folder that goes afterwards, unless a step failed: its log lies in there."""
    scratch = Path(tempfile.mkdtemp(prefix="trtbuild-verify-"))
    try:
        yield scratch
    except StepFailed:
        raise
    except BaseException:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    shutil.rmtree(scratch, ignore_errors=True)


def verify_build(
    loaded: LoadedRecipe,
    store: Store,
    executor: Executor,
    *,
    targets: Sequence[str],
    listener: Listener,
) -> Verification:
    """Build a recipe again, from its sources and lock, and compare; `store` is only read.

    Without a lock, what the last build left is what the rebuild is held to, ranges included.

    Raises:
        LockMismatch: the recipe or its sources are not those of the lock.
        UsageError: there is neither a lock nor a build of the recipe as it stands.
        StepFailed: a step failed; its log is kept.
    """
    has_lock = find_lock(loaded.file).is_file()
    promised = (
        compare_with_lock(loaded, store, executor, building=True)[0]
        if has_lock
        else lock_built(loaded, store, executor)
    )
    with _scratch_folder() as scratch:
        rebuilt = _rebuild(
            loaded,
            store,
            Store(scratch / "store"),
            targets=targets,
            lock=promised if has_lock else None,
            executor=executor,
            listener=listener,
        )
    checks = tuple(_checks(loaded, promised, rebuilt, targets=targets, calibrated=not has_lock))
    return Verification(
        recipe=loaded.recipe.name,
        against="lock" if has_lock else "last build",
        holds=all(check.holds is not False for check in checks),
        checks=checks,
        notes=(*rebuilt.notes, *_why_no_more(rebuilt.results), _tell_unseen(has_lock=has_lock)),
    )


def _tell_unseen(*, has_lock: bool) -> str:
    where = "; `trtbuild lock --check` holds them to the lock" if has_lock else ""
    return f"files that an apply has placed are not looked at{where}"


def _why_no_more(results: Mapping[str, TargetResult]) -> Iterator[str]:
    """Say of each engine whose bytes are not guaranteed why."""
    for name, result in results.items():
        if result.level < BYTES:
            yield f"{name}: level {result.level}: {result.level_reason}"


def _rebuild(
    loaded: LoadedRecipe,
    store: Store,
    scratch: Store,
    *,
    targets: Sequence[str],
    lock: Lock | None,
    executor: Executor,
    listener: Listener,
) -> _Rebuilt:
    with scratch.using():
        compared = loaded.recipe.compare
        for model in (loaded.recipe.model, compared.reference if compared else None):
            if model is not None:
                copy_published(model, store, scratch)
        made, notes = compile_for_machine(
            loaded, scratch, executor, targets=targets, fetch=True, lock=lock
        )
        runs = list_engine_runs(loaded.recipe)
        outcomes = build_plan(loaded, made, scratch, executor, listener, engine_runs=runs)
        found = RunArtifacts(outcomes, scratch)
        results = {
            name: result
            for name in loaded.recipe.targets
            if (result := found.read(name_target_step(name), "result", TargetResult)) is not None
        }
        demand_delivered(loaded.recipe, results.values())
        comparison = found.read("compare", "comparison", Comparison)
        bare = Lock(models={}, recipe={}, sources={}, tools={}, targets={}, measures={})
        return _Rebuilt(
            outcomes=outcomes,
            lock=add_results(bare, loaded, outcomes, scratch),
            results=results,
            comparison=comparison,
            engines=(
                *list_engine_comparisons(loaded.recipe, found),
                *list_unrun_engines(loaded.recipe, outcomes, comparison),
            ),
            notes=notes,
        )


def _checks(
    loaded: LoadedRecipe,
    promised: Lock,
    rebuilt: _Rebuilt,
    *,
    targets: Sequence[str],
    calibrated: bool,
) -> Iterator[RebuildCheck]:
    if calibrated and promised.ranges is not None:
        yield _ranges(promised, rebuilt.lock)
    for name, digest in sorted(rebuilt.lock.models.items()):
        same = promised.models.get(name) == digest
        found = "the same bytes" if same else f"other bytes: {abbreviate(digest)}"
        model = MODELS[name.removesuffix("_weights")]
        what = model.weights if name.endswith("_weights") else model.file
        yield RebuildCheck(
            what=what, level=0, guaranteed=GUARANTEED[BYTES], found=found, holds=same
        )
    for name in loaded.recipe.targets:
        if not targets or name in targets:
            yield _target(name, promised.targets.get(name), rebuilt)
    if loaded.recipe.compare is not None:
        yield _figures(promised.measures, rebuilt)


def _ranges(promised: Lock, rebuilt: Lock) -> RebuildCheck:
    moved = compare_ranges(
        promised.table() or Ranges(tensors={}), rebuilt.table() or Ranges(tensors={})
    )
    total = moved.same + len(moved.moved)
    return RebuildCheck(
        what="ranges",
        level=0,
        guaranteed="the same, calibrated again on one processor",
        found=f"{len(moved.moved)} of {total} moved" if moved.differ else f"the same {total}",
        holds=not moved.differ,
    )


def _target(name: str, then: LockedTarget | None, rebuilt: _Rebuilt) -> RebuildCheck:
    result = rebuilt.results.get(name)
    now = rebuilt.lock.targets.get(name)
    level = then.level if then is not None else None
    words = "nothing: it is not locked" if level is None else GUARANTEED[level]
    holds: bool | None = None
    if result is None or now is None:
        outcome = next(each for each in rebuilt.outcomes if each.step == name_target_step(name))
        found = f"not rebuilt: {outcome.message}"
    elif then is None or level is None:
        found = "not compared: lock it anew"
    elif reasons := list_broken(then, now):
        found, holds = "; ".join(reasons), False
    elif level == TACTICS and not then.tactics:
        found = "its tactics cannot be read"
    else:
        counts = list_deliveries(now)
        told = [f"{each.word} in {each.delivered} of {each.asked} layers asked" for each in counts]
        delivered = "; ".join(told) or "nothing quantized was asked"
        found, holds = delivered if level == 0 else GUARANTEED[level], True
    return RebuildCheck(what=name, level=level, guaranteed=words, found=found, holds=holds)


def _figures(then: Mapping[str, float], rebuilt: _Rebuilt) -> RebuildCheck:
    """Hold the metrics to the gates: last bits differ from processor to processor."""
    found = rebuilt.comparison
    if found is None:
        return RebuildCheck(
            what="metrics",
            guaranteed="within the gates",
            found="not measured here",
            holds=None,
        )
    now = rebuilt.lock.measures
    moved = sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name))
    failed = [_name_gate(verdict) for verdict in found.verdicts if not verdict.passed]
    failed += [
        f"{engine.candidate}: {_name_gate(verdict)}"
        for engine in rebuilt.engines
        for verdict in engine.verdicts
        if not verdict.passed
    ]
    said = f"{len(moved)} of {len(now)} figures moved" if moved else f"the same {len(now)} figures"
    if moved:
        first = moved[0]
        said += f" ({first}: {_figure(then.get(first))} → {_figure(now.get(first))})"
    said += f"; gate failed: {', '.join(failed)}" if failed else ""
    gates = "within the gates" if found.verdicts else "nothing: there is no gate"
    return RebuildCheck(what="metrics", guaranteed=gates, found=said, holds=not failed)


def _name_gate(verdict: GateVerdict) -> str:
    return verdict.gate if verdict.judged else f"{verdict.gate} (not judged)"


def _figure(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.6g}"
