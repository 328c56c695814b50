"""How checked models look: as text, as JSON, and as annotations on GitHub."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from trtbuild.cli.echo import echo, pour
from trtbuild.core.escape import escape_controls

if TYPE_CHECKING:
    from trtbuild.core.model_checks import Coverage, RuleFault
    from trtbuild.recipe.problems import ProblemStyle
    from trtbuild.verbs.check import CheckedModel

__all__ = ["format_checked", "show_checked"]

MANY = 8
"""Nodes named in text; JSON names them all."""


def show_checked(found: Sequence[CheckedModel], form: ProblemStyle, *, strict: bool = False) -> int:
    """Write what was found; the exit code is 1 where there is an error that is not turned off.

    A warning stops no build, and so is no reason either, unless the caller is `strict`.
    """
    text = format_checked(found, form)
    if text and form == "github":
        for line in text.split("\n"):
            echo(line, command=True)
    elif text:
        pour(text)
    levels = {fault.level for each in found for fault in each.checks.faults if not fault.off}
    return int("error" in levels or (strict and bool(levels)))


def format_checked(found: Sequence[CheckedModel], form: ProblemStyle) -> str:
    """Write checked models in a form; `github` has a line for each fault, and nothing else."""
    if form == "json":
        return json.dumps([_json(each) for each in found], indent=2)
    if form == "github":
        return "\n".join(
            _annotation(each, fault)
            for each in found
            for fault in each.checks.faults
            if not fault.off
        )
    return "\n\n".join(_text(each) for each in found)


def _text(found: CheckedModel) -> str:
    target = f", target {found.target}" if found.target else ""
    lines = [f"{found.file}{target}: {found.what}"]
    for fault in found.checks.faults:
        lines += _lines(fault)
    lines += [*_format_coverage(found.checks.coverage), _total(found.checks.faults)]
    return "\n".join(map(escape_controls, lines))


def _lines(fault: RuleFault) -> list[str]:
    word = "off" if fault.off else fault.level
    first = f"{fault.code} {word}: {_nodes(fault)}{fault.reason}"
    return [first, f"  why it is off: {fault.off}" if fault.off else f"  hint: {fault.hint}"]


def _nodes(fault: RuleFault) -> str:
    from trtbuild.core.words import join_few

    return f"{join_few([f'`{name}`' for name in fault.nodes], MANY)}: " if fault.nodes else ""


def _format_coverage(coverage: Coverage) -> list[str]:
    from trtbuild.core.words import format_figure

    if not coverage.asked_macs:
        return []
    share = format_figure(coverage.asked_macs / coverage.macs, "share")
    islands, edges = coverage.islands, len(coverage.float_edges)
    told = (
        f"{coverage.quantized_to} is asked for {share} of the multiply-accumulates, in {islands} "
        f"island{'' if islands == 1 else 's'} with {edges} float "
        f"edge{'' if edges == 1 else 's'} between {coverage.quantized_to} layers"
    )
    return [told]


def _total(faults: Sequence[RuleFault]) -> str:
    words = [fault.level for fault in faults if not fault.off]
    counts = {word: words.count(word) for word in ("error", "warning") if word in words}
    told = [f"{count} {word}{'' if count == 1 else 's'}" for word, count in counts.items()]
    off = sum(bool(fault.off) for fault in faults)
    told += [f"{off} turned off"] if off else []
    return ", ".join(told) or "no rule is broken"


def _json(found: CheckedModel) -> dict[str, object]:
    return {
        "file": str(found.file),
        "target": found.target,
        "what": found.what,
        "faults": [fault.model_dump(mode="json") for fault in found.checks.faults],
        "coverage": found.checks.coverage.model_dump(mode="json"),
    }


def _annotation(found: CheckedModel, fault: RuleFault) -> str:
    from trtbuild.recipe.problems import format_annotation

    target = f" ({found.target})" if found.target else ""
    where = {"file": str(found.file), "title": fault.code + target}
    return format_annotation(fault.level, where, f"{_nodes(fault)}{fault.reason}", fault.hint)
