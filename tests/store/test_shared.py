"""Machines that share a remote store: what one has built, the others have."""

from __future__ import annotations

import threading

import pytest

from tests.helpers.executors import Recording
from tests.helpers.plans import plan_with
from trtbuild.core.errors import CorruptObject
from trtbuild.run.executor import QuietListener
from trtbuild.run.walk import walk_plan
from trtbuild.store.remote import Remote, name_object
from trtbuild.store.shared import SharedStore
from trtbuild.store.storage import FolderStorage, open_storage


def machine(tmp_path, name, storage=None, **options):
    """A store of its own before the remote one that all share."""
    remote = Remote(storage or FolderStorage(tmp_path / "remote"), **options)
    store = SharedStore(tmp_path / name, remote)
    store.prepare()
    return store


def walk(store, executor=None):
    executor = executor or Recording()
    outcomes = walk_plan(plan_with(), store, executor, QuietListener())
    return executor.started, {(o.step, a.name): a.digest for o in outcomes for a in o.artifacts}


def test_another_machine_runs_nothing(tmp_path):
    """And has the same bytes, each object verified; nothing is claimed any more."""
    ran, made = walk(machine(tmp_path, "one"))
    two = machine(tmp_path, "two")

    again, same = walk(two)

    assert [] == again
    assert len(ran) > 2
    assert made == same
    assert all(two.object_path(digest).is_file() for digest in made.values())
    assert [] == list(two.remote.storage.list("leases"))


def test_an_object_that_was_damaged_there_is_made_again(tmp_path):
    """What cannot be brought runs, and replaces it."""
    _, made = walk(machine(tmp_path, "one"))
    digest = next(iter(made.values()))
    storage = FolderStorage(tmp_path / "remote")
    storage.write(name_object(digest), b"x" * (storage.size(name_object(digest)) or 0))
    two = machine(tmp_path, "two")

    ran, same = walk(two)

    assert (1, made) == (len(ran), same)
    assert "damaged" in two.list_troubles()[0]


def test_a_record_that_was_forged_is_not_used(tmp_path):
    """It has not the digest that it is asked for by."""
    walk(machine(tmp_path, "one"))
    folder = tmp_path / "remote/actions"
    records = sorted(folder.iterdir())
    records[0].write_bytes(records[1].read_bytes())
    two = machine(tmp_path, "two")

    assert two.action(f"sha256:{records[0].stem}") is None
    assert "it was not used" in two.list_troubles()[0]
    assert not (two.root / "actions" / records[0].name).exists()


def test_who_may_only_read_writes_nothing(tmp_path):
    """No action, no lease; what is built is built here."""
    ran, _ = walk(machine(tmp_path, "one", writes=False))

    assert len(ran) > 2
    assert [] == list(FolderStorage(tmp_path / "remote").list(""))


def test_a_run_waits_for_the_machine_that_has_the_step(tmp_path):
    """And is told; when that gives up, it runs the step itself."""
    one, two = machine(tmp_path, "one"), machine(tmp_path, "two")
    first = plan_with().steps[0]
    claim = one.claim(first.digest)
    waiting = []

    class Waiting(QuietListener):
        def waiting(self, name):
            waiting.append(name)
            claim.close()
            one.finish()

    executor = Recording()
    walk_plan(plan_with(), two, executor, Waiting())
    assert [first.name] == waiting
    assert first.name in executor.started


def test_two_drivers_at_once_do_each_step_once(tmp_path):
    """Over one storage in memory, each with a store of its own."""
    pytest.importorskip("fsspec")
    storage = open_storage(f"memory://{tmp_path}")
    done, results = [], []

    def drive(name):
        ran, made = walk(machine(tmp_path, name, storage))
        done.extend(ran)
        results.append(made)

    threads = [threading.Thread(target=drive, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(step.name for step in plan_with().steps) == sorted(done)
    assert results[0] == results[1]


def test_verifying_brings_what_is_not_here(tmp_path):
    """And what is nowhere is damaged."""
    one = machine(tmp_path, "one")
    walk(one)
    action = next(one.iterate_actions())
    two = machine(tmp_path, "two")

    assert two.complete(action)
    assert not two.has(action.artifacts[0])
    assert two.verify(action.artifacts[0]).is_file()
    with pytest.raises(CorruptObject):
        two.verify(action.artifacts[0].model_copy(update={"digest": f"sha256:{'0' * 64}"}))
