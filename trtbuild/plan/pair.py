"""Two models or engines without a recipe → steps: run both on the same data, compare them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.core.needs import GPU, read_capability
from trtbuild.plan.compile import CompileContext, add_captures
from trtbuild.plan.labels import add_labels
from trtbuild.plan.measuring import make_measuring
from trtbuild.plan.plan import Plan, plan_steps
from trtbuild.plan.reference import IMPORTED, REFERENCE
from trtbuild.recipe.schema import Recipe
from trtbuild.sources.onnx import Onnx
from trtbuild.steps.base import Pinned, Ref, Step
from trtbuild.steps.fix_graph import FixGraph
from trtbuild.steps.import_model import ImportModel

if TYPE_CHECKING:
    from trtbuild.backends.tensorrt.engine import EngineKind
    from trtbuild.steps.capture_data import DataInput

__all__ = ["COMPARE", "PairSide", "compile_pair"]

COMPARE = "compare"
"""The last of the steps."""
MODEL_STEPS = ("import_model", "fix_graph")
REFERENCE_STEPS = (IMPORTED, REFERENCE)


@dataclass(frozen=True)
class PairSide:
    """One of two that are compared."""

    path: Path
    name: str
    """What it is called."""
    engine: EngineKind | None = None
    """Which TensorRT it is an engine of; None for an ONNX model."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """Of the place where an engine runs."""
    plugins: tuple[Path, ...] = ()

    def located(self, name: str) -> PairSide:
        """Return it by the name that it is to have, with paths that hold wherever it is run."""
        plugins = tuple(each.absolute() for each in self.plugins)
        return replace(self, name=name, path=self.path.absolute(), plugins=plugins)


@dataclass(frozen=True)
class _Ran:
    """The steps that ran a side."""

    outputs: Ref
    model: Ref | None = None
    runner: Ref | None = None


def compile_pair(
    recipe: Recipe, reference: PairSide, candidate: PairSide, here: CompileContext
) -> Plan:
    """Compile the comparison that `recipe` asks for, of these two in the place of its own.

    What a recipe would run in the same way has the same digest, and is not run again.

    Raises:
        MissingFile: a file that one of them, the data or a metric names is not there.
    """
    assert recipe.compare is not None  # noqa: S101  # that is what it is for
    from trtbuild.steps.compare_pair import ComparePair

    steps: dict[str, Step] = {}
    samples = add_captures(recipe, steps, here)[recipe.compare.data]
    labels = add_labels(recipe, steps, {recipe.compare.data: samples}, here)
    asked = make_measuring(recipe.compare, samples, here, labels=labels)
    # What a recipe is held against is the model, and the reference beside it, by these names.
    beside = REFERENCE_STEPS if candidate.engine is None else MODEL_STEPS
    ran = _run(reference, "reference", beside, steps, samples, here)
    found = _run(candidate, "candidate", MODEL_STEPS, steps, samples, here)
    steps[COMPARE] = ComparePair(
        reference=ran.outputs,
        candidate=found.outputs,
        reference_model=ran.model,
        reference_name=_name(reference),
        candidate_name=_name(candidate),
        reference_runner=ran.runner,
        candidate_runner=found.runner,
        data=samples,
        metrics=asked.metrics,
        more=asked.more,
        gates=recipe.compare.gates,
    )
    places = {"infer(reference)": reference.facts, "infer(candidate)": candidate.facts}
    return plan_steps(
        recipe.name,
        steps,
        facts=here.facts,
        elsewhere={step: facts for step, facts in places.items() if facts},
        deferred={},
        observe=here.observe,
    )


def _name(side: PairSide) -> str:
    return side.name if side.engine is None else f"engine {side.name}"


def _run(  # a side, and all that it is run with
    side: PairSide,
    word: str,
    names: tuple[str, str],
    steps: dict[str, Step],
    samples: DataInput,
    here: CompileContext,
) -> _Ran:
    """Add the steps that run one of the two over the samples."""
    run = f"infer({word})"
    outputs = Ref(step=run, output="outputs")
    if side.engine is not None:
        from trtbuild.steps.infer_engine import InferEngine

        steps[run] = InferEngine(
            flavour=side.engine,
            engine=here.pin(side.path),
            data=samples,
            capability=read_capability(side.facts.get(GPU, "")),
            plugins=here.pinned(side.plugins),
        )
        return _Ran(outputs, runner=Ref(step=run, output="runner"))
    from trtbuild.steps.infer import Infer

    imported, fixed = names
    source = Onnx(kind="onnx", path=str(side.path))
    files: tuple[Pinned, ...] = here.pinned(source.find_files(here.base))
    steps[imported] = ImportModel(model=source, files=files, base=str(here.base))
    steps[fixed] = FixGraph(model=Ref(step=imported, output="model"))
    model = Ref(step=fixed, output="model")
    steps[run] = Infer(model=model, data=samples, reference=word == "reference")
    return _Ran(outputs, model=model)
