"""PyTorch modules of a recipe's source, made to be called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.timing.base import MadeModule

if TYPE_CHECKING:
    from trtbuild.sources.base import Source
    from trtbuild.sources.huggingface import Huggingface
    from trtbuild.sources.torch import Torch
    from trtbuild.sources.torch_module import PreparedModule
    from trtbuild.sources.ultralytics import Ultralytics

__all__ = ["explain_no_module", "prepare_maker"]


def explain_no_module(source: Source) -> str:
    """Say why a source has no module that could be timed; nothing where it has one."""
    from trtbuild.sources.huggingface import Huggingface
    from trtbuild.sources.torch import Torch
    from trtbuild.sources.ultralytics import Ultralytics

    if isinstance(source, (Torch, Huggingface, Ultralytics)):
        return ""
    return f"`kind: {source.kind}` has no module of PyTorch"


def prepare_maker(
    source: Source, base: Path, weights: Path | None, exported: Path
) -> Callable[[], MadeModule]:
    """Return what makes a source's module, with its weights, and says how it is called.

    `exported` is the ONNX model that came of it.
    """

    def make() -> MadeModule:
        from trtbuild.sources.huggingface import Huggingface
        from trtbuild.sources.torch import Torch
        from trtbuild.sources.ultralytics import Ultralytics

        if isinstance(source, Ultralytics):
            return _make_ultralytics(source, base, weights, exported)
        if isinstance(source, Huggingface):
            from trtbuild.sources.huggingface_model import load_pretrained

            return _call(source, base, load_pretrained(source, source.folder(base)))
        from trtbuild.sources.torch_module import prepare_module

        assert isinstance(source, Torch)  # noqa: S101  # others have a reason why not
        return _call(source, base, prepare_module(source, base=base, weights=weights))

    return make


def _call(source: Torch | Huggingface, base: Path, made: PreparedModule) -> MadeModule:
    """Arrange inputs by name as `forward` takes them."""
    from trtbuild.sources.sizes import Sizes
    from trtbuild.sources.torch import Torch
    from trtbuild.sources.torch_call import ExportRequest, arrange

    if isinstance(source, Torch):
        where, inputs = source.entrypoint, source.inputs
    else:
        where, inputs = source.place, dict(source.list_inputs(base))
    request = ExportRequest(
        where=where,
        made=made,
        inputs=inputs,
        outputs=source.outputs,
        opset=source.opset,
        sizes=Sizes(),
    )
    call = arrange(request)
    return MadeModule(
        module=made.module,
        inputs=source.find_inputs(base),
        order=tuple(call.inputs),
        keywords=call.keywords,
        notes=made.notes,
    )


def _make_ultralytics(
    source: Ultralytics, base: Path, weights: Path | None, exported: Path
) -> MadeModule:
    """Load a checkpoint; it takes pictures as the exported model does."""
    from trtbuild.model.outline import ModelOutline
    from trtbuild.sources.ultralytics_module import load_checkpoint

    checkpoint, name = source.locate(base, weights)
    made = load_checkpoint(checkpoint, name=name, nms=source.nms)
    inputs = ModelOutline.read(exported).inputs
    return MadeModule(
        module=made.module,
        inputs=inputs,
        order=tuple(each.name for each in inputs),
        notes=made.notes,
    )
