"""Which layers cost most in INT8, and what they read."""

from __future__ import annotations

from dataclasses import dataclass, field

from trtbuild.core.errors import StepFailed, StepInputError
from trtbuild.core.sensitivity import LayerSensitivity
from trtbuild.verbs.tuning.candidates import Candidate, Use, write_pattern
from trtbuild.verbs.tuning.workshop import Workshop

__all__ = ["Ranked", "rank_layers"]

SAMPLES = 12
"""On which layers are measured one by one: it is their order that counts."""
MOST_TENSORS = 4
"""Of how many other calibrators are tried: those that the worst layers read."""


@dataclass(frozen=True)
class Ranked:
    """The layers in INT8, the one that costs most alone first."""

    told: dict[str, str] = field(default_factory=dict)
    """What each costs, in words."""
    uses: tuple[Use, ...] = ()
    """The tensors that the worst ones read."""


def rank_layers(workshop: Workshop, candidate: Candidate, data: str, remarks: list[str]) -> Ranked:
    """Measure each layer alone in INT8; where that is not possible, a remark says why."""
    try:
        found = workshop.rank_layers(candidate, SAMPLES, data=data)
    except (StepFailed, StepInputError) as error:
        remarks.append(f"layers could not be measured one by one: {error.message}")
        return Ranked()
    uses: dict[str, Use] = {}
    for layer in found.layers:
        for each in layer.operands:
            if each.limit > 0:
                tensor = write_pattern(each.tensor)
                uses.setdefault(tensor, (tensor, each.limit, each.largest))
    return Ranked(
        {layer.name: _tell(layer) for layer in found.layers}, tuple(uses.values())[:MOST_TENSORS]
    )


def _tell(layer: LayerSensitivity) -> str:
    return "" if layer.worst_db is None else f"alone in INT8: {layer.worst_db:.1f} dB"
