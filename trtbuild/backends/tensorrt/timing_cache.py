"""The timing cache of a build: given to the builder, and held to what was promised of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trtbuild.core.errors import StepInputError

__all__ = ["TimingCache"]


class TimingCache:
    """A timing cache that goes into a build and comes out of it.

    TensorRT tells only by a boolean that it rejects one, and Polygraphy does not look at it.
    """

    def __init__(self, path: Path | None, *, pinned: bool) -> None:
        """Read the cache, if there is one; a `pinned` one was named by the recipe."""
        self.notes: list[str] = []
        self._before = b"" if path is None else path.read_bytes()
        self._pinned = pinned
        self._config: Any = None

    def attach(self, config: Any) -> None:
        """Give the cache to a config.

        Raises:
            StepInputError: TensorRT rejects the cache that the recipe names.
        """
        self._config = config
        if self._set(self._before):
            return
        what = "TensorRT rejects the timing cache: it was made by another version, for another GPU"
        what += ", or with other flags (tf32, refit)"
        if self._pinned:
            raise StepInputError(
                what, hint="build once without it, and take the new one from beside the engine"
            )
        self.notes.append(f"{what}; every kernel is timed anew")
        self._set(b"")

    def _set(self, data: bytes) -> bool:
        cache = self._config.create_timing_cache(data)
        return cache is not None and bool(
            self._config.set_timing_cache(cache, ignore_mismatch=False)
        )

    def keep(self, path: Path, *, frozen: bool) -> None:
        """Write down the cache as it is after the build.

        Raises:
            StepInputError: it was to stay `frozen`, and did not.
        """
        cache = self._config.get_timing_cache()
        after = b"" if cache is None else bytes(memoryview(cache.serialize()))
        if frozen and after != self._before:
            raise StepInputError(
                f"the timing cache changed during a frozen build, from {len(self._before)} to "
                f"{len(after)} bytes: something was timed",
                hint="build without `frozen`, and name the new cache that is placed by the engine",
            )
        path.write_bytes(after)
