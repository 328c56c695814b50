"""Whether two models are one but for their weights: an engine of the one takes those of the other.

Nodes, attributes, names, types and shapes have to be the same. What differs is told in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from trtbuild.model.weights_file import read_values

if TYPE_CHECKING:
    import onnx

__all__ = ["list_changed_weights", "list_differences"]

SHAPES = ("INT64", "INT32", "BOOL")
"""Types of initializers that are sizes and places, and no weights: a kernel rests on them."""


def list_differences(before: onnx.ModelProto, after: onnx.ModelProto) -> Iterator[str]:
    """Yield what differs between two models beside their weights, a line each."""
    old, new = before.graph, after.graph
    for what in ("input", "output"):
        if [_plain(each) for each in getattr(old, what)] != [
            _plain(each) for each in getattr(new, what)
        ]:
            yield f"the {what}s are others"
    if len(old.node) != len(new.node):
        yield f"it has {len(new.node)} nodes, and the engine's model {len(old.node)}"
    for one, other in zip(old.node, new.node, strict=False):
        if _plain(one) != _plain(other):
            yield (
                f"node `{other.name}` ({other.op_type}) is another than `{one.name}` "
                f"({one.op_type}) was"
            )
            return  # what stands behind it has moved
    yield from _list_unlike_weights(_by_name(old), _by_name(new))


def _plain(message: onnx.NodeProto | onnx.ValueInfoProto) -> bytes:
    copy = type(message)()
    copy.CopyFrom(message)
    copy.doc_string = ""  # exporters write there where code stands
    copy.ClearField("metadata_props")
    return bytes(copy.SerializeToString(deterministic=True))


def _by_name(graph: onnx.GraphProto) -> dict[str, onnx.TensorProto]:
    return {each.name: each for each in graph.initializer}


def _list_unlike_weights(
    old: Mapping[str, onnx.TensorProto], new: Mapping[str, onnx.TensorProto]
) -> Iterator[str]:
    import onnx

    for name in sorted(old.keys() ^ new.keys()):
        yield f"weights `{name}` are only in {'the new model' if name in new else 'the old one'}"
    for name in sorted(old.keys() & new.keys()):
        one, other = old[name], new[name]
        word = onnx.TensorProto.DataType.Name(one.data_type)
        if (one.data_type, [*one.dims]) != (other.data_type, [*other.dims]):
            yield f"weights `{name}` are of {[*other.dims]}, and were of {[*one.dims]}"
        elif word in SHAPES and _bytes(one) != _bytes(other):
            yield f"`{name}` ({word.lower()}) has other values, and is no weight"


def list_changed_weights(before: onnx.ModelProto, after: onnx.ModelProto) -> tuple[str, ...]:
    """Return the names of weights, sorted, that both models have and whose values differ."""
    old, new = _by_name(before.graph), _by_name(after.graph)
    return tuple(
        name for name in sorted(old.keys() & new.keys()) if _bytes(old[name]) != _bytes(new[name])
    )


def _bytes(tensor: onnx.TensorProto) -> bytes:
    return read_values(tensor).tobytes()
