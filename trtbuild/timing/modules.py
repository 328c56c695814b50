"""PyTorch modules of a recipe's source, made to be called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.timing.base import MadeModule

if TYPE_CHECKING:
    from trtbuild.sources.base import Source

__all__ = ["explain_no_module", "prepare_maker"]


def explain_no_module(source: Source) -> str:
    """Say why a source has no module that could be timed; nothing where it has one."""
    from trtbuild.sources.torch import Torch

    if isinstance(source, Torch):
        return ""
    return f"modules of `kind: {source.kind}` are not timed: only those of `kind: torch`"


def prepare_maker(source: Source, base: Path, weights: Path | None) -> Callable[[], MadeModule]:
    """Return what makes a source's module, with its weights, and says how it is called."""

    def make() -> MadeModule:
        from trtbuild.sources.sizes import Sizes
        from trtbuild.sources.torch import Torch
        from trtbuild.sources.torch_call import Request, arrange
        from trtbuild.sources.torch_module import prepare_module

        assert isinstance(source, Torch)  # noqa: S101  # others have a reason why not
        made = prepare_module(source, base=base, weights=weights)
        request = Request(
            where=source.entrypoint,
            made=made,
            inputs=source.inputs,
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

    return make
