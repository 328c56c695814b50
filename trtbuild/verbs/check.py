"""`trtbuild check`: a model file, or a recipe's models, held against the static rules."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.core.action import Outcome
from trtbuild.core.errors import StepFailed
from trtbuild.core.model_checks import ModelChecks
from trtbuild.core.quantized_types import TYPES
from trtbuild.core.values import Range, Ranges
from trtbuild.model.weights_file import use_scratch
from trtbuild.quant.rules.build_target import ANY_TARGET, BuildTarget
from trtbuild.steps.base import MODEL, WEIGHTS

if TYPE_CHECKING:
    import onnx

    from trtbuild.plan.plan import Plan
    from trtbuild.quant.account import QuantizationAccount
    from trtbuild.recipe.load import LoadedRecipe
    from trtbuild.recipe.schema import Quantization, Recipe
    from trtbuild.run.executor import Executor
    from trtbuild.store.store import Store

__all__ = ["CheckedModel", "check_file", "check_recipe"]

COSTLY = frozenset({"adjust_weights", "calibrate", "equalize"})
"""The kinds of steps that a check does not wait for."""


@dataclass(frozen=True)
class CheckedModel:
    """A model that was held against the rules, for one target."""

    file: Path
    """The model file or recipe that was named."""
    what: str
    """Which model it was, and how it was come by."""
    target: str
    """Empty where it is no recipe's."""
    checks: ModelChecks


@dataclass(frozen=True)
class _CheckSubject:
    """A model to check, and what is known of it."""

    what: str
    path: Path
    account: QuantizationAccount | None = None
    ranges: Mapping[str, Range] = field(default_factory=dict)
    measured: bool = True
    model: onnx.ModelProto | None = None


def check_file(path: Path) -> CheckedModel:
    """Hold an ONNX file against the rules, as any TensorRT would take it.

    Raises:
        MissingFile, StepInputError: it cannot be read.
    """
    from trtbuild.model.onnx_file import read_onnx
    from trtbuild.quant.rules.model_checks import check_against_rules
    from trtbuild.quant.rules.subject import RuleSubject

    found = check_against_rules(RuleSubject(model=read_onnx(path).model))
    return CheckedModel(path, "the file as it is, for any TensorRT", "", found)


def check_recipe(
    loaded: LoadedRecipe, store: Store, executor: Executor
) -> tuple[CheckedModel, ...]:
    """Hold the models that a recipe's targets are built from against the rules.

    That is the quantized model where the store has it, or where nothing has to be calibrated for
    it; else the fixed model, quantized with ranges that stand in.

    Raises:
        StepFailed: the model cannot be imported, fixed or quantized.
        RecipeError: the recipe does not fit its model.
    """
    with store.using(), tempfile.TemporaryDirectory(dir=store.root / "work") as scratch:
        return _for_targets(loaded, _model_of(loaded, store, executor, Path(scratch)))


def _for_targets(loaded: LoadedRecipe, model: _CheckSubject) -> tuple[CheckedModel, ...]:
    from trtbuild.plan.checks import describe_build_target

    build_targets = {
        name: describe_build_target(backend, loaded.recipe)
        for name, backend in loaded.recipe.targets.items()
        if backend.capabilities.typing
    }
    return tuple(
        CheckedModel(
            loaded.file, model.what, target, _check_model(loaded, model, target, build_target)
        )
        for target, build_target in (build_targets or {"": ANY_TARGET}).items()
    )


def _check_model(
    loaded: LoadedRecipe, model: _CheckSubject, target: str, build_target: BuildTarget
) -> ModelChecks:
    from trtbuild.model.onnx_file import load_onnx
    from trtbuild.plan.checks import find_profile_shapes
    from trtbuild.quant.rules.model_checks import check_against_rules
    from trtbuild.quant.rules.subject import RuleSubject

    section = loaded.recipe.quantization
    subject = RuleSubject(
        model=model.model or load_onnx(model.path),
        build_target=build_target,
        account=model.account,
        ranges=model.ranges,
        shapes=find_profile_shapes(loaded.recipe),
        allow_float=section.allow_float if section else (),
    )
    off = loaded.recipe.checks.off
    return check_against_rules(subject, target=target, off=off, measured=model.measured)


def _model_of(
    loaded: LoadedRecipe, store: Store, executor: Executor, scratch: Path
) -> _CheckSubject:
    """Make or find the model that engines are built from."""
    from trtbuild.plan.explain import decide
    from trtbuild.verbs.build import compile_for_machine

    section = loaded.recipe.quantization
    plan, _ = compile_for_machine(loaded, store, executor, targets=(), fetch=True)
    if section is None:
        return _convert_model(loaded.recipe, _fix_model(loaded, plan, store, executor, scratch))
    wanted = plan.cut_after(("quantize",))
    verdicts = {each.step: each.verdict for each in decide(wanted, store)}
    costly = [each.name for each in wanted.steps if each.step.kind in COSTLY]
    if any(verdicts[name] != "reuse" for name in costly):
        return _quantize_provisionally(section, _fix_model(loaded, plan, store, executor, scratch))
    what = f"the {TYPES[section.type].word} model"
    what += " from the store" if verdicts["quantize"] == "reuse" else ""
    done = _walk_plan(loaded, wanted, store, executor)
    step = "quantize" if section.mode == "explicit" else "fix_graph"
    return _describe_quantized(what, section, done, store, _model_path(done, store, step, scratch))


def _fix_model(
    loaded: LoadedRecipe, plan: Plan, store: Store, executor: Executor, scratch: Path
) -> Path:
    """Return the fixed model, which ONNX Runtime can run if the plan has it do so."""
    from trtbuild.model.onnx_file import load_bare
    from trtbuild.verbs.early_checks import refuse_outdated_operators

    done = _walk_plan(loaded, plan.cut_after(("fix_graph",)), store, executor)
    path = _model_path(done, store, "fix_graph", scratch)
    refuse_outdated_operators(load_bare(path), [step.name for step in plan.steps])
    return path


def _walk_plan(
    loaded: LoadedRecipe, plan: Plan, store: Store, executor: Executor
) -> Sequence[Outcome]:
    from trtbuild.run.executor import QuietListener
    from trtbuild.verbs.build import build_plan

    return build_plan(loaded, plan, store, executor, QuietListener())


def _path(outcomes: Sequence[Outcome], store: Store, step: str, name: str) -> Path:
    for outcome in outcomes:
        for artifact in outcome.artifacts:
            if (outcome.step, artifact.name) == (step, name):
                return store.verify(artifact)
    raise StepFailed(f"it made no {name}", step=step)


def _model_path(outcomes: Sequence[Outcome], store: Store, step: str, folder: Path) -> Path:
    """Return a step's model; where it has weights beside it, both are linked into a folder."""
    from trtbuild.model.onnx_file import link_together

    path = _path(outcomes, store, step, MODEL)
    made = {each.name for outcome in outcomes if outcome.step == step for each in outcome.artifacts}
    if WEIGHTS not in made:
        return path
    return link_together(path, _path(outcomes, store, step, WEIGHTS), folder)


def _describe_quantized(
    what: str, section: Quantization, done: Sequence[Outcome], store: Store, path: Path
) -> _CheckSubject:
    from trtbuild.quant.account import QuantizationAccount

    read = {
        name: _path(done, store, "quantize", name).read_bytes() for name in ("account", "ranges")
    }
    explicit = section.mode == "explicit"
    return _CheckSubject(
        what=what if explicit else "the fixed model, with its ranges beside it",
        path=path,
        account=QuantizationAccount.read_json(
            read["account"], what="quantization.json in the store"
        ),
        ranges=Ranges.read_json(read["ranges"], what="ranges.json in the store").tensors,
    )


def _convert_model(recipe: Recipe, path: Path) -> _CheckSubject:
    """Convert the fixed model as a recipe without INT8 asks, but for what measuring would show."""
    from trtbuild.model.onnx_file import load_onnx
    from trtbuild.quant.half.convert import (
        HalfSettings,
        convert_to_half,
        make_float_account,
        raise_opset_for_half,
    )
    from trtbuild.quant.requests import PrecisionRequests
    from trtbuild.recipe.schema import Precision

    asked = recipe.precision
    rest = asked if isinstance(asked, Precision) else Precision(type=asked)
    if rest.type == "fp32":
        return _CheckSubject("the fixed model", path)
    model = load_onnx(path)
    model, _ = raise_opset_for_half(model, rest.type, quantized=False)
    high = HalfSettings(rest.type, keep_io_types=rest.keep_io_types)
    requests = PrecisionRequests.among(model.graph.node, precision=dict.fromkeys(rest.fp32, "fp32"))
    with use_scratch(path.with_name("scratch"), of=model):
        convert_to_half(model, make_float_account(model), high, requests)
    told = f"the fixed model in {rest.type}"
    return _CheckSubject(
        told + (": nothing is measured for it" if rest.data else ""), path, model=model
    )


def _quantize_provisionally(section: Quantization, path: Path) -> _CheckSubject:
    """Quantize the fixed model with a range of -1 to 1 for whatever wants one."""
    from trtbuild.model.onnx_file import load_onnx
    from trtbuild.quant.apply import quantize_model
    from trtbuild.quant.half.convert import HalfSettings
    from trtbuild.quant.placing.policy import list_candidates
    from trtbuild.quant.requests import PrecisionRequests

    model = load_onnx(path)
    anything = Range(low=-1.0, high=1.0, origin="calibrated")
    ranges = Ranges(tensors=dict.fromkeys(list_candidates(model), anything))
    rest = section.high_precision
    with use_scratch(path.with_name("scratch"), of=model):
        found = quantize_model(
            model,
            ranges=ranges,
            requests=PrecisionRequests.among(
                model.graph.node, skip=section.floats, precision=section.precision
            ),
            into=TYPES[section.type],
            block=None if section.block_size == "channel" else section.block_size,
            high=None
            if rest == "fp32"
            else HalfSettings(rest, keep_io_types=section.keep_io_types),
        )
    return _CheckSubject(
        what="the fixed model, quantized with ranges that stand in: nothing is calibrated yet",
        path=path,
        account=found.account,
        measured=False,
        model=found.model if section.mode == "explicit" else load_onnx(path),
    )
