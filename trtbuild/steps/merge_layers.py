"""Put the parts of a sensitivity together, worst first."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from trtbuild.core.late_options import LATER
from trtbuild.core.needs import INFERENCE_DEVICE
from trtbuild.core.quantized_types import TYPES, QuantizedName
from trtbuild.core.sensitivity import (
    LayerSensitivity,
    MeasuredLayers,
    PickedSamples,
    Sensitivity,
)
from trtbuild.model.number_type import FLOAT_NAMES
from trtbuild.steps.base import Context, Ref, Step
from trtbuild.steps.compare import name_reference

__all__ = ["MergeLayers"]


class MergeLayers(Step):
    """Gather what was measured of a model's layers, and put the worst first."""

    outputs: ClassVar[Mapping[str, str]] = {"sensitivity": "sensitivity.json"}

    kind: Literal["merge_layers"] = "merge_layers"
    parts: tuple[Ref, ...]
    model: Ref
    """The float model: what it is called is read from it."""
    picked: Ref
    layers: tuple[str, ...] = ()
    """The patterns that chose the layers."""
    type: Annotated[QuantizedName, LATER] = "int8"
    """What layers are quantized to."""
    half: str = ""
    """What the rest of the built model computes in, where that is 16-bit."""

    def fact_names(self) -> tuple[str, ...]:
        """Name what ran the model."""
        return (INFERENCE_DEVICE,)

    def run(self, context: Context) -> None:
        """Write sensitivity.json (core.sensitivity.Sensitivity)."""
        from trtbuild.model.number_type import describe_number_type
        from trtbuild.model.onnx_file import load_bare

        parts = [context.read(part, MeasuredLayers) for part in self.parts]
        picked = context.read(self.picked, PickedSamples)
        numbers = describe_number_type(load_bare(context.path(self.model)))
        layers = [layer for part in parts for layer in part.layers]
        found = Sensitivity(
            runner=context.runner,
            reference=_name_reference(numbers),
            samples=max(part.samples for part in parts),
            of=picked.of,
            labelled=bool(picked.labels),
            quantized_to=TYPES[self.type].word,
            whole=next((part.whole for part in parts if part.whole), ()),
            layers=tuple(sorted(layers, key=_rank)),
            asked=self.layers,
            remarks=tuple(self._list_remarks(parts[0])),
            caveats=context.caveats,
        )
        for remark in found.remarks:
            context.events.note(remark)
        self.write(context, "sensitivity", found, indent=1)

    def _list_remarks(self, part: MeasuredLayers) -> Iterator[str]:
        word = TYPES[self.type].word
        if part.others:
            yield (
                f"{part.others} operands are {word} for the sake of no layer: they are float where "
                f"a layer is alone, and {word} in all else"
            )
        if self.half:
            built = self.half.upper()
            yield f"what is not {word} is computed in FP32 here, and in {built} when it is built"


def _name_reference(numbers: str) -> str:
    """Name what the outputs are compared with, by the type of the source's numbers."""
    if numbers in FLOAT_NAMES.values():
        return name_reference(numbers, "")
    return f"source ({numbers}) with its activations in float"


def _rank(layer: LayerSensitivity) -> tuple[bool, float]:
    """Rank what cannot be measured first, then the worst, and what costs nothing last."""
    lost = any(each.broken for each in layer.alone)
    return not lost, math.inf if layer.worst_db is None else layer.worst_db
