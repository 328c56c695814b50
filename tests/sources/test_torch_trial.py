"""Random inputs that modules take, and how far answers lie apart."""

from __future__ import annotations

import math

import numpy as np
import pytest

from trtbuild.sources.kinds import InputSpec
from trtbuild.sources.torch_trial import (
    choose_tolerance,
    describe_shapes,
    draw_answers,
    measure_differences,
    measure_movement,
)

torch = pytest.importorskip("torch")


def test_inputs_are_shown_with_their_sizes():
    """As a person would look for them in a profile."""
    inputs = {"ids": InputSpec(shape=("n", "seq")), "t": InputSpec(shape=())}

    assert "ids [1, 77], t []" == describe_shapes(inputs, {"n": 1, "seq": 77})


def test_values_are_of_the_inputs_type_and_the_same_at_each_call():
    """Masks hide no whole row; bytes are pictures."""
    inputs = {
        name: InputSpec(dtype=name, shape=(3, 4))
        for name in ("float32", "float16", "int64", "int32", "uint8", "bool")
    }
    inputs["scalar"] = InputSpec(dtype="int64", shape=())
    arguments, _ = draw_answers(torch.nn.Identity(), {"x": inputs["uint8"]}, {})
    module = torch.nn.Module()
    module.forward = lambda *given: given
    drawn, returned = draw_answers(module, inputs, {})

    assert all(torch.equal(one, two) for one, two in zip(drawn, returned, strict=True))
    assert list(inputs)[:6] == [str(each.dtype).removeprefix("torch.") for each in drawn[:6]]
    assert {0, 1} == set(drawn[2].unique().tolist())
    assert [1, 1, 1] == drawn[3][:, 0].tolist()
    assert 1 < arguments[0].float().std()


def test_the_difference_is_a_share_of_the_wanted_length():
    """3 of 4 in one direction; nothing where both are no number; infinite where one is."""
    wanted = [torch.tensor(each) for each in ([4.0, 0.0], [math.nan, 2.0], [1.0, 2.0], [0.0])]
    found = [np.array(each) for each in ([4.0, 3.0], [math.nan, 2.0], [math.inf, 2.0], [0.25])]

    assert [0.75, 0.0, math.inf, 0.25] == measure_differences(found, wanted)
    assert [math.inf] == measure_differences([np.zeros(3)], [torch.zeros(2)])


def test_coarser_types_are_allowed_more():
    """32 of their steps: float16 has 1024 to an octave, bfloat16 128."""
    assert 1e-3 == choose_tolerance([torch.zeros(1), torch.zeros(1, dtype=torch.int64)])
    assert 1e-3 == choose_tolerance([])
    assert 1 / 32 == choose_tolerance([torch.zeros(1), torch.zeros(1, dtype=torch.float16)])
    assert 1 / 4 == choose_tolerance([torch.zeros(1, dtype=torch.bfloat16)])


def test_a_nudge_moves_what_depends_on_weights_and_a_run_what_is_random():
    """By about a millionth; the module itself is left as it was."""
    layer = torch.nn.Linear(64, 64)
    before = layer.weight.clone()
    arguments, wanted = draw_answers(layer, {"x": InputSpec(shape=(2, 64))}, {})
    noise = torch.nn.Module()
    noise.forward = torch.rand_like
    state = torch.get_rng_state()
    _, drawn = draw_answers(noise, {"x": InputSpec(shape=(2, 64))}, {})

    assert [0] == measure_movement(layer, arguments, wanted, nudged=False)
    assert 1e-7 < measure_movement(layer, arguments, wanted, nudged=True)[0] < 1e-5
    assert torch.equal(before, layer.weight)
    assert measure_movement(noise, arguments, drawn, nudged=False)[0] > 0.1
    assert torch.equal(state, torch.get_rng_state())
