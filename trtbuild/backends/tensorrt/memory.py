"""What a loaded engine says of the memory that it takes."""

from __future__ import annotations

from typing import Any

from trtbuild.core.engine_memory import EngineMemory

__all__ = ["measure_memory"]


def measure_memory(trt: Any, engine: Any) -> EngineMemory:
    """Return what an engine and its contexts take of the GPU; nothing is allocated for it."""
    return EngineMemory(
        weights_bytes=int(engine.get_engine_stat(trt.EngineStat.TOTAL_WEIGHTS_SIZE)),
        context_bytes=tuple(
            int(engine.get_device_memory_size_for_profile_v2(index))
            for index in range(engine.num_optimization_profiles)
        ),
    )
