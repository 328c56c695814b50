"""Plan × store × last record → Decisions with Reasons."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from trtbuild.core.options import Options
from trtbuild.core.words import abbreviate
from trtbuild.plan.plan import Plan, PlannedStep, iterate_inputs
from trtbuild.store.store import Store

__all__ = ["Decision", "Reason", "StepVerdict", "decide", "find_differences"]

MOST_FILES = 5
StepVerdict = Literal["reuse", "maybe", "run", "deferred"]


class Reason(Options):
    """One place where what a step is made of differs from last time."""

    path: str
    before: Any = None
    after: Any = None

    def text(self) -> str:
        """Say it: `params.calibrator.percentile: 99.9 → 99.99`."""
        if self.before is None and self.after is None:
            return self.path
        return f"{self.path}: {_short(self.before)} → {_short(self.after)}"


class Decision(Options):
    """What is to be done with a step, and why."""

    step: str
    digest: str
    verdict: StepVerdict
    """maybe: it runs, unless the steps before it turn out to make what they made last time."""
    reasons: tuple[Reason, ...] = ()


def decide(plan: Plan, store: Store) -> tuple[Decision, ...]:
    """Say for every step whether it would run, and why; touches nothing but the store's index."""
    history = store.history(plan.recipe)
    verdicts: dict[str, StepVerdict] = {}
    decisions = []
    for planned in plan.steps:
        decision = _decision(planned, store, history, verdicts)
        verdicts[planned.name] = decision.verdict
        decisions.append(decision)
    return tuple(decisions)


def _decision(
    planned: PlannedStep,
    store: Store,
    history: Mapping[str, str],
    verdicts: Mapping[str, StepVerdict],
) -> Decision:
    def decision(verdict: StepVerdict, *reasons: Reason) -> Decision:
        return Decision.model_construct(  # from values that are valid already
            step=planned.name, digest=planned.digest, verdict=verdict, reasons=reasons
        )

    if planned.deferred:
        return decision("deferred", Reason(path=planned.deferred))
    action = store.action(planned.digest)
    if action is not None and store.complete(action, planned.step.outputs):
        return decision("reuse")
    if action is not None:
        there = {artifact.name for artifact in action.artifacts if store.has(artifact)}
        wanted = [*planned.step.outputs, *(artifact.name for artifact in action.artifacts)]
        gone = [name for name in dict.fromkeys(wanted) if name not in there]
        return decision(
            "run", *(Reason(path=f"store.{n}", before="present", after="gone") for n in gone)
        )
    last = store.action(history.get(planned.name, ""))
    if last is None:
        return decision("run", Reason(path="new"))
    reasons = _reasons(planned, json.loads(last.ingredients))
    waits = [name for name in planned.after if verdicts.get(name) in ("run", "maybe")]
    only_inputs = all(reason.path.startswith("after ") for reason in reasons)
    return decision("maybe" if waits and only_inputs else "run", *reasons)


def _reasons(planned: PlannedStep, before: dict[str, Any]) -> tuple[Reason, ...]:
    """Return the differences, where those in the steps before read `after <step>`, once each."""
    steps = {f"inputs.{path}": ref.step for path, ref in iterate_inputs(planned.step)}
    found: dict[str, Reason] = {}
    for reason in find_differences(before, planned.ingredients):
        name = steps.get(reason.path)
        reason_ = reason if name is None else Reason(path=f"after {name}")
        found.setdefault(reason_.path, reason_)
    return _shorten(_leave_unseen_out(list(found.values())))


def _leave_unseen_out(reasons: list[Reason]) -> list[Reason]:
    """Leave out what code was seen to rest on, where what it rests on now is not known yet."""
    known = [
        each for each in reasons if each.after is not None or not each.path.startswith("observed.")
    ]
    return known or reasons


def _shorten(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Leave out most of what code read, where much of it has changed: folders say how much."""
    listed = list(reasons)
    files = [each for each in listed if each.path.startswith("observed.file ")]
    left_out = files[MOST_FILES:]
    kept = [each for each in listed if each not in left_out]
    return (*kept, *([Reason(path=f"{len(left_out)} more observed files")] if left_out else []))


def find_differences(before: Any, after: Any, path: str = "") -> Iterator[Reason]:
    """Yield every place where two trees differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            yield from find_differences(
                before.get(key), after.get(key), f"{path}.{key}".lstrip(".")
            )
    elif before != after:
        yield Reason(path=path, before=before, after=after)


_SHOWN = 60


def _short(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return abbreviate(value)
    text = json.dumps(value, sort_keys=True)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
