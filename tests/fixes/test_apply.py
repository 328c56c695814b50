"""The driver: fixes run in order, the model stays valid, the culprit is named."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of, outputs_of
from trtbuild.core.errors import StepInputError
from trtbuild.fixes.apply import apply_fixes
from trtbuild.fixes.base import FixLog
from trtbuild.fixes.drop_identity import DropIdentity
from trtbuild.fixes.fold_constants import FoldConstants

TEXT = """g (float[N, 3] x) => (float[N, 3] y, float[N, 3] u)
    { a = Identity(x)  b = Add(a, w)  y = Relu(b)  u = Neg(b)  dead = Abs(a) }"""
WEIGHT = {"w": np.array([1, 2, 3], np.float32)}
DROP = DropIdentity(kind="drop_identity")


class Fixing:
    """A fix made of a function."""

    kind = "fixing"

    def __init__(self, change):
        self._change = change

    def apply(self, graph):
        self._change(graph)
        return FixLog()


def ops(model):
    return [node.op_type for node in model.graph.node]


def test_each_fix_gives_its_account_in_order():
    """What changed, what was left and why."""
    fixed, accounts = apply_fixes(
        model_of(TEXT, WEIGHT), [DROP, FoldConstants(kind="fold_constants"), DROP]
    )

    assert ["Add", "Relu", "Neg"] == ops(fixed)
    assert [("drop_identity", ("Identity_a",)), ("fold_constants", ()), ("drop_identity", ())] == [
        (account.fix, account.changed) for account in accounts.fixes
    ]


def test_without_fixes_the_model_is_only_tidied():
    """Dead nodes go, every node has a name, shapes are there, opset and order stay."""
    fixed, accounts = apply_fixes(model_of(TEXT, WEIGHT), [])

    assert ["Identity_a", "Add_b", "Relu_y", "Neg_u"] == [node.name for node in fixed.graph.node]
    assert (["x"], ["y", "u"]) == (
        [value.name for value in fixed.graph.input],
        [value.name for value in fixed.graph.output],
    )
    assert {"a", "b"} <= {value.name for value in fixed.graph.value_info}
    assert (17, 8) == (fixed.opset_import[0].version, fixed.ir_version)
    assert () == accounts.fixes


def test_the_model_keeps_what_its_author_wrote_on_it():
    """Metadata (class names, say) survives; so does the producer."""
    model = model_of(TEXT, WEIGHT)
    model.metadata_props.add(key="names", value="cat,dog")
    model.producer_name, model.model_version = "trainer", 3
    fixed, _ = apply_fixes(model, [DROP])

    assert ("cat,dog", "trainer", 3) == (
        fixed.metadata_props[0].value,
        fixed.producer_name,
        fixed.model_version,
    )


def test_twice_gives_the_same_bytes():
    """Names, order and all."""
    once, again = (
        apply_fixes(model_of(TEXT, WEIGHT), [DROP])[0].SerializeToString(deterministic=True)
        for _ in range(2)
    )

    assert once == again


def break_wiring(graph):
    graph.nodes[-1].attrs["nonsense"] = 1


def test_the_fix_that_breaks_the_model_is_named():
    """Not the one before it and not the one after."""
    harmless = Fixing(lambda graph: graph.cleanup())
    with pytest.raises(StepInputError, match="fix 2, fixing leaves a model that is not valid"):
        apply_fixes(model_of(TEXT, WEIGHT), [harmless, Fixing(break_wiring), harmless])


def test_a_fix_that_spoils_the_shapes_is_named():
    """A weight of the wrong length is noticed before anything runs."""

    def spoil(graph):
        graph.tensors()["w"].values = np.ones(4, np.float32)

    with pytest.raises(StepInputError, match=r"fix 1, fixing .* shapes do not fit"):
        apply_fixes(model_of(TEXT, WEIGHT), [Fixing(spoil)])


def test_a_damaged_model_is_one_clear_error():
    """What the checker lets through and a library trips over: the fix and the reason are named."""

    def trip(graph):
        raise IndexError("list index out of range")

    with pytest.raises(StepInputError, match="fix 1, fixing, failed on this model: IndexError"):
        apply_fixes(model_of(TEXT, WEIGHT), [Fixing(trip)])


def test_nodes_out_of_order_are_sorted():
    """A fix may append a node that others read."""

    def prepend_late(graph):
        first = graph.nodes.pop(0)
        graph.nodes.append(first)

    fixed, _ = apply_fixes(model_of(TEXT, WEIGHT), [Fixing(prepend_late)])

    assert "Identity" == ops(fixed)[0]


def test_a_constant_shared_with_branches_is_written_once():
    """Read outside and in both branches, it stays one initializer of the main graph."""
    model = model_of(
        """g (float[2] x, bool c) => (float[2] y) { z = Add(x, w)
        y = If (c) <then_branch = t () => (float[2] p) { p = Mul(z, w) },
                    else_branch = e () => (float[2] q) { q = Sub(z, v) }> }""",
        {"w": np.array([1, 2], np.float32), "v": np.array([5, 5], np.float32)},
    )
    feed = {"x": np.ones(2, np.float32), "c": np.array(False)}
    before = outputs_of(model, feed)["y"]
    fixed, _ = apply_fixes(model, [DROP])
    branches = [attribute.g for attribute in fixed.graph.node[1].attribute]

    assert {"w", "v"} == {tensor.name for tensor in fixed.graph.initializer}
    assert [0, 0] == [len(branch.initializer) for branch in branches]
    assert before.tolist() == outputs_of(fixed, feed)["y"].tolist()


def test_progress_counts_fixes():
    """Done, of all."""
    told = []
    apply_fixes(
        model_of(TEXT, WEIGHT),
        [DROP, DROP],
        progress=lambda done, total: told.append((done, total)),
    )

    assert [(0, 2), (1, 2)] == told


def test_nothing_is_printed(capfd):
    """ONNX-GraphSurgeon's own log stays quiet."""
    model = model_of("g (float[2] x) => (float[2] y) { [n] a = Relu(x)  [n] y = Neg(a) }")
    apply_fixes(model, [FoldConstants(kind="fold_constants")])

    assert ("", "") == capfd.readouterr()


def test_a_model_whose_shapes_never_fitted_is_not_blamed_on_a_fix():
    """What inference could not make sense of before is taken as it is."""
    model = model_of("g (float[2] x) => (float[3] y) { a = Identity(x)  y = Relu(a) }")
    fixed, _ = apply_fixes(model, [DROP])

    assert ["Relu"] == ops(fixed)


@pytest.mark.parametrize("opset", [7, 11, 13, 18, 21, 23, 25])
def test_opsets_stay(opset):
    """Old and new models come out with the opset they came with."""
    model = model_of(
        f"""<ir_version: 8, opset_import: ["" : {opset}]>
        g (float[N] x) => (float[N] y) {{ a = Identity(x)  y = Relu(a) }}"""
    )
    fixed, _ = apply_fixes(model, [DROP])

    assert (opset, ["Relu"]) == (fixed.opset_import[0].version, ops(fixed))
    onnx.checker.check_model(fixed)


def test_an_output_keeps_its_shape_where_it_is_noted_once_more_without():
    """As some exporters do; inference does not reach behind a Reshape to what is computed."""
    model = model_of("""g (float[N, 4] x, int64[2] s) => (float[2, M] y)
        { a = Reshape(x, s)  y = Relu(a) }""")
    model.graph.value_info.append(onnx.helper.make_tensor_value_info("y", 1, None))
    fixed, _ = apply_fixes(model, [])
    first, second = fixed.graph.output[0].type.tensor_type.shape.dim

    assert (2, "M") == (first.dim_value, second.dim_param)


LEARNED = """<ir_version: 8, opset_import: ["" : 17, "ai.onnx.ml" : 3]>
g (float[N, 2] x) => (seq(map(int64, float)) y) {
  y = ai.onnx.ml.ZipMap <classlabels_int64s: ints = [0, 1]> (x)
}"""


def test_a_model_of_scikit_learn_is_no_bug(tmp_path):
    """Its maps are no tensors; the converter's option against them is named."""
    with pytest.raises(StepInputError, match="only tensors can go in or out") as caught:
        apply_fixes(onnx.parser.parse_model(LEARNED), [])

    assert "zipmap" in caught.value.hint
