"""What a search must know of the model: its work, its head, and what it takes at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from trtbuild.core.quantized_types import TYPES
from trtbuild.data.base import Manifest
from trtbuild.plan.checks import find_profile_shapes
from trtbuild.quant.account import QuantizationAccount
from trtbuild.recipe.schema import Recipe
from trtbuild.verbs.tuning.candidates import HEAD

if TYPE_CHECKING:
    import onnx

__all__ = ["TunedModel"]


@dataclass(frozen=True)
class TunedModel:
    """The float model, without its weights."""

    proto: onnx.ModelProto
    recipe: Recipe
    data: Manifest
    """What it is compared on."""

    @cached_property
    def macs(self) -> Mapping[str, int]:
        """The multiply-accumulates of the weighted layers, by name, at the opt shapes."""
        from trtbuild.quant.rules.macs import count_macs

        return count_macs(self.proto, find_profile_shapes(self.recipe))

    @cached_property
    def balances(self) -> frozenset[str]:
        """The kinds of `equalize` that find something to trade in the model."""
        from trtbuild.model.view import GraphView
        from trtbuild.quant.equalizing.balances import find_balances

        return frozenset(each.kind for each in find_balances(GraphView(self.proto)))

    @cached_property
    def head(self) -> tuple[str, ...]:
        """The last layers of a detector's branches; nothing where no detections are measured."""
        from trtbuild.quant.protecting import find_protected

        metrics: Iterable[object] = (
            () if self.recipe.compare is None else self.recipe.compare.metrics
        )
        if not any(getattr(each, "kind", "") == "detection" for each in metrics):
            return ()
        return find_protected(HEAD, self.proto.graph.node)

    @cached_property
    def batch(self) -> int:
        """How many samples a run takes: 1 where the model leaves that open."""
        from trtbuild.model.feeds import Feeder
        from trtbuild.model.outline import ModelOutline

        inputs = ModelOutline(self.proto).inputs
        return Feeder(inputs, self.data.tensors, self.recipe.inputs).batch

    def find_share(self, account: QuantizationAccount) -> float:
        """Return the share of the work in INT8; of the layers where nobody knows their work."""
        names = [layer.name for layer in account.layers]
        known = any(self.macs.get(name) for name in names)
        work = {name: self.macs.get(name, 0) if known else 1 for name in names}
        done = sum(work[layer.name] for layer in account.layers if layer.precision in TYPES)
        return done / max(sum(work.values()), 1)
