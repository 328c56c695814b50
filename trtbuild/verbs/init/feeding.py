"""What each input of a model is for, guessed from its type, shape and name, and what feeds it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from trtbuild.core.errors import StepInputError, UsageError
from trtbuild.core.values import STRINGS, TensorSpec
from trtbuild.data.random import RandomInput
from trtbuild.model.batching import arrange
from trtbuild.model.input_feeding import InputFeeding
from trtbuild.verbs.init.model_look import ModelLook

__all__ = ["FedInput", "Role", "find_fed_inputs", "list_told"]

Role = Literal["picture", "ids", "mask", "state", "sizes", "signal", "numbers"]
DRAWN: tuple[str, ...] = get_args(RandomInput.model_fields["dtype"].annotation)
"""The types in which random data can be had."""
_CHANNELS = (1, 3)
_PLANE, _PICTURE = 3, 4
_NARROW = 16
"""A picture is at least so wide."""
_LONG = 1000
"""A last axis of so many numbers is a sound, or another signal over time."""
_STATE = re.compile(
    r"(^|[_./\d])(h_?0|c_?0|[hc]_?(in|prev|x)?|state|states|hidden|past|cache|memory)($|[_./\d])"
)
_NO_STATE = re.compile(r"hidden_states|encoder|feature")
_MASK = re.compile(r"mask|valid|padding")
_SIGNAL = re.compile(r"audio|wave?form|wav|speech|signal|sound|mel|spectr|fbank|pcm")


@dataclass(frozen=True)
class FedInput:
    """An input of a model, and how it is fed."""

    spec: TensorSpec
    role: Role
    axis: int | None
    """The axis that counts the samples; None where a run takes one array, whole."""
    low: float = 0.0
    high: float = 1.0
    """Where values lie, the high end left out, where random ones are drawn."""
    fill: float | None = None
    """The value that it is filled with, where no sample brings it."""
    whole: bool = False
    """Whether the recipe has to say that no axis counts samples."""
    channels_last: bool = False

    @property
    def channels(self) -> int | str:
        """Return the channels of a picture."""
        return self.spec.shape[self.channel_axis]

    @property
    def channel_axis(self) -> int:
        """Return the axis of a picture that holds its channels."""
        return len(self.spec.shape) - 1 if self.channels_last else len(self.spec.shape) - 3

    @property
    def plane_axes(self) -> tuple[int, int]:
        """Return the axes of a picture that are its height and width."""
        last = len(self.spec.shape) - (1 if self.channels_last else 0)
        return last - 2, last - 1

    @property
    def batch(self) -> int:
        """Return how many samples a run takes at least."""
        size = None if self.axis is None else self.spec.shape[self.axis]
        return size if isinstance(size, int) else 1


def find_fed_inputs(look: ModelLook) -> tuple[FedInput, ...]:
    """Say of each input what it is for.

    Raises:
        UsageError: one is text, which nothing feeds to an engine.
    """
    for spec in look.inputs:
        if spec.dtype == STRINGS:
            raise UsageError(
                f"the input `{spec.name}` is text, which TensorRT does not take",
                hint="export the model from behind its tokenizer or table, with integers",
            )
    guessed = tuple(_guess_role(spec, look) for spec in look.inputs)
    first = next((spec.shape[0] for spec in look.inputs if spec.shape), 1)
    contrary = tuple(
        replace(each, whole=each.whole or _has_other_batch(each.spec, first)) for each in guessed
    )
    for readings in (guessed, contrary):
        try:
            placed = arrange(look.inputs, None, list_told(readings))[0]
        except StepInputError:
            continue
        return tuple(replace(each, axis=at.axis) for each, at in zip(readings, placed, strict=True))
    return tuple(replace(each, whole=True) for each in guessed)


def _has_other_batch(spec: TensorSpec, first: int | str) -> bool:
    return bool(spec.shape) and isinstance(spec.shape[0], int) and spec.shape[0] != first


def list_told(fed: Sequence[FedInput]) -> dict[str, InputFeeding]:
    """Return what the recipe has to say of inputs."""
    return {each.spec.name: told for each in fed if (told := _tell(each)) is not None}


def _tell(fed: FedInput) -> InputFeeding | None:
    if fed.whole:
        return InputFeeding(batch_axis="none", fill=fed.fill)
    return None if fed.fill is None else InputFeeding(fill=fed.fill)


def _guess_role(spec: TensorSpec, look: ModelLook) -> FedInput:
    name = spec.name.lower()
    if spec.name in look.shape_inputs:
        return FedInput(spec, "sizes", None, fill=0.0, whole=True)
    floats = spec.dtype.startswith(("float", "bfloat"))
    named = bool(_STATE.search(name)) and not _NO_STATE.search(name)
    if spec.name in look.states or (floats and named):
        return FedInput(spec, "state", None, fill=0.0)
    if _MASK.search(name) and (not floats or len(spec.shape) < _PICTURE):
        return _drawn_or_filled(FedInput(spec, "mask", None, low=1, high=2), 1.0, floats=floats)
    if (picture := _as_picture(spec)) is not None and spec.dtype != "bool":
        raw = spec.name in look.scales_pixels or spec.dtype == "uint8"
        high = 255.0 if raw else 1.0
        return _drawn_or_filled(replace(picture, high=high), high / 2)
    if not floats:
        rows = look.tables.get(spec.name, 0)
        return _drawn_or_filled(FedInput(spec, "ids", None, high=rows or 2), 1.0)
    signal = bool(_SIGNAL.search(name)) or _is_long(spec)
    fed = FedInput(spec, "signal" if signal else "numbers", None, low=-1.0)
    return _drawn_or_filled(fed, 0.0)


def _drawn_or_filled(fed: FedInput, value: float, *, floats: bool = False) -> FedInput:
    """Fill an input whose type cannot be drawn, or that is a mask of floats."""
    return replace(fed, fill=value) if floats or fed.spec.dtype not in DRAWN else fed


def _as_picture(spec: TensorSpec) -> FedInput | None:
    shape = spec.shape
    if len(shape) not in (_PLANE, _PICTURE):
        return None
    for last in (False, True):
        found = FedInput(spec, "picture", None, channels_last=last, whole=len(shape) == _PLANE)
        sizes = [shape[axis] for axis in found.plane_axes]
        wide = all(isinstance(size, str) or size >= _NARROW for size in sizes)
        open_channels = isinstance(found.channels, str) and len(shape) == _PICTURE and not last
        plain = found.channels in _CHANNELS or open_channels
        if len(shape) == _PLANE:
            plain = found.channels == max(_CHANNELS) and all(isinstance(s, int) for s in sizes)
        if (plain and wide) or (
            len(shape) == _PICTURE and found.channels in _CHANNELS and not last
        ):
            return found
    return None


def _is_long(spec: TensorSpec) -> bool:
    last = spec.shape[-1] if spec.shape else 0
    return isinstance(last, int) and last >= _LONG and len(spec.shape) > 1
