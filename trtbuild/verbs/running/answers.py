"""What people want to see of outputs: the best classes, boxes, nearest sentences, or arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import StepInputError
from trtbuild.measure.classification import Classification
from trtbuild.measure.detection.finding import find_boxes
from trtbuild.measure.detection.kind import Detection
from trtbuild.measure.embedding import Embedding
from trtbuild.measure.parts import parse_part

if TYPE_CHECKING:
    import numpy as np

    from trtbuild.data.view import View
    from trtbuild.recipe.schema import Recipe

__all__ = ["Answer", "Answering", "ScoredBox", "ScoredClass", "choose_answering", "find_nearest"]

_CLASSES = ("top1", "top5", "top1_agreement")
_FIRST = 6
_ONE = 1e-3
"""How far a sum of probabilities may lie from 1."""


@dataclass(frozen=True)
class ScoredClass:
    """A class and its probability, 0 to 1."""

    number: int
    name: str
    score: float


@dataclass(frozen=True)
class ScoredBox:
    """A box in the picture as it was: left, top, right, bottom in pixels."""

    corners: tuple[float, float, float, float]
    number: int
    name: str
    score: float


@dataclass(frozen=True)
class Answer:
    """What one model says of one sample; what was not asked for is empty."""

    classes: tuple[ScoredClass, ...] = ()
    boxes: tuple[ScoredBox, ...] | None = None
    vector: np.ndarray | None = None
    outputs: Mapping[str, np.ndarray] = field(default_factory=dict)
    """All that the model put out, without a batch axis."""


@dataclass(frozen=True)
class Answering:
    """How outputs are read: by the first metric of the recipe that says what they are."""

    kind: Detection | Embedding | Classification | None
    output: str | None
    parts: Mapping[str, str]
    names: tuple[str, ...]
    top: int

    def answer(self, outputs: Mapping[str, np.ndarray], view: View | None) -> Answer:
        """Read the outputs for one sample, which have no batch axis.

        Args:
            outputs: array by name.
            view: where the picture's pixels lie in what the model took; boxes are brought back.

        Raises:
            StepInputError: they are not what the metric says.
        """
        if isinstance(self.kind, Detection):
            boxes = self._find_boxes(self.kind, outputs, view)
            return Answer(boxes=tuple(boxes), outputs=outputs)
        if isinstance(self.kind, Embedding):
            vector = self._pick(self.output, outputs).reshape(-1)
            return Answer(vector=vector, outputs=outputs)
        if self.kind is not None or self.output is not None:
            classes = self._rank(self._pick(self.output, outputs))
            return Answer(classes=classes, outputs=outputs)
        return Answer(outputs=outputs)

    def _pick(self, name: str | None, outputs: Mapping[str, np.ndarray]) -> np.ndarray:
        if name is None and len(outputs) == 1:
            return next(iter(outputs.values()))
        if name is not None and name in self.parts:
            part = parse_part(self.parts[name])
            if part.output in outputs:
                found: np.ndarray = outputs[part.output][None][part.index][0]
                return found
        if name is not None and name in outputs:
            return outputs[name]
        raise StepInputError(
            f"which output is meant? There are {', '.join(outputs)}",
            hint="name it in the recipe's metric: `output: NAME`",
        )

    def _rank(self, scores: np.ndarray) -> tuple[ScoredClass, ...]:
        import numpy as np

        values = np.asarray(scores, np.float64).reshape(-1)
        if values.min() < 0 or abs(values.sum() - 1) > _ONE:  # logits
            values = np.exp(values - values.max())
            values /= values.sum()
        order = np.argsort(-values, kind="stable")[: self.top].tolist()
        return tuple(ScoredClass(each, self._name(each), float(values[each])) for each in order)

    def _find_boxes(
        self, kind: Detection, outputs: Mapping[str, np.ndarray], view: View | None
    ) -> Sequence[ScoredBox]:
        import numpy as np

        found = find_boxes(
            kind.layout,
            [self._pick(name, outputs) for name in kind.layout.names()],
            score_threshold=kind.score_threshold,
            iou_threshold=kind.iou_threshold,
            by_class=not kind.class_agnostic,
            multi_label=kind.multi_label,
            most=kind.max_detections,
        )
        corners = found.corners
        if view is not None:
            scale = np.tile(view.size, 2) if kind.normalized else 1
            corners = view.to_original(corners * scale)
        rows = zip(corners.tolist(), found.classes.tolist(), found.scores.tolist(), strict=True)
        return [
            ScoredBox((left, top, right, bottom), number, self._name(number), score)
            for (left, top, right, bottom), number, score in rows
        ]

    def _name(self, number: int) -> str:
        return self.names[number] if number < len(self.names) else ""


def choose_answering(
    recipe: Recipe, outputs: Sequence[str], names: Sequence[str], top: int
) -> Answering:
    """Choose how a recipe's outputs are read."""
    compare = recipe.compare
    metrics: Sequence[Any] = compare.metrics if compare is not None else ()
    parts = dict(compare.outputs) if compare is not None else {}
    for metric in metrics:
        if isinstance(metric, Detection | Embedding | Classification):
            output = getattr(metric, "output", None)
            return Answering(metric, output, parts, tuple(names), top)
    classes = any(metric in _CLASSES for metric in metrics if isinstance(metric, str)) or names
    output = outputs[0] if classes and outputs else None
    return Answering(None, output, parts, tuple(names), top)


def find_nearest(vectors: Sequence[np.ndarray]) -> list[list[tuple[int, float]]]:
    """Return for each vector the others by cosine, the nearest first."""
    import numpy as np

    table = np.stack(vectors).astype(np.float64)
    table /= np.maximum(np.linalg.norm(table, axis=1, keepdims=True), 1e-12)
    cosines = table @ table.T
    found = []
    for place, row in enumerate(cosines):
        order = [each for each in np.argsort(-row, kind="stable").tolist() if each != place]
        found.append([(each, float(row[each])) for each in order])
    return found
