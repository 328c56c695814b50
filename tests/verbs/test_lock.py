"""Locks: made from what was built, and held against what is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.plans import FACTS, plan_with
from tests.helpers.projects import edit
from trtbuild.core.errors import LockMismatch, UsageError
from trtbuild.plan.lock import LockedTarget, find_lock, write_lock
from trtbuild.recipe.load import load_recipe
from trtbuild.run.inline import Inline
from trtbuild.verbs.lock import compare_with_lock, lock_built, make_static_lock
from trtbuild.verbs.lock_mismatch import list_broken, refuse_mismatch
from trtbuild.verbs.lock_names import name_file

TARGET = LockedTarget(
    backend="tensorrt_rtx",
    built_for=("8.9",),
    engine_size_bytes=1000,
    asked_int8=3,
    delivered_int8=3,
    level=2,
    tactics="sha256:" + "aa" * 32,
    engine_digest="sha256:" + "bb" * 32,
)


def test_what_a_build_rests_on_is_named_as_seen_from_the_recipe(tiny):
    """Files beside it by their names, options flat, places left out."""
    loaded = load_recipe(tiny)
    lock = make_static_lock(loaded, plan_with(base=str(tiny.parent)))

    assert {"m.onnx": "sha256:aa", "data.npy": "sha256:dd"} == lock.sources
    assert (1.0, "tiny") == (lock.recipe["quantization.ranges.x"], lock.recipe["name"])
    assert not [name for name in lock.recipe if "path" in name]
    assert ({}, {}, {}) == (lock.models, lock.targets, lock.measures)


def test_what_only_calibration_uses_is_no_tool_of_a_lock(tiny):
    """A locked build takes its ranges; with NumPy alone changed, it makes the same."""
    lock = make_static_lock(load_recipe(tiny), plan_with())

    assert {"onnx", "onnx-graphsurgeon", "tensorrt_rtx_cu13_libs"} < set(lock.tools)
    assert "numpy" in FACTS
    assert "numpy" not in lock.tools


@pytest.mark.parametrize(
    ("expected", "path"),
    [
        ("fetched/abababababababab", "/cache/trtbuild/objects/cd/" + "ab" * 31),
        ("site-packages/nets/a.py", "/venv/lib/python3.11/site-packages/nets/a.py"),
        ("../weights/w.pth", "{}/../weights/w.pth"),
    ],
)
def test_files_are_named_alike_on_every_machine(tiny, expected, path):
    """What was fetched by its digest, what is installed from its package on."""
    step = plan_with().steps[0]
    pinned = step.step.files[0].model_copy(update={"path": path.format(tiny.parent)})
    moved = step.model_copy(update={"step": step.step.model_copy(update={"files": (pinned,)})})
    plan = plan_with().model_copy(update={"steps": (moved,)})

    assert [expected] == list(make_static_lock(load_recipe(tiny), plan).sources)


def test_a_build_is_locked_and_holds(tiny, apply, store):
    """Models by their bytes, the engine by what it delivers."""
    done = apply(tiny)
    lock = lock_built(load_recipe(tiny), store, Inline())
    write_lock(find_lock(tiny), lock)

    digests = {a.digest for o in done.record.outcomes for a in o.artifacts if a.name == "model"}
    assert {"fp32", "int8"} == set(lock.models)
    assert set(lock.models.values()) <= digests
    assert (1, 1) == (lock.targets["ort"].asked_int8, lock.targets["ort"].delivered_int8)
    assert (lock, ()) == compare_with_lock(load_recipe(tiny), store, Inline())


def test_a_recipe_that_moved_on_does_not_hold(tiny, apply, store):
    """It says what, and what to type if that is meant."""
    apply(tiny)
    write_lock(find_lock(tiny), lock_built(load_recipe(tiny), store, Inline()))
    edit(tiny, "x: 1.0", "x: 2.0")

    with pytest.raises(LockMismatch, match=r"recipe: quantization\.ranges\.x: 1\.0 → 2\.0") as got:
        compare_with_lock(load_recipe(tiny), store, Inline())
    assert f"trtbuild lock {tiny}" in got.value.hint


def test_what_is_not_built_is_not_locked(tiny, store):
    """The first steps are named."""
    with pytest.raises(UsageError, match="is not built as it stands: import_model, ") as caught:
        lock_built(load_recipe(tiny), store, Inline())
    assert f"trtbuild apply {tiny}" == caught.value.hint


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        ([], {}),
        ([], {"engine_size_bytes": 2000}),
        (["delivered_int8: 3 → 2"], {"delivered_int8": 2}),
        (["engine: bbbbbbbb → other"], {"engine_digest": ""}),
        (["tactics: aaaaaaaa → not read"], {"tactics": ""}),
        (["built_for: ('8.9',) → ('8.6',)"], {"built_for": ("8.6",)}),
    ],
)
def test_an_engine_is_held_to_what_was_guaranteed(expected, changes):
    """Not to its size: that is a figure, and no promise."""
    assert expected == list_broken(TARGET, TARGET.model_copy(update=changes))


def test_less_was_guaranteed_by_older_locks():
    """What they do not say is not asked for."""
    then = TARGET.model_copy(update={"level": None, "tactics": "", "engine_digest": ""})

    assert [] == list_broken(then, TARGET)


def test_many_reasons_are_counted():
    """Twelve are shown."""
    refuse_mismatch(Path("r.yaml"), [])

    with pytest.raises(LockMismatch) as caught:
        refuse_mismatch(Path("r.yaml"), (f"reason {index}" for index in range(20)))
    assert 12 == str(caught.value).count("reason")
    assert "and 8 more" in str(caught.value)


def test_two_files_have_two_names_in_a_lock(tmp_path):
    """Behind a link, `..` is not what the text makes of it."""
    names = [name_file(str(tmp_path / each), tmp_path) for each in ("x", "link/../x", "../x")]

    assert ["x", "link/../x", "../x"] == names
