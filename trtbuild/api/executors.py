"""Where steps run: executors by name, or one that the caller has."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from trtbuild.core.devices import ANYWHERE, DeviceChoice, read_device
from trtbuild.core.errors import UsageError
from trtbuild.core.frozen import frozen
from trtbuild.core.log_levels import USUAL, LogLevel

if TYPE_CHECKING:
    from trtbuild.run.executor import Executor

__all__ = ["EXECUTORS", "ExecutorSettings", "demand_buildable", "using_executor"]


@frozen
class ExecutorSettings:
    """How an executor runs steps; nothing of it is an ingredient of any."""

    jobs: int = 1
    """How many may run at once."""
    log_level: LogLevel = USUAL
    device: DeviceChoice = ANYWHERE
    """Where ONNX Runtime computes, and the GPU to run on."""


def _local(settings: ExecutorSettings) -> Executor:
    from trtbuild.run.local import Local

    return Local(
        settings.jobs,
        log_level=settings.log_level,
        device=settings.device.index,
        inference=settings.device.where,
        batch=settings.device.batch,
    )


def _inline(settings: ExecutorSettings) -> Executor:
    from trtbuild.run.inline import Inline

    device = settings.device
    if device.index is not None:  # CUDA counts anew for processes alone that begin with it
        raise UsageError(
            "the executor `inline` runs in this process, on the first GPU that CUDA shows it",
            hint=f"CUDA_VISIBLE_DEVICES={device.index} trtbuild ..., or another executor",
        )
    return Inline(
        threads=settings.jobs,
        log_level=settings.log_level,
        inference=device.where,
        batch=device.batch,
    )


EXECUTORS: dict[str, Callable[[ExecutorSettings], Executor]] = {"local": _local, "inline": _inline}
"""What makes an executor of this machine, by its name."""
RAY = "ray"
"""What begins the names of clusters: `ray`, `ray://auto`, `ray://HOST:PORT`."""


def _ray(executor: str, settings: ExecutorSettings) -> Executor:
    device = settings.device
    if device.index is not None:
        raise UsageError(
            "which GPU of a worker a step runs on is for Ray to say",
            hint="`--device cuda` takes any, `--device auto` those that there are",
        )
    from trtbuild.run.cluster.executor import RayCluster

    return RayCluster(
        executor,
        jobs=settings.jobs,
        log_level=settings.log_level,
        inference=device.where,
        batch=device.batch,
    )


def demand_buildable(executor: Executor | str, what: str) -> None:
    """Demand that engines can be built; of the caller's own executor nothing is demanded.

    Raises:
        WrongSystem: they would be built on this machine, and its operating system is not for it.
    """
    if isinstance(executor, str):
        from trtbuild.machine.system import demand_linux

        demand_linux(what)


@contextlib.contextmanager
def using_executor(
    executor: Executor | str,
    *,
    jobs: int = 1,
    log_level: LogLevel = USUAL,
    device: DeviceChoice | str | int | None = None,
    batch: int | None = None,
) -> Iterator[Executor]:
    """Yield an executor; one that is made here, by its name and as is said, is closed at the end.

    Without a `device`, that of the user's settings holds, or `auto`; so does their `batch`, and
    their executor where the name is empty, or `local`.

    Raises:
        UsageError: there is none of that name, or no such device.
        NoGpu: there is no GPU of that index.
        RecipeError: the settings are wrong.
    """
    chosen = read_device(device)
    if not isinstance(executor, str):
        yield executor
        return
    if not executor:
        from trtbuild.machine.config import read_configured_executor

        executor = read_configured_executor() or "local"
    far = executor == RAY or executor.startswith(f"{RAY}://")
    if executor not in EXECUTORS and not far:
        raise UsageError(
            f"there is no executor `{executor}`",
            hint=f"executors: {', '.join(EXECUTORS)}, ray, ray://auto, ray://HOST:10001",
        )
    if chosen is None or batch is None:
        from trtbuild.machine.config import read_configured_device

        configured = read_configured_device()
        chosen, batch = chosen or configured, batch or configured.batch
    chosen = replace(chosen, batch=batch)
    if chosen.index is not None and not far:
        from trtbuild.machine.facts import demand_device

        demand_device(chosen.index)
    settings = ExecutorSettings(jobs, log_level, chosen)
    made = _ray(executor, settings) if far else EXECUTORS[executor](settings)
    with contextlib.closing(made):
        yield made
