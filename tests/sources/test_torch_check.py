"""An export is held against its module: each output, at all sizes that are to be checked."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.helpers.models import model_of
from trtbuild.core.errors import StepInputError
from trtbuild.sources.kinds import InputSpec
from trtbuild.sources.sizes import Sizes
from trtbuild.sources.torch_check import Export

torch = pytest.importorskip("torch")

TWICE = "g (float[N, M] x) => (float[N, M] a, float[N, M] b) { a = Add(x, x)  b = Neg(x) }"
FLOAT = {"x": InputSpec(shape=("n", "m"))}
SIZES = Sizes(example={"n": 2, "m": 8}, checked=({"n": 1, "m": 4}, {"n": 1, "m": 12}))


@pytest.fixture
def held(tmp_path):
    """Hold a model, as text, against a function; return the notes."""

    def hold(text, forward, outputs=("a", "b"), inputs=FLOAT, **parts):
        module = torch.nn.Module()
        module.forward = lambda *given: forward(SimpleNamespace(**parts), *given)
        path = tmp_path / "model.onnx"
        path.write_bytes(model_of(text).SerializeToString())
        return Export(module, "net.py:net", inputs, outputs, SIZES).hold(path)

    return hold


def test_what_agrees_needs_no_note(held):
    """At all sizes."""
    assert () == held(TWICE, lambda _, x: (2 * x, -x))


def test_the_output_that_differs_is_named_with_its_error(held):
    """By how much, at which shape, and what is allowed."""
    with pytest.raises(StepInputError) as caught:
        held(TWICE, lambda _, x: (2 * x, -0.99 * x))
    assert (
        "net.py:net: at x [2, 8] output `b` of its export is not the module's: "
        "it is off by 1.01 %, where 0.1 % is allowed"
    ) == caught.value.message


def test_swapped_outputs_are_noticed(held):
    """Whatever they are called."""
    with pytest.raises(StepInputError, match="output `b` of its export is not the module's"):
        held(TWICE, lambda _, x: (2 * x, -x), outputs=("b", "a"))


def test_a_branch_that_other_sizes_take_is_noticed(held):
    """The exporter saw the other one: only a corner of the profile shows it."""
    with pytest.raises(StepInputError, match=r"at x \[1, 12\] output `a`"):
        held(TWICE, lambda _, x: (2 * x if x.shape[1] < 10 else x, -x))


def test_other_shapes_are_told(held):
    """And a batch that was frozen into the model is one of them."""
    with pytest.raises(StepInputError, match=r"its shape is \[2, 8\], not \[16\]"):
        held(TWICE, lambda _, x: ((2 * x).flatten(), -x))
    with pytest.raises(StepInputError, match=r"at x \[1, 4\] its export fails where the module"):
        held(
            "g (float[N, M] x) => (float[P, Q] a) <int64[2] s = {2, 8}> { a = Reshape(x, s) }",
            lambda _, x: x.clone(),
            outputs=("a",),
        )


def test_a_module_that_cannot_take_all_of_the_profile_says_so(held):
    """A table of ten rows, a profile of twelve."""

    def forward(_, x):
        assert x.shape[1] <= 10, "too long"
        return 2 * x, -x

    told = r"does not take all that the profiles allow: at x \[1, 12\] it raises .*too long"
    with pytest.raises(StepInputError, match=told):
        held(TWICE, forward)


def test_what_cannot_be_compared_is_noted(held):
    """Inputs that no random numbers are, operators that ONNX Runtime lacks, results without any."""

    def picky(_, x):
        raise ValueError("not a rotation")

    unknown = '<ir_version: 8, opset_import: ["" : 17, "mine" : 1]>' + TWICE.replace(
        "Neg", "mine.Neg"
    )

    assert ("not compared with PyTorch: at x [2, 8] it raises ValueError: not a rotation",) == held(
        TWICE, picky
    )
    assert "ONNX Runtime cannot load it" in held(unknown, lambda _, x: (2 * x, -x))[0]
    assert ("`a`: no number but 0 comes of random inputs: little is compared",) == held(
        TWICE.replace("a = Add(x, x)", "a = Sub(x, x)"), lambda _, x: (0 * x, -x)
    )
    assert ("`b`: no number but 0 comes of random inputs: little is compared",) == held(
        TWICE.replace("Neg(x)", "Log(n)").replace("a = ", "p = Abs(x) n = Neg(p) a = "),
        lambda _, x: (2 * x, (-x.abs()).log()),
    )


def test_random_results_are_noted(held):
    """Two runs of the module differ already."""
    notes = held(TWICE, lambda _, x: (2 * x, torch.rand_like(x)))

    assert ("`b`: not compared with PyTorch: the module draws it at random",) == notes


def test_what_rounding_decides_is_noted(held):
    """A wave of a million turns says little of where it ends."""
    notes = held(
        "g (float[N, M] x) => (float[N, M] a) <float[1] k = {1000}>"
        "{ p = Mul(x, k)  q = Mul(p, k)  a = Sin(q) }",
        lambda _, x: torch.sin(x * 1e6),
        outputs=("a",),
    )

    assert notes[0].startswith("`a` is off PyTorch's by ")
    assert "rounding may do that: weights moved by a millionth move it by" in notes[0]


@pytest.mark.parametrize("rows", [2, 1])
def test_whole_numbers_are_those_that_the_module_takes(held, rows):
    """0 and 1, and 0 alone where a table has one row; what was written into is fed as it was."""
    table = torch.arange(1.0, 1 + rows)

    def forward(_, ids):
        found = table[ids]
        ids.zero_()
        return found

    notes = held(
        "g (int64[N, M] ids) => (float[N, M] a) <int64[1] one = {1}>"
        "{ b = Add(ids, one) a = Cast<to = 1>(b) }",
        forward,
        outputs=("a",),
        inputs={"ids": InputSpec(dtype="int64", shape=("n", "m"))},
    )

    assert () == notes
