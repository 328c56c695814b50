"""What every kind of runner promises."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from trtbuild.core.errors import StepInputError
from trtbuild.core.kinds import load_kinds, name_kind
from trtbuild.core.values import TensorSpec
from trtbuild.timing.base import MadeModule, Setting, TimedModel
from trtbuild.timing.kinds import AnyRunner

KINDS = load_kinds(AnyRunner)
ONE = Setting(threads=1)


def onnx_subject(folder):
    model = model_of("g (float[n,2] x) => (float[n,2] y) { y = Add(x, x) }")
    onnx.save(model, folder / "m.onnx")
    return TimedModel("m", "onnx", folder / "m.onnx")


def module_subject(folder):
    torch = pytest.importorskip("torch")

    class Double(torch.nn.Module):
        def forward(self, x):
            return x + x

    inputs = (TensorSpec(name="x", dtype="float32", shape=("n", 2)),)
    made = MadeModule(Double(), inputs, ("x",))
    return TimedModel("m", "module", folder, make=lambda: made)


def engine_subject(_folder):
    return pytest.skip(
        "there is no GPU with TensorRT here; tests/timing/test_engine.py has a double"
    )


SUBJECTS = {"onnx_runtime": onnx_subject, "pytorch": module_subject, "engine": engine_subject}
"""Of each kind something that doubles its input `x`."""


@pytest.fixture(params=KINDS, ids=name_kind)
def case(request, tmp_path):
    """One that can run here, with what it runs."""
    subject = SUBJECTS[name_kind(request.param)](tmp_path)
    for runner in request.param.usual():
        if not runner.find_hindrance(subject, ONE):
            return runner, subject
    return pytest.skip(f"no {name_kind(request.param)} can run here")


@pytest.fixture
def opened(case):
    runner, subject = case
    model = runner.open(subject, ONE)
    yield model
    model.close()


def array(rows):
    return np.arange(2 * rows, dtype=np.float32).reshape(rows, 2)


def test_it_is_for_its_subjects_and_says_what_it_is(case):
    """A name of letters, the versions of what runs it, and what it computes in."""
    runner, subject = case

    assert runner.takes(subject)
    assert runner.label().replace("-", "").replace("_", "").isalnum()
    assert runner.place() in {"cpu", "gpu"}
    assert all(runner.libraries().values())
    runner.load_library()


@pytest.mark.parametrize("kind", KINDS, ids=name_kind)
def test_each_usual_one_has_a_name_of_its_own(kind):
    """And reads back as it was."""
    usual = kind.usual()

    assert len({each.label() for each in usual}) == len(usual) > 0
    for each in usual:
        assert each == kind.model_validate_json(each.model_dump_json())


def test_it_runs_what_it_was_fed_last(opened):
    """At one shape and then another, with copies and without."""
    assert ["x"] == [spec.name for spec in opened.inputs]
    for rows in (3, 1, 4):
        opened.feed({"x": array(rows)})
        opened.call()
        opened.call_whole()

        (found,) = opened.outputs().values()
        assert np.array_equal(2 * array(rows), found)


def test_another_caller_has_memory_of_its_own(opened):
    """What it is fed changes nothing for the first."""
    opened.feed({"x": array(2)})
    other = opened.fork()
    other.call()
    other.feed({"x": array(5)})
    other.call()
    opened.call()

    (mine,), (its,) = opened.outputs().values(), other.outputs().values()
    assert (2, 5) == (len(mine), len(its))
    other.close()


def test_events_are_there_where_they_are_said_to_be(opened):
    """More than no time."""
    opened.feed({"x": array(1)})
    opened.call()

    if opened.has_events:
        assert opened.read_events_ms() > 0
    peak = opened.peak_bytes()
    assert peak is None or peak > 0


def test_layers_are_told_apart_or_it_is_said_why_not(case, opened):
    """A time a call and layer."""
    runner, subject = case
    opened.feed({"x": array(2)})
    try:
        layers = runner.profile(subject, ONE, opened, {"x": array(2)}, 4)
    except StepInputError as why:
        pytest.skip(why.message)

    assert layers
    assert all(4 == len(each.times_ms) and min(each.times_ms) >= 0 for each in layers)
