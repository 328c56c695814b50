"""What trtexec wrote of its times: read, and what keeps it from being compared."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from trtbuild.core.errors import UsageError
from trtbuild.core.frozen import frozen
from trtbuild.core.regular_files import read_regular
from trtbuild.core.timing import Spread
from trtbuild.timing.quantiles import summarize

__all__ = ["ExportedLayer", "ExportedTimes", "read_exported"]

MOST_BYTES = 256 << 20
MOST_CALLS = 5_000_000
_BLOCKS = 24


@frozen
class ExportedLayer:
    """A layer, as --exportProfile has it."""

    name: str
    mean_ms: float
    share: float
    """Of the time of all layers, 0 to 1."""


@frozen
class ExportedTimes:
    """What a file of trtexec's holds."""

    device: Spread | None = None
    """Computing on the GPU, by events, in ms."""
    latency: Spread | None = None
    """From the copy in to the copy out."""
    layers: tuple[ExportedLayer, ...] = ()
    unlike: tuple[str, ...] = ()
    """Why its times are not those of our protocol."""


def read_exported(path: Path) -> ExportedTimes:
    """Read what `trtexec --exportTimes` or `--exportProfile` wrote.

    Raises:
        MissingFile: it is not there.
        UsageError: it is neither.
    """
    try:
        tree = json.loads(read_regular(path, most_bytes=MOST_BYTES))
    except (ValueError, RecursionError) as error:
        raise _refuse(path, str(error)) from None
    if not isinstance(tree, list) or not tree or not all(isinstance(e, dict) for e in tree):
        raise _refuse(path, "it holds no list of calls or layers")
    if len(tree) > MOST_CALLS:
        raise _refuse(path, f"it has more than {MOST_CALLS} entries")
    if any("averageMs" in each for each in tree):
        return ExportedTimes(layers=_read_layers(tree, path))
    device, latency = (_read_times(tree, name, path) for name in ("computeMs", "latencyMs"))
    if device is None and latency is None:
        raise _refuse(path, "no entry has `computeMs` or `latencyMs`")
    return ExportedTimes(device, latency, unlike=tuple(_list_unlike(tree)))


def _list_unlike(tree: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Say in what its protocol is another, as far as the file tells."""
    copies = sum(
        float(each[name])
        for each in tree
        for name in ("h2dMs", "d2hMs", "inMs", "outMs")
        if name in each and _is_time(each[name])
    )
    if copies:
        each = copies / len(tree)
        yield f"its latency has copies in it, {each:.4g} ms a call; ours are timed apart"
    else:
        yield "its latency has no copies in it (--noDataTransfers, or what TensorRT 11 does)"
    pairs = [
        (one["endComputeMs"], other["startEnqMs"])
        for one, other in itertools.pairwise(tree)
        if "endComputeMs" in one and "startEnqMs" in other
    ]
    ahead = sum(start < end for end, start in pairs)
    if ahead:
        yield (
            f"{ahead} of {len(pairs)} calls were put on the GPU before the one before had ended, "
            "which is waited for here: the GPU is never idle there, and calls overlap"
        )
    yield "spin-wait and CUDA graphs are not told; defaults differ between TensorRT 10 and 11"
    yield "the GPU, its clocks, the engine, the shapes and the warm-up are not told"


def _refuse(path: Path, why: str) -> UsageError:
    return UsageError(
        f"{path}: is nothing that trtexec writes: {why}",
        hint="trtexec --loadEngine=... --exportTimes=times.json (or --exportProfile=...)",
    )


def _read_times(tree: Sequence[Mapping[str, Any]], field: str, path: Path) -> Spread | None:
    values = [each[field] for each in tree if field in each]
    if not values:
        return None
    if not all(_is_time(each) for each in values):
        raise _refuse(path, f"a `{field}` is no time")
    # In order, so that what hangs together is found: trtexec has no rounds.
    size = max(1, math.ceil(len(values) / _BLOCKS))
    blocks = [values[start : start + size] for start in range(0, len(values), size)]
    return summarize(blocks, unit_ms=1.0)


def _is_time(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return math.isfinite(value) and value >= 0


def _read_layers(tree: Sequence[Mapping[str, Any]], path: Path) -> tuple[ExportedLayer, ...]:
    found = []
    for each in tree:
        if "averageMs" not in each:
            continue  # the first entry counts the calls
        name, mean = each.get("name"), each["averageMs"]
        if not isinstance(name, str) or not _is_time(mean):
            raise _refuse(path, "a layer has no name, or no time")
        found.append((name, float(mean)))
    total = sum(mean for _, mean in found) or 1.0
    layers = (ExportedLayer(name, mean, mean / total) for name, mean in found)
    return tuple(sorted(layers, key=lambda layer: -layer.mean_ms))
