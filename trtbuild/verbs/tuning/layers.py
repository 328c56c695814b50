"""Which layers cost most in INT8, and what they read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from trtbuild.core.errors import StepFailed, StepInputError
from trtbuild.core.sensitivity import LayerSensitivity
from trtbuild.verbs.tuning.candidates import Candidate, Use, write_pattern
from trtbuild.verbs.tuning.levels import fill_batches
from trtbuild.verbs.tuning.workshop import Workshop

__all__ = ["Ranked", "are_ranked", "rank_layers"]

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
    noise: dict[str, float] = field(default_factory=dict)
    """What each adds alone, as a share of the signal's power."""

    def list_by_gain(self, macs: Mapping[str, int]) -> list[str]:
        """Return the layers, those first that in float take most noise away for their work.

        The noise of single layers adds up, nearly: so of all groups that cost as much, one from the
        front of this order takes away the most, but for its last layer. One of little work, or of
        none that is known, counts as a tenth of the mean: it has its share of an engine's time.
        """
        least = max(sum(macs.values()) / max(len(macs), 1) / 10, 1.0)
        gains = {name: own / max(macs.get(name, 0), least) for name, own in self.noise.items()}
        return sorted(gains, key=lambda name: -gains[name])


def are_ranked(workshop: Workshop, candidate: Candidate, data: str) -> bool:
    """Tell whether the layers were measured before."""
    return workshop.are_ranked(candidate, _count_samples(workshop), data=data)


def rank_layers(workshop: Workshop, candidate: Candidate, data: str, remarks: list[str]) -> Ranked:
    """Measure each layer alone in INT8; where that is not possible, a remark says why."""
    try:
        found = workshop.rank_layers(candidate, _count_samples(workshop), data=data)
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
        {layer.name: _tell(layer, workshop.into.word) for layer in found.layers},
        tuple(uses.values())[:MOST_TENSORS],
        {layer.name: _find_noise(layer) for layer in found.layers},
    )


def _count_samples(workshop: Workshop) -> int:
    return fill_batches(SAMPLES, workshop.model.batch)


def _tell(layer: LayerSensitivity, word: str) -> str:
    if layer.worst_db is None:
        return ""
    return f"alone in {word}: {round(layer.worst_db, 1) + 0.0:.1f} dB"  # no `-0.0`


def _find_noise(layer: LayerSensitivity) -> float:
    """Return the power of what a layer alone adds: all of it where no numbers come out."""
    if any(measure.broken for measure in layer.alone):
        return math.inf
    return 0.0 if layer.worst_db is None else 10 ** (-layer.worst_db / 10)
