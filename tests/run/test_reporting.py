"""What runs, for whoever asks from elsewhere while it does."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.helpers.executors import Recording
from tests.helpers.plans import plan_with
from trtbuild.cli.app import run
from trtbuild.core.digest import read_sealed_tree, seal
from trtbuild.run.executor import QuietListener, StepProgress
from trtbuild.run.reporting import Reporting, list_running
from trtbuild.run.walk import walk_plan


class Looking(QuietListener):
    """Looks at what is told while steps run."""

    def __init__(self, store):
        self.store, self.seen = store, []

    def started(self, name):
        self.seen.append(list_running(self.store))


def test_what_runs_is_seen_while_it_does(store):
    """The recipe, its step, and how many have ended; afterwards nothing is left."""
    looking = Looking(store)
    with Reporting(looking, store, "face") as listener:
        walk_plan(plan_with(), store, Recording(), listener)

    steps = [(build.ended, [step.name for step in build.running]) for (build,) in looking.seen]
    assert (0, ["import_model"]) == steps[0]
    assert (5, ["build_engine(rtx)"]) == steps[-1]
    assert () == list_running(store)


def test_a_build_with_nothing_to_do_writes_nothing(store):
    """Its answer is kept, and said again."""
    walk_plan(plan_with(), store, Recording(), QuietListener())
    with Reporting(QuietListener(), store, "face") as listener:
        walk_plan(plan_with(), store, Recording(), listener)

        assert not (store.root / "running").exists()


def test_status_shows_it(store, monkeypatch, capsys):
    """In words and as JSON, with how far a step is and how long it took."""
    monkeypatch.setenv("TRTBUILD_STORE", str(store.root))
    assert 0 == run(["status"])
    assert "nothing is being built\n" == capsys.readouterr().out
    with Reporting(QuietListener(), store, "face") as listener:
        listener.expected({"calibrate": 60.0})
        listener.started("calibrate")
        listener.waiting("quantize")
        listener._written = 0.0
        listener.progressed(StepProgress(name="calibrate", done=3, total=9, unit="samples"))
        assert 0 == run(["status"])
        told = capsys.readouterr().out
        assert 0 == run(["status", "--format", "json"])

    (build,) = json.loads(capsys.readouterr().out)["builds"]
    assert [False, True] == [step["waits"] for step in build["running"]]
    assert "face: 0 of 0 steps have ended" in told
    assert "3 of 9 samples  took 60 s before" in told


@pytest.mark.parametrize("text", ["{}", "[1]", '{"owner": {}, "running": 3}'])
def test_what_is_no_report_is_passed_over(store, text):
    """It may be of another version."""
    (store.root / "running").mkdir()
    (store.root / "running/1.json").write_bytes(seal(text))

    assert () == list_running(store)


def test_what_a_dead_process_left_goes(store):
    """Of this machine's, that is known."""
    code = (
        "import sys; from pathlib import Path; from trtbuild.store.store import Store;"
        "from trtbuild.run.reporting import Reporting;"
        "from trtbuild.run.executor import QuietListener;"
        "Reporting(QuietListener(), Store(Path(sys.argv[1])), 'face').started('calibrate')"
    )
    subprocess.run([sys.executable, "-c", code, str(store.root)], check=True)
    (left,) = (store.root / "running").iterdir()
    assert "face" == read_sealed_tree(left, 1 << 20)["recipe"]

    assert () == list_running(store)
    assert not left.exists()
