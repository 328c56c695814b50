"""The walk: reuse, start, wait, record; the only loop over a plan."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from trtbuild.core.action import Action, Outcome
from trtbuild.core.digest import digest_of_bytes, write_canonical_json
from trtbuild.core.errors import CorruptObject
from trtbuild.core.files import remove_tree
from trtbuild.core.frozen import frozen
from trtbuild.plan.observed import chain_anew, look_again, settle
from trtbuild.plan.plan import (
    Plan,
    PlannedStep,
    count_waiting,
    iterate_inputs,
    iterate_pinned,
    write_contents,
)
from trtbuild.run.executor import Call, CallResult, Executor, Listener, StepProgress
from trtbuild.run.interrupts import holding_interrupts
from trtbuild.run.outcomes import (
    is_good,
    record_deferral,
    record_failure,
    record_not_reached,
    record_success,
)
from trtbuild.steps.base import MODEL, WEIGHTS
from trtbuild.store.claims import Claim
from trtbuild.store.store import Store

__all__ = ["walk_plan"]

POLL_SECONDS = 0.2


def walk_plan(
    plan: Plan,
    store: Store,
    executor: Executor,
    listener: Listener,
    *,
    known: Mapping[str, Outcome] | None = None,
) -> tuple[Outcome, ...]:
    """Make every step of a plan so: reuse what the store has, run the rest, record it.

    A failed step stops what stands on it, and nothing else. Outcomes come in plan order; `known`
    ones, of a walk over a part of the plan, are taken over. Where it cannot come to its end, the
    executor is closed.
    """
    run = _Walk(plan, store, executor, listener)
    for outcome in (known or {}).values():
        run.take(outcome)
    try:
        run.go()
        store.finish()
    except BaseException:
        executor.close()  # what still runs would write into directories that are to be removed
        raise
    finally:
        run.release()
        store.abandon()
        store.digests.save()
    store.remember(plan.recipe, {o.step: o.digest for o in run.outcomes.values() if is_good(o)})
    return tuple(run.outcomes[planned.name] for planned in plan.steps)


@frozen
class _ClaimedStep:
    planned: PlannedStep
    contents: str
    work: Path
    lock: Claim


class _Walk:
    def __init__(self, plan: Plan, store: Store, executor: Executor, listener: Listener) -> None:
        self.plan = plan
        self.store = store
        self.executor = executor
        self.listener = listener
        self.outcomes: dict[str, Outcome] = {}
        self.claimed: dict[str, _ClaimedStep] = {}
        self.verified: set[str] = set()
        self.waited: set[str] = set()
        self.chains = count_waiting(plan.steps)

    def take(self, outcome: Outcome) -> None:
        """Take an outcome in; what user code rested on moves the digests of what stands on it."""
        self.outcomes[outcome.step] = outcome
        self.plan = chain_anew(self.plan, {outcome.step: outcome.digest})

    def go(self) -> None:
        """Go round until every step has an outcome."""
        while len(self.outcomes) < len(self.plan.steps):
            moved = self._settle_ready()
            if self.claimed:
                self._wait()
            elif not moved:
                time.sleep(POLL_SECONDS)  # another process has the claim

    def release(self) -> None:
        """Give back every claim; what was running is removed with its directory."""
        for claimed in self.claimed.values():
            remove_tree(claimed.work)
            claimed.lock.close()
        self.claimed.clear()

    def _ready(self) -> list[PlannedStep]:
        """List what can be started, that first for which most others wait in a row."""
        ready = [
            planned
            for planned in self.plan.steps
            if planned.name not in {*self.outcomes, *self.claimed}
            and all(name in self.outcomes for name in planned.after)
        ]
        return sorted(ready, key=lambda planned: -self.chains[planned.name])

    def _settle_ready(self) -> bool:
        moved = False
        for planned in self._ready():
            moved |= self._settle(planned)
        return moved

    def _settle(self, planned: PlannedStep) -> bool:
        """Reuse, refuse or start one ready step; return False if it has to wait."""
        bad = [each for name in planned.after if not is_good(each := self.outcomes[name])]
        if bad and all(each.status == "deferred" for each in bad):
            return self._end(record_deferral(planned, bad[0].message))
        if bad:
            return self._end(record_not_reached(planned))
        if planned.deferred:
            return self._end(record_deferral(planned))
        return self._reuse(planned) or (
            self.executor.has_room(planned.step.needs()) and self._run(planned)
        )

    def _run(self, planned: PlannedStep) -> bool:
        """Claim a step and start it; return False while another process has the claim."""
        lock = self.store.claim(planned.digest)
        if lock is None:
            if planned.name not in self.waited:
                self.waited.add(planned.name)
                self.listener.waiting(planned.name)
            return False
        # Somebody else may have finished it between the look and the claim.
        if self._reuse(planned):
            lock.close()
        else:
            self._start(planned, lock)
        return True

    def _reuse(self, planned: PlannedStep) -> bool:
        watched = planned.step.user_code() is not None
        if watched:  # another process may have run it, or a file have changed, since it was planned
            planned = look_again(planned, self._facts(planned), self.store)
        action = self.store.action(planned.digest)
        if action is None or not self.store.bring(action, planned.step.outputs):
            if watched:
                return False
            contents = self._contents(planned)
            same = self.store.same_contents(digest_of_bytes(contents.encode()))
            if same is None or not self.store.bring(same, planned.step.outputs):
                return False
            # Early cut-off: the steps before ran, and made what they had made before.
            action = same.model_copy(
                update={
                    "step": planned.name,
                    "digest": planned.digest,
                    "ingredients": write_canonical_json(planned.ingredients),
                }
            )
            self.store.record(action, contents)
        self._end(record_success(planned, "reused", action))
        return True

    def _facts(self, planned: PlannedStep) -> Mapping[str, str]:
        return self.executor.place(planned.step.needs()).facts

    def _contents(self, planned: PlannedStep) -> str:
        contents = {
            f"{before}/{artifact.name}": artifact.digest
            for before in planned.after
            for artifact in self.outcomes[before].artifacts
        }
        step, caveats = planned.step, self._caveats(planned)
        return write_contents(step, contents, facts=planned.facts, caveats=caveats)

    def _caveats(self, planned: PlannedStep) -> tuple[str, ...]:
        return tuple(
            dict.fromkeys(c for before in planned.after for c in self.outcomes[before].caveats)
        )

    def _start(self, planned: PlannedStep, lock: Claim) -> None:
        try:
            inputs = self._inputs(planned)
        except CorruptObject as error:
            lock.close()
            self._redo(planned, error)
            return
        contents = self._contents(planned)
        with holding_interrupts():  # a directory that nobody knows of would be left behind
            work = self.store.work(planned.digest)
            self.claimed[planned.name] = _ClaimedStep(planned, contents, work, lock)
        call = Call(
            name=planned.name,
            step=planned.step,
            inputs=inputs,
            out=str(work / "out"),
            log=str(work / "log.txt"),
            facts=planned.facts,
            caveats=self._caveats(planned),
        )
        self.listener.started(planned.name)
        self.executor.start(call)

    def _inputs(self, planned: PlannedStep) -> dict[str, str]:
        """Return the files a step reads, each verified once in this walk."""
        found = {}
        for _, ref in iterate_inputs(planned.step):
            names = {ref.output, WEIGHTS} if ref.output == MODEL else {ref.output}
            for artifact in self.outcomes[ref.step].artifacts:
                if artifact.name not in names:
                    continue
                if artifact.digest not in self.verified:
                    self.store.verify(artifact)
                    self.verified.add(artifact.digest)
                path = self.store.object_path(artifact.digest)
                found[f"{ref.step}/{artifact.name}"] = str(path)
        return found

    def _redo(self, planned: PlannedStep, error: CorruptObject) -> None:
        """Take back the outcomes whose artifacts turned out damaged; they run again."""
        for before in planned.after:
            if not all(self.store.has(artifact) for artifact in self.outcomes[before].artifacts):
                del self.outcomes[before]
                self.listener.damaged(before, error.message)

    def _wait(self) -> None:
        told = self.executor.wait(POLL_SECONDS)
        if isinstance(told, StepProgress):
            self.listener.progressed(told)
        elif isinstance(told, CallResult):
            claimed = self.claimed[told.name]
            self._end(self._finish(claimed, told))
            del self.claimed[told.name]
            claimed.lock.close()

    def _finish(self, claimed: _ClaimedStep, told: CallResult) -> Outcome:
        planned, work = claimed.planned, claimed.work
        if not told.message and planned.step.user_code() is not None:
            planned, told = self._account(planned, told)
        if told.message:
            # Whatever the digests of its files were remembered by, the next plan reads them.
            for path, _ in iterate_pinned(planned.step) if told.code == CorruptObject.code else ():
                self.store.digests.forget(Path(path))
            return record_failure(planned, told, log=str(work / "log.txt"))
        beside = planned.step.files_beside().items()
        there = {name: file for name, file in beside if (work / "out" / file).exists()}
        outputs = {**planned.step.outputs, **there}
        kept = planned.step.keeps_log and self.store.keep_log(work / "log.txt", planned.digest)
        action = Action(
            step=planned.name,
            digest=planned.digest,
            ingredients=write_canonical_json(planned.ingredients),
            artifacts=tuple(
                self.store.add(work / "out" / file, name, move=True)
                for name, file in outputs.items()
            ),
            seconds=round(told.seconds, 3),
            where=told.where,
            notes=told.notes,
            warnings=told.warnings,
            log=planned.digest if kept else "",
            log_level=told.log_level,
            caveats=told.caveats,
        )
        # What user code rests on is known now, and no other step makes the same of its inputs.
        watched = planned is not claimed.planned
        self.store.record(action, action.ingredients if watched else claimed.contents)
        remove_tree(work)
        return record_success(planned, "ran", action)

    def _account(self, planned: PlannedStep, told: CallResult) -> tuple[PlannedStep, CallResult]:
        """Return a step that ran code of the user's with all that this rested on."""
        try:
            found = settle(planned, told.observed, self._facts(planned), self.store)
        except CorruptObject as error:
            bad = {"message": error.message, "hint": error.hint, "code": error.code}
            return planned, told.model_copy(update=bad)
        return found, told

    def _end(self, outcome: Outcome) -> bool:
        self.take(outcome)
        self.listener.finished(outcome)
        return True
