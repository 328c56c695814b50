"""Hold a model against the rules of the table."""

from __future__ import annotations

from trtbuild.core.model_checks import RuleFault
from trtbuild.quant.rules import operators
from trtbuild.quant.rules.subject import RuleSubject
from trtbuild.quant.rules.table import TABLE, Rule

__all__ = ["OPERATORS", "check_rules", "find_operator_faults", "make_fault"]

OPERATORS = frozenset({"TB106", "TB114", "TB115", "TB116", "TB117", "TB118", "TB119", "TB121"})
"""The rules about what no target takes, or one lacks, whatever becomes of the model."""


def find_operator_faults(subject: RuleSubject, *, half: bool) -> tuple[RuleFault, ...]:
    """Hold a model that is neither quantized nor in 16 bits yet against what a target lacks.

    `half` says that it will be in 16 bits: what float32 alone lacks is no fault then.
    """
    rules = [rule for rule in TABLE if rule.code in OPERATORS and rule.level == "error"]
    kept = [rule for rule in rules if not (half and rule.find is operators.attention_in_float32)]
    return tuple(fault for rule in kept for fault in _find_faults(rule, subject))


def check_rules(subject: RuleSubject, *, measured: bool = True) -> tuple[RuleFault, ...]:
    """Hold a model against every rule, in the order of the table.

    Nodes with the same reason are told together. `measured` says whether the scales are of
    calibrated ranges.
    """
    faults: list[RuleFault] = []
    for rule in TABLE:
        if measured or not rule.measured:
            faults += _find_faults(rule, subject)
    return tuple(faults)


def _find_faults(rule: Rule, subject: RuleSubject) -> list[RuleFault]:
    nodes: dict[tuple[str, str], list[str]] = {}
    for node, reason, *own in rule.find(subject):
        found = nodes.setdefault((reason, own[0] if own else rule.hint), [])
        if node and node not in found:
            found.append(node)
    return [
        RuleFault(code=rule.code, level=rule.level, nodes=tuple(names), reason=reason, hint=hint)
        for (reason, hint), names in nodes.items()
    ]


def make_fault(code: str, reason: str, *, off: str = "") -> RuleFault:
    """Return a fault that a rule cannot find in a model: what is told by whoever sees it."""
    (rule,) = (each for each in TABLE if each.code == code)
    return RuleFault(code=code, level=rule.level, nodes=(), reason=reason, hint=rule.hint, off=off)
