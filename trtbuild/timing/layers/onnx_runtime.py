"""What ONNX Runtime's own profiler tells of the nodes of a session on the CPU."""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trtbuild.core.errors import StepInputError
from trtbuild.timing.base import Arrays
from trtbuild.timing.layers.join import CONVERSION, ProfiledLayer

__all__ = ["profile_session", "read_profile"]

WARM = 3
"""Calls that are not counted."""
_MOVING = frozenset(
    {"QuantizeLinear", "DequantizeLinear", "Cast", "ReorderInput", "ReorderOutput", "Transpose"}
)
_INTEGER = frozenset({"int8", "uint8"})
_FLOATS = {"float": "fp32", "float16": "fp16", "bfloat16": "bf16", "double": "fp64"}
_END = "_kernel_time"


def profile_session(
    model: Path, arrays: Arrays, *, threads: int, calls: int
) -> tuple[ProfiledLayer, ...]:
    """Load a model once more, with the profiler on, and call it.

    Raises:
        StepInputError: ONNX Runtime cannot load or run it, or what its profiler wrote is none.
    """
    from trtbuild.model.session import RUN_HINT, open_fast_session, translate_errors

    with tempfile.TemporaryDirectory() as folder:
        prefix = Path(folder) / "profile"
        session = open_fast_session(model, threads=threads, profile=prefix)
        with translate_errors("run", RUN_HINT):
            for _ in range(WARM + calls):
                session.run(None, dict(arrays))
        text = Path(session.end_profiling()).read_text(encoding="utf-8")
    return read_profile(text)


def read_profile(text: str) -> tuple[ProfiledLayer, ...]:
    """Read the JSON of a profile: a list of events, of which a node has one a call.

    Raises:
        StepInputError: it is none.
    """
    try:
        events = json.loads(text)
        times: dict[str, list[float]] = defaultdict(list)
        kinds: dict[str, Mapping[str, Any]] = {}
        for event in events:
            name = event["name"]
            if event["cat"] == "Node" and name.endswith(_END):
                name = name.removesuffix(_END)
                times[name].append(event["dur"] / 1000)
                kinds[name] = event["args"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StepInputError(f"ONNX Runtime's profile cannot be read: {error}") from None
    return tuple(
        ProfiledLayer(
            name=name,
            op=str(kinds[name].get("op_name", "")),
            nodes=(_find_node(name),),
            delivered=_find_delivered(kinds[name]),
            times_ms=tuple(found[WARM:] or found),
        )
        for name, found in times.items()
    )


def _find_node(name: str) -> str:
    """Return the node of the model, or what it makes, that a fused node is called after."""
    return name.partition("_token_")[0].removeprefix("fused ").removesuffix("_nchwc")


def _find_delivered(told: Mapping[str, Any]) -> str:
    op = str(told.get("op_name", ""))
    if op in _MOVING:
        return CONVERSION
    inputs = _list_types(told.get("input_type_shape"))
    if (inputs and inputs[0] in _INTEGER) or op.startswith("QLinear"):
        return "int8"
    return next((_FLOATS[each] for each in inputs if each in _FLOATS), "")


def _list_types(told: Any) -> Sequence[str]:
    if not isinstance(told, list):
        return []
    return [next(iter(each), "") for each in told if isinstance(each, dict)]
