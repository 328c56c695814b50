"""Run the recipe's graph fixes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from trtbuild.core.placed import MODELS
from trtbuild.fixes import Fix
from trtbuild.steps.base import Context, Ref, Step

__all__ = ["FixGraph"]


class FixGraph(Step):
    """Apply the fixes in order, check the model, and describe it."""

    version: ClassVar[int] = 4
    outputs: ClassVar[Mapping[str, str]] = {
        "model": "model.onnx",
        "account": "fixes.json",
        "signature": "signature.json",
    }
    beside: ClassVar[Mapping[str, str]] = {"weights": MODELS["fp32"].weights}

    kind: Literal["fix_graph"] = "fix_graph"
    model: Ref
    fixes: tuple[Fix, ...] = ()

    def fact_names(self) -> tuple[str, ...]:
        """Name the libraries that change the model; ONNX Runtime only where it computes."""
        more = sorted({name for fix in self.fixes for name in fix.fact_names()})
        return ("onnx", "onnx-graphsurgeon", *more)

    def run(self, context: Context) -> None:
        """Write the fixed model, the accounts of its fixes, and its signature.

        Raises:
            StepInputError: a fix cannot do what it was asked, an input or output has no shape, or
                a tensor is larger than the machine's memory.
        """
        from trtbuild.fixes.apply import apply_fixes
        from trtbuild.model.memory import refuse_vast
        from trtbuild.model.onnx_file import read_onnx, write_onnx
        from trtbuild.model.signature import read_signature

        model = read_onnx(context.path(self.model)).model
        fixed, accounts = apply_fixes(
            model,
            self.fixes,
            progress=lambda done, total: context.events.progress(done, total, "fixes"),
        )
        for account in accounts.fixes:
            for remark in account.remarks:
                context.events.note(remark)
        refuse_vast(fixed)
        signature = read_signature(fixed)  # before writing: a large model is used up by that
        write_onnx(fixed, self.out(context, "model"), self.out(context, "weights"))
        self.write(context, "account", accounts)
        self.write(context, "signature", signature)
        context.events.progress(len(self.fixes), len(self.fixes), "fixes")
