"""Hold an exported model against the PyTorch module it was made from, output by output."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import StepInputError
from trtbuild.core.words import describe_cause
from trtbuild.sources.torch_trial import (
    choose_tolerance,
    copy_to_numpy,
    describe_shapes,
    draw_answers,
    measure_differences,
    measure_movement,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

    from trtbuild.sources.inputs import InputSpec
    from trtbuild.sources.sizes import Sizes

__all__ = ["Export"]

MARGIN = 3
"""How many times as far as a nudge moves the module's own output, its export may lie from it."""
HINT = (
    "the exporter follows one branch of forward, and freezes what is not computed by PyTorch: "
    "does forward decide by sizes or values?"
)


@dataclass(frozen=True)
class Export:
    """What was exported, and how."""

    module: nn.Module
    where: str
    """What errors begin with."""
    inputs: Mapping[str, InputSpec]
    """In the order of the module's arguments."""
    outputs: tuple[str, ...]
    """The names of what it returns, in its order."""
    sizes: Sizes
    keywords: tuple[str, ...] = ()
    """The names of its arguments, where it is given them by name."""
    beyond: tuple[Mapping[str, int], ...] = ()
    """Sizes that nothing says it must take, at which it is checked where it does."""

    def hold(self, path: Path) -> tuple[str, ...]:
        """Run the written model and the module on the same random inputs; return what to note.

        Raises:
            StepInputError: an output differs by more than rounding explains, or one of the two
                cannot be run at sizes that the profiles allow.
        """
        try:
            infer = _session(path, self.outputs)
        except StepInputError as error:
            return (
                f"not compared with PyTorch: ONNX Runtime cannot load it: {describe_cause(error)}",
            )
        notes: dict[str, None] = {}
        for sizes in (self.sizes.example, *self.sizes.checked, *self.beyond):
            at = f"at {describe_shapes(self.inputs, sizes)}"
            try:
                arguments, wanted = draw_answers(self.module, self.inputs, sizes, self.keywords)
            except Exception as error:
                if sizes in self.beyond:
                    continue
                told = f"{at} it raises {describe_cause(error)}"
                if sizes is self.sizes.example:  # it may take only what no random numbers are
                    return (f"not compared with PyTorch: {told}",)
                raise StepInputError(
                    f"{self.where}: does not take all that the profiles allow: {told}",
                    hint="let `profiles` hold only what the module takes",
                ) from error
            found = self._run(infer, arguments, at)
            notes |= dict.fromkeys(self._compare(arguments, wanted, found, at))
        return tuple(notes)

    def _run(self, infer: Infer, arguments: Sequence[Tensor], at: str) -> Sequence[Any]:
        feed = {
            name: copy_to_numpy(each) for name, each in zip(self.inputs, arguments, strict=True)
        }
        try:
            return infer(feed)
        except Exception as error:
            raise StepInputError(
                f"{self.where}: {at} its export fails where the module does not: "
                f"{describe_cause(error)}",
                hint=HINT,
            ) from error

    def _compare(
        self, arguments: Sequence[Tensor], wanted: Sequence[Tensor], found: Sequence[Any], at: str
    ) -> Iterator[str]:
        """Yield what is to be noted of each output; raise at the first that differs."""
        if len(wanted) != len(found):
            raise StepInputError(
                f"{self.where}: {at} it returns {len(wanted)} tensors, its export {len(found)}",
                hint=HINT,
            )
        allowed = choose_tolerance([*self.module.parameters(), *arguments, *wanted])
        errors = measure_differences(found, wanted)
        steady, moved = errors, errors
        if max(errors) > allowed:
            steady = self._movement(arguments, wanted, nudged=False)
            moved = self._movement(arguments, wanted, nudged=True)
        for index, name in enumerate(self.outputs):
            if errors[index] <= allowed:
                if not _says_something(wanted[index]):
                    yield f"`{name}`: no number but 0 comes of random inputs: little is compared"
            elif steady[index] > allowed:
                yield f"`{name}`: not compared with PyTorch: the module draws it at random"
            elif errors[index] <= MARGIN * moved[index]:
                yield (
                    f"`{name}` is off PyTorch's by {_share(errors[index])} {at}; rounding may do "
                    f"that: weights moved by a millionth move it by {_share(moved[index])}"
                )
            else:
                told = _told(found[index], wanted[index], errors[index], allowed)
                raise StepInputError(
                    f"{self.where}: {at} output `{name}` of its export is not the module's: {told}",
                    hint=HINT,
                )

    def _movement(
        self, arguments: Sequence[Tensor], wanted: Sequence[Tensor], *, nudged: bool
    ) -> list[float]:
        return measure_movement(
            self.module, arguments, wanted, nudged=nudged, keywords=self.keywords
        )


def _says_something(tensor: Tensor) -> bool:
    """Tell whether there is any value to be wrong: a head may be seeded with zeros alone."""
    if not tensor.is_floating_point() or not tensor.numel():
        return True
    return bool((tensor.isfinite() & (tensor != 0)).any())


Infer = Callable[[Mapping[str, Any]], Sequence[Any]]


def _session(path: Path, outputs: Sequence[str]) -> Infer:
    import torch

    from trtbuild.model.session import open_session

    session = open_session(path, threads=torch.get_num_threads())  # what this process may use
    return lambda feed: list(session.run(feed, outputs).values())


def _told(found: Any, wanted: Tensor, error: float, allowed: float) -> str:
    if found.shape != tuple(wanted.shape):
        return f"its shape is {list(found.shape)}, not {list(wanted.shape)}"
    return f"it is off by {_share(error)}, where {_share(allowed)} is allowed"


def _share(value: float) -> str:
    return f"{100 * value:.3g} %"
