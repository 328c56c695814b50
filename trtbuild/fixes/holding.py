"""Run a model before and after fixes on random inputs: are results equal, or how far moved?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import StepInputError
from trtbuild.core.frozen import frozen
from trtbuild.core.words import describe_cause
from trtbuild.model.nodes import RANDOM, iterate_nodes
from trtbuild.model.plugins import find_plugins
from trtbuild.model.session import Session, open_session
from trtbuild.model.weights_file import lies_beside

if TYPE_CHECKING:
    import numpy as np
    import onnx

__all__ = ["EQUAL", "Answers", "compare_answers", "run_on_random"]

EQUAL = 1e-5
"""How far results may lie apart, of the largest value, before rounding has to explain it."""
MARGIN = 3
"""How many times as far as a nudge of its inputs moves a model, a fix may move it."""
NUDGE = 1e-6
TRIED = ((1, 64), (2, 32), (1, 224), (1, 16), (1, 1), (1, 640))
"""Sizes for a dynamic axis 0, and for others: the first that the model takes."""
DRAWN = RANDOM | {"Dropout"}
_SEED = 20


@frozen
class Answers:
    """What a model makes of random inputs; or why nobody knows."""

    feed: Mapping[str, np.ndarray]
    outputs: Mapping[str, np.ndarray]
    moved: Mapping[str, np.ndarray]
    """The same of inputs that were moved by a millionth."""
    unknown: str = ""


def run_on_random(model: onnx.ModelProto) -> Answers:
    """Run a model on random inputs, at the first sizes that it takes, and on them nudged."""
    import numpy as np

    if reason := _reason_against(model):
        return Answers({}, {}, {}, reason)
    try:
        session = _open(model)
    except StepInputError as error:
        return Answers({}, {}, {}, describe_cause(error))
    told = ""
    for sizes in TRIED:
        feed = {value.name: _draw(value, sizes) for value in _list_fed(model)}
        try:
            outputs = session.run(feed)
        except StepInputError as error:
            told = told or describe_cause(error)
            continue
        signs = np.random.default_rng(_SEED + 1)
        nudged = {name: _nudge(each, signs) for name, each in feed.items()}
        return Answers(feed, outputs, session.run(nudged))
    return Answers({}, {}, {}, told)


def compare_answers(
    before: Answers, model: onnx.ModelProto, *, must: bool, what: str
) -> Iterator[str]:
    """Run the fixed model on the same inputs; yield what is to be noted of how far it moved.

    Raises:
        StepInputError: results `must` be equal, and are not.
    """
    reason = before.unknown or _reason_against(model)
    found: Mapping[str, Any] = {}
    if not reason:
        try:
            found = _open(model).run(_feed_again(before.feed, model))
        except StepInputError as error:
            reason = describe_cause(error)
    if reason:
        yield f"{what}: results were not compared with those before: {reason}"
        return
    shared = [name for name in before.outputs if name in found]
    for name in shared:
        values, rivals = before.outputs[name], found[name]
        moved = measure_distance(values, rivals)
        if not must:
            yield f"{what}: `{name}` moved by {_share(moved)} of its largest value (random inputs)"
        elif moved > EQUAL:
            allowed = MARGIN * measure_distance(values, before.moved[name])
            if moved > allowed:
                raise StepInputError(
                    f"{what} changes what the model computes: `{name}` moved by {_share(moved)}",
                    hint="leave it out of the recipe, and report it as a bug",
                )
            yield (
                f"{what}: `{name}` moved by {_share(moved)}: rounding may do that, the model moves "
                f"as far where its inputs move by a millionth"
            )


def measure_distance(values: np.ndarray, rivals: np.ndarray) -> float:
    """Return the largest difference, as a share of the largest value."""
    import numpy as np

    if values.shape != rivals.shape:
        return float("inf")
    if values.dtype.kind not in "fiub" or not values.size:
        return 0.0 if np.array_equal(values, rivals) else float("inf")
    one, two = values.astype(np.float64), rivals.astype(np.float64)
    known = np.isfinite(one)
    if not np.array_equal(one[~known], two[~known], equal_nan=True):
        return float("inf")
    with np.errstate(invalid="ignore"):  # two that is not finite where one is
        difference = float(np.abs(one[known] - two[known]).max(initial=0))
    largest = float(np.abs(one[known]).max(initial=0))
    return difference / largest if largest else difference


def _share(value: float) -> str:
    return f"{100 * value:.2g} %"


def _reason_against(model: onnx.ModelProto) -> str:
    if any(lies_beside(tensor) for tensor in model.graph.initializer):
        return "its weights lie in a file"
    if find_plugins(model.graph.node):
        return "ONNX Runtime has no plugins"
    drawn = sorted({n.op_type for n in iterate_nodes(model.graph.node) if n.op_type in DRAWN})
    return f"{drawn[0]} may draw at random" if drawn else ""


def _open(model: onnx.ModelProto) -> Session:
    return open_session(model.SerializeToString(), threads=0)


def _list_fed(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    held = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in held]


def _draw(value: onnx.ValueInfoProto, sizes: Sequence[int]) -> np.ndarray:
    import numpy as np
    import onnx

    kind = value.type.tensor_type
    shape = [
        dim.dim_value if dim.HasField("dim_value") else sizes[0 if axis == 0 else 1]
        for axis, dim in enumerate(kind.shape.dim)
    ]
    rng = np.random.default_rng(_SEED)
    dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type))
    if dtype.kind == "b":
        return np.asarray(rng.integers(0, 2, shape).astype(bool))
    if dtype == np.uint8:
        return rng.integers(0, 256, shape, dtype=np.uint8)
    if dtype.kind in "iu":  # places in a table, or masks
        return np.asarray(rng.integers(0, 2, shape).astype(dtype))
    return np.asarray(rng.random(shape).astype(dtype))


def _nudge(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    import numpy as np

    if values.dtype.kind != "f":
        return values
    signs = rng.integers(0, 2, values.shape) * 2.0 - 1
    return np.asarray((values * (1 + NUDGE * signs)).astype(values.dtype))


def _feed_again(feed: Mapping[str, np.ndarray], model: onnx.ModelProto) -> dict[str, np.ndarray]:
    wanted = {value.name for value in _list_fed(model)}
    return {name: values for name, values in feed.items() if name in wanted}
