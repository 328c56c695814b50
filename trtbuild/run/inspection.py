"""What an engine file is, and whether it fits this machine: by its bytes, without loading it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from trtbuild.backends.rtx_plan import HEADER_BYTES, Header, read_header
from trtbuild.core.digest import digest_of_file
from trtbuild.core.errors import MissingFile
from trtbuild.core.options import Options
from trtbuild.core.records import TargetResult
from trtbuild.run.facts import GPU

__all__ = ["Inspected", "Verdict", "inspect", "result_beside"]

RTX_PACKAGES = ("tensorrt_rtx_cu13_libs", "tensorrt_rtx")
Verdict = Literal["yes", "no", "not known"]


class Inspected(Options):
    """What an engine file is."""

    file: str
    size_bytes: int
    flavour: str
    """`TensorRT-RTX`, as its header says it; else what engine.json says, or `not known`."""
    version: str = ""
    built_for: tuple[str, ...] = ()
    result: TargetResult | None = None
    """engine.json beside it, where that is about these very bytes."""
    fits: Verdict
    reason: str
    notes: tuple[str, ...] = ()


def inspect(path: Path, facts: Mapping[str, str]) -> Inspected:
    """Say what an engine file is, and whether it fits this machine.

    Raises:
        MissingFile: it is not there.
    """
    if not path.is_file():
        raise MissingFile(f"{path}: there is no such file")
    size = path.stat().st_size
    with path.open("rb") as file:
        header = read_header(file.read(HEADER_BYTES))
    result, notes = result_beside(path)
    flavour = "TensorRT-RTX" if header else (result.backend if result else "not known")
    if header is not None and header.size_bytes != size:
        fits: tuple[Verdict, str] = (
            "no",
            f"the file is {size} bytes, and its header says {header.size_bytes}: it was cut off",
        )
    elif header is not None:
        fits = _rtx_fits(header, facts)
    else:
        fits = _other_fits(result, facts)
    return Inspected(
        file=str(path),
        size_bytes=size,
        flavour=flavour,
        version=header.version if header else _version(result),
        built_for=header.compute_capabilities if header else (result.built_for if result else ()),
        result=result,
        fits=fits[0],
        reason=fits[1],
        notes=notes,
    )


def result_beside(path: Path) -> tuple[TargetResult | None, tuple[str, ...]]:
    """Return the engine.json beside an engine if it is about it, and what is odd about it."""
    beside = path.with_name("engine.json")
    if not beside.is_file():
        return None, ("there is no engine.json beside it",)
    try:
        result = TargetResult.model_validate_json(beside.read_bytes())
    except ValueError:
        return None, ("the engine.json beside it was not written by this trtbuild",)
    if result.engine_digest != digest_of_file(path):
        return None, ("the engine.json beside it is about another engine",)
    return result, ()


def _rtx_fits(header: Header, facts: Mapping[str, str]) -> tuple[Verdict, str]:
    here = next((facts[name] for name in RTX_PACKAGES if name in facts), "")
    if here and here != header.version:
        return "no", f"it is of TensorRT-RTX {header.version}; {here} is here, and runs no other"
    if GPU not in facts:
        return "not known", "there is no NVIDIA GPU with a driver here to hold it against"
    capability = facts[GPU].rpartition("(")[2].removesuffix(")")
    if capability not in header.compute_capabilities:
        built = ", ".join(header.compute_capabilities)
        return "no", f"it is for compute capability {built}; here is {facts[GPU]}"
    if not here:
        return "not known", "TensorRT-RTX is not installed here"
    return "yes", f"TensorRT-RTX {here} is here, and {facts[GPU]}"


def _other_fits(result: TargetResult | None, facts: Mapping[str, str]) -> tuple[Verdict, str]:
    if result is None:
        return (
            "not known",
            "it is no plan of TensorRT-RTX, and other plans do not say what they are",
        )
    if result.backend == "onnxruntime":
        return "yes", "it is an ONNX model"
    built = result.versions.get("tensorrt", "")
    here = facts.get("tensorrt", "")
    if here and built and here != built and result.options.get("version_compatible") != "on":
        return "no", f"it is of TensorRT {built}; {here} is here"
    gpu = facts.get(GPU, "")
    if not gpu:
        return "not known", "there is no NVIDIA GPU with a driver here to hold it against"
    named = result.versions.get(GPU, "")
    if named and named != gpu and "hardware_compatibility_level" not in result.options:
        return "no", f"it was built on {named}; here is {gpu}"
    return (
        ("yes", f"TensorRT {here} and {gpu} are what it was built with")
        if here
        else (
            "not known",
            "TensorRT is not installed here",
        )
    )


def _version(result: TargetResult | None) -> str:
    return result.versions.get("tensorrt", "") if result else ""
