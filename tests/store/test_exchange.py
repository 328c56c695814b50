"""What is sent, brought and swept: by the last runs, and no more."""

from __future__ import annotations

import os
import time

import pytest

from tests.helpers.executors import Recording
from tests.helpers.plans import plan_with
from tests.store.test_shared import machine
from trtbuild.core.errors import UsageError
from trtbuild.run.executor import QuietListener
from trtbuild.run.walk import walk_plan
from trtbuild.store.exchange import collect_remote_garbage, pull_runs, push_runs
from trtbuild.store.remote import Remote
from trtbuild.store.storage import FolderStorage
from trtbuild.store.store import Store

DAY = 86400


def built(store, **options):
    walk_plan(plan_with(**options), store, Recording(), QuietListener())


@pytest.fixture
def remote(tmp_path):
    return Remote(FolderStorage(tmp_path / "remote"))


def names(remote, folder):
    return {entry.key for entry in remote.storage.list(folder)}


def push(store, remote, *recipes):
    return push_runs(store, remote, recipes, lambda _: None)


def test_what_was_built_alone_is_sent_later_and_brought_elsewhere(store, remote, tmp_path):
    """All of it, and what is there already is not sent again; a third machine runs nothing."""
    built(store)

    sent, again = push(store, remote), push(store, remote, "face")
    two = machine(tmp_path, "two")
    got = pull_runs(two, (), lambda _: None)

    steps = len(plan_with().steps)
    assert (("face",), steps, 0) == (sent.recipes, sent.steps, again.objects)
    assert (steps, sent.objects, sent.size_bytes, ()) == (
        got.steps, got.objects, got.size_bytes, got.missing,
    )  # fmt: skip
    alone, executor = Store(two.root), Recording()
    walk_plan(plan_with(), alone, executor, QuietListener())
    assert [] == executor.started
    assert store.history("face") == alone.history("face")


def test_a_recipe_that_was_not_built_is_named(store, remote):
    """With those that were."""
    built(store)
    with pytest.raises(UsageError) as caught:
        push(store, remote, "mouth")

    assert "there are: face" == caught.value.hint


def test_a_remote_store_that_is_only_read_takes_nothing(store, tmp_path):
    """Said at once."""
    with pytest.raises(UsageError, match="only read"):
        push(store, Remote(FolderStorage(tmp_path / "remote"), writes=False))


def test_what_is_not_whole_there_is_told(store, remote, tmp_path):
    """The step runs again; all else is brought."""
    built(store)
    push(store, remote)
    gone = min(names(remote, "objects"))
    remote.storage.remove(gone)

    assert 1 == len(pull_runs(machine(tmp_path, "two"), (), lambda _: None).missing)


def age(folder, days, *, but=()):
    """Let the storage's clock say that all there is so old."""
    then = time.time() - days * DAY
    for path in folder.rglob("*.*"):
        if path not in but:
            os.utime(path, (then, then))
    for path in (folder / "objects").glob("*/*"):
        if path not in but:
            os.utime(path, (then, then))


def test_what_no_late_run_stands_on_goes(store, remote, tmp_path):
    """Not before it is a week old: a build may be at it; then the latest run still comes whole."""
    shared = machine(tmp_path, "one")
    built(shared, percentile=99.0)
    age(tmp_path / "remote", 9)
    built(shared, percentile=98.0)
    collect = {"local": store, "runs": 1, "days": 7}

    promised = collect_remote_garbage(remote, **collect, pretend=True)
    found = collect_remote_garbage(remote, **collect)

    assert promised == found
    assert 3 == found.steps  # calibrate, quantize, build_engine
    assert found.objects > 0
    assert () == pull_runs(machine(tmp_path, "two"), (), lambda _: None).missing
    again = collect_remote_garbage(remote, **collect)
    assert (0, 0, 0) == (again.steps, again.objects, again.young_bytes)


def test_what_is_young_stays_whoever_wants_it(store, remote, tmp_path):
    """Without a run, all of it is garbage; none is old."""
    built(machine(tmp_path, "one"))
    for key in names(remote, "runs"):
        remote.storage.remove(key)

    found = collect_remote_garbage(remote, store, runs=1, days=7)
    assert 0 == found.objects
    assert found.young_bytes > 0
