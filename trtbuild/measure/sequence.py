"""sequence: tokens and frames that agree, and word and token error rates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from trtbuild.core.values import TensorSpec
from trtbuild.measure.base import (
    CannotMeasure,
    Figure,
    Measurement,
    MetricKind,
    PairedSample,
    Subject,
    Value,
)
from trtbuild.measure.choose_output import choose_output, refuse_shape
from trtbuild.measure.draws import Drawn, sum_draws, take_only_draw, take_ratio
from trtbuild.measure.sequences import collapse, count_edits, split_words
from trtbuild.measure.truths import Against, Sides, choose_sides, list_axes

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Sequence"]

Token = Annotated[int, Field(ge=0)]


class Sequence(MetricKind):
    """Sequences of tokens or frames: what agrees, and error rates by labels (WER, CER).

    Figures: `token_error_rate`, `wer` (with `word_separator`) and `exact_match` of both sides where
    the data has sequences; `token_agreement`, `sequence_agreement` and `edit_rate` against the
    reference's. A rate is insertions, deletions and substitutions over the length of all that is
    held to be right; it may pass 1.
    """

    ranks: ClassVar[bool] = True

    kind: Literal["sequence"]
    output: str | None = None
    """The output of scores, [length, tokens], or of tokens as whole numbers, [length]; the only one
    by default. The best score is taken: greedy decoding."""
    tokens_first: bool = False
    """Whether scores are [tokens, length]."""
    blank: Token | None = None
    """The blank of a CTC model: repeats then count once, and blanks not at all."""
    end: Token | None = None
    """The token that ends a sequence; it and what comes after it does not count."""
    ignore: tuple[Token, ...] = ()
    """Tokens that do not count: padding, the one that starts a sequence."""
    word_separator: Token | None = None
    """The token between words, for `wer`; of a model whose tokens are characters."""
    against: Against | None = None
    """`labels` or `reference` alone; by default both, labels where the data has them."""

    @property
    def needs_labels(self) -> bool:
        """Where it is held against them alone."""
        return self.against == "labels"

    def figures(self) -> tuple[Figure, ...]:
        """Return those by labels, then those of agreement."""
        edits = "insertions, deletions and substitutions over the length"
        rates: tuple[Figure, ...] = (
            Figure("token_error_rate", f"{edits} in tokens", "share", better="low", own=True),
            Figure("exact_match", "the share of sequences without an error", "share", own=True),
        )
        if self.word_separator is not None:
            wer = Figure("wer", f"word error rate: {edits} in words", "share", "low", own=True)
            rates = (wer, *rates)
        by_reference = (
            Figure("token_agreement", "the share of places with the same token", "share"),
            Figure("sequence_agreement", "the share of samples with the same sequence", "share"),
            Figure("edit_rate", f"{edits} of the reference's sequence", "share", better="low"),
        )
        return (rates if self.against != "reference" else ()) + (
            by_reference if self.against != "labels" else ()
        )

    def begin(self, subject: Subject) -> Measurement:
        """Return a measurement of sequences.

        Raises:
            StepInputError: there is no such output, it is no sequence, or labels are asked for and
                there are none.
        """
        output = choose_output(self.output, subject, self.kind)
        if not _is_sequence(subject.outputs[output]):
            wanted = "scores [length, tokens], or tokens as whole numbers [length]"
            raise refuse_shape(subject.outputs[output], self.kind, wanted)
        sides = choose_sides(
            self.against,
            subject,
            kind=self.kind,
            labels="an array of tokens for each sample",
            fits=lambda labels: "int" in labels.dtype and len(list_axes(labels)) <= 1,
        )
        return _Sequences(self, output, sides)

    def read(self, output: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the token of each place, and the sequence that these say.

        Raises:
            CannotMeasure: an output is no sequence.
        """
        import numpy as np

        # A sequence of one keeps its axis.
        rows = output[0] if output.ndim > 2 and output.shape[0] == 1 else output  # noqa: PLR2004
        if rows.dtype.kind in "biu":
            places = np.asarray(rows, np.int64).reshape(-1)
        elif rows.ndim == 2:  # noqa: PLR2004
            places = np.asarray(rows.argmax(axis=0 if self.tokens_first else 1), np.int64)
        else:
            raise CannotMeasure(f"of shape {list(output.shape)}, it holds no score for each token")
        said = places if self.blank is None else collapse(places, self.blank)
        return places, self.trim(said)

    def trim(self, tokens: np.ndarray) -> np.ndarray:
        """Return a sequence up to its end, without what does not count."""
        import numpy as np

        if self.end is not None and (ends := np.flatnonzero(tokens == self.end)).size:
            tokens = tokens[: ends[0]]
        return tokens[(tokens >= 0) & ~np.isin(tokens, self.ignore)]


class _Sequences:
    """Counts of each sample."""

    def __init__(self, told: Sequence, output: str, sides: Sides) -> None:
        self.outputs = (output,)
        self._told = told
        self._sides = sides
        self._agreement: list[list[int]] = []
        self._errors: tuple[list[list[int]], list[list[int]]] = ([], [])

    def add(self, sample: PairedSample) -> None:
        """Keep lengths and edits."""
        (output,) = self.outputs
        (places, reference), (others, candidate) = (
            self._told.read(side[output]) for side in (sample.reference, sample.candidate)
        )
        if self._sides.reference:
            both = min(len(places), len(others))
            equal = int((places[:both] == others[:both]).sum())
            edits = count_edits(reference.tolist(), candidate.tolist())
            row = [equal, max(len(places), len(others)), edits == 0, edits, len(reference)]
            self._agreement.append(row)
        if self._sides.labels:
            truth = self._told.trim(_read_tokens(sample.truth))
            for kept, said in zip(self._errors, (reference, candidate), strict=True):
                kept.append(self._count_errors(truth, said))

    def _count_errors(self, truth: np.ndarray, said: np.ndarray) -> list[int]:
        edits = count_edits(truth.tolist(), said.tolist())
        row = [edits, len(truth), edits == 0]
        separator = self._told.word_separator
        if separator is not None:
            words = split_words(truth.tolist(), separator)
            row += [count_edits(words, split_words(said.tolist(), separator)), len(words)]
        return row

    def fold(self, samples: np.ndarray) -> dict[str, Value]:
        """Return every figure over some samples."""
        drawn, remarks = self.fold_draws(samples[None]), dict(self._remarks(samples))
        return take_only_draw(self._told.figures(), drawn, remarks, without=self._sides.why)

    def fold_draws(self, draws: np.ndarray) -> Drawn:
        """Do the same for each draw."""
        import numpy as np

        count = draws.shape[1]
        found: dict[str, tuple[np.ndarray, np.ndarray | None]] = {}
        if self._sides.reference:
            equal, places, same, edits, length = sum_draws(np.array(self._agreement), draws).T
            found["token_agreement"] = (take_ratio(equal, places), None)
            found["sequence_agreement"] = (same / count, None)
            found["edit_rate"] = (take_ratio(edits, length), None)
        if self._sides.labels:
            mine, other = (sum_draws(np.array(rows), draws).T for rows in self._errors[::-1])
            rate = (take_ratio(mine[0], mine[1]), take_ratio(other[0], other[1]))
            found["token_error_rate"] = rate
            found["exact_match"] = (mine[2] / count, other[2] / count)
            if self._told.word_separator is not None:
                found["wer"] = (take_ratio(mine[3], mine[4]), take_ratio(other[3], other[4]))
        return found

    def hits(self) -> dict[str, np.ndarray]:
        """Return which sequences agree, and which are right."""
        import numpy as np

        found = {}
        if self._sides.reference:
            found["sequence_agreement"] = np.array(self._agreement)[:, 2:3] > 0
        if self._sides.labels:
            exact = [np.array(rows)[:, 2] > 0 for rows in self._errors]
            found["exact_match"] = np.stack(exact, axis=1)
        return found

    def _remarks(self, samples: np.ndarray) -> Iterator[tuple[str, str]]:
        import numpy as np

        if self._sides.labels:
            rows = np.array(self._errors[0])[samples].sum(axis=0)
            yield "token_error_rate", f"{rows[1]} tokens" if rows[1] else "no label holds a token"
            if self._told.word_separator is not None:
                yield "wer", f"{rows[4]} words" if rows[4] else "no label holds a word"
        if self._sides.reference and not np.array(self._agreement)[samples, 4].any():
            told = "the reference says nothing in any sample: there is nothing to agree with"
            yield from ((name, told) for name in ("sequence_agreement", "edit_rate"))


def _is_sequence(output: TensorSpec) -> bool:
    shape = output.shape[1:] if len(output.shape) > 2 and output.shape[0] == 1 else output.shape  # noqa: PLR2004
    return "float" not in output.dtype or len(shape) == 2  # noqa: PLR2004  # length, tokens


def _read_tokens(truth: np.ndarray | None) -> np.ndarray:
    import numpy as np

    if truth is None or truth.dtype.kind not in "iu":
        told = "none" if truth is None else f"{truth.dtype} of shape {list(truth.shape)}"
        raise CannotMeasure(f"its label is {told}, not tokens as whole numbers")
    return np.asarray(truth, np.int64).reshape(-1)
