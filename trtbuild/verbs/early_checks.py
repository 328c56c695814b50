"""What neither a target nor ONNX Runtime takes of a model, told before anything is calibrated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from trtbuild.core.action import Outcome
from trtbuild.core.errors import StepFailed
from trtbuild.core.escape import escape_controls
from trtbuild.core.words import join_few
from trtbuild.plan.checks import name_check_step
from trtbuild.plan.explain import Decision
from trtbuild.steps.base import MODEL

if TYPE_CHECKING:
    from pathlib import Path

    import onnx

    from trtbuild.core.model_checks import RuleFault
    from trtbuild.recipe.load import LoadedRecipe
    from trtbuild.store.store import Store

__all__ = [
    "refuse_lacking_operators",
    "refuse_outdated_operators",
]

SHOWN = 5
COSTLY = frozenset(
    {"adjust_weights", "calibrate", "calibrate_natively", "equalize", "infer", "measure_peaks"}
)
"""The kinds of steps that run the model: a build that fails behind them has wasted them."""
CERTAIN = frozenset({"TB106"})
"""Rules that no TensorRT gets by: turned off, the build fails all the same, and later."""
NATIVE = frozenset({"calibrate_natively"})
"""Those of them that run it in TensorRT."""


def refuse_lacking_operators(
    loaded: LoadedRecipe, decisions: Sequence[Decision], outcomes: Sequence[Outcome], store: Store
) -> None:
    """Hold the fixed model against the operators that each target has, if much is to be run.

    Of what is left the step that checks the target's own model speaks.

    Raises:
        StepFailed: a target's parser or compiler lacks an operator, in this form or type; or ONNX
            Runtime does, which is to run the model.
    """
    waiting = [each.step for each in decisions if each.verdict != "reuse"]
    running = [name for name in waiting if name.split("(")[0] in COSTLY]
    path = _find_fixed(outcomes, store)
    if not running or path is None:
        return
    from trtbuild.model.onnx_file import load_bare
    from trtbuild.quant.rules.faults import describe_fault

    model = load_bare(path)
    refuse_outdated_operators(model, running)
    checks = {name_check_step(name): name for name in loaded.recipe.targets}
    targets = [target for step, target in checks.items() if step in waiting]
    found = list(_find_faults(loaded, targets, model))
    if not found:
        return
    name, first = found[0]
    codes = dict.fromkeys(fault.code for _, fault in found)
    told = [describe_fault(first), *(f"{each}: {describe_fault(more)}" for each, more in found[1:])]
    hint = "nothing was calibrated; mend the model or the target"
    if open_ones := [code for code in codes if code not in CERTAIN]:
        hint += "; or, where a rule is wrong about it, turn it off with a reason: `checks: {off: "
        hint += f'{{{open_ones[0]}: "why"}}}}` ({", ".join(open_ones)})'
    raise StepFailed("\n".join(map(escape_controls, told)), step=name_check_step(name), hint=hint)


def refuse_outdated_operators(model: onnx.ModelProto, steps: Sequence[str]) -> None:
    """Hold a model against the forms of operators that ONNX Runtime has, if steps run it there.

    Raises:
        StepFailed: it has older ones.
    """
    from trtbuild.model.opset import EXPORT_ANEW, list_outdated, read_opset

    running = [name for name in steps if name.split("(")[0] in COSTLY - NATIVE]
    old = list_outdated(model) if running else []
    if old:
        told = f"the model is of opset {read_opset(model)}, and ONNX Runtime, which calibrates and "
        told += f"compares, has no {join_few(old, SHOWN)} as old as that"
        raise StepFailed(told, step=running[0], hint=EXPORT_ANEW)


def _find_fixed(outcomes: Sequence[Outcome], store: Store) -> Path | None:
    return next(
        (
            store.object_path(artifact.digest)
            for outcome in outcomes
            for artifact in outcome.artifacts
            if (outcome.step, artifact.name) == ("fix_graph", MODEL)
        ),
        None,
    )


def _find_faults(
    loaded: LoadedRecipe, targets: Sequence[str], model: onnx.ModelProto
) -> Iterator[tuple[str, RuleFault]]:
    from trtbuild.plan.checks import describe_build_target
    from trtbuild.quant.rules.check import find_operator_faults
    from trtbuild.quant.rules.subject import RuleSubject

    for name in targets:
        aim = describe_build_target(loaded.recipe.targets[name], loaded.recipe)
        subject = RuleSubject(model=model, build_target=aim)
        for fault in find_operator_faults(subject, half=_is_half(loaded)):
            if fault.code not in loaded.recipe.checks.off:
                yield name, fault


def _is_half(loaded: LoadedRecipe) -> bool:
    """Tell whether what is not INT8 will be in 16 bits."""
    section, asked = loaded.recipe.quantization, loaded.recipe.precision
    if section is not None:
        return section.high_precision != "fp32"
    return (asked if isinstance(asked, str) else asked.type) != "fp32"
