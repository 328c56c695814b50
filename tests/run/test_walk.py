"""The walk over a plan, with an executor that only writes down what it was asked."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from tests.helpers.executors import Recording
from tests.helpers.plans import FACTS, plan_with
from trtbuild.core.digest import digest_of_bytes, seal
from trtbuild.run.executor import QuietListener
from trtbuild.run.walk import walk_plan
from trtbuild.store.store import Store

AB = "sha256:" + "ab" * 32
ALL = [
    "import_model",
    "fix_graph",
    "capture_data(calib)",
    "calibrate",
    "quantize",
    "build_engine(rtx)",
]


def walked(plan, store, executor=None):
    executor = executor or Recording()
    return walk_plan(plan, store, executor, QuietListener()), executor


def test_a_first_walk_runs_every_step(store):
    """Nothing is in the store, so everything runs, in an order that inputs allow."""
    outcomes, executor = walked(plan_with(), store)

    assert sorted(ALL) == sorted(executor.started)
    assert executor.started.index("calibrate") < executor.started.index("quantize")
    assert {"ran"} == {outcome.status for outcome in outcomes}


def test_a_second_walk_starts_nothing(store):
    """What is in the store is reused, artifact for artifact."""
    first, _ = walked(plan_with(), store)

    second, executor = walked(plan_with(), store)

    assert [] == executor.started
    assert {"reused"} == {outcome.status for outcome in second}
    assert [o.artifacts for o in first] == [o.artifacts for o in second]


def test_a_moved_percentile_reruns_calibration_and_what_stands_on_it(store):
    """Steps above the change are reused."""
    walked(plan_with(percentile=99.9), store)

    _, executor = walked(plan_with(percentile=99.99), store)

    assert ["calibrate", "quantize", "build_engine(rtx)"] == executor.started


def test_a_manual_range_recalibrates_nothing(store):
    """Manual ranges lie over the table; calibration does not know of them."""
    walked(plan_with(), store)

    _, executor = walked(plan_with(manual={"x": (-1.0, 1.0)}), store)

    assert ["quantize", "build_engine(rtx)"] == executor.started


def test_a_moved_directory_reruns_nothing(store):
    """A path says how to reach the bytes; only their digest counts."""
    walked(plan_with(base="/here"), store)

    _, executor = walked(plan_with(base="/there"), store)

    assert [] == executor.started


def test_a_new_toolkit_rebuilds_the_engine_alone(store):
    """Only the steps that declare a fact run again when it moves."""
    walked(plan_with(), store)

    _, executor = walked(plan_with(facts={**FACTS, "tensorrt_rtx_cu13_libs": "1.8"}), store)

    assert ["build_engine(rtx)"] == executor.started


def test_an_import_that_makes_the_same_bytes_cuts_off_early(store):
    """A re-exported but identical model recalibrates nothing."""
    walked(plan_with(model="sha256:aa"), store, Recording(constant=["import_model"]))

    again = Recording(constant=["import_model"])
    outcomes, executor = walked(plan_with(model="sha256:bb"), store, again)

    assert ["import_model"] == executor.started
    assert ["ran"] + ["reused"] * 5 == [outcome.status for outcome in outcomes]


def test_a_failed_step_stops_what_stands_on_it(store):
    """The rest goes on, and nothing of the failure is kept as a result."""
    outcomes, executor = walked(plan_with(), store, Recording(failing={"calibrate": "no batch"}))

    assert {
        "calibrate": "failed",
        "quantize": "not_reached",
        "build_engine(rtx)": "not_reached",
    } == {o.step: o.status for o in outcomes if o.status != "ran"}
    _, executor = walked(plan_with(), store)
    assert ["calibrate", "quantize", "build_engine(rtx)"] == executor.started


def test_a_failed_step_keeps_its_log(store):
    """The outcome says where, and the directory is there."""
    outcomes, _ = walked(plan_with(), store, Recording(failing={"calibrate": "no batch"}))

    failed = next(outcome for outcome in outcomes if outcome.status == "failed")

    assert os.path.isdir(os.path.dirname(failed.log))  # noqa: PTH112, PTH120


def test_a_deferred_target_is_not_started(store):
    """Its reason is its message."""
    outcomes, executor = walked(plan_with(deferred={"build_engine(rtx)": "no such GPU"}), store)

    assert "build_engine(rtx)" not in executor.started
    assert ("deferred", "no such GPU") == (outcomes[-1].status, outcomes[-1].message)


def test_what_a_step_found_otherwise_is_not_remembered(store, tmp_path):
    """Else the next run would plan with it again, and fail again, for ever."""
    model = tmp_path / "m.onnx"
    model.write_text("1")
    seen = model.stat()
    stamp = [seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino, seen.st_dev]
    (store.root / "digests.json").write_bytes(seal(json.dumps({str(model): [*stamp, AB]})))
    planning = Store(store.root)
    made = plan_with(base=str(tmp_path), model=planning.digests.digest(model))
    assert AB == planning.digests.digest(model)

    changed = {"message": "m.onnx: has changed", "code": 5}
    walked(made, planning, Recording(failing={"import_model": changed}))

    for again in (planning, Store(store.root)):
        assert digest_of_bytes(b"1") == again.digests.digest(model)


@pytest.mark.parametrize("damage", [b"", b"torn"])
def test_a_damaged_object_is_made_again(store, damage):
    """A flipped or torn object is found when it is read, and never used."""
    first, _ = walked(plan_with(), store)
    ranges = first[3].artifacts[0]
    path = store.object_path(ranges.digest)
    path.chmod(0o644)
    path.write_bytes(damage.ljust(ranges.size_bytes, b"!") if damage else b"")

    outcomes, executor = walked(plan_with(manual={"x": (-1.0, 1.0)}), store)

    assert "calibrate" in executor.started
    assert {"ran", "reused"} >= {outcome.status for outcome in outcomes}
    assert ranges == outcomes[3].artifacts[0]


def test_an_artifact_that_left_the_store_is_made_again(store):
    """Only the step that made it runs; what stands on it is unchanged."""
    first, _ = walked(plan_with(), store)
    store.object_path(first[3].artifacts[0].digest).unlink()

    _, executor = walked(plan_with(), store)

    assert ["calibrate"] == executor.started


def test_two_walks_at_once_do_each_step_once(store):
    """Whoever comes second waits for the claim, and reuses."""
    executors = [Recording(), Recording()]
    threads = [
        threading.Thread(target=walked, args=(plan_with(), Store(store.root), executor))
        for executor in executors
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(ALL) == sorted(executors[0].started + executors[1].started)


def test_a_walk_that_is_interrupted_gives_its_claims_back(store):
    """The next walk finds nothing in its way, and nothing half-made."""

    class Interrupted(Recording):
        def wait(self, timeout_seconds):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        walked(plan_with(), store, Interrupted())

    outcomes, _ = walked(plan_with(), store)
    assert {"ran"} == {outcome.status for outcome in outcomes}
    assert [] == list((store.root / "work").iterdir())


class Ending(Recording):
    """Is interrupted in one of its verbs, and what it runs writes on until it is closed."""

    def __init__(self, verb):
        super().__init__()
        self.verb, self.closed = verb, False

    def start(self, call):
        super().start(call)
        if self.verb == "start":
            raise KeyboardInterrupt

    def wait(self, timeout_seconds):
        if self.verb == "wait":
            raise KeyboardInterrupt
        return super().wait(timeout_seconds)

    def close(self):
        self.closed = True
        for out in (Path(call.out) for call in self.calls if Path(call.out).is_dir()):
            (out / "late").write_text("written while it ended")


@pytest.mark.parametrize("verb", ["start", "wait", "add", "finished"])
def test_an_interrupted_walk_leaves_no_directory(store, monkeypatch, verb):
    """Wherever it comes: what ran has ended before its directory is removed."""

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    executor, listener = Ending(verb), QuietListener()
    if verb == "add":
        monkeypatch.setattr(store, "add", interrupted)
    if verb == "finished":
        monkeypatch.setattr(listener, "finished", interrupted)

    with pytest.raises(KeyboardInterrupt):
        walk_plan(plan_with(), store, executor, listener)

    assert executor.closed
    assert [] == list((store.root / "work").iterdir())
    assert store.claim(plan_with().steps[0].digest) is not None
