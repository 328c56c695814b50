"""The tools of a lock, and which of them are not what they were."""

from __future__ import annotations

from tests.helpers.plans import FACTS, plan_with
from trtbuild.plan.lock import Lock
from trtbuild.plan.lock_tools import (
    MovedTool,
    list_moved_tools,
    list_own_tools,
    list_pins,
    write_install,
    write_requirements,
)

LOCK = Lock(
    models={}, recipe={}, sources={}, tools=FACTS, targets={}, measures={},
    target_tools={"rtx": {"polygraphy": "0.49"}},
)  # fmt: skip


def test_a_tool_that_moved_names_the_steps_that_use_it():
    """What is not installed on a side is not compared; a target may have tools of its own."""
    now = {**FACTS, "onnx": "2.0", "onnx-graphsurgeon": "not installed"}
    lock = LOCK.model_copy(update={"tools": {**FACTS, "onnx": "1.9"}})

    assert (
        MovedTool("onnx", "1.9", "2.0", ("import_model", "fix_graph")),
        MovedTool("polygraphy", "0.49", "0.53", ("build_engine(rtx)",), "rtx"),
    ) == list_moved_tools(lock, plan_with(facts=now))


def test_a_moved_tool_is_told_in_words():
    """With what it makes, or that it makes nothing."""
    makes = MovedTool("a", "1", "2", ("quantize",), "rtx")
    measures = MovedTool("b", "1", "2", ())

    assert "rtx.a: 1 → 2 (makes quantize)" == makes.text()
    assert "b: 1 → 2 (only measures)" == measures.text()
    assert (
        "a of target rtx is 2, and was 1 when this was locked: what quantize made is the same"
        == makes.remark()
    )
    assert "b is 2, and was 1 when this was locked: it only measures" == measures.remark()


def test_tools_are_pins():
    """A distribution of another name by that name; a GPU and a Python are none."""
    tools = {
        "python": "3.12",
        "gpu": "NVIDIA L4 (8.9)",
        "onnx": "1.17.0",
        "torch": "2.9.0+cpu",
        "ort": "ort-gpu 1.1 and ort-web 1.2",
        "x": "not installed",
    }

    pins = ["onnx==1.17.0", "ort-gpu==1.1", "ort-web==1.2", "torch==2.9.0+cpu"]
    assert pins == list_pins(tools)
    assert "pip install a==1 'b==2 3'" == write_install(["a==1", "b==2 3"])
    assert "'/a b/python' -m pip install a==1" == write_install(["a==1"], "/a b/python")


def test_the_tools_of_another_python_are_remarks_unless_asked_for():
    """Else one file would ask for two versions of one tool."""
    everything = list(write_requirements(LOCK))

    assert "polygraphy==0.53" in everything
    assert ["# under the Python of target rtx:", "# polygraphy==0.49"] == everything[-2:]
    assert "polygraphy==0.49" in list(write_requirements(LOCK, "rtx"))


def test_a_build_that_pip_does_not_find_is_remarked_on():
    """A version with a `+` is in no public index, and nobody guesses why pip refuses it."""
    lines = list(write_requirements(LOCK.model_copy(update={"tools": {"torch": "2.9.0+cpu"}})))

    assert "torch==2.9.0+cpu" == lines[0]
    assert lines[1].startswith("# torch==2.9.0+cpu: a build of its maker's own index")


def test_the_facts_of_another_place_are_told_apart():
    """Those that are the same there are this Python's."""
    (*_, step) = plan_with().steps

    assert {} == list_own_tools(step, FACTS)
    assert {"polygraphy": "0.53"} == list_own_tools(step, {**FACTS, "polygraphy": "0.1"})
