"""How near a comparison is to passing its gates."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from trtbuild.core.comparison import CONFIDENCE, Comparison, Measure
from trtbuild.core.tuning import Standing, Trial, TunedFigure
from trtbuild.core.words import format_figure, format_interval
from trtbuild.measure.gates import Gate

__all__ = [
    "add_standing",
    "counts_samples",
    "find_chance",
    "find_common",
    "find_unreachable",
    "is_better",
    "list_figures",
    "measure_shortfall",
    "rank",
    "rank_whole",
]

POINT = 0.01
LOST = 1e6
"""The shortfall of a gate whose value is missing: further than any that has one."""
LEAST_DB = 0.2
"""Less than this in signal over noise is no gain: other samples would have it otherwise."""


def measure_shortfall(gates: Iterable[Gate], found: Comparison) -> float:
    """Return how far gates are from passing, summed up; 0 where all pass.

    In points of a share, in dB, or in shares of the limit: what a person would call a step.
    """
    failed = [verdict for verdict in found.verdicts if not verdict.passed]
    if not failed:
        return 0.0
    gaps = [gap for gate in gates for m in gate.choose(found.measures) for gap in _gaps(gate, m)]
    # A gate on the lock, or one on what is broken, is not among them.
    others = sum(LOST if verdict.value is None else 1.0 for verdict in failed)
    return sum(gaps) or others


def _gaps(gate: Gate, measure: Measure) -> Iterator[float]:
    interval = None if gate.confidence is None else measure.find_interval(gate.confidence)
    ends = None if interval is None else interval.value
    drops = None if interval is None else interval.drop
    if gate.at_least is not None and not measure.identical:
        yield _gap(measure, gate.at_least, measure.value if ends is None else ends[0], sign=-1)
    if gate.at_most is not None:
        yield _gap(measure, gate.at_most, measure.value if ends is None else ends[1])
    if gate.drop_at_most is not None:
        yield _gap(measure, gate.drop_at_most, measure.drop if drops is None else drops[1])


def _gap(measure: Measure, limit: float, value: float | None, *, sign: int = 1) -> float:
    if value is None:
        return LOST
    step = {"share": POINT, "dB": 1.0}.get(measure.unit, abs(limit) or 1.0)
    return max(0.0, sign * (value - limit)) / step


def counts_samples(gates: Iterable[Gate], found: Comparison) -> bool:
    """Tell whether a gate judges a share of samples, in which a few of them are a step."""
    return any(m.unit == "share" for gate in gates for m in gate.choose(found.measures))


def find_chance(standing: Standing, *, shares: bool) -> float:
    """Return the shortfall that says nothing: one and a half samples, more where many are lost."""
    if not shares or not standing.samples:
        return LEAST_DB
    lost = standing.shortfall * POINT * standing.samples
    return max(1.5, math.sqrt(lost)) / standing.samples / POINT


def find_unreachable(gates: Iterable[Gate], found: Comparison) -> str:
    """Say of a gate that the reference itself does not pass it; nothing where none is so."""
    for gate in gates:
        for m in gate.choose(found.measures):
            own = m.reference
            low = gate.at_least is not None and own is not None and own < gate.at_least
            high = gate.at_most is not None and own is not None and own > gate.at_most
            if own is not None and (low or high):
                place = f" of `{m.output}`" if m.output else ""
                bound = gate.at_least if low else gate.at_most
                return (
                    f"the {found.reference} has {m.metric} {format_figure(own, m.unit)}{place}, "
                    f"and the gate asks for {format_figure(bound or 0.0, m.unit)}"
                )
    return ""


def add_standing(trial: Trial, told: Mapping[str, Any]) -> Trial:
    """Return a trial with how it does on more samples; what it did on fewer stays, in order."""
    if not trial.samples or trial.samples == told["samples"]:
        return trial.model_copy(update=told)
    before = Standing(**{key: getattr(trial, key) for key in Standing.model_fields})
    if trial.samples < told["samples"]:
        return trial.model_copy(update={**told, "fewer": (*trial.fewer, before)})
    fewer = Standing(**{key: told[key] for key in Standing.model_fields})
    rest = [each for each in trial.fewer if each.samples != fewer.samples]
    found = sorted([*rest, fewer], key=lambda each: each.samples)
    return trial.model_copy(update={"fewer": tuple(found)})


def find_signal(measures: Iterable[Measure]) -> float | None:
    """Return the least signal over noise of any output, or part that stands out, in dB."""
    found = [m for m in measures if m.metric == "sqnr_db" and m.applies]
    values = [math.inf if m.identical else m.value for m in found]
    known = [value for value in values if value is not None]
    return None if not known or math.isinf(min(known)) else min(known)


def list_figures(found: Comparison) -> Iterator[TunedFigure]:
    """Yield what each gate looks at, and the least signal over noise where no gate does."""
    told = set()
    several = len({verdict.output for verdict in found.verdicts}) > 1
    for verdict in found.verdicts:
        name = verdict.gate.replace(" ≤ ", " ≥ ").split(" ≥ ")[0]
        told.add(name)
        name += f" of {verdict.output}" if several and verdict.output else ""
        yield TunedFigure(
            name=name,
            found=_shorten(verdict.found or verdict.remark or "-"),
            interval=verdict.interval.removesuffix(" (95 %)"),
        )
    signal = find_signal(found.measures)
    if signal is not None and "sqnr_db" not in told:
        yield TunedFigure(
            name="sqnr_db",
            found=format_figure(signal, "dB"),
            interval=_find_interval(found.measures, signal),
        )


def _find_interval(measures: Iterable[Measure], signal: float) -> str:
    """Return where the signal over noise of the output lies that has so much of it."""
    found = next(m for m in measures if m.metric == "sqnr_db" and m.value == signal)
    interval = found.find_interval(CONFIDENCE)
    return "" if interval is None else format_interval(interval.value, "dB")


def _shorten(found: str) -> str:
    """Write how far something drops behind a name that says that it does: a gain is below 0."""
    if found == "no drop":
        return "0"
    return re.sub("^gain ", "-", found).removeprefix("drop ")


def is_better(new: Trial, old: Trial, *, shares: bool) -> bool:
    """Tell whether a trial is worth going on from: it passes, or is nearer on the same samples.

    Of what lacks alike, by signal over noise.
    """
    if new.problem or new.passed != old.passed:
        return not new.problem and new.passed
    mine, other = find_common(new, old)
    gain = other.shortfall - mine.shortfall
    if abs(gain) > max(find_chance(each, shares=shares) for each in (mine, other)):
        return gain > 0
    return _signal(mine) > _signal(other) + LEAST_DB


def find_common(one: Trial, other: Trial) -> tuple[Standing, Standing]:
    """Return how both do on the most samples that both were compared on."""
    sides = [{each.samples: each for each in (*trial.fewer, trial)} for trial in (one, other)]
    most = max(sides[0].keys() & sides[1].keys(), default=None)
    return (one.first, other.first) if most is None else (sides[0][most], sides[1][most])


def rank(trial: Trial, *, shares: bool) -> tuple[bool, float, float, float]:
    """Return what sorts trials: those that pass by INT8 and changes, others by what they lack.

    That is on the fewest samples, where all have figures; and there, of what is lacking, what is
    more than chance: the rest is told apart by signal over noise.
    """
    chance = find_chance(trial.first, shares=shares)
    return _rank(trial, trial.first, max(0.0, trial.first.shortfall - chance))


def rank_whole(trial: Trial) -> tuple[bool, float, float, float]:
    """Return the same by the most samples that a trial was compared on."""
    return _rank(trial, trial, trial.shortfall)


def _rank(trial: Trial, standing: Standing, lacking: float) -> tuple[bool, float, float, float]:
    if trial.problem:
        return (True, math.inf, math.inf, math.inf)
    if trial.passed:
        return (False, -trial.int8_share, len(trial.options) + len(trial.floats), 0.0)
    return (True, lacking, -_signal(standing), -trial.int8_share)


def _signal(standing: Standing) -> float:
    return math.inf if standing.sqnr_db is None else standing.sqnr_db
