"""What may be changed in a recipe, in the order of what it costs, and how it is written there."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from trtbuild.core.patterns import OPERATOR
from trtbuild.core.quantized_types import TYPES
from trtbuild.recipe.edit import AddedItem, OptionChange
from trtbuild.recipe.schema import Quantization

__all__ = [
    "HEAD",
    "INTEGERS_ALONE",
    "OVERRIDES",
    "PRECISION",
    "PROTECT",
    "RANGES",
    "ROUNDING",
    "SECTION",
    "SKIP",
    "Candidate",
    "TuningStage",
    "Use",
    "leave_line_out",
    "list_limits",
    "list_overrides",
    "list_returns",
    "list_stages",
    "write_pattern",
]

SECTION = "quantization"
SKIP, PRECISION, ROUNDING, RANGES = "skip", "precision", "rounding", "ranges"
PROTECT, OVERRIDES = "protect", "calibrators"
INTEGERS_ALONE = ("bias_correction", ROUNDING)
"""Options that a recipe cannot have which has layers of another type than INT8."""
HEAD = "detection_head"
_CALIBRATORS = {"auto": ("mse", "minmax")}
"""What is tried instead: each is a run over the calibration data, and `auto` has seen the others'
limits."""
STEP = 1.4
"""By what a limit is changed at a time: half a bit."""
MOST_STEPS = 3
CLIPPED = 0.98
"""A limit that is a smaller part of the largest value than this one clips."""
_SPECIAL = "[*?"
Use = tuple[str, float, float]
"""A tensor that a layer reads, as a pattern, with its limit and its largest value."""


@dataclass(frozen=True)
class Candidate:
    """A recipe with lines of `quantization` changed."""

    options: Mapping[str, Any] = field(default_factory=dict)
    """As plain data."""
    floats: tuple[str, ...] = ()
    """Names of layers that stay in floating point beside those that the recipe names."""

    @property
    def key(self) -> str:
        """What tells it from others."""
        return json.dumps([self.options, sorted(self.floats)], sort_keys=True)

    @property
    def is_plain(self) -> bool:
        """Whether nothing is changed."""
        return not self.options and not self.floats

    def without(self, key: str) -> Candidate:
        """Return it without one of its changes: that of an option, or layers in float (`skip`)."""
        if key == SKIP and self.floats:
            return Candidate(self.options)
        return Candidate({k: v for k, v in self.options.items() if k != key}, self.floats)

    def get(self, key: str) -> Any:
        """Return what it changes under a key; None where that is nothing."""
        if key == SKIP and self.floats:
            return sorted(self.floats)
        return self.options.get(key)

    def adding(self, options: Mapping[str, Any]) -> Candidate:
        """Return it with more options changed; None leaves one as it is in the recipe."""
        merged = {**self.options, **options}
        kept = {key: value for key, value in merged.items() if value is not None}
        return Candidate(kept, self.floats)

    def list_changes(
        self, remarks: Mapping[str, str] | None = None, alone: Mapping[str, str] | None = None
    ) -> list[OptionChange]:
        """Return what changes in the recipe, each option with a remark, and each float layer."""
        remarks, alone = remarks or {}, alone or {}
        found = [
            OptionChange(key, value, remark=remarks.get(key, ""))
            for key, value in self.options.items()
        ]
        items = tuple(AddedItem(write_pattern(name), alone.get(name, "")) for name in self.floats)
        if items:
            found.append(OptionChange(SKIP, items=items, remark=remarks.get(SKIP, "")))
        return found


@dataclass(frozen=True)
class TuningStage:
    """Changes of one sort: to be tried one instead of the other, or each on top of the last."""

    choices: Sequence[tuple[str, dict[str, Any]]]
    """Words, and options."""
    enough: bool = False
    """The first that helps is taken, since each costs a calibration."""


def list_stages(section: Quantization, balances: Collection[str]) -> list[TuningStage]:
    """Return what costs nothing at run time: what is cheap to try, and changes most, first.

    Rounding comes last, since it is fitted to all the rest, and takes longest. Without data to
    calibrate on only the weights' limits can be changed. `balances` are the kinds of `equalize`
    that find something in the model. What is made for INT8 alone is left out of other types.
    """
    into = TYPES[section.type]
    limits = [("weights: mse", {"weights": {"kind": "mse"}})]
    weights = TuningStage([] if section.weights.kind == "mse" else limits)
    if section.data is None or into.weights_only:
        return [weights]
    own = "" if section.calibrator is None else section.calibrator.kind
    bias = [("bias_correction", {"bias_correction": True})]
    rounding = [("rounding: reconstructed", {ROUNDING: "reconstructed"})]
    kinds: tuple[str, ...] = _CALIBRATORS.get(own, ("auto",))
    if not into.evenly:  # `auto` is `minmax` then
        kinds, bias, rounding = () if own in ("auto", "minmax") else ("auto",), [], []
    return [
        TuningStage([_calibrator(kind) for kind in kinds], enough=True),
        weights,
        TuningStage([] if section.equalize else _equalizations(balances)),
        TuningStage([] if section.bias_correction else bias),
        TuningStage([] if section.rounding == "reconstructed" else rounding),
    ]


def _calibrator(kind: str) -> tuple[str, dict[str, Any]]:
    return f"calibrator: {kind}", {"calibrator": {"kind": kind}}


def _equalizations(balances: Collection[str]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"equalize: {kind}", {"equalize": [{"kind": kind}]})
        for kind in ("cross_layer", "smooth")
        if kind in balances
    ]


def list_limits(limit: float, largest: float) -> list[list[float]]:
    """Return limits to try instead of one, as two ladders: wider up to the largest, and narrower.

    Numbers are short, since they are to be read.
    """
    wider = [min(limit * STEP**step, largest) for step in range(1, MOST_STEPS + 1)]
    narrower = [limit / STEP**step for step in range(1, MOST_STEPS + 1)]
    grown = [value for value in wider if value > limit * (1 + STEP) / 2]
    return [
        [float(f"{value:.3g}") for value in dict.fromkeys(ladder)] for ladder in (grown, narrower)
    ]


def list_overrides(uses: Iterable[Use], settled: Collection[str]) -> dict[str, dict[str, str]]:
    """Return a calibrator of the other sort for each tensor, of which limit and largest are known.

    What is clipped is to be clipped no more, and what is not, where that costs least. A tensor that
    other lines have `settled` keeps what they say.
    """
    return {
        tensor: {"kind": "minmax" if limit < CLIPPED * largest else "mse"}
        for tensor, limit, largest in uses
        if tensor not in settled
    }


def list_returns(section: Quantization) -> list[tuple[str, str, Any]]:
    """Return lines to drop that keep layers in float: in words, its key, and the pattern."""
    skips = [(f"no skip of {each}", SKIP, each) for each in section.skip]
    skips += [(f"no protect of {each}", PROTECT, each) for each in section.protect]
    kept = [each for each, number in section.precision.items() if number == "fp32"]
    return [*skips, *((f"no fp32 of {each}", PRECISION, each) for each in kept)]


def leave_line_out(lines: Any, line: str) -> Any:
    """Return a list or a mapping without a line."""
    if isinstance(lines, Mapping):
        return {key: value for key, value in lines.items() if key != line}
    return [each for each in lines if each != line]


def write_pattern(name: str) -> str:
    """Write a layer's name so that, as a pattern, it means that layer and no other."""
    if not any(letter in name for letter in _SPECIAL) and not name.startswith(OPERATOR):
        return name
    written = "".join(f"[{letter}]" if letter in _SPECIAL else letter for letter in name)
    return f"[{written[0]}]{written[1:]}" if written.startswith(OPERATOR) else written
