"""Tables of ranges, wherever they are."""

from __future__ import annotations

import struct

import pytest

from tests.helpers.projects import edit, small_project
from tests.helpers.quant import ranges_of
from trtbuild.core.errors import MissingFile, UsageError
from trtbuild.core.quantized_types import FP8, INT8
from trtbuild.recipe.load import load_recipe
from trtbuild.run.executor import QuietListener
from trtbuild.run.inline import Inline
from trtbuild.verbs.build import build_plan, compile_for_machine, make_fixed_model
from trtbuild.verbs.found_ranges import find_table

CALIBRATION = "  data: calib\n  calibrator: {kind: minmax}\n"
BY_HAND = "  ranges: {input: [-2.1, 2.6], '?': 4}\n"


def quantized(recipe, store):
    """Build a recipe as far as its ranges go."""
    loaded = load_recipe(recipe)
    made, _ = compile_for_machine(loaded, store, Inline(), targets=(), fetch=True)
    build_plan(loaded, made.cut_after(("quantize",)), store, Inline(), QuietListener())


def test_a_recipe_that_was_built_shows_what_was_built(tmp_path, store):
    """With the samples; and nothing is lacking."""
    recipe = small_project(tmp_path / "project")
    quantized(recipe, store)

    table = find_table(recipe, store, Inline())

    assert {"b", "g", "input"} == set(table.ranges.tensors)
    assert (6, {}, "ranges of the last build") == (
        table.ranges.samples,
        table.lacking,
        table.told,
    )


def test_a_recipe_that_changed_has_no_table_yet(tmp_path, store):
    """A stale one is never shown."""
    recipe = small_project(tmp_path / "project")
    with pytest.raises(UsageError, match="its model was not imported"):
        find_table(recipe, store, Inline())
    quantized(recipe, store)

    edit(recipe, "{kind: minmax}", "{kind: mse}")

    with pytest.raises(UsageError, match="nothing was calibrated") as caught:
        find_table(recipe, store, Inline())
    assert f"trtbuild apply {recipe}" in caught.value.hint


def test_ranges_by_hand_show_before_they_are_built(tmp_path, store):
    """With what is lacking, which is why they may not be built."""
    recipe = edit(
        small_project(tmp_path / "project"), CALIBRATION, "  ranges: {input: 3, b: 0.5}\n"
    )
    make_fixed_model(load_recipe(recipe), store, Inline(), QuietListener())

    table = find_table(recipe, store, Inline())

    assert {"b": 0.5, "input": 3.0} == {n: r.limit for n, r in table.ranges.tensors.items()}
    assert ["g"] == list(table.lacking)
    assert "nothing was built" in table.told


def test_every_range_by_hand_builds_without_data(tmp_path, store):
    """No step captures or calibrates."""
    recipe = edit(small_project(tmp_path / "project"), CALIBRATION, BY_HAND)
    made, _ = compile_for_machine(load_recipe(recipe), store, Inline(), targets=(), fetch=True)
    quantized(recipe, store)

    assert {"import_model", "fix_graph", "quantize"} == {
        each.name for each in made.cut_after(("quantize",)).steps
    }
    assert {"manual"} == {
        r.origin for r in find_table(recipe, store, Inline()).ranges.tensors.values()
    }


def test_a_cache_builds_without_data(tmp_path, store):
    """`import_ranges` stands where `calibrate` would."""
    cache = "  calibrator: {kind: cache, path: old.cache}\n"
    recipe = edit(small_project(tmp_path / "project"), CALIBRATION, cache)
    (recipe.parent / "old.cache").write_text(
        "TRT-101401-MinMaxCalibration\ninput: 3caa54fc\nb: 3caa54fc\ng: 3caa54fc\n"
    )
    quantized(recipe, store)

    table = find_table(recipe, store, Inline()).ranges.tensors

    assert {"minmax (TensorRT 10.14.1)"} == {each.calibrator for each in table.values()}
    assert bytes.fromhex("3caa54fc") == struct.pack(">f", table["b"].scale_in(INT8))


def test_scales_are_those_of_the_type_that_is_built(tmp_path, store):
    """Of a recipe, a build directory and the table in it; a table elsewhere is read as INT8's."""
    recipe = small_project(tmp_path / "project")
    edit(recipe, "calibrator:", "type: fp8\n  calibrator:")
    quantized(recipe, store)
    build = tmp_path / "build"
    build.mkdir()
    (build / "ranges.json").write_text('{"b": 4.48}')
    before = find_table(build / "ranges.json", store, Inline())
    (build / "model.fp8.onnx").touch()

    assert find_table(recipe, store, Inline()).type is FP8
    assert (INT8, FP8) == (before.type, find_table(build / "ranges.json", store, Inline()).type)
    assert pytest.approx(0.01) == before.ranges.tensors["b"].scale_in(FP8)


def test_a_recipe_without_quantization_has_no_ranges(tmp_path, store):
    """It says so."""
    recipe = small_project(tmp_path / "project")
    text = recipe.read_text()
    start, end = text.index("quantization:"), text.index("profiles:")
    compare = text.index("compare:")
    recipe.write_text(text[:start] + text[end:compare])

    with pytest.raises(UsageError, match="no `quantization`"):
        find_table(recipe, store, Inline())


def test_a_build_directory_is_its_table(tmp_path, store):
    """And a directory without one is named."""
    (tmp_path / "ranges.json").write_text(ranges_of(x=2.0).model_dump_json())

    assert ranges_of(x=2.0) == find_table(tmp_path, store, Inline()).ranges
    with pytest.raises(UsageError, match=r"holds no ranges\.json"):
        find_table(store.root, store, Inline())


def test_any_file_of_ranges_is_taken(tmp_path, store):
    """Known by what it holds."""
    file = tmp_path / "a.file"
    file.write_text("x: 2.0\n")

    assert {"x"} == set(find_table(file, store, Inline()).ranges.tensors)
    with pytest.raises(MissingFile, match="no such file"):
        find_table(tmp_path / "gone", store, Inline())
