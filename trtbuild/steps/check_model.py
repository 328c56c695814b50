"""Hold a target's model against the static rules, before it is built."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from trtbuild.core.errors import StepInputError
from trtbuild.core.values import Range, Ranges
from trtbuild.quant.rules.build_target import BuildTarget
from trtbuild.steps.base import Context, Ref, Step

if TYPE_CHECKING:
    from trtbuild.core.model_checks import ModelChecks, RuleFault
    from trtbuild.quant.account import QuantizationAccount

__all__ = ["CheckModel"]


class CheckModel(Step):
    """Check a model for a target: an error ends the build, a warning is shown to every reader."""

    version: ClassVar[int] = 9
    outputs: ClassVar[Mapping[str, str]] = {"checks": "checks.json", "passed": "passed"}

    kind: Literal["check_model"] = "check_model"
    model: Ref
    account: Ref | None = None
    """quantization.json, where trtbuild quantized the model."""
    ranges: Ref | None = None
    """ranges.json, beside it."""
    target: str
    aim: BuildTarget
    shapes: dict[str, tuple[int, ...]] = {}
    """Of the inputs, for counting the work: the opt shapes."""
    allow_float: tuple[str, ...] = ()
    """Layers that may be float where INT8 was asked for: names, patterns, `op:` and an operator."""
    norms_folded: bool = False
    """Whether batch norms were folded, as far as that could be done."""
    off: dict[str, str] = {}
    """Rules that are turned off, and why."""

    def run(self, context: Context) -> None:
        """Write checks.json (core.model_checks.ModelChecks), and `passed`: no error is left.

        Raises:
            StepInputError: an error is left: names rule, nodes, reason and next move of each.
        """
        from trtbuild.model.onnx_file import load_onnx
        from trtbuild.quant.rules.faults import describe_fault
        from trtbuild.quant.rules.model_checks import check_against_rules
        from trtbuild.quant.rules.operators import note_unknowable
        from trtbuild.quant.rules.subject import RuleSubject

        subject = RuleSubject(
            model=load_onnx(context.path(self.model)),
            build_target=self.aim,
            account=self._account(context),
            ranges=self._ranges(context),
            shapes=self.shapes,
            allow_float=self.allow_float,
            norms_folded=self.norms_folded,
        )
        found = check_against_rules(subject, target=self.target, off=self.off)
        _refuse([fault for fault in found.faults if fault.level == "error" and not fault.off])
        for fault in found.faults:
            tell = context.events.note if fault.off else context.events.warn
            tell(describe_fault(fault))
        for note in note_unknowable(subject):
            context.events.note(note)
        self._write(context, found)

    def _write(self, context: Context, found: "ModelChecks") -> None:
        self.write(context, "checks", found, indent=1)
        # An engine waits for this file alone: turning a rule off builds nothing anew.
        self.out(context, "passed").write_text("no error\n")

    def _account(self, context: Context) -> "QuantizationAccount | None":
        from trtbuild.quant.account import QuantizationAccount

        return None if self.account is None else context.read(self.account, QuantizationAccount)

    def _ranges(self, context: Context) -> dict[str, Range]:
        return {} if self.ranges is None else context.read(self.ranges, Ranges).tensors


def _refuse(errors: "Sequence[RuleFault]") -> None:
    if errors:
        from trtbuild.quant.rules.faults import describe_fault

        codes = ", ".join(dict.fromkeys(fault.code for fault in errors))
        first, *rest = map(describe_fault, errors)
        raise StepInputError(
            first,
            lines=rest,
            hint=f"mend the model; or, where a rule is wrong about it, turn it off with a reason: "
            f'`checks: {{off: {{{errors[0].code}: "why"}}}}` ({codes})',
        )
