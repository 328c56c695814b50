"""Several recipes at once, typed: here those that share a file."""

from __future__ import annotations

from pathlib import Path

import pytest

VARIANTS = """
variants:
  int8: {}
  fp32: {without: [quantization]}
"""

pytestmark = pytest.mark.usefixtures("steps_here")


@pytest.fixture
def varied(tiny):
    """The recipe of one layer, with variants."""
    tiny.write_text(tiny.read_text() + VARIANTS)
    return tiny


def test_an_apply_builds_all_and_holds_them_side_by_side(varied, trtbuild):
    """What they share is done once; nothing is left to do then, until the one file changes."""
    first, second = trtbuild("apply", "recipe.yaml"), trtbuild("apply", "recipe.yaml")
    page = Path("build/tiny/report.md").read_text()

    assert (0, 0) == (first.code, second.code), first.err
    assert 1 == first.err.count("run      import_model")
    assert "2 recipes: 2 built" in first.out
    assert "variants side by side in build/tiny/ (report.md)" in first.out
    assert "2 recipes: 2 nothing to do" in second.out
    assert "| `int8` | **built** |" in page
    assert {"report.md", "report.html"} < {each.name for each in Path("build/tiny").iterdir()}
    assert Path("build/tiny.int8/model.int8.onnx").is_file()
    assert not Path("build/tiny.fp32/model.int8.onnx").exists()
    varied.write_text(
        varied.read_text().replace("fp32: {without", "fp32: {precision: fp16, without")
    )
    assert "1 built, 1 nothing to do" in trtbuild("apply", "recipe.yaml").out


def test_one_is_built_by_its_name(varied, trtbuild):
    """In both ways; a page of some would take the place of one of all."""
    one = trtbuild("apply", "recipe.yaml", "--variant", "int8")
    again = trtbuild("apply", "recipe.int8.yaml")

    assert (0, 0) == (one.code, again.code), one.err
    assert "nothing to do" in again.out
    assert ["tiny.int8"] == [each.name for each in Path("build").iterdir()]
    assert "quantize" in trtbuild("why", "recipe.yaml", "--variant", "int8").out
    assert "quantize" not in trtbuild("plan", "recipe.yaml", "--variant", "fp32").out


def test_each_is_locked_and_held_to_its_lock(varied, trtbuild):
    """Found again by the locks alone."""
    trtbuild("apply", "-q", "recipe.yaml")
    locked, held = trtbuild("lock", "recipe.yaml"), trtbuild("lock", "--check")

    assert ["recipe.fp32.lock", "recipe.int8.lock"] == sorted(
        each.name for each in Path().glob("*.lock")
    )
    assert (0, 0) == (locked.code, held.code), held.err
    assert 2 == held.out.count(": holds")
    told = trtbuild("diff", "recipe.fp32.yaml", "recipe.int8.yaml")
    assert 1 == told.code
    assert "quantization" in told.out


def test_what_they_share_is_wrong_once(varied, trtbuild):
    """At its line; a variant that there is not is told with those that there are."""
    varied.write_text(
        varied.read_text().replace("fixes:", "fixs:", 1).replace("name: tiny", "nam: x")
    )
    told = trtbuild("validate", "recipe.yaml")
    unknown = trtbuild("apply", "recipe.yaml", "--variant", "int4")

    assert 2 == told.code
    assert 1 == told.err.count("`nam`") + told.out.count("`nam`")
    assert 4 == unknown.code
    assert "it has int8, fp32" in unknown.err


@pytest.mark.parametrize(
    "words",
    [
        *("validate", "check", "lock", "lock --check", "sensitivity", "tune", "run --input ."),
        *("verify", "script --target a", "data preview", "package --format bundle --to x"),
    ],
)
@pytest.mark.usefixtures("varied")
def test_every_verb_of_a_recipe_takes_a_variant(words, trtbuild):
    """One that there is not shows that it was looked for."""
    told = trtbuild(*words.split(), "recipe.yaml", "--variant", "int4")

    assert told.code
    assert "it has int8, fp32" in told.err + told.out
