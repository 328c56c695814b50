"""Deep-learning accelerators: whether the one that a target is for is there."""

from __future__ import annotations

from typing import Any

from trtbuild.backends.tensorrt.settings import DLA_CORE, Settings
from trtbuild.core.errors import MissingDependency, NoGpu

__all__ = ["demand_dla"]

FIRST_DLA_OF_11 = [11, 4, 1]
"""On Linux; 11.4.0 has one for Windows on Arm."""


def demand_dla(version: str, builder: Any, settings: Settings) -> None:
    """Demand the DLA that a target is for: Polygraphy would let the GPU do all of its work.

    Raises:
        MissingDependency: that TensorRT builds for none.
        NoGpu: there is no DLA of that number here.
    """
    core = settings.attributes.get(DLA_CORE)
    if core is None:
        return
    if [11] <= [int(part) for part in version.split(".")[:3]] < FIRST_DLA_OF_11:
        raise MissingDependency(
            f"TensorRT {version} builds for no DLA here",
            hint="11.4.1 is the first of 11 that does, on a Jetson AGX Orin with JetPack 7.2.2 or "
            "later; TensorRT 10 does as well (`kind: tensorrt10`)",
        )
    if core >= builder.num_DLA_cores:
        raise NoGpu(
            f"there is no DLA {core} here: TensorRT finds {builder.num_DLA_cores}",
            hint="build where it is: with `gpu_fallback`, too, the GPU is for single layers, and "
            "not for the whole engine",
        )
