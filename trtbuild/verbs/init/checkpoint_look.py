"""Which architecture the weights in a checkpoint are of: a row for each family that is known."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

from trtbuild.core.errors import MissingFile, UsageError
from trtbuild.core.words import join_few
from trtbuild.sources.foreign import TORCHSCRIPT, find_format
from trtbuild.verbs.init.entries import Entry
from trtbuild.verbs.init.model_look import ModelLook
from trtbuild.verbs.init.models import ModelRequest, place_beside
from trtbuild.verbs.init.torch_look import look_at_module, name_weights
from trtbuild.verbs.init.ultralytics_look import MARK, look_at_yolo

__all__ = ["look_at_checkpoint", "look_at_export"]

_SHOWN = 4
MOST_BYTES = 1 << 26
_NAME_IT = "say what makes the module: trtbuild init FILE.py:FUNCTION --weights {path}"
_DEEPEST = 3
"""An entry of a checkpoint, and what two wrappers put before names."""
Shape = tuple[int, ...]
_FAMILIES = ("resnet", "resnext", "wide_resnet", "mobilenet", "vgg", "densenet", "efficientnet",
             "convnext", "vit_", "swin", "regnet", "shufflenet", "mnasnet", "alexnet",
             "squeezenet", "googlenet", "inception", "maxvit")  # fmt: skip
"""Torchvision's classifiers."""


def look_at_checkpoint(request: ModelRequest) -> ModelLook:
    """Find the architecture that a checkpoint's weights are of, among those of torchvision.

    Raises:
        MissingFile: it is not there.
        UsageError: it is a program, or its weights are of no architecture that is known.
        StepInputError: it cannot be read.
    """
    path = Path(request.model)
    if not path.is_file():
        raise MissingFile(f"{path}: no such file")
    pickled = _read_pickle(path)
    if MARK in pickled:
        return look_at_yolo(path, pickled, placed=place_beside(path, request.base))
    found = _find_torchvision(path)
    if found is None:
        held = next(_list_states(path))
        keys = join_few([f"`{name}` {list(shape)}" for name, shape in held.items()], _SHOWN)
        raise UsageError(
            f"{path}: its weights are of no architecture that is known here ({keys})",
            hint=_NAME_IT.format(path=path),
        )
    name, options, module = found
    section = [Entry("kind", "torch"), Entry("entrypoint", f"torchvision.models:{name}")]
    if options:
        section.append(Entry("options", options))
    section.append(name_weights(module, path, request.base))
    asked = ModelRequest(request.model, request.base, request.inputs, path)
    return look_at_module(module, tuple(section), asked, path.stem)


def look_at_export(request: ModelRequest, asked: Mapping[str, Any]) -> ModelLook:
    """Look at a checkpoint of Ultralytics as an export with these arguments would make it.

    Raises:
        MissingFile, UsageError: as `look_at_checkpoint`.
    """
    path = Path(request.model)
    pickled = _read_pickle(path) if path.is_file() else b""
    if MARK not in pickled:
        return look_at_checkpoint(request)
    return look_at_yolo(path, pickled, placed=place_beside(path, request.base), asked=asked)


def _read_pickle(path: Path) -> bytes:
    """Return what a checkpoint of PyTorch says of its classes, unread; nothing of other files.

    Raises:
        UsageError: it is TorchScript.
    """
    if not zipfile.is_zipfile(path):
        return b""
    if find_format(path) is TORCHSCRIPT:
        raise UsageError(
            f"{path}: is {TORCHSCRIPT.name}, which has not the module's code",
            hint=TORCHSCRIPT.way.format(path=path.name),
        )
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        pickled = next((name for name in names if name.endswith("data.pkl")), None)
        small = pickled is not None and archive.getinfo(pickled).file_size < MOST_BYTES
        return archive.read(pickled) if pickled is not None and small else b""


def _list_states(path: Path) -> Iterator[dict[str, Shape]]:
    """Yield the shapes of what may be a module's tensors: all, and those of each entry."""
    from trtbuild.sources.tensor_list import list_tensors

    shapes = list_tensors(path)
    yield shapes
    beginnings = (
        ".".join(name.split(".")[:depth]) + "."
        for depth in range(1, _DEEPEST + 1)
        for name in shapes
        if name.count(".") > depth
    )
    for start in dict.fromkeys(beginnings):
        yield {n.removeprefix(start): each for n, each in shapes.items() if n.startswith(start)}


def _find_torchvision(path: Path) -> tuple[str, dict[str, Any], Any] | None:
    """Return a classifier of torchvision with weights of a file's names and shapes."""
    try:
        from torchvision import models
    except ModuleNotFoundError:
        return None
    states = [_without_counts(each) for each in _list_states(path)]
    for name in _list_likely(models.list_models(module=models), states):
        for state in states:
            if state.keys() != _make_empty(name, None).keys():
                continue
            classes = _count_classes(state)
            if _make_empty(name, classes) == state:
                options = {} if classes in (None, 1000) else {"num_classes": classes}
                return name, options, models.get_model(name, weights=None, **options)
    return None


def _list_likely(names: Sequence[str], states: Sequence[Mapping[str, Shape]]) -> Iterator[str]:
    """Yield the architectures of families whose first tensor is in one of the states."""
    for family in _FAMILIES:
        members = [name for name in names if name.startswith(family)]
        first = next(iter(_make_empty(members[0], None)), "") if members else ""
        if any(first in state for state in states):
            yield from members


@cache
def _make_empty(name: str, classes: int | None) -> dict[str, Shape]:
    """Return the shapes of an architecture's tensors, without giving any values."""
    from torch import nn
    from torchvision import models

    usual = nn.Module.register_parameter

    def register(self: nn.Module, called: str, tensor: nn.Parameter | None) -> None:
        held = None if tensor is None else nn.Parameter(tensor.to("meta"), requires_grad=False)
        usual(self, called, held)

    # Under `torch.device("meta")` some architectures cannot compute their own sizes.
    with warnings.catch_warnings(), mock.patch.object(nn.Module, "register_parameter", register):
        warnings.simplefilter("ignore")
        options = {} if classes is None else {"num_classes": classes}
        made = models.get_model(name, weights=None, **options)
    return _without_counts({n: tuple(each.shape) for n, each in made.state_dict().items()})


def _without_counts(shapes: Mapping[str, Shape]) -> dict[str, Shape]:
    return {n: shape for n, shape in shapes.items() if not n.endswith("num_batches_tracked")}


def _count_classes(shapes: Mapping[str, Shape]) -> int | None:
    """Return the rows of the last matrix or of the convolution that ends a classifier."""
    last = [shape for shape in shapes.values() if len(shape) > 1]
    return last[-1][0] if last else None
