"""What a run left, gathered into a record."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.recipes import GOOD
from tests.helpers.records import digest, outcomes
from trtbuild.core.records import Artifact, Outcome
from trtbuild.recipe.load import check_source
from trtbuild.recipe.source import parse_recipe_text
from trtbuild.verbs.overview import drop_run_details, make_overview
from trtbuild.verbs.record import describe_calibrator, make_record, name_data_use
from trtbuild.verbs.result_places import list_placed_files


@pytest.fixture
def loaded():
    return check_source(Path("tiny.yaml"), parse_recipe_text("tiny.yaml", GOOD.encode()))


@pytest.fixture
def record(loaded, store, tmp_path):
    """Make the record of a run."""

    def made(*outcomes, notes=()):
        told = make_overview(loaded, outcomes, store, notes=notes)
        return make_record(loaded, told, store, facts={"onnx": "1.0"}, directory=tmp_path)

    return made


def left(step, *sizes, status="ran", **more):
    artifacts = tuple(Artifact(name=n, digest=digest(n), size_bytes=size) for n, size in sizes)
    return Outcome(step=step, digest=digest(step), status=status, artifacts=artifacts, **more)


def test_each_result_has_its_place(loaded):
    """Models by their kind, a target's results in its folder; what only steps read has none."""
    found = list_placed_files(
        [
            left("fix_graph", ("model", 5), ("account", 5)),
            left("quantize", ("model", 5), ("ranges", 5)),
            left("build_engine(rtx)", ("engine", 5), ("result", 5), ("timing_cache", 0)),
            left("compare", ("comparison", 5)),
        ],
        loaded.recipe,
    )

    assert {
        "model.fp32.onnx",
        "model.int8.onnx",
        "ranges.json",
        "rtx/model.engine",
        "rtx/engine.json",
        "comparison.json",
    } == set(found)


def test_a_record_says_what_was_asked_for(record):
    """In words: the model, the calibrator with its options; of a run that came to nothing, too."""
    made = record(notes=("by hand",))

    assert ("tiny-int8", "tiny.yaml") == (made.recipe, made.file)
    assert made.model.startswith("torch models/tiny.py:tiny, opset ")
    assert "percentile (percentile 99.99)" == made.calibrator
    assert ((), None, ("by hand",)) == (made.targets, made.comparison, made.notes)


def test_a_target_without_an_engine_says_why_and_what_to_type(record):
    """One that waits for another machine also says what to install there."""
    found = record(
        left("build_engine(rtx)", status="deferred", message="no GPU"),
        left("build_engine(reference)", status="not_reached", message="after quantize"),
    ).unbuilt

    assert [("rtx", "no GPU"), ("reference", "after quantize")] == [
        (each.target, each.reason) for each in found
    ]
    assert found[0].hint.endswith(" && trtbuild apply tiny.yaml --target rtx")
    assert "trtbuild apply tiny.yaml --target reference" == found[1].hint


def test_caveats_of_all_steps_are_the_records(record):
    """Each once, in the order of the steps."""
    steps = (
        left("a", caveats=("seeded weights",)),
        left("b", caveats=("seeded weights", "random data")),
    )

    assert ("seeded weights", "random data") == record(*steps).caveats


def test_a_page_does_not_know_how_a_run_came_by_its_results(record):
    """Reused or run, quick or slow; a failure is one."""
    ran = record(left("a"), left("b"))
    reused = ran.model_copy(
        update={"outcomes": (left("a", status="reused"), left("b")), "seconds": 9.0}
    )
    failed = ran.model_copy(update={"outcomes": outcomes(quantize={"status": "failed"})})

    assert ran == drop_run_details(reused)
    assert "failed" in {each.status for each in drop_run_details(failed).outcomes}


def test_of_weights_alone_nothing_is_calibrated(loaded):
    """Their data is for equalizing, and no range is by hand."""
    section = loaded.recipe.quantization.model_copy(update={"type": "int4", "calibrator": None})
    recipe = loaded.recipe.model_copy(update={"quantization": section})

    assert ("", "equalizing") == (describe_calibrator(recipe), name_data_use(recipe))
    assert "calibration" == name_data_use(loaded.recipe)
