"""Models of other frameworks, each with the tool that makes ONNX of it."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trtbuild.core.errors import StepInputError

__all__ = ["FORMATS", "TORCHSCRIPT", "Format", "find_format", "hint_for_kind", "refuse_foreign"]


@dataclass(frozen=True)
class Format:
    """A form that models come in, and how to get from there to a source that a recipe can name."""

    name: str
    way: str
    """What to do next; `{path}` stands for the model."""
    suffixes: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    """A folder is of this form where it has a file or folder of such a name."""
    magic: tuple[tuple[int, bytes], ...] = ()
    """What its files hold, and where."""
    kinds: tuple[str, ...] = ()
    """What people call it, as they would write `kind:`."""


TENSORFLOW = Format(
    "a SavedModel of TensorFlow",
    "convert it by tf2onnx: python -m tf2onnx.convert --saved-model {path} --output model.onnx",
    members=("saved_model.pb", "saved_model.pbtxt"),
    kinds=("tensorflow", "tf", "savedmodel", "saved_model"),
)
FROZEN = Format(
    "a frozen graph of TensorFlow",
    "convert it by tf2onnx: python -m tf2onnx.convert --graphdef {path} --inputs NAME:0 "
    "--outputs NAME:0 --output model.onnx",
    suffixes=(".pb", ".pbtxt", ".graphdef"),
    kinds=("graphdef", "frozen_graph", "tensorflow1"),
)
KERAS = Format(
    "a model of Keras",
    "load it by keras.models.load_model('{path}') and convert it: model.export('model.onnx', "
    "format='onnx') of Keras 3, or tf2onnx.convert.from_keras",
    suffixes=(".keras", ".h5", ".hdf5"),
    magic=((0, b"\x89HDF\r\n\x1a\n"),),
    kinds=("keras",),
)
TFLITE = Format(
    "a model of TensorFlow Lite",
    "convert it by tf2onnx: python -m tf2onnx.convert --tflite {path} --output model.onnx; better "
    "the model it was made from, since many are quantized already",
    suffixes=(".tflite",),
    magic=((4, b"TFL3"),),
    kinds=("tflite", "litert"),
)
TORCHSCRIPT = Format(
    "a program of TorchScript",
    "write `kind: torch` with `exporter: torchscript` and an entrypoint that returns "
    "torch.jit.load('{path}'); the module it was made from is better",
    suffixes=(".torchscript", ".ptl"),
    kinds=("torchscript", "jit"),
)
PYTORCH = Format(
    "a file of PyTorch",
    "write `kind: torch` with an entrypoint that makes the module and `weights: {{path: {path}}}`; "
    "of a YOLO of Ultralytics, `kind: ultralytics`",
    suffixes=(".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pt2"),
    kinds=("pytorch", "pth", "pt", "lightning", "timm", "torchvision"),
)
SAFETENSORS = Format(
    "weights as safetensors, and no model",
    "write `kind: torch` with an entrypoint that makes the module and `weights: {{path: {path}}}`; "
    "of a folder of Hugging Face's, `kind: huggingface`",
    suffixes=(".safetensors",),
    kinds=("safetensors",),
)
HUGGINGFACE = Format(
    "a folder of Hugging Face's transformers",
    "write `kind: huggingface` with `path: {path}`",
    members=("config.json",),
    kinds=("transformers", "hf", "hugging_face"),
)
JAX = Format(
    "a checkpoint of JAX",
    "convert its function by jax2onnx, or by jax.experimental.jax2tf and tf2onnx",
    suffixes=(".msgpack", ".orbax"),
    members=("_CHECKPOINT_METADATA", "_METADATA"),
    kinds=("jax", "flax", "orbax"),
)
COREML = Format(
    "a model of Core ML",
    "convert the model it was made from; of what is left of the old form, onnxmltools makes ONNX",
    suffixes=(".mlmodel", ".mlpackage", ".mlmodelc"),
    kinds=("coreml", "mlmodel"),
)
OPENVINO = Format(
    "a model of OpenVINO",
    "nothing makes ONNX of its own form: convert the model it was made from",
    suffixes=(".xml",),
    kinds=("openvino",),
)
PADDLE = Format(
    "a model of PaddlePaddle",
    "convert it by paddle2onnx: paddle2onnx --model_dir FOLDER --model_filename {path} "
    "--params_filename FILE.pdiparams --save_file model.onnx",
    suffixes=(".pdmodel", ".pdiparams", ".pdparams"),
    members=("inference.pdmodel", "inference.pdiparams", "model.pdmodel"),
    kinds=("paddle", "paddlepaddle"),
)
ENGINE = Format(
    "an engine of TensorRT, built already",
    "name the ONNX file that it was built from; `trtbuild inspect` and `trtbuild compare` take "
    "engines as they are",
    suffixes=(".engine", ".plan", ".trt"),
    magic=((0, b"ftrt"), (0, b"ptrt")),
    kinds=("tensorrt", "engine", "plan", "trt"),
)
FORMATS = (
    TENSORFLOW, FROZEN, KERAS, TFLITE, TORCHSCRIPT, PYTORCH, SAFETENSORS, HUGGINGFACE, JAX, COREML,
    OPENVINO, PADDLE, ENGINE,
    Format("a model of Caffe", "convert it by caffe2onnx, or train it in PyTorch",
           suffixes=(".caffemodel", ".prototxt"), kinds=("caffe",)),
    Format("a model of Darknet", "load it in a port of its network to PyTorch: `kind: torch`",
           suffixes=(".weights", ".cfg"), kinds=("darknet",)),
    Format("a model of TensorRT's old UFF", "convert the TensorFlow model it was made from",
           suffixes=(".uff",), kinds=("uff",)),
    Format("a model of MXNet", "convert it by mxnet's own mx2onnx.export_model",
           suffixes=(".params",), kinds=("mxnet",)),
    Format("a model of ONNX Runtime's own form", "name the ONNX file that it was made from",
           suffixes=(".ort",), magic=((4, b"ORTM"),), kinds=("ort",)),
    Format("a model of llama.cpp", "name the model of Hugging Face's that it was made from",
           suffixes=(".gguf", ".ggml"), magic=((0, b"GGUF"),), kinds=("gguf", "llama_cpp")),
    Format("a model of NeMo", "convert it by its own class: model.export('model.onnx')",
           suffixes=(".nemo",), kinds=("nemo",)),
    Format("a model of scikit-learn or XGBoost", "convert it by skl2onnx or onnxmltools",
           suffixes=(".joblib", ".ubj"), kinds=("sklearn", "xgboost", "lightgbm")),
)  # fmt: skip
"""Of all forms that a file may have by its name, the first counts."""
HEAD = 16
VARINT_FIRST = b"\x08"
"""What an ONNX file begins with: the number of its IR."""
PICKLED = b"\x80"


def refuse_foreign(path: Path, *, called: str = "") -> None:
    """Refuse a model of another form, with the tool that converts it; `called` names it.

    Raises:
        StepInputError: it is one.
    """
    found = find_format(path)
    if found is not None:
        raise StepInputError(
            f"{called or path}: is {found.name}; an ONNX model is needed",
            hint=found.way.format(path=path.name),
        )


def find_format(path: Path) -> Format | None:
    """Return the form of a file or folder, where it is a known one and not ONNX."""
    if path.is_dir():
        return _of_folder(path)
    head = _head(path)
    for each in FORMATS:
        if any(head[start : start + len(text)] == text for start, text in each.magic):
            return each
    return _by_look(path, head) if head else None


def hint_for_kind(word: str) -> str:
    """Return what to do where a recipe's `kind` of a model is another framework's name."""
    found = next((each for each in FORMATS if word.lower() in each.kinds), None)
    return found.way.format(path="PATH") if found is not None else ""


def _by_look(path: Path, head: bytes) -> Format | None:
    suffix = path.suffix.lower()
    if head.startswith(b"PK"):
        return _of_archive(path, suffix)
    if path.name in TENSORFLOW.members:
        return TENSORFLOW
    if head.startswith(VARINT_FIRST) and suffix not in COREML.suffixes:
        return None
    return _by_suffix(suffix) or (PYTORCH if head.startswith(PICKLED) else None)


def _by_suffix(suffix: str) -> Format | None:
    return next((each for each in FORMATS if suffix in each.suffixes), None)


def _of_folder(folder: Path) -> Format | None:
    suffix = folder.suffix.lower()
    names = set(os.listdir(folder))  # noqa: PTH208  # names alone
    inside = (each for each in FORMATS if names.intersection(each.members))
    return next(inside, None) or (_by_suffix(suffix) if suffix else None)


def _of_archive(path: Path, suffix: str) -> Format | None:
    """Tell archives apart: Keras and PyTorch both write them."""
    names = list(_members(path))
    if any(name.endswith("/constants.pkl") for name in names):
        return TORCHSCRIPT
    if any(name.endswith("data.pkl") for name in names):
        return PYTORCH
    if "config.json" in names and suffix != ".zip":
        return KERAS
    packed = Format("an archive", "unpack it, and name the model in it")
    return _by_suffix(suffix) or packed


def _members(path: Path) -> Iterator[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield from archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return


def _head(path: Path) -> bytes:
    from trtbuild.core.errors import MissingFile
    from trtbuild.core.regular_files import open_regular

    try:
        with open_regular(path) as file:
            return file.read(HEAD)
    except (MissingFile, OSError):  # whoever reads it will say so
        return b""
