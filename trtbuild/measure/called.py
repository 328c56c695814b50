"""A measurement by code of the user's: what it is given, and what is made of its answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtbuild.core.entrypoint import explain_errors, load_entrypoint
from trtbuild.core.errors import StepInputError
from trtbuild.core.frozen import frozen
from trtbuild.core.words import join_few, quote_whole
from trtbuild.measure.base import Figure, Measurement, PairedSample, Value

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Called", "load_called"]

METHODS = ("update", "fold")
_FEW = 20


@frozen
class Called:
    """What is called: where its code is, what it is given, and what it is to answer."""

    place: str
    """For messages: `metrics.py:map50`."""
    files: tuple[Path, ...]
    """Its own file first."""
    packages: tuple[str, ...]
    outputs: tuple[str, ...]
    single: bool
    """It is given the one output as an array, and not a mapping."""
    figures: tuple[Figure, ...]
    takes_label: bool = False

    def explain_errors(self) -> AbstractContextManager[None]:
        """Turn what its code raises into an error that says where (see `core.entrypoint`)."""
        return explain_errors(self.place, self.files, self.packages)

    def arguments(self, sample: PairedSample) -> dict[str, Any]:
        """Return what it is given of a sample."""
        given: dict[str, Any] = {
            name: side[self.outputs[0]] if self.single else dict(side)
            for name, side in (("reference", sample.reference), ("candidate", sample.candidate))
        }
        label = sample.label if sample.truth is None else sample.truth
        return {**given, "label": label} if self.takes_label else given

    def read(self, answer: object) -> dict[str, tuple[float, float]]:
        """Return (candidate's, reference's) of each figure; NaN where the reference has none.

        Raises:
            StepInputError: the answer is no number, or is not of the figures that are declared.
        """
        names = [figure.name for figure in self.figures]
        if isinstance(answer, Mapping):
            if set(answer) != set(names):
                given = join_few([*map(str, answer)], _FEW) or "nothing"
                raise StepInputError(
                    f"{self.place}: answers {given}, and the recipe expects {', '.join(names)}",
                    hint="declare its figures in the recipe: `values: {NAME: {unit: share}}`",
                )
            return {figure.name: self._pair(figure, answer[figure.name]) for figure in self.figures}
        if len(names) > 1:
            raise StepInputError(
                f"{self.place}: answers {type(answer).__name__}; a mapping with "
                f"{', '.join(names)} is needed",
                hint="return {name: number}",
            )
        return {names[0]: self._pair(self.figures[0], answer)}

    def _pair(self, figure: Figure, answer: object) -> tuple[float, float]:
        wanted = "a pair (reference, candidate)" if figure.own else "a number"
        try:
            if not figure.own:
                return float(answer), math.nan  # type: ignore[arg-type]  # whatever is a number
            pair: Any = answer
            reference, candidate = map(float, pair)
        except (TypeError, ValueError):
            raise StepInputError(
                f"{self.place}: `{figure.name}` is {type(answer).__name__}; {wanted} is needed",
                hint="`own: true` in the recipe says that a figure is a pair"
                if not figure.own
                else "`own: false` in the recipe says that it is one number",
            ) from None
        return candidate, reference


def load_called(entrypoint: str, options: Mapping[str, Any], called: Called) -> Measurement:
    """Load a callable, and make it where it is a class; return what measures by it.

    Raises:
        StepInputError: it cannot be called like this, or raises.
        MissingFile, UsageError, MissingDependency: it cannot be loaded.
    """
    import inspect

    place, _, name = entrypoint.rpartition(":")
    # By the pinned path, which holds wherever this runs; a module only loads by its name.
    where = str(called.files[0].absolute()) if place.endswith(".py") else place
    with called.explain_errors():
        found = load_entrypoint(f"{where}:{name}", Path())
        if not inspect.isclass(found):
            labelled = _demand_call(found, {"reference": 0, "candidate": 0, **options}, called)
            return _Means(lambda **given: found(**given, **options), _with(called, labelled))
        _demand_call(found, options, called)
        made: Any = found(**options)
        for method in METHODS:
            if not callable(getattr(made, method, None)):
                raise StepInputError(
                    f"{called.place}: has no method `{method}`",
                    hint="a class has `update(reference, candidate)` and `fold(kept)`",
                )
        labelled = _demand_call(made.update, {"reference": 0, "candidate": 0}, called)
        return _Kept(made.update, made.fold, _with(called, labelled))


def _with(called: Called, takes_label: bool) -> Called:  # noqa: FBT001  # what its name says
    return replace(called, takes_label=takes_label)


def _demand_call(function: Callable[..., Any], given: Mapping[str, Any], called: Called) -> bool:
    """Refuse what cannot be called with these arguments; tell whether it takes a label too."""
    import inspect

    signature = inspect.signature(function)
    takes_label = "label" in signature.parameters and "label" not in given
    try:
        signature.bind(**given, **({"label": 0} if takes_label else {}))
    except TypeError as error:
        raise StepInputError(
            f"{called.place}: cannot be called with these `options`: {quote_whole(str(error))}",
            hint=f"it is {function.__name__}{signature}{_say_names(given)}",
        ) from None
    return takes_label


def _say_names(given: Mapping[str, Any]) -> str:
    """Say what arguments are to be called: all are given by name."""
    return "; name its arguments `reference`, `candidate`, `label`" if "reference" in given else ""


class _Means:
    """A number of each sample; figures are means."""

    def __init__(self, function: Callable[..., Any], called: Called) -> None:
        self.outputs = called.outputs
        self._function = function
        self._called = called
        self._parts: list[list[tuple[float, float]]] = []

    def add(self, sample: PairedSample) -> None:
        """Call the function, and keep its answer."""
        with self._called.explain_errors():
            answer = self._called.read(self._function(**self._called.arguments(sample)))
        self._parts.append(list(answer.values()))

    def fold(self, samples: np.ndarray) -> dict[str, Value]:
        """Return the means."""
        found = self.fold_draws(samples[None])
        return {
            name: Value(float(mine[0]), None if other is None else float(other[0]))
            for name, (mine, other) in found.items()
        }

    def fold_draws(self, draws: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray | None]]:
        """Return the means of each draw."""
        import numpy as np

        parts = np.array(self._parts, dtype=np.float64)
        means = [parts[draws, index].mean(axis=1) for index in range(parts.shape[1])]
        return {
            figure.name: (mean[:, 0], mean[:, 1] if figure.own else None)
            for figure, mean in zip(self._called.figures, means, strict=True)
        }


class _Kept:
    """What a class keeps of each sample; it makes the figures itself."""

    def __init__(
        self, update: Callable[..., Any], fold: Callable[..., Any], called: Called
    ) -> None:
        self.outputs = called.outputs
        self._update = update
        self._fold = fold
        self._called = called
        self._parts: list[Any] = []

    def add(self, sample: PairedSample) -> None:
        """Keep what it wants to keep."""
        with self._called.explain_errors():
            self._parts.append(self._update(**self._called.arguments(sample)))

    def fold(self, samples: np.ndarray) -> dict[str, Value]:
        """Have it fold what it kept of these samples."""
        with self._called.explain_errors():
            answer = self._called.read(self._fold([self._parts[index] for index in samples]))
        return {
            name: Value(mine, None if math.isnan(other) else other)
            for name, (mine, other) in answer.items()
        }
