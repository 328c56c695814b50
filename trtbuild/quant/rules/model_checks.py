"""Check a model for a target: the rules, those a recipe turns off, and the INT8 coverage."""

from __future__ import annotations

from collections.abc import Mapping

from trtbuild.core.model_checks import Coverage, ModelChecks
from trtbuild.quant.rules.check import check_rules
from trtbuild.quant.rules.islands import find_islands
from trtbuild.quant.rules.subject import RuleSubject

__all__ = ["check_against_rules"]


def check_against_rules(
    subject: RuleSubject,
    *,
    target: str = "",
    off: Mapping[str, str] | None = None,
    measured: bool = True,
) -> ModelChecks:
    """Hold a model against every rule that can be known before it is built.

    `off` has the reasons for rules that the recipe turns off, by code: their faults are told with
    the reason. Without `measured`, rules about calibrated ranges are left out.
    """
    reasons = off or {}
    faults = [
        fault.model_copy(update={"off": reasons.get(fault.code, "")})
        for fault in check_rules(subject, measured=measured)
    ]
    return ModelChecks(faults=tuple(faults), coverage=_coverage(subject, target), macs=subject.macs)


def _coverage(subject: RuleSubject, target: str) -> Coverage:
    narrow = [layer for layer in subject.layers if layer.quantized]
    found = find_islands(subject.view, [layer.index for layer in narrow])
    return Coverage(
        target=target,
        quantized_to=subject.word,
        layers=len(subject.layers),
        macs=sum(subject.macs.values()),
        asked_macs=sum(subject.macs.get(layer.name, 0) for layer in narrow),
        islands=found.count,
        float_edges=found.float_edges,
    )
