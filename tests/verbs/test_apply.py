"""An apply: what it leaves, what it mends, and what it refuses to place."""

from __future__ import annotations

import pytest

from tests.helpers.executors import Recording
from tests.helpers.projects import edit, small_project
from trtbuild.core.errors import CorruptObject, LockMismatch, PlanStale
from trtbuild.plan.saved_plan import read_saved_plan, save_plan
from trtbuild.recipe.load import load_recipe
from trtbuild.run.executor import QuietListener
from trtbuild.run.inline import Inline
from trtbuild.verbs.lock import lock_built
from trtbuild.verbs.plan import plan_recipe

SMALL_TARGET = "rtx: {kind: tensorrt_rtx, compute_capabilities: [8.9], workspace: 256MiB}"
FITTED = """{kind: minmax}
  equalize: [{kind: cross_layer}]
  rounding: reconstructed
  bias_correction: true"""


class Hearing(QuietListener):
    """Remembers which steps' results were damaged."""

    def __init__(self):
        self.lost = []

    def damaged(self, name, message):
        self.lost.append((name, message))


def test_what_a_recipe_asks_for_is_placed(tiny, apply, tmp_path):
    """With its pages; and a second apply writes nothing."""
    done = apply(tiny)

    assert done.passed
    assert {"model.fp32.onnx", "model.int8.onnx", "ranges.json", "page.md"} < set(done.changed)
    assert "1 engines" == (tmp_path / "build/page.md").read_text()
    assert (tmp_path / "build/ort/model.engine").is_file()
    again = apply(tiny)
    assert () == again.changed
    assert {"reused"} == {each.status for each in again.record.outcomes}


def test_what_is_fitted_is_fitted_once(apply, tmp_path):
    """In steps of their own, in front of what they change; the record says what each gained."""
    recipe = edit(small_project(tmp_path / "small"), SMALL_TARGET, "ort: {kind: onnxruntime}")
    edit(recipe, "{kind: minmax}", FITTED)

    done = apply(recipe)

    assert done.passed
    told = {each.step: (*each.notes, *each.warnings) for each in done.record.outcomes}
    assert told["adjust_weights"][0].startswith("adjusted 3 of 3 layers on 6 samples")
    assert told["equalize"][0].startswith("`cross_layer` found nothing to equalize")
    assert {"reused"} == {each.status for each in apply(recipe).record.outcomes}


def test_another_type_takes_the_place_of_the_one_before(tiny, apply, store, tmp_path):
    """FP8 from the same ranges: model, lock and record go by its name, and INT8 goes."""
    apply(tiny)
    edit(tiny, "{ranges:", "{type: fp8, precision: {'*': fp8}, ranges:")

    done = apply(tiny)
    there = {path.name for path in (tmp_path / "build").glob("model.*.onnx")}
    assert {"model.fp32.onnx", "model.fp8.onnx"} == there
    [engine] = done.record.targets
    assert ("FP8", 0, {"fp8": (1, 0)}) == (
        done.record.quantized_words, engine.asked_int8, engine.other_types
    )  # fmt: skip
    lock = lock_built(load_recipe(tiny), store, Inline())
    assert ({"fp32", "fp8"}, "fp8") == (set(lock.models), lock.recipe["quantization.type"])


def test_what_is_damaged_is_made_again_and_told(tiny, apply, store, tmp_path):
    """All of it at once, not one apply after the other."""
    before = apply(tiny)
    (tmp_path / "build/model.int8.onnx").unlink()
    models = [a for o in before.record.outcomes for a in o.artifacts if a.name == "model"]
    for path in {store.object_path(each.digest) for each in models}:
        path.chmod(0o644)
        path.write_bytes(b"x" * path.stat().st_size)
    listener = Hearing()

    after = apply(tiny, listener=listener)

    assert [o.artifacts for o in before.record.outcomes] == [
        o.artifacts for o in after.record.outcomes
    ]
    assert {"import_model", "fix_graph", "quantize"} <= {name for name, _ in listener.lost}
    assert all("was damaged" in message for _, message in listener.lost)
    assert (tmp_path / "build/model.int8.onnx").is_file()


def test_a_store_that_keeps_damaging_what_it_holds_ends_it(tiny, apply, monkeypatch):
    """It tries three times, not for ever."""
    tries = []

    def build(*_, **__):
        tries.append("again")
        raise CorruptObject("the disk is dying")

    apply(tiny)
    monkeypatch.setattr("trtbuild.verbs.apply.build_plan", build)

    with pytest.raises(CorruptObject, match="the disk is dying"):
        apply(tiny)
    assert 3 == len(tries)


def test_what_is_not_as_locked_is_not_placed(tiny, apply, store, tmp_path):
    """It is built, and what lay there stays."""
    apply(tiny)
    lock = lock_built(load_recipe(tiny), store, Inline())
    wrong = lock.model_copy(update={"models": {**lock.models, "int8": "sha256:" + "ab" * 32}})
    (tmp_path / "build/model.int8.onnx").write_text("as it was")

    with pytest.raises(LockMismatch, match="models: int8: abab"):
        apply(tiny, lock=wrong)

    assert "as it was" == (tmp_path / "build/model.int8.onnx").read_text()
    assert ("model.int8.onnx",) == apply(tiny, lock=lock).changed


def test_a_stale_plan_starts_nothing(tiny, apply, store, tmp_path):
    """What would be done is not what was looked at."""
    store.prepare()
    found = plan_recipe(load_recipe(tiny), store, Inline(), targets=())
    save_plan(
        tmp_path / "p.json",
        recipe=tiny,
        targets=(),
        plan=found.plan,
        decisions=found.decisions,
    )
    saved, _ = read_saved_plan(tmp_path / "p.json")
    edit(tiny, "x: 1.0", "x: 2.0")
    executor = Recording(facts=found.plan.facts)

    with pytest.raises(PlanStale, match=r"quantize: params\.manual\.x"):
        apply(tiny, saved=saved, executor=executor)
    assert [] == executor.started
