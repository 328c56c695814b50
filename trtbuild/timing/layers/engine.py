"""What TensorRT's profiler tells of an engine's layers, and its inspector of their precisions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from trtbuild.backends.tensorrt.inspector import InspectedLayer, find_precision, read_layers
from trtbuild.timing.layers.join import CONVERSION, ProfiledLayer

__all__ = ["profile_context"]

WARM = 3
_MOVING = ("Reformat", "NoOp", "Shuffle")


def profile_context(
    trt: Any, engine: Any, context: Any, run: Callable[[], None], calls: int
) -> tuple[ProfiledLayer, ...]:
    """Have a context report the time of each layer while it is run; empty where it reports none.

    A profiler makes each run wait for its end and takes it apart: no CUDA graph may be used.
    """
    times: dict[str, list[float]] = defaultdict(list)

    class Times(trt.IProfiler):  # type: ignore[misc]  # a class of the bindings
        def __init__(self) -> None:
            trt.IProfiler.__init__(self)

        def report_layer_time(self, layer_name: str, ms: float) -> None:
            times[layer_name].append(ms)

    profiler = Times()  # must outlive the runs
    context.profiler = profiler
    for _ in range(WARM + calls):
        run()
    inspector = engine.create_engine_inspector()
    text = str(inspector.get_engine_information(trt.LayerInformationFormat.JSON))
    known = {each.name: each for each in read_layers(text) or ()}
    return tuple(_list_layers(times, known))


def _list_layers(
    times: Mapping[str, list[float]], known: Mapping[str, InspectedLayer]
) -> Iterator[ProfiledLayer]:
    for name, found in times.items():
        layer = known.get(name)
        yield ProfiledLayer(
            name=name,
            op="" if layer is None else layer.kind,
            nodes=tuple(name.split(" + ")) if layer is None else layer.nodes,
            delivered="" if layer is None else _find_delivered(layer),
            times_ms=tuple(found[WARM:] or found),
        )


def _find_delivered(layer: InspectedLayer) -> str:
    return CONVERSION if layer.kind in _MOVING else find_precision(layer)
