"""What is installed in an interpreter, and on which GPU; nothing heavy is imported to know it."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from trtbuild.backends import Target
from trtbuild.backends.base import Backend, Capabilities
from trtbuild.core.devices import Where
from trtbuild.core.errors import NoGpu
from trtbuild.core.facts import name_package, read_version
from trtbuild.core.frozen import frozen
from trtbuild.core.kinds import find_kind, load_kinds, name_kind
from trtbuild.core.needs import GPU, GPU_MEMORY, INFERENCE_BATCH, INFERENCE_DEVICE
from trtbuild.core.watch import note_driver
from trtbuild.machine.distributions import (
    explain_overlap,
    find_version,
    normalize_name,
    read_folder,
)

__all__ = [
    "GPU",
    "NO_GPU",
    "Gpu",
    "InstalledPackages",
    "Readiness",
    "demand_device",
    "find_backend",
    "find_capabilities",
    "find_missing_packages",
    "judge_readiness",
    "list_doubts",
    "list_gpus",
    "list_target_kinds",
    "name_package",
    "read_version",
    "show_device",
]

NO_GPU = "there is no NVIDIA GPU with a driver here"

_PLACES = ("libcuda.so.1", "libcuda.so", "nvcuda.dll")
_MAJOR, _MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_*: cuda.h
_NAME_BYTES, _BUS_BYTES = 256, 32
_VISIBLE = "CUDA_VISIBLE_DEVICES"


class InstalledPackages(Mapping[str, str]):
    """Versions by distribution name, in any spelling, and that of `python`.

    Where a distribution of another name brings the module, that name stands before the version:
    `onnxruntime-gpu 1.31.1`; where several do, all of them.

    It iterates over what was looked up and found: the facts that a plan rests on, and not
    everything that happens to be installed. Versions come from the names of the metadata
    folders: reading the metadata itself costs more than all the rest of a plan.
    """

    def __init__(
        self,
        paths: Sequence[str] | None = None,
        *,
        python: str = "",
        device: int = 0,
        inference: Where = "cpu",
        batch: int | None = None,
    ) -> None:
        """Look into `paths`, of a Python of that version; with None, of this interpreter.

        `device` is the index of the GPU that is meant, of those that CUDA shows; `inference` says
        where ONNX Runtime shall compute, a `batch` at a time at most.
        """
        self.device = device
        self.inference: Where = inference
        self._batch = batch
        self.doubts: list[str] = []
        """What was found out on the way, and whoever waits for a result must know."""
        self._python = python or platform.python_version()
        places = dict.fromkeys(sys.path if paths is None else paths)
        self._folders = [read_folder(path) for path in places]
        self._asked: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        """Return the version of a distribution, or what `gpu` there is; remember the question."""
        if name not in self._asked:
            self._asked[name] = self._find(name)
        return self._asked[name]

    def _find(self, name: str) -> str:
        if name == INFERENCE_DEVICE:
            return self._find_inference_device()
        if name == INFERENCE_BATCH and self._batch and INFERENCE_DEVICE in self:
            return str(self._batch)
        if name not in (GPU, GPU_MEMORY):
            return self._version(name)
        found = list_gpus()
        note_driver(found=bool(found))
        for gpu in found[self.device : self.device + 1]:
            return gpu.in_words() if name == GPU else str(gpu.memory_bytes)
        raise KeyError(name)

    def _find_inference_device(self) -> str:
        package = self.peek("onnxruntime") or ""
        if self.inference == "cpu" or (self.inference == "auto" and "-gpu " not in package):
            raise KeyError(INFERENCE_DEVICE)
        from trtbuild.machine.inference import choose_inference_device

        found = list_gpus()[self.device : self.device + 1]
        note_driver(found=bool(found))
        chosen = choose_inference_device(
            self.inference,
            package or None,
            found[0] if found else None,
            environment=show_device(self.device) if self.device else {},
        )
        if not chosen.fact:
            self.inference = "cpu"  # it stays so: what is tried again may come out otherwise
            if chosen.hindrance:
                told = f"{chosen.hindrance} (hint: {chosen.hint})"
                self.doubts.append(f"ONNX Runtime computes on the CPU: {told}")
            raise KeyError(INFERENCE_DEVICE)
        return chosen.fact

    def list_names(self) -> set[str]:
        """Name all that is installed, in one spelling."""
        return {name for folder in self._folders for name in folder.installed}

    def peek(self, name: str) -> str | None:
        """Return the version of a distribution; the question is not remembered."""
        try:
            return self._version(name)
        except KeyError:
            return None

    def _version(self, name: str) -> str:
        whole = normalize_name(name)
        found = self._python if whole == "python" else find_version(whole, self._folders)
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._asked)

    def __len__(self) -> int:
        return len(self._asked)


def list_doubts(facts: Mapping[str, str]) -> tuple[str, ...]:
    """Say what is wrong with the facts that were looked up."""
    overlaps = (explain_overlap(name, fact) for name, fact in facts.items())
    return (*filter(None, overlaps), *getattr(facts, "doubts", ()))


def find_missing_packages(capabilities: Capabilities, facts: Mapping[str, str]) -> str:
    """Say which packages a backend lacks where these facts hold; nothing where it has all."""
    lacking = [name for name in capabilities.packages if name not in facts]
    if lacking:
        return f"{', '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} not installed"
    if capabilities.major is not None:
        first = capabilities.packages[0]
        if int(read_version(facts[first]).partition(".")[0]) != capabilities.major:
            found = name_package(first, facts[first])
            return f"{found} is installed; version {capabilities.major} is needed"
    return ""


@frozen
class Readiness:
    """Whether a kind of target can be built on this machine."""

    kind: str
    builds: bool
    packages: dict[str, str]
    """What it needs, with the version that is here; empty where it is not."""
    reason: str
    """What is missing."""
    install: str
    """The command that installs it."""


def list_target_kinds() -> tuple[str, ...]:
    """Name every kind of target."""
    return tuple(map(name_kind, load_kinds(Target)))


def find_backend(kind: str) -> type[Backend] | None:
    """Return the class of a kind of target; None where there is no such kind."""
    return cast("type[Backend] | None", find_kind(Target, kind))


def find_capabilities(kind: str) -> Capabilities:
    """Return what a kind of target can do."""
    backend = find_backend(kind)
    assert backend is not None  # noqa: S101  # only kinds of the union are asked for
    return backend.capabilities


def judge_readiness(kind: str, facts: Mapping[str, str]) -> Readiness:
    """Tell whether a kind of target can be built where these facts hold."""
    capabilities = find_capabilities(kind)
    reason = find_missing_packages(capabilities, facts)
    if not reason and not capabilities.runs_without_gpu and GPU not in facts:
        reason = NO_GPU
    return Readiness(
        kind=kind,
        builds=not reason,
        packages={name: facts.get(name, "") for name in capabilities.packages},
        reason=reason,
        install=capabilities.install,
    )


@frozen
class Gpu:
    """A GPU of this machine."""

    name: str
    compute_capability: str
    memory_bytes: int = 0
    bus: str = ""
    """Where it is plugged in: `0000:17:00.0`."""

    def in_words(self) -> str:
        """Name it as facts do: `NVIDIA L4 (8.9)`."""
        return f"{self.name} ({self.compute_capability})"


def list_gpus() -> tuple[Gpu, ...]:
    """Name the GPUs that the NVIDIA driver shows; none where there is no driver."""
    import ctypes

    driver = _driver()
    count = ctypes.c_int(0)
    if driver is None or driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
        return ()
    return tuple(_gpu(driver, index) for index in range(count.value))


def demand_device(device: int) -> None:
    """Demand a GPU of that index, as the driver counts those that it shows.

    Raises:
        NoGpu: there is none; says which there are.
    """
    found = list_gpus()
    if device >= len(found):
        here = ", ".join(f"{index} ({gpu.name})" for index, gpu in enumerate(found))
        raise NoGpu(
            f"there is no GPU {device} here: there is {here}" if found else NO_GPU,
            hint="`trtbuild doctor` lists them",
        )


def show_device(device: int) -> dict[str, str]:
    """Return what a process must have in its environment to see that GPU alone."""
    shown = [each.strip() for each in os.environ.get(_VISIBLE, "").split(",") if each.strip()]
    return {_VISIBLE: shown[device] if device < len(shown) else str(device)}


def _driver() -> Any:
    import ctypes

    for place in _PLACES:
        try:
            return ctypes.CDLL(place)
        except OSError:
            continue
    return None


def _gpu(driver: Any, index: int) -> Gpu:
    import ctypes

    # A device's handle is its index: cuDeviceGet says so of every driver there is.
    name = ctypes.create_string_buffer(_NAME_BYTES)
    driver.cuDeviceGetName(name, _NAME_BYTES, index)
    version = []
    for attribute in (_MAJOR, _MINOR):
        value = ctypes.c_int(0)
        driver.cuDeviceGetAttribute(ctypes.byref(value), attribute, index)
        version.append(str(value.value))
    memory = ctypes.c_size_t(0)
    driver.cuDeviceTotalMem_v2(ctypes.byref(memory), index)
    bus = ctypes.create_string_buffer(_BUS_BYTES)
    driver.cuDeviceGetPCIBusId(bus, _BUS_BYTES, index)
    return Gpu(
        name=name.value.decode(errors="replace"),
        compute_capability=".".join(version),
        memory_bytes=memory.value,
        bus=bus.value.decode(errors="replace"),
    )
