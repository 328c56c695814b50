"""What passes between a walk and an executor."""

from __future__ import annotations

from trtbuild.core.needs import Needs
from trtbuild.core.options import find_location_fields, relocate
from trtbuild.core.values import Range, Ranges
from trtbuild.run.executor import Call, Listener, QuietListener
from trtbuild.steps.base import Pinned, Ref
from trtbuild.steps.import_ranges import ImportRanges
from trtbuild.steps.locked_ranges import LockedRanges

CALL = Call(
    name="import_ranges",
    step=ImportRanges(
        model=Ref(step="fix_graph", output="model"),
        table=Pinned(path="/recipes/old.cache", digest="sha256:aa"),
    ),
    inputs={"fix_graph/model": "/store/objects/ab/cd"},
    out="/store/running/1/out",
    log="/store/running/1/log.txt",
    facts={"onnx": "/1.0"},
)


def test_a_call_is_json():
    """A worker, or another machine, is given it as text; the step comes back as its own kind."""
    found = Call.model_validate_json(CALL.model_dump_json())

    assert CALL == found
    assert isinstance(found.step, ImportRanges)


def test_every_path_of_a_call_can_be_moved():
    """Those within the step too; nothing that only looks like one."""
    moved = relocate(CALL, lambda path: "/there" + path)

    assert {"inputs", "out", "log"} == find_location_fields(Call)
    assert "/there/recipes/old.cache" == moved.step.table.path
    assert {"fix_graph/model": "/there/store/objects/ab/cd"} == moved.inputs
    assert ("/there/store/running/1/out", "/there/store/running/1/log.txt") == (
        moved.out,
        moved.log,
    )
    assert {"onnx": "/1.0"} == moved.facts


def test_a_step_without_files_stays_what_it_is():
    """A tensor's name may look like a path, and is none."""
    step = LockedRanges(table=Ranges(tensors={"/x": Range(low=-1.0, high=1.0, origin="manual")}))

    assert step == relocate(step, lambda path: "/there" + path)
    assert Needs() == step.needs()


def test_a_quiet_listener_hears_everything(capsys):
    """It has an ear for all that a listener may be told, and says nothing."""
    told = {name for name in vars(Listener) if not name.startswith("_")}
    quiet = QuietListener()

    for name in told:
        arguments = getattr(QuietListener, name).__code__.co_argcount - 1
        getattr(quiet, name)(*[None] * arguments)

    assert ("", "") == tuple(capsys.readouterr())
