"""What a lock keeps of the figures that were measured and of the gates that were judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from trtbuild.core.comparison import CONFIDENCE, Comparison, GateVerdict
from trtbuild.measure.metrics import find_row
from trtbuild.plan.lock import Lock, LockedGate
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.run.executor import Executor
from trtbuild.store.store import Store
from trtbuild.verbs.build import list_known_outcomes
from trtbuild.verbs.plan import plan_recipe
from trtbuild.verbs.run_artifacts import RunArtifacts, list_engine_comparisons

__all__ = ["list_failed_gates", "list_locked_failures", "lock_figures"]


def lock_figures(comparison: Comparison | None, engines: Iterable[Comparison]) -> Mapping[str, Any]:
    """Return the fields of a lock that say what a comparison came to."""
    measures = () if comparison is None else comparison.measures
    named = {
        f"{each.output}.{each.metric}".lstrip("."): each for each in measures if not each.part_of
    }
    judged = [("", comparison), *((each.candidate, each) for each in engines)]
    return {
        "measures": {name: m.value for name, m in named.items() if m.value is not None},
        "intervals": {
            name: found.value
            for name, m in named.items()
            if m.value is not None and (found := m.find_interval(CONFIDENCE)) is not None
        },
        "figures": {
            name: f"{m.unit} {m.better}".strip()
            for name, m in named.items()
            if m.value is not None and find_row(m.metric) is None
        },
        "references": {name: m.reference for name, m in named.items() if m.reference is not None},
        "right": {name: m.right for name, m in named.items() if m.right},
        "compared": {} if comparison is None else _describe(comparison),
        "gates": {
            ": ".join(filter(None, (on, verdict.output, verdict.gate))): _lock_gate(verdict)
            for on, each in judged
            for verdict in (() if each is None else each.verdicts)
        },
    }


def _describe(comparison: Comparison) -> dict[str, str | int]:
    return {
        "samples": comparison.samples,
        "data": comparison.data,
        "reference": comparison.reference_type,
    }


def list_failed_gates(
    loaded: LoadedRecipe, store: Store, executor: Executor
) -> tuple[GateVerdict, ...]:
    """Return the gates that did not pass when a recipe was built as it stands.

    Where it was not compared, no gate was judged.
    """
    found = plan_recipe(loaded, store, executor, targets=())
    made = RunArtifacts(list_known_outcomes(found.decisions, store), store)
    comparison = made.read("compare", "comparison", Comparison)
    engines = list_engine_comparisons(loaded.recipe, made)
    compared = (*([] if comparison is None else [comparison]), *engines)
    return tuple(verdict for each in compared for verdict in each.verdicts if not verdict.passed)


def _lock_gate(verdict: GateVerdict) -> LockedGate:
    missed = f"missed by {verdict.missed_by}" if verdict.missed_by else ""
    return LockedGate(
        passed=verdict.passed,
        judged=verdict.judged,
        told=", ".join(filter(None, (verdict.found or verdict.remark, missed))),
    )


def list_locked_failures(lock: Lock) -> tuple[str, ...]:
    """Say of each gate of a lock that did not pass what it asked, and what was found."""
    return tuple(
        f"gate {'failed' if gate.judged else 'not judged'}: {name}: {gate.told}"
        for name, gate in sorted(lock.gates.items())
        if not gate.passed
    )
