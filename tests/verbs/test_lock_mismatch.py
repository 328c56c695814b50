"""What does not hold of a lock."""

from __future__ import annotations

import pytest

from trtbuild.core.errors import LockMismatch
from trtbuild.plan.lock import Lock, LockedTarget
from trtbuild.plan.lock_tools import MovedTool
from trtbuild.recipe.load import load_recipe
from trtbuild.verbs.lock_mismatch import (
    list_broken,
    list_hopeless,
    list_other_results,
    refuse_other,
    refuse_tools,
)

TARGET = LockedTarget(
    backend="x",
    built_for=(),
    engine_size_bytes=1,
    asked_int8=1,
    delivered_int8=1,
    level=1,
    tactics="sha256:" + "aa" * 32,
    versions={"polygraphy": "1"},
)
VAGUE = TARGET.model_copy(update={"level": 0, "tactics": ""})
EMPTY = Lock(models={}, recipe={}, sources={}, tools={}, targets={}, measures={})
MOVED = MovedTool("polygraphy", "1", "2", ("build_engine(t)",))


def test_versions_do_not_matter_to_an_engine_that_is_known_to_be_the_same():
    """Where it cannot be known, they are what there is to go by."""
    newer = {"versions": {"polygraphy": "2"}}

    assert [] == list_broken(TARGET, TARGET.model_copy(update=newer))
    assert ["versions: {'polygraphy': '1'} → {'polygraphy': '2'}"] == list_broken(
        VAGUE, VAGUE.model_copy(update=newer)
    )


@pytest.mark.parametrize(("expected", "target"), [((), TARGET), ((MOVED,), VAGUE)])
def test_a_tool_is_hopeless_where_no_later_look_could_tell(expected, target):
    """It is refused before an engine is built for nothing."""
    lock = EMPTY.model_copy(update={"targets": {"t": target}})

    assert expected == list_hopeless([MOVED], lock)


def test_what_was_built_otherwise_names_the_step_that_did():
    """The step of a model, or of a target."""
    lock = EMPTY.model_copy(update={"models": {"int8": "a"}, "targets": {"t": TARGET}})
    less = TARGET.model_copy(update={"delivered_int8": 0})
    built = EMPTY.model_copy(update={"models": {"int8": "b"}, "targets": {"t": less, "u": less}})

    assert (
        ("quantize", "models: int8: a → b"),
        ("build_engine(t)", "targets: t.delivered_int8: 1 → 0"),
    ) == list_other_results(lock, built)


def test_a_refusal_says_how_to_get_the_tools_of_the_lock(tiny, monkeypatch):
    """Each Python has its line; without tools that moved there is none."""
    monkeypatch.setenv("TRTBUILD_PYTHON_ONNXRUNTIME", "/other/python")
    loaded = load_recipe(tiny)
    moved = [MovedTool("a", "1", "2", ("quantize",)), MovedTool("b", "1", "2", ("x",), "ort")]

    refuse_tools(loaded, ())
    refuse_other(loaded, (), moved)
    with pytest.raises(LockMismatch, match=r"  tools: a: 1 → 2 \(makes quantize\)") as refused:
        refuse_tools(loaded, moved)
    with pytest.raises(LockMismatch, match="  models\n  quantize makes other bytes\n") as other:
        refuse_other(loaded, [("quantize", "models")], moved)
    with pytest.raises(LockMismatch) as plain:
        refuse_other(loaded, [("quantize", "models")], ())

    line = "the lock's tools: pip install a==1 && /other/python -m pip install b==1; if this"
    assert line in refused.value.hint
    assert line in other.value.hint
    assert "pip" not in plain.value.hint
