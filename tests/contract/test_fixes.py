"""What every fix promises: twice is once, the model stays valid, results stay the same."""

from __future__ import annotations

import functools
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import pytest
from pydantic import TypeAdapter

from tests.helpers.models import model_of, outputs_of
from trtbuild.core.kinds import load_kinds, name_kind
from trtbuild.fixes import Fix
from trtbuild.fixes.apply import apply_fixes

SURGERY = Path(__file__).parents[1] / "helpers" / "surgery.py"
KINDS = {name_kind(kind): kind for kind in load_kinds(Fix)}
OPTIONS = {
    "fold_constants": "{}",
    "drop_identity": "{}",
    "fold_batchnorm": "{}",
    "set_dimension": '{"tensor": "x", "axis": 0, "size": "batch"}',
    "simplify": "{}",
    "set_opset": '{"opset": 18}',
    "rename": '{"names": {"y": "result", "x": "image"}}',
    "extract": '{"outputs": ["y"]}',
    "cast_io": '{"types": {"x": "float16"}}',
    "replace_op": '{"op": "Relu", "by": "Abs"}',
    "decompose": '{"ops": ["Relu", "SoftmaxCrossEntropyLoss"]}',
    "split_shared_weights": "{}",
    "remove_qdq": "{}",
    "symmetrize_qdq": "{}",
    "add_nms": '{"layout": "yolov8"}',
    "embed_preprocess": '{"mean": [0.5]}',
    "python": '{"entrypoint": "surgery.py:drop"}',
}
"""Options that make each kind do something to at least one of the models below."""
NORM = {
    "g": np.array([1, 2, 3, 4], np.float32),
    "b": np.array([4, 3, 2, 1], np.float32),
    "m": np.array([1, -1, 1, -1], np.float32),
    "v": np.array([1, 4, 9, 16], np.float32),
}
KERNEL = {"w": np.linspace(-1, 1, 4 * 2 * 9, dtype=np.float32).reshape(4, 2, 3, 3)}
CONST = {"k": np.arange(6, dtype=np.float32)}
MODELS = {
    "plain": ("g (float[N, 6] x) => (float[N, 6] y) { y = Relu(x) }", {}, (2, 6)),
    "identities": (
        """g (float[N, 6] x) => (float[N, 6] y, float[N, 6] z)
        { a = Identity(x)  b = Identity(a)  c = Dropout(b)  y = Relu(c)  z = Identity(y) }""",
        {},
        (2, 6),
    ),
    "constants": (
        """g (float[N, 6] x) => (float[N, 6] y) <int64[2] s = {-1, 6}>
        { a = Neg(k)  n = Shape(x)  c = Constant<value_float = 2.0>()  b = Mul(a, c)
          d = Add(x, b)  y = Reshape(d, s) }""",
        CONST,
        (2, 6),
    ),
    "sizes that folding reveals": (
        """g (float[2, 6] x) => (float[3, 4] y) <int64[2] t = {-3, -4}>
        { u = Neg(t)  r = Reshape(x, u)  n = Shape(r)  f = Cast<to = 1>(n)
          m = ReduceMax<keepdims = 0>(f)  y = Mul(r, m) }""",
        {},
        (2, 6),
    ),
    "batch norms": (
        """g (float[N, 2, 5, 5] x) => (float[N, 4, 3, 3] y) { p = Conv(x, w)
        q = BatchNormalization(p, g, b, m, v)  r = Relu(q)
        y = BatchNormalization(r, g, b, m, v) }""",
        NORM | KERNEL,
        (2, 2, 5, 5),
    ),
    "a residual": (
        """g (float[N, 4, 5, 5] x) => (float[N, 4, 5, 5] y) { i = Identity(x)
        p = ConvTranspose<pads = [1, 1, 1, 1], group = 2>(i, w)
        q = BatchNormalization(p, g, b, m, v)  y = Add(q, i) }""",
        NORM | KERNEL,
        (2, 4, 5, 5),
    ),
    "quantized": (
        """g (float[N, 6] x) => (float[N, 6] y) <float s = {0.1}, int8 z = {0}>
        { q = QuantizeLinear(k, s, z)  d = DequantizeLinear(q, s, z)  y = Add(x, d) }""",
        CONST,
        (2, 6),
    ),
    "branches": (
        """g (float[N, 6] x, bool c) => (float[N, 6] y) { i = Identity(x)
        y = If (c) <then_branch = t () => (float[N, 6] o) { o = Add(i, k) },
                    else_branch = e () => (float[N, 6] o) { n = Neg(k)  o = Mul(i, n) }> }""",
        CONST,
        (2, 6),
    ),
}
MODELS |= {
    "shared weights": (
        """g (float[N, 6] x) => (float[N, 6] y)
        { a = MatMul(x, s)  b = Relu(a)  y = MatMul(b, s) }""",
        {"s": np.linspace(-1, 1, 36, dtype=np.float32).reshape(6, 6)},
        (2, 6),
    ),
    "quantized with zero points": (
        """g (float[N, 6] x) => (float[N, 6] y)
        <float s = {0.1}, uint8 z = {100}, float[6] t = {1, 2, 1, 2, 1, 2}> {
          q = QuantizeLinear(x, s, z)  d = DequantizeLinear(q, s, z)
          w = DequantizeLinear(i, s, z)  y = MatMul(d, w) }""",
        {"i": np.arange(36, dtype=np.uint8).reshape(6, 6) * 7},
        (2, 6),
    ),
}
MODELS["a head"] = (
    "g (float[N, 6, 9] x) => (float[N, 6, 9] y) { i = Identity(x)  y = Relu(i) }",
    {},
    (2, 6, 9),
)
MODELS["pictures"] = (
    "g (float[N, 3, 4, 4] x) => (float[N, 3, 4, 4] y) { y = Relu(x) }",
    {},
    (2, 3, 4, 4),
)
ONLY = {
    "simplify": ("identities", "constants", "quantized", "branches"),
    "set_opset": ("plain", "batch norms", "branches"),
    "rename": ("plain", "branches"),
    "extract": ("identities", "branches"),
    "cast_io": ("plain", "branches"),
    "replace_op": ("plain", "identities"),
    "decompose": ("plain", "batch norms", "branches"),
    "split_shared_weights": ("shared weights", "branches"),
    "remove_qdq": ("quantized", "quantized with zero points", "branches"),
    "symmetrize_qdq": ("quantized", "quantized with zero points", "branches"),
    "add_nms": ("a head",),
    "embed_preprocess": ("pictures",),
    "python": ("identities", "branches"),
}
"""The models that say something of a kind, or that it does not refuse; all of the others."""
_SLIM = pytest.mark.skipif(find_spec("onnxslim") is None, reason="onnxslim is not installed")


def _mark(kind, *more):
    return pytest.param(kind, *more, marks=[_SLIM] if kind == "simplify" else [])


EACH = [_mark(kind) for kind in KINDS]
ALL = [_mark(kind, name) for kind in KINDS for name in ONLY.get(kind, MODELS)]
EQUAL = [each for each in ALL if KINDS[each.values[0]].equal]


def fix_of(kind):
    options = OPTIONS[kind].removeprefix("{")
    text = f'{{"kind": "{kind}"{", " * (options != "}")}{options}'
    fix = TypeAdapter(Fix).validate_json(text)
    return fix.bind((SURGERY,)) if kind == "python" else fix


def model_named(name):
    text, weights, _ = MODELS[name]
    return model_of(text, weights)


@functools.cache
def _fixed(kind, name):
    model, accounts = apply_fixes(model_named(name), [fix_of(kind)])
    return model.SerializeToString(deterministic=True), accounts.fixes[0]


def fixed(kind, name):
    """Return a model that was fixed once for all tests, each of which has its own copy."""
    return onnx.ModelProto.FromString(_fixed(kind, name)[0])


def account_of(kind, name):
    """Return what that fix says that it changed, and left."""
    return _fixed(kind, name)[1]


def test_every_kind_has_a_sample():
    """A new fix is held to the contract as soon as it is in the union."""
    assert KINDS.keys() == OPTIONS.keys()


@pytest.mark.parametrize("kind", EACH)
def test_every_kind_changes_something(kind):
    """The models below reach the fix: the contract is not kept by doing nothing."""
    changes = [account_of(kind, name).changed for name in ONLY.get(kind, MODELS)]

    assert any(changes)


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_twice_is_once(kind, name):
    """Applied to its own output, a fix changes nothing, not even a byte."""
    once = fixed(kind, name)
    before = once.SerializeToString(deterministic=True)
    twice, accounts = apply_fixes(once, [fix_of(kind)])

    assert () == accounts.fixes[0].changed
    assert before == twice.SerializeToString(deterministic=True)


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_the_model_stays_valid(kind, name):
    """Checker-clean with full shape inference, and of an IR version that every TensorRT reads."""
    model = fixed(kind, name)
    onnx.checker.check_model(model, full_check=True)

    assert model.ir_version <= 10


@pytest.mark.parametrize(("kind", "name"), EQUAL)
def test_the_signature_stays(kind, name):
    """Where results are to stay: the same inputs and outputs by name and order."""
    model = model_named(name)
    inputs, outputs = ([v.name for v in side] for side in (model.graph.input, model.graph.output))
    graph = fixed(kind, name).graph

    assert inputs == [value.name for value in graph.input]
    assert outputs == [value.name for value in graph.output]


@pytest.mark.parametrize(("kind", "name"), EQUAL)
def test_results_stay_the_same(kind, name):
    """ONNX Runtime computes what it computed before, up to rounding, where a kind promises that."""
    rng = np.random.default_rng(3)
    feed = {"x": rng.normal(size=MODELS[name][2]).astype(np.float32)}
    if name == "branches":
        feed["c"] = np.array(False)
    before = outputs_of(model_named(name), feed)
    after = outputs_of(fixed(kind, name), feed)

    for output, values in before.items():
        np.testing.assert_allclose(after[output], values, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_what_stays_says_why(kind, name):
    """Nothing is left alone without a reason, and nothing is both changed and left."""
    account = account_of(kind, name)
    changed = {text.partition(":")[0] for text in account.changed}

    assert all(left.reason for left in account.left)
    assert set() == changed & {left.name for left in account.left}
