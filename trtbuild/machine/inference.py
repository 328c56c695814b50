"""Where ONNX Runtime computes on this machine: on a GPU only where it was seen to do so."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.core.devices import Where
from trtbuild.core.errors import NoGpu
from trtbuild.core.facts import name_package
from trtbuild.core.frozen import frozen
from trtbuild.core.locations import find_store_root
from trtbuild.core.watch import describe_devices
from trtbuild.core.words import quote_whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trtbuild.machine.facts import Gpu

__all__ = ["INSTALL", "LEAST_FREE_BYTES", "InferenceDevice", "choose_inference_device"]

PACKAGE, CUDA_PACKAGE = "onnxruntime", "onnxruntime-gpu"
INSTALL = "pip install 'trtbuild[cuda]' && pip install --force-reinstall --no-deps onnxruntime-gpu"
"""The second puts its files over those of `onnxruntime`, which has the same names."""
PROVIDER = "CUDAExecutionProvider"
LEAST_FREE_BYTES = 1 << 30
"""Of memory, with which CUDA, cuDNN and a small model start."""
PROBE_SECONDS = 120
_LIBRARY = re.compile(r"(lib[\w.+-]+\.so[\w.]*): cannot open shared object file")
_VARIABLES = "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "CUDA_PATH"


@frozen
class InferenceDevice:
    """What ONNX Runtime computes on."""

    fact: str = ""
    """`NVIDIA H200 (9.0), CUDAExecutionProvider`; empty for the CPU."""
    hindrance: str = ""
    """Why it does not compute on the GPU."""
    hint: str = ""
    """What to do about that."""


def choose_inference_device(
    where: Where,
    package: str | None,
    gpu: Gpu | None,
    *,
    environment: Mapping[str, str] | None = None,
) -> InferenceDevice:
    """Choose what ONNX Runtime computes on, given the fact of its package and the GPU to take.

    Where both would do, a session is opened on the GPU once, in a process with more in its
    `environment`; that it opened is remembered until something of the machine changes.

    Raises:
        NoGpu: a GPU was demanded, and is not to be had; says what is missing.
    """
    if where == "cpu":
        return InferenceDevice()
    hindrance, hint = _find_hindrance(package, gpu, environment or {})
    if not hindrance:
        assert gpu is not None  # noqa: S101  # without one there is a hindrance
        return InferenceDevice(f"{gpu.in_words()}, {PROVIDER}")
    if where == "cuda":
        raise NoGpu(f"ONNX Runtime cannot compute on a GPU here: {hindrance}", hint=hint)
    return InferenceDevice(hindrance=hindrance, hint=hint)


def _find_hindrance(
    package: str | None, gpu: Gpu | None, environment: Mapping[str, str]
) -> tuple[str, str]:
    """Say why ONNX Runtime cannot compute on the GPU, and what to do; nothing where it can."""
    if package is None or CUDA_PACKAGE not in package:
        found = "it is not installed" if package is None else name_package(PACKAGE, package)
        return f"{found}, which has no CUDA provider", INSTALL
    if gpu is None:
        return "there is no NVIDIA GPU with a driver here", "`trtbuild doctor` lists GPUs"
    free = count_free_bytes(gpu.bus)
    if free is not None and free < LEAST_FREE_BYTES:
        found = f"of {gpu.name}'s memory {free >> 20} MiB are free, and it needs "
        hint = "end what holds the rest, which `nvidia-smi` shows, or take `--device cpu`"
        return f"{found}{LEAST_FREE_BYTES >> 20} to start", hint
    seen = _Memory(package, gpu, environment)
    if seen.is_kept():
        return "", ""
    told = probe(environment)
    if not told:
        seen.keep()
        return "", ""
    return told, _advise(told)


def probe(environment: Mapping[str, str]) -> str:
    """Open a session on the GPU in a process of its own; say why it did not open, or nothing."""
    command = [sys.executable, "-P", "-m", "trtbuild.model.cuda_probe"]
    try:
        ran = subprocess.run(
            command,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                **environment,
            },
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=PROBE_SECONDS,
            cwd=Path("/"),
        )
    except subprocess.TimeoutExpired:
        return f"its CUDA provider did not open within {PROBE_SECONDS} seconds"
    return _read_answer(ran.stdout.splitlines(), ran.stderr, ran.returncode)


def _read_answer(lines: Sequence[str], errors: str, code: int) -> str:
    try:
        told = str(json.loads(lines[-1])["hindrance"])
    except (ValueError, LookupError, TypeError):
        last = (errors.strip().splitlines() or [""])[-1]
        return f"its CUDA provider ended the process that tried it ({code}): {quote_whole(last)}"
    library = _LIBRARY.search(errors)
    if told and library:
        return f"its CUDA provider does not open: {library[1]} is not found"
    return f"its CUDA provider does not open: {told}" if told else ""


def _advise(told: str) -> str:
    if "insufficient" in told or "driver version" in told:
        return "install a newer NVIDIA driver, or an onnxruntime-gpu for an older CUDA"
    return "pip install 'onnxruntime-gpu[cuda,cudnn]' brings CUDA and cuDNN; or `--device cpu`"


class _Memory:
    """That a session was opened on this GPU, with all that is installed as it is."""

    def __init__(self, package: str, gpu: Gpu, environment: Mapping[str, str]) -> None:
        variables = {name: os.environ.get(name, "") for name in _VARIABLES}
        folders = [(path, _find_time(path)) for path in sys.path]
        libraries = [(path, _find_time(f"{path}/nvidia")) for path in sys.path]
        known = [
            package, gpu.in_words(), gpu.bus, describe_devices(), sys.executable, folders,
            libraries, sorted({**variables, **environment}.items()),
        ]  # fmt: skip
        name = hashlib.sha256(repr(known).encode()).hexdigest()[:32]
        self._path = Path(find_store_root()) / "probes" / name

    def is_kept(self) -> bool:
        try:
            return self._path.read_text(encoding="utf-8") == ""
        except OSError:
            return False

    def keep(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.touch()
        except OSError:
            return  # then it is tried again next time


def _find_time(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116
    except OSError:
        return 0


def count_free_bytes(bus: str) -> int | None:
    """Return how much memory of the GPU at a place is free; None where the driver does not tell."""
    import ctypes

    class Told(ctypes.Structure):
        _fields_ = [(name, ctypes.c_ulonglong) for name in ("total", "free", "used")]

    try:
        library = ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return None
    handle, told = ctypes.c_void_p(), Told()
    if library.nvmlInit_v2():
        return None
    try:
        place = bus.encode()
        if library.nvmlDeviceGetHandleByPciBusId_v2(place, ctypes.byref(handle)):
            return None
        failed = library.nvmlDeviceGetMemoryInfo(handle, ctypes.byref(told))
        return None if failed else int(told.free)
    finally:
        library.nvmlShutdown()
