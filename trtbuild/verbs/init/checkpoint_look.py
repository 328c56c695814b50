"""Which architecture the weights in a checkpoint are of: a row for each family that is known."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import MissingFile, UsageError
from trtbuild.core.words import join_few
from trtbuild.verbs.init.entries import Entry
from trtbuild.verbs.init.model_look import ModelLook
from trtbuild.verbs.init.models import ModelRequest, place_beside
from trtbuild.verbs.init.torch_look import look_at_module
from trtbuild.verbs.init.ultralytics_look import MARK, look_at_yolo

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["look_at_checkpoint", "look_at_export"]

_SHOWN = 4
MOST_BYTES = 1 << 26
_NAME_IT = "say what makes the module: trtbuild init FILE.py:FUNCTION --weights {path}"
_PREFIXES = ("", "module.", "model.", "_orig_mod.")
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
    state = dict(_find_state(path))
    found = _find_torchvision(state)
    if found is None:
        keys = join_few([f"`{name}` {list(each.shape)}" for name, each in state.items()], _SHOWN)
        raise UsageError(
            f"{path}: its weights are of no architecture that is known here ({keys})",
            hint=_NAME_IT.format(path=path),
        )
    name, options, module = found
    section = [Entry("kind", "torch"), Entry("entrypoint", f"torchvision.models:{name}")]
    if options:
        section.append(Entry("options", options))
    section.append(Entry("weights", {"path": place_beside(path, request.base)}))
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
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if any("/code/" in name for name in names):
            raise UsageError(
                f"{path}: is TorchScript, a program without the module's code",
                hint="export it where it runs: torch.onnx.export(torch.jit.load(FILE), ...)",
            )
        pickled = next((name for name in names if name.endswith("data.pkl")), None)
        small = pickled is not None and archive.getinfo(pickled).file_size < MOST_BYTES
        return archive.read(pickled) if pickled is not None and small else b""


def _find_state(path: Path) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors of a checkpoint, without a prefix that all their names have."""
    import torch

    from trtbuild.sources.weights import read_weights

    content: Any = read_weights(path)
    for key in ("state_dict", "model_state_dict", "model", "ema", "net"):
        inner = content.get(key) if isinstance(content, Mapping) else None
        if isinstance(inner, Mapping):
            content = inner
            break
    tensors = {n: each for n, each in content.items() if isinstance(each, torch.Tensor)}
    prefix = next(
        (p for p in _PREFIXES[1:] if tensors and all(n.startswith(p) for n in tensors)), ""
    )
    yield from ((name.removeprefix(prefix), each) for name, each in tensors.items())


def _find_torchvision(
    state: Mapping[str, Tensor],
) -> tuple[str, dict[str, Any], Any] | None:
    """Return a classifier of torchvision with weights of these names and shapes."""
    try:
        import torch
        from torchvision import models
    except ModuleNotFoundError:
        return None
    shapes = {name: tuple(each.shape) for name, each in state.items()}
    classes = _count_classes(state)
    options = {} if classes in (None, 1000) else {"num_classes": classes}
    for name in models.list_models(module=models):
        if not name.startswith(_FAMILIES):
            continue
        with torch.device("meta"):
            made = models.get_model(name, weights=None, **options)
        if {n: tuple(each.shape) for n, each in made.state_dict().items()} == shapes:
            return name, options, models.get_model(name, weights=None, **options)
    return None


def _count_classes(state: Mapping[str, Tensor]) -> int | None:
    """Return the rows of the last matrix or of the convolution that ends a classifier."""
    last = [each for each in state.values() if each.ndim > 1]
    return int(last[-1].shape[0]) if last else None
