"""What an engine file is, and whether it fits this machine: by its bytes, then by loading it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import get_args

from trtbuild.backends.base import BuiltEngine, Fit, FitVerdict
from trtbuild.backends.tensorrt.engine import EngineDescription, EngineKind
from trtbuild.backends.tensorrt.plan_header import HEADER_BYTES, PlanHeader, read_header
from trtbuild.core.digest import digest_of_file
from trtbuild.core.errors import MissingFile, StepFailed
from trtbuild.core.options import Options
from trtbuild.core.placed import ENGINE, ENGINE_RESULT
from trtbuild.core.records import TargetResult
from trtbuild.core.regular_files import read_regular
from trtbuild.machine.facts import find_backend, read_version
from trtbuild.run.engines import describe_engine, find_gpu_place
from trtbuild.run.executor import Executor

__all__ = [
    "InspectedEngine",
    "explain_misfit",
    "find_engine_kind",
    "inspect_engine",
    "read_result_beside",
]

LOADABLE: dict[str, EngineKind] = {each: each for each in get_args(EngineKind)}
NO_PLAN = "it is no engine: it does not begin as a TensorRT plan does"
MODEL = ".onnx"


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
    if found.fits == "no" or place.hindrance or kind not in LOADABLE:
        return found
    return _try_loading(
        found, lambda: describe_engine(LOADABLE[kind], path, executor, plugins=plugins)
    )


_GIVE = "give the engine: build/<recipe name>/<target>/" + ENGINE


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
        raise MissingFile(f"{path}: is a directory; an engine is a file", hint=_GIVE)
    if not path.is_file():
        raise MissingFile(f"{path}: there is no such file", hint=_GIVE)
    size = path.stat().st_size
    with path.open("rb") as file:
        header = read_header(file.read(HEADER_BYTES))
    result, notes = read_result_beside(path)
    kind = header.kind if header else (result.backend if result else "")
    found = InspectedEngine(
        file=str(path),
        size_bytes=size,
        flavour=header.flavour if header else (kind or "not known"),
        version=header.version if header else _version(kind, result),
        built_for=_built_for(header, result),
        result=result,
        fits="not known" if kind or header else "no",
        reason="" if kind or header else _explain_no_plan(path),
        notes=notes,
    )
    if found.fits == "no":
        return found, kind
    if header is not None and header.size_bytes not in (None, size):
        odd = "it was cut off" if size < (header.size_bytes or 0) else "something was added to it"
        told = f"the file is {size} bytes, and its header says {header.size_bytes}: {odd}"
        return _judge(found, Fit("no", told)), kind
    return _hold_against(found, kind, {}), kind


def _explain_no_plan(path: Path) -> str:
    """Say that a file is no engine; of a model, what looks at those."""
    return (
        f"{NO_PLAN}; `trtbuild check {path}` looks at models" if path.suffix == MODEL else NO_PLAN
    )


def _hold_against(found: InspectedEngine, kind: str, facts: Mapping[str, str]) -> InspectedEngine:
    backend = find_backend(kind)
    if backend is None:
        told = f"trtbuild knows no {found.flavour} {found.version}".rstrip()
        return _judge(found, Fit("no", told))
    engine = BuiltEngine(found.version, found.built_for, found.result)
    return _judge(found, backend.judge_fit(engine, facts))


def _judge(found: InspectedEngine, fit: Fit) -> InspectedEngine:
    return found.model_copy(update={"fits": fit.verdict, "reason": fit.reason})


def _try_loading(found: InspectedEngine, load: Callable[[], EngineDescription]) -> InspectedEngine:
    """Load the engine: what comes of it outweighs what stands in files."""
    try:
        loaded = load()
    except StepFailed as failure:
        fits: FitVerdict = "no" if failure.code == StepFailed.code else "not known"
        hint = f" (hint: {failure.hint})" if failure.hint else ""
        return _judge(found, Fit(fits, f"{failure.message}{hint}"))
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


def _version(kind: str, result: TargetResult | None) -> str:
    backend = find_backend(kind)
    if backend is None or result is None:
        return ""
    return read_version(result.versions.get(backend.capabilities.packages[0], ""))
