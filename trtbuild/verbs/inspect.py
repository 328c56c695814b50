"""What an engine file is, and whether it fits this machine: by its bytes, then by loading it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args

from trtbuild.backends.tensorrt.engine import EngineDescription, Kind
from trtbuild.backends.tensorrt.plan_header import HEADER_BYTES, PlanHeader, read_header
from trtbuild.core.digest import digest_of_file
from trtbuild.core.errors import MissingFile, StepFailed
from trtbuild.core.options import Options
from trtbuild.core.placed import ENGINE, ENGINE_RESULT
from trtbuild.core.records import TargetResult
from trtbuild.core.regular_files import read_regular
from trtbuild.machine.facts import GPU, read_version
from trtbuild.run.engines import describe_engine, find_gpu_place
from trtbuild.run.executor import Executor

__all__ = [
    "FitVerdict",
    "InspectedEngine",
    "explain_misfit",
    "find_engine_kind",
    "inspect_engine",
    "read_result_beside",
]

RTX_PACKAGES = ("tensorrt_rtx_cu13_libs", "tensorrt_rtx")
LOADABLE = get_args(Kind)
NO_GPU = "there is no NVIDIA GPU with a driver here to hold it against"
NO_PLAN = "it is no engine: it does not begin as a TensorRT plan does"
FitVerdict = Literal["yes", "no", "not known"]


class InspectedEngine(Options):
    """What an engine file is."""

    file: str
    size_bytes: int
    flavour: str
    """`TensorRT-RTX` or `TensorRT`, as its header says it; else what engine.json says, or
    `not known`."""
    version: str = ""
    built_for: tuple[str, ...] = ()
    result: TargetResult | None = None
    """engine.json beside it, where that is about these very bytes."""
    loaded: EngineDescription | None = None
    """What the engine itself says, where it was loaded: by its TensorRT, on this GPU."""
    fits: FitVerdict
    reason: str
    notes: tuple[str, ...] = ()


def inspect_engine(
    path: Path, executor: Executor, *, plugins: Sequence[Path] = ()
) -> InspectedEngine:
    """Say what an engine file is, and whether it fits the machine of an executor.

    Where its TensorRT and a GPU are there, and nothing speaks against it, the engine is loaded.

    Raises:
        MissingFile: it is not there.
        MissingDependency: the Python that is named for its TensorRT does not run.
    """
    found, kind = _read(path)
    if found.fits != "not known" or not kind:
        return found
    place = find_gpu_place(kind, executor)
    found = _hold_against(found, kind, place.facts)
    if found.fits == "no" or place.hindrance:
        return found
    kinds: dict[str, Kind] = {each: each for each in LOADABLE}
    return _try_loading(
        found, lambda: describe_engine(kinds[kind], path, executor, plugins=plugins)
    )


def find_engine_kind(path: Path) -> str:
    """Return the kind of target that an engine is of; empty where nothing says it."""
    return _read(path)[1]


def explain_misfit(path: Path, facts: Mapping[str, str]) -> str:
    """Say why an engine does not fit where these facts hold, without loading it."""
    found, kind = _read(path)
    if found.fits == "not known" and kind:
        found = _hold_against(found, kind, facts)
    return found.reason if found.fits == "no" else ""


def _read(path: Path) -> tuple[InspectedEngine, str]:
    """Say what a file is by its bytes and by engine.json; and of which kind of target."""
    if path.is_dir():
        raise MissingFile(
            f"{path}: is a directory; an engine is a file",
            hint="give the engine: build/<recipe name>/<target>/" + ENGINE,
        )
    if not path.is_file():
        raise MissingFile(f"{path}: there is no such file")
    size = path.stat().st_size
    with path.open("rb") as file:
        header = read_header(file.read(HEADER_BYTES))
    result, notes = read_result_beside(path)
    kind = header.kind if header else (result.backend if result else "")
    found = InspectedEngine(
        file=str(path),
        size_bytes=size,
        flavour=header.flavour if header else (kind or "not known"),
        version=header.version if header else _version(result),
        built_for=_built_for(header, result),
        result=result,
        fits="not known" if kind else "no",
        reason="" if kind else NO_PLAN,
        notes=notes,
    )
    if header is not None and header.size_bytes not in (None, size):
        odd = "it was cut off" if size < (header.size_bytes or 0) else "something was added to it"
        told = f"the file is {size} bytes, and its header says {header.size_bytes}: {odd}"
        found = _judge(found, "no", told)
    elif kind == "onnxruntime":
        found = _judge(found, "yes", "it is an ONNX model")
    elif kind and kind not in LOADABLE:
        told = f"trtbuild knows no {found.flavour} {found.version}".rstrip()
        found = _judge(found, "no", told)
    return found, kind


def _hold_against(found: InspectedEngine, kind: str, facts: Mapping[str, str]) -> InspectedEngine:
    judge = _rtx_fits if kind == "tensorrt_rtx" else _full_fits
    return _judge(found, *judge(found, facts))


def _judge(found: InspectedEngine, fits: FitVerdict, reason: str) -> InspectedEngine:
    return found.model_copy(update={"fits": fits, "reason": reason})


def _try_loading(found: InspectedEngine, load: Callable[[], EngineDescription]) -> InspectedEngine:
    """Load the engine: what comes of it outweighs what stands in files."""
    try:
        loaded = load()
    except StepFailed as failure:
        fits: FitVerdict = "no" if failure.code == StepFailed.code else "not known"
        hint = f" (hint: {failure.hint})" if failure.hint else ""
        return _judge(found, fits, f"{failure.message}{hint}")
    return found.model_copy(
        update={"fits": "yes", "reason": "it was loaded here", "loaded": loaded}
    )


def _built_for(header: PlanHeader | None, result: TargetResult | None) -> tuple[str, ...]:
    if header is not None and header.compute_capabilities:
        return header.compute_capabilities
    return result.built_for if result else ()


def read_result_beside(path: Path) -> tuple[TargetResult | None, tuple[str, ...]]:
    """Return the engine.json beside an engine if it is about it, and what is odd about it."""
    beside = path.with_name(ENGINE_RESULT)
    if not beside.is_file():
        return None, ("there is no engine.json beside it",)
    try:
        result = TargetResult.model_validate_json(read_regular(beside))
    except (ValueError, MissingFile):
        return None, ("the engine.json beside it was not written by this trtbuild",)
    if result.engine_digest != digest_of_file(path):
        return None, ("the engine.json beside it is about another engine",)
    return result, ()


def _rtx_fits(found: InspectedEngine, facts: Mapping[str, str]) -> tuple[FitVerdict, str]:
    here = next((facts[name] for name in RTX_PACKAGES if name in facts), "")
    if here and here != found.version:
        return "no", f"it is of TensorRT-RTX {found.version}; {here} is here, and runs no other"
    if GPU not in facts:
        return "not known", NO_GPU
    capability = facts[GPU].rpartition("(")[2].removesuffix(")")
    if capability not in found.built_for:
        built = ", ".join(found.built_for)
        return "no", f"it is for compute capability {built}; here is {facts[GPU]}"
    if not here:
        return "not known", "TensorRT-RTX is not installed here"
    return "yes", f"TensorRT-RTX {here} is here, and {facts[GPU]}"


def _full_fits(found: InspectedEngine, facts: Mapping[str, str]) -> tuple[FitVerdict, str]:
    """Judge an engine of TensorRT by its header and by engine.json, if there is one."""
    options = found.result.options if found.result else {}
    here = read_version(facts.get("tensorrt", ""))
    if here and here != found.version and options.get("version_compatible") != "on":
        told = f"it is of TensorRT {found.version}; {here} is here"
        if found.result is not None or _numbers(here) < _numbers(found.version):
            return "no", told
        return "not known", f"{told}, and runs it if it was built as version-compatible"
    gpu = facts.get(GPU, "")
    if not gpu:
        return "not known", NO_GPU
    named = found.result.versions.get(GPU, "") if found.result else ""
    if named and named != gpu and "hardware_compatibility_level" not in options:
        return "no", f"it was built on {named}; here is {gpu}"
    if not here or not named:
        lacking = "nothing here says for which GPU it was built"
        return "not known", lacking if here else "TensorRT is not installed here"
    return "yes", f"TensorRT {here} is here, and {gpu}"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


def _version(result: TargetResult | None) -> str:
    return read_version(result.versions.get("tensorrt", "")) if result else ""
