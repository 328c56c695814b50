"""Read ONNX files and their external data; write ONNX files the same everywhere.

A model over 2 GB is read without its large weights: they stay in their files (see
`weights_file`), and go to a file beside the model that is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.core.files import link_whole
from trtbuild.core.regular_files import open_regular
from trtbuild.core.words import join_few, quote_whole
from trtbuild.model.functions import inline_functions
from trtbuild.model.imported_model import ImportedModel
from trtbuild.model.names import tell_apart
from trtbuild.model.nodes import iterate_nodes
from trtbuild.model.order import sort_nodes
from trtbuild.model.plugins import declare_domains, describe_plugin, find_plugins
from trtbuild.model.shapes import complete_outputs, forget_unknown
from trtbuild.model.valid import EXPORT_AGAIN, check_onnx
from trtbuild.model.weights_file import (
    SMALL_BYTES,
    is_marked,
    is_placed,
    is_split,
    lies_beside,
    measure_tensor,
    refer_to_file,
    write_split,
)
from trtbuild.model.wire import External, Malformed, iterate_external_data

if TYPE_CHECKING:
    import onnx

__all__ = [
    "LIMIT_BYTES",
    "find_model_files",
    "link_together",
    "load_bare",
    "load_onnx",
    "read_onnx",
    "write_onnx",
]

LIMIT_BYTES = 2**31 - 1
"""Protocol Buffers' limit for one message: a model with all its weights embedded."""
SHOWN = 3
OLDEST_IR, NEWEST_IR = 4, 10
"""IR 4 freed initializers from being inputs; ONNX Runtime and TensorRT all read 10."""


def find_model_files(path: Path) -> tuple[Path, ...]:
    """Return a model file, then the files of its external data, sorted.

    Raises:
        MissingFile: the model, or data that one of its tensors names, is not there.
        StepInputError: it is no ONNX model, is cut off, or names data outside its folder.
    """
    return (path, *sorted({_data_file(path, tensor) for tensor in _list_externals(path)}))


def read_onnx(path: Path) -> ImportedModel:
    """Read a model, bring it into a form that every reader takes, and check it.

    Local functions are inlined, nodes sorted and told apart by name, and dimensions that are
    called -1 or `?` are left open.

    Raises:
        MissingFile: the model, or data that one of its tensors names, is not there.
        StepInputError: it cannot be read, or is not a valid model.
    """
    model = load_onnx(path)
    _demand_names(model, path)
    # As it is written: a file of IR 3 with weights that are no inputs is one that all others read.
    model.ir_version = max(model.ir_version, OLDEST_IR)
    notes = []
    if sort_nodes(model.graph, str(path)):
        notes.append("nodes were sorted: some stood before what they read")
    if model.functions:
        names = ", ".join(sorted(function.name for function in model.functions)[:3])
        notes.append(f"local functions were inlined: {names}")
        model = inline_functions(model, str(path))
        sort_nodes(model.graph, str(path))
    if shared := tell_apart(model.graph):
        named = join_few([f"`{name}`" for name in shared], SHOWN)
        notes.append(f"nodes that shared a name got names of their own: {named}")
    forget_unknown(model)
    if filled := complete_outputs(model):
        named = join_few([f"`{name}`" for name in filled], SHOWN)
        notes.append(f"outputs without a shape got the one that follows: {named}")
    notes += _note_plugins(model)
    notes += check_onnx(model, str(path), weights=True, hint=EXPORT_AGAIN)
    return ImportedModel(model, tuple(notes))


def _demand_names(model: onnx.ModelProto, path: Path) -> None:
    """Refuse operators whose names are no text: protobuf hands out bytes then."""
    for node in iterate_nodes(model.graph.node):
        if not (isinstance(node.op_type, str) and isinstance(node.domain, str)):
            raise StepInputError(
                f"{path}: is damaged: the name of an operator is no text", hint=EXPORT_AGAIN
            )


def _note_plugins(model: onnx.ModelProto) -> Iterator[str]:
    """Say which nodes are taken for plugins, after their domains are declared."""
    for domain in declare_domains(model):
        yield f"version 1 is assumed of the domain `{domain}`, which the model does not declare"
    if plugins := find_plugins(model.graph.node):
        named = join_few([describe_plugin(node) for node in plugins], SHOWN)
        yield f"no operators of ONNX, and taken for plugins of TensorRT: {named}"


def load_onnx(path: Path) -> onnx.ModelProto:
    """Read a model: up to 2 GB into one message, above that without its large weights.

    Raises:
        MissingFile: the model, or data that one of its tensors names, is not there.
        StepInputError: it cannot be read.
    """
    import onnx
    from onnx.external_data_helper import _get_all_tensors, load_external_data_for_tensor

    size_bytes = sum(file.stat().st_size for file in find_model_files(path))
    _refuse_large(path)
    for external in _list_externals(path):
        _check_extent(path, external)
    try:
        model = onnx.load_model(path, format="protobuf", load_external_data=False)
        if is_marked(model) or size_bytes > LIMIT_BYTES:
            _leave_large(model, path)
        for tensor in _get_all_tensors(model):
            if not lies_beside(tensor):
                # ONNX leaves a word of where the data was: the same model would have other bytes.
                tensor.ClearField("data_location")
            elif not is_placed(tensor):
                load_external_data_for_tensor(tensor, str(path.parent))
                tensor.ClearField("data_location")
    except StepInputError:
        raise
    except Exception as error:  # Protocol Buffers, the checker and the file system have their own
        raise StepInputError(
            f"{path}: cannot be read as ONNX: {quote_whole(str(error)) or type(error).__name__}",
            hint="is the file whole? copy or export it again",
        ) from error
    return model


def load_bare(path: Path) -> onnx.ModelProto:
    """Read a model as it lies there, without its external data.

    Raises:
        StepInputError: it is no ONNX model.
    """
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        return onnx.load(path, load_external_data=False)
    except (OSError, DecodeError):
        raise StepInputError(
            f"{path.name} is not an ONNX model, or was cut off", hint="export the model again"
        ) from None


def _leave_large(model: onnx.ModelProto, path: Path) -> None:
    """Leave the large weights of the main graph in their files."""
    for tensor in model.graph.initializer:
        size = measure_tensor(tensor)
        if lies_beside(tensor) and size > SMALL_BYTES:
            entries = {each.key: each.value for each in tensor.external_data}
            file = _data_file(path, (tensor.name, entries))
            offset, length = int(entries.get("offset") or 0), int(entries.get("length") or size)
            if length != size or offset + size > file.stat().st_size:
                raise StepInputError(
                    f"{path}: tensor `{tensor.name}` has {size} bytes by its shape, and not so "
                    f"many in `{entries['location']}`",
                    hint="is the data file whole, and of this model? copy or export both again",
                )
            refer_to_file(tensor, str(file.absolute()), offset, size)


def link_together(model: Path, weights: Path, folder: Path) -> Path:
    """Link a model and the file of its weights into a folder, so that the one finds the other.

    In a store neither lies under its own name. Returns the model's path there.
    """
    location = next((entries["location"] for _, entries in _list_externals(model)), weights.name)
    folder.mkdir(parents=True, exist_ok=True)
    for source, link in ((weights, folder / Path(location).name), (model, folder / "model.onnx")):
        if not link.exists():
            link_whole(source, link)
    return folder / "model.onnx"


def write_onnx(model: onnx.ModelProto, path: Path, weights: Path | None = None) -> None:
    """Write a model as one file, byte for byte the same in any process; it may be used up.

    It is checked. Its IR version is brought into what every reader understands; the opset stays.
    Over 2 GB, or where its weights were left in files, they are written to `weights`, in the same
    folder (by default named like the model, with `.weights` at the end).

    Raises:
        StepInputError: some reader would refuse it.
    """
    model.ir_version = min(max(model.ir_version, OLDEST_IR), NEWEST_IR)
    check_onnx(model, "what was made of it")
    # Putting a message over 2 GB into bytes is an error.
    if not is_split(model) and sum(map(measure_tensor, model.graph.initializer)) <= LIMIT_BYTES:
        data = model.SerializeToString(deterministic=True)
        if len(data) <= LIMIT_BYTES:
            path.write_bytes(data)
            return
    write_split(model, path, weights or path.with_suffix(".weights"))


def _refuse_large(path: Path) -> None:
    size_bytes = path.stat().st_size
    if size_bytes > LIMIT_BYTES:
        raise StepInputError(
            f"{path}: {size_bytes / 1e9:.1f} GB in one file; Protocol Buffers end at 2 GB",
            hint="export the model with its weights as external data",
        )


def _list_externals(path: Path) -> list[External]:
    try:
        return list(iterate_external_data(path))
    except Malformed as error:
        open_regular(path).close()  # which says so where it was not fetched
        raise StepInputError(
            f"{path}: {error}; an ONNX model is needed",
            hint="is the file whole? copy or export it again",
        ) from None
    except FileNotFoundError:
        raise MissingFile(f"{path}: no such file") from None
    except IsADirectoryError:
        raise MissingFile(f"{path}: is a directory; an ONNX file is needed") from None
    except OSError as error:
        raise MissingFile(f"{path}: {error.strerror}") from None


def _data_file(path: Path, tensor: External) -> Path:
    name, entries = tensor
    location = entries["location"]
    file = path.parent / location
    place = Path(location)
    inside = location and "\0" not in location and not place.is_absolute()
    inside = inside and ".." not in place.parts
    if not inside or not file.resolve().is_relative_to(path.parent.resolve()):
        raise StepInputError(
            f"{path}: tensor `{name}` keeps its data in `{location}`, outside the model's folder",
            hint="put the data beside the model; links and paths out of its folder are refused",
        )
    if not file.is_file():
        raise MissingFile(
            f"{file}: no such file; tensor `{name}` of {path.name} keeps its data there",
            hint="copy the data file to where the model is",
        )
    return file


def _check_extent(path: Path, tensor: External) -> None:
    name, entries = tensor
    size = _data_file(path, tensor).stat().st_size
    try:
        offset, length = int(entries.get("offset") or 0), int(entries.get("length") or 0)
    except ValueError:
        offset = length = -1
    if offset < 0 or length < 0 or offset + length > size:
        raise StepInputError(
            f"{path}: tensor `{name}` lies beyond the end of `{entries['location']}` "
            f"({size} bytes)",
            hint="is the data file whole, and of this model? copy or export both again",
        )
