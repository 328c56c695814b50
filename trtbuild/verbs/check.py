"""`trtbuild check`: a model file, or a recipe's models, held against the static rules."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.core.errors import StepFailed
from trtbuild.core.records import Checks, Outcome
from trtbuild.core.values import Range, Ranges
from trtbuild.model.weights_file import put_scratch
from trtbuild.quant.rules.aim import ANY, Aim
from trtbuild.steps.base import MODEL, WEIGHTS

if TYPE_CHECKING:
    import onnx

    from trtbuild.plan.plan import Plan
    from trtbuild.quant.account import Account
    from trtbuild.recipe.load import Loaded
    from trtbuild.recipe.schema import Quantization, Recipe
    from trtbuild.run.executor import Executor
    from trtbuild.store.store import Store

__all__ = ["Checked", "check_file", "check_recipe"]

COSTLY = frozenset({"calibrate", "collect_histograms", "merge_histograms"})
"""The kinds of steps that a check does not wait for."""


@dataclass(frozen=True)
class Checked:
    """A model that was held against the rules, for one target."""

    file: Path
    """The model file or recipe that was named."""
    what: str
    """Which model it was, and how it was come by."""
    target: str
    """Empty where it is no recipe's."""
    checks: Checks


@dataclass(frozen=True)
class _Model:
    """A model to check, and what is known of it."""

    what: str
    path: Path
    account: Account | None = None
    ranges: Mapping[str, Range] = field(default_factory=dict)
    measured: bool = True
    model: onnx.ModelProto | None = None


def check_file(path: Path) -> Checked:
    """Hold an ONNX file against the rules, as any TensorRT would take it.

    Raises:
        MissingFile, StepInputError: it cannot be read.
    """
    from trtbuild.model.onnx_file import read
    from trtbuild.quant.rules.checked import check_model
    from trtbuild.quant.rules.subject import Subject

    found = check_model(Subject(model=read(path).model))
    return Checked(path, "the file as it is, for any TensorRT", "", found)


def check_recipe(loaded: Loaded, store: Store, executor: Executor) -> tuple[Checked, ...]:
    """Hold the models that a recipe's targets are built from against the rules.

    That is the quantized model where the store has it, or where nothing has to be calibrated for
    it; else the fixed model, quantized with ranges that stand in.

    Raises:
        StepFailed: the model cannot be imported, fixed or quantized.
        RecipeError: the recipe does not fit its model.
    """
    with store.using(), tempfile.TemporaryDirectory(dir=store.root / "work") as scratch:
        return _for_targets(loaded, _model_of(loaded, store, executor, Path(scratch)))


def _for_targets(loaded: Loaded, model: _Model) -> tuple[Checked, ...]:
    from trtbuild.plan.checks import aim_of

    aims = {
        name: aim_of(backend, loaded.recipe)
        for name, backend in loaded.recipe.targets.items()
        if backend.capabilities.typing
    }
    return tuple(
        Checked(loaded.file, model.what, target, _held(loaded, model, target, aim))
        for target, aim in (aims or {"": ANY}).items()
    )


def _held(loaded: Loaded, model: _Model, target: str, aim: Aim) -> Checks:
    from trtbuild.model.onnx_file import load
    from trtbuild.plan.checks import shapes_of
    from trtbuild.quant.rules.checked import check_model
    from trtbuild.quant.rules.subject import Subject

    section = loaded.recipe.quantization
    subject = Subject(
        model=model.model or load(model.path),
        aim=aim,
        account=model.account,
        ranges=model.ranges,
        shapes=shapes_of(loaded.recipe),
        allow_float=section.allow_float if section else (),
    )
    off = loaded.recipe.checks.off
    return check_model(subject, target=target, off=off, measured=model.measured)


def _model_of(loaded: Loaded, store: Store, executor: Executor, scratch: Path) -> _Model:
    """Make or find the model that engines are built from."""
    from trtbuild.plan.explain import decide
    from trtbuild.verbs.build import compiled

    section = loaded.recipe.quantization
    plan, _ = compiled(loaded, store, executor, targets=(), fetch=True)
    if section is None:
        done = _walked(loaded, plan.upto(("fix_graph",)), store, executor)
        return _converted(loaded.recipe, _model_path(done, store, "fix_graph", scratch))
    wanted = plan.upto(("quantize",))
    verdicts = {each.step: each.verdict for each in decide(wanted, store)}
    costly = [each.name for each in wanted.steps if each.step.kind in COSTLY]
    if any(verdicts[name] != "reuse" for name in costly):
        done = _walked(loaded, plan.upto(("fix_graph",)), store, executor)
        return _stand_in(section, _model_path(done, store, "fix_graph", scratch))
    what = "the INT8 model" + (" from the store" if verdicts["quantize"] == "reuse" else "")
    done = _walked(loaded, wanted, store, executor)
    step = "quantize" if section.mode == "explicit" else "fix_graph"
    return _quantized(what, section, done, store, _model_path(done, store, step, scratch))


def _walked(loaded: Loaded, plan: Plan, store: Store, executor: Executor) -> Sequence[Outcome]:
    from trtbuild.run.executor import Quiet
    from trtbuild.verbs.build import build

    return build(loaded, plan, store, executor, Quiet())


def _path(outcomes: Sequence[Outcome], store: Store, step: str, name: str) -> Path:
    for outcome in outcomes:
        for artifact in outcome.artifacts:
            if (outcome.step, artifact.name) == (step, name):
                return store.verify(artifact)
    raise StepFailed(f"it made no {name}", step=step)


def _model_path(outcomes: Sequence[Outcome], store: Store, step: str, folder: Path) -> Path:
    """Return a step's model; where it has weights beside it, both are linked into a folder."""
    from trtbuild.model.onnx_file import together

    path = _path(outcomes, store, step, MODEL)
    made = {each.name for outcome in outcomes if outcome.step == step for each in outcome.artifacts}
    if WEIGHTS not in made:
        return path
    return together(path, _path(outcomes, store, step, WEIGHTS), folder)


def _quantized(
    what: str, section: Quantization, done: Sequence[Outcome], store: Store, path: Path
) -> _Model:
    from trtbuild.quant.account import Account

    read = {
        name: _path(done, store, "quantize", name).read_bytes() for name in ("account", "ranges")
    }
    explicit = section.mode == "explicit"
    return _Model(
        what=what if explicit else "the fixed model, with its ranges beside it",
        path=path,
        account=Account.read_json(read["account"], what="quantization.json in the store"),
        ranges=Ranges.read_json(read["ranges"], what="ranges.json in the store").tensors,
    )


def _converted(recipe: Recipe, path: Path) -> _Model:
    """Convert the fixed model as a recipe without INT8 asks, but for what measuring would show."""
    from trtbuild.model.onnx_file import load
    from trtbuild.quant.half.convert import High, convert, float_account, lift_for
    from trtbuild.quant.wishes import Wishes
    from trtbuild.recipe.schema import Precision

    asked = recipe.precision
    rest = asked if isinstance(asked, Precision) else Precision(type=asked)
    if rest.type == "fp32":
        return _Model("the fixed model", path)
    model = load(path)
    put_scratch(model, path.with_name("scratch"))
    model, _ = lift_for(model, rest.type, quantized=False)
    high = High(rest.type, keep_io_types=rest.keep_io_types)
    convert(model, float_account(model), high, Wishes(precision=dict.fromkeys(rest.fp32, "fp32")))
    told = f"the fixed model in {rest.type}"
    return _Model(told + (": nothing is measured for it" if rest.data else ""), path, model=model)


def _stand_in(section: Quantization, path: Path) -> _Model:
    """Quantize the fixed model with a range of -1 to 1 for whatever wants one."""
    from trtbuild.model.onnx_file import load
    from trtbuild.quant.apply import quantize
    from trtbuild.quant.half.convert import High
    from trtbuild.quant.placing.policy import candidates
    from trtbuild.quant.wishes import Wishes

    model = load(path)
    put_scratch(model, path.with_name("scratch"))
    anything = Range(low=-1.0, high=1.0, origin="calibrated")
    ranges = Ranges(tensors=dict.fromkeys(candidates(model), anything))
    rest = section.high_precision
    found = quantize(
        model,
        ranges=ranges,
        wishes=Wishes(section.skip, section.precision),
        high=None if rest == "fp32" else High(rest, keep_io_types=section.keep_io_types),
    )
    return _Model(
        what="the fixed model, quantized with ranges that stand in: nothing is calibrated yet",
        path=path,
        account=found.account,
        measured=False,
        model=found.model if section.mode == "explicit" else load(path),
    )
