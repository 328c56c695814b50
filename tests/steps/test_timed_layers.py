"""What was timed, taken apart."""

from __future__ import annotations

from types import SimpleNamespace

from trtbuild.core.errors import StepInputError
from trtbuild.steps.timed_layers import Fed, take_apart
from trtbuild.timing.base import Setting, TimedModel
from trtbuild.timing.layers.join import ProfiledLayer


def fed(name, answer, call_ms=1.0):
    """A variant whose profiler answers with layers, or raises."""

    def profile(_subject, _setting, _opened, _arrays, calls):
        if isinstance(answer, Exception):
            raise answer
        return [each(calls) for each in answer]

    kind = SimpleNamespace(profile=profile)
    subject = TimedModel(name, "engine", None)
    return Fed(name, subject, kind, None, {}, {"x": (1,)}, call_ms)


def layer(calls):
    return ProfiledLayer("a", "Op", ("a",), "fp32", (2.0,) * calls)


def test_one_that_fails_takes_nothing_else_with_it():
    """Whatever it raises: what was timed must not be lost."""
    every = [
        fed("good", [layer]),
        fed("refuses", StepInputError("it is not taken apart")),
        fed("breaks", RuntimeError("no such profiler")),
        fed("says nothing", []),
    ]
    found = take_apart(every, Setting(threads=1))

    assert ["good"] == [each.variant for each in found.profiles]
    assert [
        ("refuses", "it is not taken apart"),
        ("breaks", "its profiler: RuntimeError: no such profiler"),
        ("says nothing", "its profiler told of no layer"),
    ] == [(each.name, each.reason) for each in found.not_run]


def test_as_many_calls_are_made_as_take_half_a_second():
    """Between 5 and 100."""
    every = [fed(str(ms), [layer], call_ms=ms) for ms in (0.01, 10.0, 1000.0)]

    assert [100, 50, 5] == [each.calls for each in take_apart(every, Setting(1)).profiles]
