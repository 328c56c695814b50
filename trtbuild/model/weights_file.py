"""Weights in a file beside their ONNX model: mapped one at a time, added to, written as a stream.

Protocol Buffers end at 2 GB, and a message is in memory as a whole. In memory, a weight that lies
in a file names it by its absolute path; in a file that is written, by its name.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import onnx

__all__ = [
    "SMALL_BYTES",
    "copy_without_weights",
    "declare_weights",
    "is_marked",
    "is_placed",
    "is_split",
    "lies_beside",
    "make_tensor",
    "measure_tensor",
    "read_values",
    "refer_to_file",
    "restore_weights",
    "use_scratch",
    "write_split",
]

SMALL_BYTES = 1 << 14
"""Up to this a tensor stays in the model: shapes, axes, scales, biases."""
SMALL_COUNT = 1024
"""Elements up to which a constant counts for shapes and types: sizes and axes, never weights."""
ALIGNMENT = 4096
"""Of a weight in its file, so that it can be mapped."""
PIECE_BYTES = 1 << 24
DIGEST = "trtbuild_weights"
"""An entry in the model's metadata: the digest of its weights."""
EXTERNAL = 1  # TensorProto.DataLocation
_scratch: ContextVar[Path | None] = ContextVar("scratch", default=None)
PLAIN = frozenset({1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 16, 17})
"""TensorProto's data types whose elements are whole bytes: the others stay in the model."""


def lies_beside(tensor: onnx.TensorProto) -> bool:
    """Tell whether a tensor's data lies in a file."""
    return bool(tensor.data_location == EXTERNAL)


def measure_tensor(tensor: onnx.TensorProto) -> int:
    """Return the bytes of a tensor's data; 0 where its elements are no whole bytes."""
    import onnx

    if tensor.data_type not in PLAIN:
        return 0
    dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
    return int(math.prod(tensor.dims) * dtype.itemsize)


def read_values(tensor: onnx.TensorProto, *, folder: Path | None = None) -> npt.NDArray[np.generic]:
    """Return a tensor's values; those in a file are mapped, and not read before they are used.

    `folder` is where the file lies, where the tensor names no absolute path.
    """
    import numpy as np
    import onnx

    if not lies_beside(tensor):
        return onnx.numpy_helper.to_array(tensor)  # type: ignore[no-any-return]
    file, offset = _place(tensor)
    dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
    path = file if folder is None else folder / file
    return np.asarray(np.memmap(path, dtype, "r", offset, tuple(tensor.dims)))


def refer_to_file(tensor: onnx.TensorProto, location: str, offset: int, length: int) -> None:
    """Let a tensor's data lie in a file."""
    for field in ("raw_data", "float_data", "int32_data", "int64_data", "double_data"):
        tensor.ClearField(field)
    tensor.ClearField("uint64_data")
    del tensor.external_data[:]
    tensor.data_location = EXTERNAL
    for key, value in (("location", location), ("offset", offset), ("length", length)):
        tensor.external_data.add(key=key, value=str(value))


def is_placed(tensor: onnx.TensorProto) -> bool:
    """Tell whether a tensor names its file by an absolute path, as models in memory do."""
    return lies_beside(tensor) and Path(_place(tensor)[0]).is_absolute()


@contextlib.contextmanager
def use_scratch(file: Path, *, of: onnx.ModelProto) -> Iterator[None]:
    """Within this, let weights that are made go to a file at once, if those `of` a model do.

    It must stay for as long as the model does.
    """
    token = _scratch.set(file.absolute() if is_split(of) else None)
    try:
        yield
    finally:
        _scratch.reset(token)


def is_marked(model: onnx.ModelProto) -> bool:
    """Tell a model that was written with a file of weights."""
    return any(each.key == DIGEST for each in model.metadata_props)


def is_split(model: onnx.ModelProto) -> bool:
    """Tell whether weights of a model lie in a file, or are to."""
    return is_marked(model) or any(map(lies_beside, model.graph.initializer))


def make_tensor(values: npt.NDArray[np.generic], name: str) -> onnx.TensorProto:
    """Make a tensor: in the scratch file, if one is in use and the tensor is not small."""
    import numpy as np
    import onnx

    scratch = _scratch.get()
    number = onnx.helper.np_dtype_to_tensor_dtype(values.dtype)
    if scratch is None or values.nbytes <= SMALL_BYTES or number not in PLAIN:
        return onnx.numpy_helper.from_array(values, name)
    tensor = onnx.TensorProto(name=name, dims=values.shape, data_type=number)
    with scratch.open("ab") as file:
        offset = _pad(file.tell()) + file.tell()
        file.write(bytes(offset - file.tell()))
        file.write(np.ascontiguousarray(values).reshape(-1).view(np.uint8).data)
    refer_to_file(tensor, str(scratch), offset, values.nbytes)
    return tensor


def declare_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model for the onnx library, which looks for no file: weights in one are inputs."""
    import onnx

    if not any(map(lies_beside, model.graph.initializer)):
        return model
    bare = onnx.ModelProto()
    bare.CopyFrom(model)  # what lies in files is not in memory
    known = {value.name for value in bare.graph.input}
    for index in reversed(range(len(bare.graph.initializer))):
        tensor = bare.graph.initializer[index]
        if lies_beside(tensor):
            if tensor.name not in known:
                bare.graph.input.append(
                    onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
                )
            del bare.graph.initializer[index]
    return bare


def restore_weights(bare: onnx.ModelProto, model: onnx.ModelProto) -> onnx.ModelProto:
    """Give a model made of `declared(model)` the weights back that lie in files."""
    beside = [tensor for tensor in model.graph.initializer if lies_beside(tensor)]
    own = {value.name for value in model.graph.input}
    added = {tensor.name for tensor in beside} - own
    for index in reversed(range(len(bare.graph.input))):
        if bare.graph.input[index].name in added:
            del bare.graph.input[index]
    bare.graph.initializer.extend(beside)
    for each in model.metadata_props:
        if each.key == DIGEST:
            _note(bare, each.key, each.value)
    return bare


def copy_without_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy for the onnx library in which large constants are inputs.

    It is small whatever the weights are, and looks for no file.
    """
    import onnx

    bare = onnx.ModelProto(ir_version=model.ir_version)
    bare.opset_import.extend(model.opset_import)
    bare.functions.extend(model.functions)
    graph = bare.graph
    graph.name = model.graph.name or "graph"
    for field in ("input", "output", "value_info", "node", "sparse_initializer"):
        getattr(graph, field).extend(getattr(model.graph, field))
    known = {value.name for value in graph.input}
    for constant in model.graph.initializer:
        if math.prod(constant.dims) <= SMALL_COUNT and not constant.external_data:
            graph.initializer.append(constant)
        elif constant.name not in known:
            graph.input.append(
                onnx.helper.make_tensor_value_info(constant.name, constant.data_type, constant.dims)
            )
    return bare


def write_split(model: onnx.ModelProto, path: Path, weights: Path) -> None:
    """Write a model, and its weights into a file in the same folder; the model is used up.

    The same bytes everywhere: weights in the order of the model, each at a multiple of 4096. The
    model names their digest, so that its own covers them.
    """
    digest = hashlib.sha256()
    written = 0
    with weights.open("wb") as file:
        for tensor in model.graph.initializer:
            size = measure_tensor(tensor)
            if size <= SMALL_BYTES:
                continue
            gap = bytes(_pad(written))
            offset = written + len(gap)
            for piece in (gap, *_pieces(tensor)):
                file.write(piece)
                digest.update(piece)
            refer_to_file(tensor, weights.name, offset, size)
            written = offset + size
    _drop_digest(model)
    _note(model, DIGEST, f"sha256:{digest.hexdigest()}")
    path.write_bytes(model.SerializeToString(deterministic=True))


def _pieces(tensor: onnx.TensorProto) -> Iterator[bytes]:
    if not lies_beside(tensor):
        yield tensor.raw_data if tensor.HasField("raw_data") else read_values(tensor).tobytes()
        return
    name, offset = _place(tensor)
    left = measure_tensor(tensor)
    with Path(name).open("rb") as file:
        file.seek(offset)
        while left:
            piece = file.read(min(left, PIECE_BYTES))
            if not piece:
                raise EOFError(f"{name}: ends within `{tensor.name}`")
            left -= len(piece)
            yield piece


def _place(tensor: onnx.TensorProto) -> tuple[str, int]:
    entries = {each.key: each.value for each in tensor.external_data}
    return entries["location"], int(entries.get("offset") or 0)


def _pad(position: int) -> int:
    return -position % ALIGNMENT


def _drop_digest(model: onnx.ModelProto) -> None:
    for index in reversed(range(len(model.metadata_props))):
        if model.metadata_props[index].key == DIGEST:
            del model.metadata_props[index]


def _note(model: onnx.ModelProto, key: str, value: str) -> None:
    for each in model.metadata_props:
        if each.key == key:
            each.value = value
            return
    model.metadata_props.add(key=key, value=value)
