"""Which calibrator a tensor gets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from trtbuild.calib.base import HostCalibrator
from trtbuild.core.errors import StepInputError
from trtbuild.core.patterns import assign_patterns, find_matches

__all__ = ["assign_calibrators"]

C = TypeVar("C", bound=HostCalibrator)


def assign_calibrators(
    tensors: Iterable[str], calibrator: C, overrides: Mapping[str, C]
) -> dict[str, C]:
    """Return the calibrator of each tensor: `calibrator`, but where an override means it.

    A key is a tensor's name or a pattern; the most specific counts (`core.patterns`).

    Raises:
        StepInputError: an override matches no tensor that needs a range (names the nearest), or
            two mean a tensor and neither is more specific.
    """
    names = list(tensors)
    for pattern in overrides:
        if not find_matches(pattern, names):
            import difflib

            near = difflib.get_close_matches(pattern, names, n=3, cutoff=0.3) or names[:3]
            raise StepInputError(
                f"calibrators: `{pattern}` matches no tensor that needs a range",
                hint="the nearest: " + ", ".join(f"`{name}`" for name in near),
            )
    chosen, disputed = assign_patterns(overrides, names)
    for name, rivals in disputed.items():
        raise StepInputError(
            f"calibrators: `{rivals[0]}` and `{rivals[1]}` both mean `{name}`",
            hint=f"give `{name}` a calibrator by its name",
        )
    found = {name: overrides[key] for name, key in chosen.items()}
    return {name: found.get(name, calibrator) for name in names}
