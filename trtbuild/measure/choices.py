"""Metrics of choices: do both sides answer alike, and are they right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtbuild.measure.base import NO_CLASSES
from trtbuild.measure.bits import write_bits
from trtbuild.measure.pairs import Chunk, SampleForm
from trtbuild.measure.rows import Figures, MetricRow, compute_mean, draw_first_means, explain_empty

if TYPE_CHECKING:
    import numpy as np

__all__ = ["AGREEMENT", "FEW", "TOP1", "TOP5", "doubt_one_answer"]

FEW = 8
"""Of fewer samples it is no wonder that all are of one class."""
_TOP5 = 5


def _agreement_parts(chunk: Chunk) -> np.ndarray:
    """Return the share of a sample's places where both sides choose the same class.

    The choice is the argmax over the last axis, of equal scores the first; an integer output
    is such a choice already. Beside it stand the lowest and the highest class that the reference
    chooses.
    """
    import numpy as np

    reference, candidate = chunk.rows
    if not chunk.form.integer:
        reference, candidate = (side.argmax(axis=-1) for side in chunk.scores)
    share = np.where(chunk.unordered, np.nan, (reference == candidate).mean(axis=1))
    return np.stack([share, reference.min(axis=1), reference.max(axis=1)], axis=1)


def _share_of_choices(parts: np.ndarray, form: SampleForm) -> Figures:
    import numpy as np

    places = form.size // (form.classes or 1)
    remarks = [f"at {places} places of each sample"] if places > 1 and form.uniform else []
    differing = np.flatnonzero(parts[:, 0] < 1)
    if differing.size:
        remarks.append(f"first differs in sample {differing[0]}")
    right = write_bits(parts[:, 0] == 1) if places == 1 else ""
    doubt = _doubt_choices(parts[:, 1:])
    return Figures(compute_mean(parts[:, 0]), "; ".join(remarks), right=right, doubt=doubt)


def _doubt_choices(choices: np.ndarray) -> str:
    """Say that a model which always answers alike agrees with any that does; nothing of others."""
    one = choices[0, 0]
    if len(choices) < FEW or (choices != one).any():
        return ""
    return doubt_one_answer(int(one))


def doubt_one_answer(answer: int) -> str:
    """Say that the reference always answers alike."""
    return f"the reference answers class {answer} in every sample: to agree with it proves little"


def _hits(chunk: Chunk, k: int) -> np.ndarray:
    """Return for both sides whether a sample's label is among its k highest scores.

    Of equal scores the first is the higher, as argmax has it. An integer output is the chosen
    class already. Beside it stands what the reference chooses.
    """
    import numpy as np

    labels = chunk.labels
    if labels is None:
        raise ValueError("there are no labels")
    sides = []
    for scores in chunk.rows:
        if chunk.form.integer:
            sides.append(scores[:, 0] == labels)
            continue
        own = np.take_along_axis(scores, labels[:, None], axis=1)
        before = np.arange(scores.shape[1]) < labels[:, None]
        rank = (scores > own).sum(axis=1) + ((scores == own) & before).sum(axis=1)
        sides.append(rank < k)
    first = chunk.rows[0]
    choice = first[:, 0] if chunk.form.integer else first.argmax(axis=1)
    return np.where(chunk.unordered[:, None], np.nan, np.stack([*sides, choice], axis=1))


def _top1_parts(chunk: Chunk) -> np.ndarray:
    return _hits(chunk, 1)


def _top5_parts(chunk: Chunk) -> np.ndarray:
    return _hits(chunk, _TOP5)


def _share_of_hits(parts: np.ndarray, form: SampleForm) -> Figures:
    right = write_bits(parts[:, 1] == 1)
    doubt = _doubt_choices(parts[:, 2:])
    if len(parts) >= FEW and form.labels is not None and form.labels[0] == form.labels[1]:
        doubt = f"every label is class {form.labels[0]}: a model that always says so is right"
    mine, other = compute_mean(parts[:, 1]), compute_mean(parts[:, 0])
    return Figures(mine, reference=other, right=right, doubt=doubt)


def _draw_hits(parts: np.ndarray, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    found = parts[:, :2][draws].mean(axis=1)
    return found[:, 1], found[:, 0]


def _no_choice(form: SampleForm) -> str:
    if form.integer or not form.size:
        return explain_empty(form)
    return "" if form.classes else "a single number is no choice between classes"


def _no_hits(form: SampleForm, k: int) -> str:
    if form.labels is None:
        return NO_CLASSES
    if form.integer:
        return "" if form.size == 1 and k == 1 else "an integer output holds no scores to rank"
    if not form.uniform:
        return "samples differ in shape, so that it holds no one score for each class"
    if len(form.shape) != 1 or not form.size:
        return f"a sample is {list(form.shape)}, not one score for each class"
    low, high = form.labels
    if low < 0 or high >= form.classes:
        return f"labels go from {low} to {high}, but there are {form.classes} scores"
    return "" if form.classes > k else f"with {form.classes} classes, top {k} is always right"


AGREEMENT = MetricRow(
    _agreement_parts,
    _share_of_choices,
    _no_choice,
    "the share of samples for which both models choose the same class; right or wrong is not asked",
    "share",
    drawn=draw_first_means,
    hits=(0,),
)
TOP1 = MetricRow(
    _top1_parts,
    _share_of_hits,
    lambda form: _no_hits(form, 1),
    "the share of labelled samples whose label has the highest score",
    "share",
    own=True,
    drawn=_draw_hits,
    hits=(1, 0),
)
TOP5 = MetricRow(
    _top5_parts,
    _share_of_hits,
    lambda form: _no_hits(form, _TOP5),
    "the share of labelled samples whose label is among the five highest scores",
    "share",
    own=True,
    drawn=_draw_hits,
    hits=(1, 0),
)
