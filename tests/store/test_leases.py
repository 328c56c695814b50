"""The right to run a step, without a common clock: time passes in these tests by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from trtbuild.store.leases import Leases, describe_owner
from trtbuild.store.storage import FolderStorage


class Machines:
    """Several machines over one folder, each with a clock of its own."""

    def __init__(self, folder):
        self.storage = FolderStorage(folder)
        self.now = 0.0

    def machine(self, name, ahead=0.0):
        leases = Leases(
            self.storage, beat_seconds=1e6, dead_seconds=60.0, clock=lambda: self.now + ahead
        )
        leases._owner = {**leases._owner, "host": name, "machine": name}
        return leases


@pytest.fixture
def machines(tmp_path):
    return Machines(tmp_path)


def test_one_has_it_until_it_is_given_back(machines):
    """The other is told who; then it is free, and nothing is left of it."""
    one, two = machines.machine("one"), machines.machine("two")
    lease = one.claim("ab")

    assert two.claim("ab") is None
    assert two.holder("ab").startswith("one, process")
    one.release(lease)
    again = two.claim("ab")
    two.release(again)
    assert [] == list(machines.storage.list("leases"))


def test_who_is_at_work_keeps_it_however_long(machines):
    """Each beat is news, whatever the time of day: the clocks are an hour apart."""
    one, two = machines.machine("one", ahead=3600.0), machines.machine("two")
    lease = one.claim("ab")
    for _ in range(10):
        assert two.claim("ab") is None
        machines.now += 50.0
        lease.beat()

    assert two.claim("ab") is None


def test_silence_of_a_minute_is_death(machines):
    """By the watcher's own clock; one of two watchers gets it, and the dead one's goes with it."""
    machines.machine("one").claim("ab")
    two, three = machines.machine("two", ahead=-9e9), machines.machine("three", ahead=9e9)
    assert [None, None] == [two.claim("ab"), three.claim("ab")]
    machines.now += 61.0

    lease = two.claim("ab")
    assert lease is not None
    assert three.claim("ab") is None
    two.release(lease)
    assert [] == list(machines.storage.list("leases"))


def test_the_dead_of_this_machine_are_known_at_once(machines):
    """A driver that was killed and started again does not wait for its own silence."""
    code = (
        "import sys; from pathlib import Path; from trtbuild.store.storage import FolderStorage;"
        "from trtbuild.store.leases import Leases;"
        "Leases(FolderStorage(Path(sys.argv[1]))).claim('ab')"
    )
    subprocess.run([sys.executable, "-c", code, str(machines.storage.root)], check=True)

    assert Leases(machines.storage).claim("ab") is not None


def test_what_is_no_lease_is_taken_over_as_the_silent_are(machines):
    """Whatever lies there, nobody waits for ever."""
    machines.storage.write("leases/ab/1", b"\xff not json")
    one = machines.machine("one")
    assert one.claim("ab") is None
    machines.now += 61.0

    assert one.claim("ab") is not None


def test_an_owner_tells_itself_from_others():
    """By the machine, the process, and when that began."""
    told = describe_owner()

    assert os.getpid() == told["pid"]
    assert json.loads(json.dumps(told)) == told
