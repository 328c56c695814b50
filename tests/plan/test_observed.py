from __future__ import annotations

from trtbuild.plan.observed import chain_anew
from trtbuild.plan.plan import plan_steps
from trtbuild.sources.kinds import Onnx
from trtbuild.steps.base import Pinned, Ref
from trtbuild.steps.fix_graph import FixGraph
from trtbuild.steps.import_model import ImportModel


def plan():
    steps = {
        "import_model": ImportModel(
            model=Onnx(kind="onnx", path="m.onnx"),
            files=(Pinned(path="/m.onnx", digest="sha256:1"),),
            base="/",
        ),
        "fix_graph": FixGraph(model=Ref(step="import_model", output="model"), fixes=()),
    }
    return plan_steps("it", steps, facts={}, deferred={})


def test_what_is_as_planned_moves_nothing():
    """Nearly always: the very plan comes back."""
    made = plan()

    assert made is chain_anew(made, {"import_model": made.steps[0].digest})


def test_what_stands_on_a_step_follows_its_digest():
    """A plan that had known it would have been the same."""
    made = chain_anew(plan(), {"import_model": "sha256:2"})

    assert {"model": "sha256:2/model"} == made.steps[1].ingredients["inputs"]
    assert plan().steps[1].digest != made.steps[1].digest
