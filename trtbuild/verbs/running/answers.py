"""What people want to see of outputs: classes, boxes, class maps, pictures, nearest sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import StepInputError
from trtbuild.measure.classification import Classification
from trtbuild.measure.detection.finding import find_boxes
from trtbuild.measure.detection.kind import Detection
from trtbuild.measure.embedding import Embedding
from trtbuild.measure.image import Image
from trtbuild.measure.parts import parse_part
from trtbuild.measure.segmentation import Segmentation

if TYPE_CHECKING:
    import numpy as np

    from trtbuild.data.view import View
    from trtbuild.recipe.schema import Recipe

__all__ = ["Answer", "Answering", "ClassMap", "ScoredBox", "ScoredClass", "choose_answering",
           "find_nearest"]  # fmt: skip

_CLASSES = ("top1", "top5", "top1_agreement")
_PLANE = 16
"""Each side of a map of classes is at least so long."""
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
class ClassMap:
    """A class for each pixel that the model sees."""

    classes: np.ndarray
    """int64 [height, width]."""
    shares: tuple[ScoredClass, ...]
    """The classes that are in it, the largest first, each with its share of the pixels."""
    view: View | None
    """Where the picture's pixels lie in what the model took."""


@dataclass(frozen=True)
class Answer:
    """What one model says of one sample; what was not asked for is empty."""

    classes: tuple[ScoredClass, ...] = ()
    boxes: tuple[ScoredBox, ...] | None = None
    vector: np.ndarray | None = None
    class_map: ClassMap | None = None
    picture: np.ndarray | None = None
    """A picture that the model made: uint8 RGB [height, width, 3]."""
    outputs: Mapping[str, np.ndarray] = field(default_factory=dict)
    """All that the model put out, without a batch axis."""


@dataclass(frozen=True)
class Answering:
    """How outputs are read: by the first metric of the recipe that says what they are."""

    kind: Detection | Embedding | Classification | Segmentation | Image | None
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
        kind = self.kind
        if isinstance(kind, Detection):
            boxes = self._find_boxes(kind, outputs, view)
            return Answer(boxes=tuple(boxes), outputs=outputs)
        if kind is None and self.output is None:
            return Answer(class_map=self._guess_map(outputs, view), outputs=outputs)
        picked = self._pick(self.output, outputs)
        if isinstance(kind, Embedding):
            return Answer(vector=picked.reshape(-1), outputs=outputs)
        if isinstance(kind, Segmentation):
            return Answer(class_map=self._map(kind, picked, view), outputs=outputs)
        if isinstance(kind, Image):
            return Answer(picture=_show_picture(kind, picked), outputs=outputs)
        return Answer(classes=self._rank(picked), outputs=outputs)

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

    def _guess_map(self, outputs: Mapping[str, np.ndarray], view: View | None) -> ClassMap | None:
        """Take the whole numbers that a model puts out of a picture for a map of classes."""
        only = next(iter(outputs.values())) if len(outputs) == 1 else None
        if view is None or only is None or not _is_class_map(only):
            return None
        return self._map(Segmentation(kind="segmentation"), only, view)

    def _map(self, kind: Segmentation, output: np.ndarray, view: View | None) -> ClassMap:
        import numpy as np

        classes = kind.choose_classes(output)
        if classes.ndim != 2:  # noqa: PLR2004  # height, width
            raise StepInputError(
                f"a class map is [height, width], and here it is {list(classes.shape)}",
                hint="which output is one? Say so in the recipe's metric: `output: NAME`",
            )
        numbers, counts = np.unique(classes, return_counts=True)
        shares = [
            ScoredClass(number, self._name(number), count / classes.size)
            for number, count in zip(numbers.tolist(), counts.tolist(), strict=True)
        ]
        return ClassMap(classes, tuple(sorted(shares, key=lambda each: -each.score)), view)

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
        return self.names[number] if 0 <= number < len(self.names) else ""


def _is_class_map(output: np.ndarray) -> bool:
    """Tell whole numbers in a plane, which no metric has to be named for."""
    sides = [size for size in output.shape if size != 1]
    return output.dtype.kind in "iu" and len(sides) == 2 and min(sides) >= _PLANE  # noqa: PLR2004


def _show_picture(kind: Image, output: np.ndarray) -> np.ndarray:
    """Return a picture that a model has made, of values 0..range, or -1..1 where that is 2."""
    import numpy as np

    planes = output if kind.channels_last or output.ndim < 3 else np.moveaxis(output, 0, -1)  # noqa: PLR2004
    planes = planes.reshape(*planes.shape[:2], -1)[:, :, :3].astype(np.float64)
    low = -1.0 if kind.data_range == 2 and planes.min() < 0 else 0.0  # noqa: PLR2004  # see its docstring
    shown = np.nan_to_num((planes - low) / kind.data_range * 255).round().clip(0, 255)
    whole = shown.astype(np.uint8)
    return whole if whole.shape[2] == 3 else np.repeat(whole[:, :, :1], 3, axis=2)  # noqa: PLR2004


def choose_answering(
    recipe: Recipe, outputs: Sequence[str], names: Sequence[str], top: int
) -> Answering:
    """Choose how a recipe's outputs are read."""
    compare = recipe.compare
    metrics: Sequence[Any] = compare.metrics if compare is not None else ()
    parts = dict(compare.outputs) if compare is not None else {}
    for metric in metrics:
        if isinstance(metric, Detection | Embedding | Classification | Segmentation | Image):
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
