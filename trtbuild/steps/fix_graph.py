"""Run the recipe's graph fixes."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from trtbuild.core.needs import Needs
from trtbuild.core.options import Location, Options
from trtbuild.core.placed import MODELS
from trtbuild.core.user_code import UserCode
from trtbuild.fixes import Fix
from trtbuild.fixes.base import GraphFix
from trtbuild.steps.base import Context, Pinned, Ref, Step

__all__ = ["FixGraph", "FixInput"]


class FixInput(Options):
    """The files that a fix reads."""

    fix: int
    """Its place among the fixes, from 0 on."""
    files: tuple[Pinned, ...]


class FixGraph(Step):
    """Apply the fixes in order, check the model, and describe it."""

    version: ClassVar[int] = 5
    outputs: ClassVar[Mapping[str, str]] = {
        "model": "model.onnx",
        "account": "fixes.json",
        "signature": "signature.json",
    }
    beside: ClassVar[Mapping[str, str]] = {"weights": MODELS["fp32"].weights}

    kind: Literal["fix_graph"] = "fix_graph"
    model: Ref
    fixes: tuple[Fix, ...] = ()
    inputs: tuple[FixInput, ...] = ()
    """What those fixes read that read files."""
    base: Location = ""
    """The folder that paths in the recipe relate to."""

    def fact_names(self) -> tuple[str, ...]:
        """Name the libraries that change the model; ONNX Runtime only where it computes."""
        more = sorted({name for fix in self.fixes for name in fix.fact_names()})
        return ("onnx", "onnx-graphsurgeon", *more)

    def user_code(self) -> UserCode | None:
        """Say what code of the user's changes the graph, where some does."""
        own = [fix for fix in self.fixes if fix.kind == "python"]
        if not own:
            return None
        named = dict.fromkeys(name for fix in own for name in fix.environment)
        return UserCode(
            base=self.base,
            known=tuple(pinned.path for each in self.inputs for pinned in each.files),
            files=tuple(name for fix in own for name in fix.files),
            environment=tuple(named),
            options={
                f"{place}.{name}": value
                for place, fix in enumerate(own)
                for name, value in fix.options.items()
            },
        )

    def needs(self) -> Needs:
        """Need a process of its own where code of the user's runs."""
        return Needs(own_process=self.user_code() is not None)

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
            self._bind(context),
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

    def _bind(self, context: Context) -> list[GraphFix]:
        files = {each.fix: [context.path(pinned) for pinned in each.files] for each in self.inputs}
        return [
            fix.bind(files[place]) if place in files else fix
            for place, fix in enumerate(self.fixes)
        ]
