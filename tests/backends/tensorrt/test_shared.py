"""What every TensorRT shares: profiles, phases, the log."""

from __future__ import annotations

import re
from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.networks import Network, tensor
from trtbuild.backends.tensorrt.shared import _Phases, capture_log, check_profiles, demand_values
from trtbuild.core.errors import StepInputError
from trtbuild.core.values import TensorSpec

INPUTS = [
    TensorSpec(name="x", dtype="float32", shape=("n", 3, "h")),
    TensorSpec(name="mask", dtype="bool", shape=(3,)),
]
GOOD = ((1, 3, 8), (2, 3, 8), (4, 3, 16))


def test_a_complete_profile_is_accepted():
    """Fixed inputs may be left out, or given their one shape."""
    check_profiles(INPUTS, [{"x": GOOD}, {"x": GOOD, "mask": ((3,), (3,), (3,))}])
    check_profiles(INPUTS[1:], [])


@pytest.mark.parametrize(
    ("profiles", "message"),
    [
        ([], "input `x` has shape [n, 3, h], but no profile says"),
        ([{"x": GOOD}, {}], "profile 1 has no shapes for input `x` ([n, 3, h])"),
        ([{"x": GOOD, "z": GOOD}], "profile 0 names `z`, which is no input of the model"),
        ([{"x": ((1, 3),) * 3}], "profile 0, `x`: min [1, 3] does not fit the model's [n, 3, h]"),
        ([{"x": ((1, 3, 8), (1, 4, 8), (1, 4, 8))}], "opt [1, 4, 8] does not fit"),
        ([{"x": GOOD, "mask": ((2,),) * 3}], "`mask`: min [2] does not fit the model's [3]"),
        ([{"x": ((2, 3, 8), (1, 3, 8), (4, 3, 8))}], "max [4, 3, 8] do not rise"),
    ],
)
def test_a_profile_that_polygraphy_would_patch_is_an_error(profiles, message):
    """Shapes that are missing or impossible are named with the input."""
    with pytest.raises(StepInputError, match=re.escape(message)):
        check_profiles(INPUTS, profiles)


def test_a_phase_counts_the_phases_within_it():
    """2 of 4 steps, and the third half done: 62 percent."""
    phases = _Phases()

    assert 0 == phases.start("build", None, 4)
    assert 25 == phases.step("build")
    assert 50 == phases.step("build")
    assert phases.start("inner", "build", 2) is None
    assert 62 == phases.step("inner")
    assert phases.finish("inner") is None
    assert 75 == phases.step("build")
    assert 100 == phases.finish("build")


@given(st.lists(st.tuples(st.sampled_from(["start", "step", "finish"]), st.integers(0, 3))))
def test_progress_never_falls_whatever_the_builder_says(events):
    """Phases that end twice, begin twice or take more steps than they said do not break it."""
    phases, told = _Phases(), []
    for verb, number in events:
        name = f"phase{number}"
        if verb == "start":
            told.append(phases.start(name, f"phase{number - 1}" if number else None, 2))
        else:
            told.append(getattr(phases, verb)(name))

    percents = [percent for percent in told if percent is not None]
    assert sorted(set(percents)) == percents
    assert all(0 <= percent <= 100 for percent in percents)


def test_the_log_is_written_and_its_errors_are_kept(capsys):
    """Everything goes to the step's log; a repeated error is quoted once; nothing lingers."""
    pytest.importorskip("polygraphy")
    from polygraphy.logger import G_LOGGER

    with capture_log() as log:
        G_LOGGER.verbose("told")
        G_LOGGER.error("wrong")
        G_LOGGER.error("wrong")
        G_LOGGER.warning("odd")

    assert (["wrong"], ["odd"]) == (log.errors, log.warnings)
    assert "told" in capsys.readouterr().out
    assert not G_LOGGER.use_python_logging_system


@pytest.mark.parametrize(
    ("level", "written"),
    [
        ("verbose", ["tactic", "told", "odd", "wrong"]),
        ("info", ["told", "odd", "wrong"]),
        ("warning", ["odd", "wrong"]),
        ("error", ["wrong"]),
        ("internal_error", ["wrong"]),
    ],
)
def test_a_level_says_what_is_written_and_nothing_else(level, written, capsys):
    """TensorRT's own, as Polygraphy hands them on; what is kept of them is the same at any."""
    pytest.importorskip("polygraphy")
    from polygraphy.logger import G_LOGGER

    with capture_log(level) as log:
        G_LOGGER.extra_verbose("tactic")  # TensorRT's VERBOSE
        G_LOGGER.verbose("told")  # its INFO
        G_LOGGER.warning("odd")
        G_LOGGER.error("wrong")

    assert written == [line.split("] ")[1] for line in capsys.readouterr().out.splitlines()]
    assert (["wrong"], ["odd"]) == (log.errors, log.warnings)


SIZE = TensorSpec(name="size", dtype="int64", shape=(2,))


@pytest.mark.parametrize(
    ("spec", "values", "message"),
    [
        (SIZE, ((1, 1), (2, 2), (3, 3)), ""),
        (SIZE, ((1,), (2,), (3,)), "profile 0 has 1 values for `size`, which is [2]"),
        (
            SIZE.model_copy(update={"dtype": "float32"}),
            ((1, 1), (2, 2), (3, 3)),
            "profile 0 has values for `size`, which is float32 [2]",
        ),
    ],
)
def test_a_profile_may_have_values(spec, values, message):
    """Of integers, as many as there are."""
    with pytest.raises(StepInputError, match=re.escape(message)) if message else nullcontext():
        check_profiles([spec], [{"size": values}], ["size"])


@pytest.mark.parametrize(
    ("decides", "values", "message"),
    [
        (True, (), "the values of input `size` decide shapes"),
        (False, ("size",), "the values of input `size` decide no shape"),
        (True, ("size",), ""),
        (False, (), ""),
    ],
)
def test_values_are_for_inputs_that_decide_shapes(decides, values, message):
    """As TensorRT sees it, once it has read the network."""
    network = Network([tensor("size", "INT64", shape_tensor=decides)], [])
    with pytest.raises(StepInputError, match=message) if message else nullcontext():
        demand_values(network, values)
