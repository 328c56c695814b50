"""Whatever file a step names, it runs on what was planned or fails."""

from __future__ import annotations

import os
import typing

import pytest

from tests.helpers.sources import source_of
from trtbuild.core.digest import digest_of_file
from trtbuild.core.errors import CorruptObject, MissingFile, StepInputError
from trtbuild.core.kinds import load_kinds
from trtbuild.run.executor import Call
from trtbuild.run.worker import run_call
from trtbuild.sources.kinds import Onnx
from trtbuild.steps.any_step import AnyStep
from trtbuild.steps.base import Pinned, Step
from trtbuild.steps.capture_data import DataInput
from trtbuild.steps.held_files import hold_files

KINDS = load_kinds(AnyStep)
FIELDS = {
    f"{kind.__name__}.{name}": (kind, name)
    for kind in KINDS
    for name, field in kind.model_fields.items()
    if "Pinned" in str(field.annotation)
}
LONG_AGO = 1_000_000_000
FILES = source_of('{"kind": "arrays", "path": "named"}')
MODEL = Onnx(kind="onnx", path="named")
CHANGED = "named: has changed since this run was planned"


class Reading(Step):
    """Names files one by one, in a row and as another step's samples."""

    outputs = {}

    kind: typing.Literal["reading"] = "reading"
    one: Pinned | None = None
    several: tuple[Pinned, ...] = ()
    samples: DataInput | None = None


@pytest.fixture
def file(tmp_path):
    """A file that has lain there for long: its times can be relied on."""
    path = tmp_path / "named"
    path.write_text("planned")
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


def pin(path):
    return Pinned(path=str(path), digest=digest_of_file(path))


def test_the_steps_name_files_in_these_fields():
    """A field that is new is held as these are, by its type."""
    assert {
        "ImportModel.files", "ImportModel.weights", "CaptureData.files", "ImportRanges.table",
        "Quantize.ranges_file", "BuildEngine.plugins", "BuildEngine.timing_cache",
        "InferEngine.plugins",
    } <= FIELDS.keys()  # fmt: skip


@pytest.mark.parametrize("field", FIELDS)
def test_a_file_edited_between_plan_and_step_fails_the_step(file, tmp_path, field):
    """Data, models, ranges, caches, plugins: all by the same error, before anything is read."""
    kind, name = FIELDS[field]
    several = "tuple" in str(kind.model_fields[name].annotation)
    value = (pin(file),) if several else pin(file)
    needed = {"source": FILES, "model": MODEL, "files": ()}
    options = dict.fromkeys(kind.model_fields) | needed | {name: value}
    step = kind.model_construct(**options)
    file.write_text("another")
    call = Call.model_construct(
        name="it", step=step, inputs={}, out=str(tmp_path), log="", facts={}, caveats=()
    )
    report = run_call(call, [].append, threads=1)

    assert (5, f"{file}: {CHANGED.partition(': ')[2]}") == (report["code"], report["message"])
    assert "run the same command again" in report["hint"]


@pytest.mark.parametrize("step", ["one", "several"])
def test_a_file_that_is_what_was_planned_is_read(file, step):
    """And nothing is said."""
    pinned = pin(file)

    with hold_files(Reading(**{step: pinned if step == "one" else (pinned,)})):
        assert "planned" == file.read_text()


def back_again(file):
    file.write_text("another")
    file.write_text("planned")


EDITS = {
    "changed": lambda file: file.write_text("another"),
    "changed and changed back": back_again,
    "replaced by another with its times": lambda file: (
        (file.parent / "new").write_text("another"),
        os.utime(file.parent / "new", (LONG_AGO, LONG_AGO)),
        (file.parent / "new").replace(file),
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_file_edited_while_it_is_read_fails_the_step(file, edit):
    """What was read in between cannot be told."""
    with pytest.raises(CorruptObject, match=CHANGED), hold_files(Reading(one=pin(file))):
        EDITS[edit](file)


def test_a_change_is_what_is_said_of_a_step_that_fails_over_it(file):
    """A torn file is called changed, and what the step said is its cause."""
    with pytest.raises(CorruptObject, match=CHANGED) as caught, hold_files(Reading(one=pin(file))):
        file.write_text("torn")
        raise StepInputError("it is no picture")

    assert "it is no picture" in (str(caught.value.__cause__), str(caught.value.__context__))


def test_a_step_that_fails_by_itself_says_why(file):
    """Its files are what they were."""
    with pytest.raises(StepInputError, match="no picture"), hold_files(Reading(one=pin(file))):
        raise StepInputError("it is no picture")


def test_a_link_that_leads_elsewhere_meanwhile_fails_the_step(file):
    """Though what it leads to is as old as what it led to."""
    (file.parent / "other").write_text("planned")
    link = file.parent / "link"
    link.symlink_to(file)

    with pytest.raises(CorruptObject, match="changed"), hold_files(Reading(one=pin(link))):
        link.unlink()
        link.symlink_to("other")


def test_a_file_that_goes_is_missing(file):
    """Before or meanwhile."""
    step = Reading(one=pin(file))

    with pytest.raises(MissingFile, match="named: no such file"), hold_files(step):
        file.unlink()
    with pytest.raises(MissingFile, match="named: no such file"), hold_files(step):
        pass


def test_samples_are_held_by_their_own_digests(file):
    """To read all pictures twice would take twice as long: see `DataInput.samples`."""
    pinned = Pinned(path=str(file), digest="sha256:00")

    with hold_files(Reading(samples=DataInput.model_construct(files=(pinned,)))):
        pass
