"""Read ONNX files and their external data; write ONNX files the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.graph.base import Imported
from trtbuild.graph.wire import External, Malformed, external_data

if TYPE_CHECKING:
    import onnx

__all__ = ["LIMIT_BYTES", "check", "files_of", "read", "write"]

LIMIT_BYTES = 2**31 - 1
"""Protocol Buffers' limit for one message: a model with all its weights embedded."""
OLDEST_IR, NEWEST_IR = 4, 10
"""IR 4 freed initializers from being inputs; ONNX Runtime and TensorRT all read 10."""


def files_of(path: Path) -> tuple[Path, ...]:
    """Return a model file, then the files of its external data, sorted.

    Raises:
        MissingFile: the model, or data that one of its tensors names, is not there.
        StepInputError: it is no ONNX model, is cut off, or names data outside its folder.
    """
    return (path, *sorted({_data_file(path, tensor) for tensor in _externals(path)}))


def read(path: Path) -> Imported:
    """Read a model and all its data into one message; inline its local functions.

    Raises:
        MissingFile: the model, or data that one of its tensors names, is not there.
        StepInputError: it cannot be read, is over 2 GB, or is not a valid model.
    """
    import onnx
    from onnx.external_data_helper import _get_all_tensors, load_external_data_for_model

    files = files_of(path)
    _refuse_large(path, sum(file.stat().st_size for file in files))
    for tensor in _externals(path):
        _check_extent(path, tensor)
    try:
        model = onnx.load_model(path, format="protobuf", load_external_data=False)
        load_external_data_for_model(model, str(path.parent))
        for tensor in _get_all_tensors(model):
            # ONNX leaves a word of where the data was: the same model would have other bytes.
            tensor.ClearField("data_location")
    except Exception as error:  # Protocol Buffers, the checker and the file system have their own
        raise StepInputError(
            f"{path}: cannot be read as ONNX: {_first_line(error)}",
            hint="is the file whole? copy or export it again",
        ) from error
    notes: tuple[str, ...] = ()
    if model.functions:
        from onnx import inliner

        names = ", ".join(sorted(function.name for function in model.functions)[:3])
        notes = (f"local functions were inlined: {names}",)
        model = inliner.inline_local_functions(model)
    check(model, str(path))
    return Imported(model, notes)


def check(model: onnx.ModelProto, where: str) -> None:
    """Check a model against the ONNX standard.

    Raises:
        StepInputError: it is not valid; the checker's own words are quoted.
    """
    import onnx

    try:
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, ValueError) as error:
        raise StepInputError(
            f"{where}: is not a valid ONNX model: {_first_line(error)}",
            hint="export the model again, or ask the ONNX checker: "
            "python -c \"import onnx; onnx.checker.check_model('model.onnx')\"",
        ) from error


def write(model: onnx.ModelProto, path: Path) -> None:
    """Write a model as one file, byte for byte the same in any process.

    Its IR version is brought into what every reader understands; the opset stays.

    Raises:
        StepInputError: it is over 2 GB.
    """
    model.ir_version = min(max(model.ir_version, OLDEST_IR), NEWEST_IR)
    _refuse_large(path, model.ByteSize())
    path.write_bytes(model.SerializeToString(deterministic=True))


def _refuse_large(path: Path, size_bytes: int) -> None:
    if size_bytes > LIMIT_BYTES:
        raise StepInputError(
            f"{path}: {size_bytes / 1e9:.1f} GB with its weights; models over 2 GB cannot be used",
            hint="export a smaller model, or the same one with float16 weights",
        )


def _externals(path: Path) -> list[External]:
    try:
        return list(external_data(path))
    except Malformed as error:
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
    inside = location and not Path(location).is_absolute() and ".." not in Path(location).parts
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


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__
