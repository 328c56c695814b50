"""Recipes that share a file."""

from __future__ import annotations

import pytest

from tests.helpers.recipes import GOOD
from trtbuild.core.errors import MissingFile, RecipeError
from trtbuild.plan.lock import find_lock
from trtbuild.recipe.load import examine_recipe, load_recipe
from trtbuild.recipe.variants import (
    expand_variants,
    find_recipe_file,
    lies_there,
    list_variants,
    name_variant,
)

VARIANTS = """
variants:
  int8: {}
  fp16: {precision: fp16, without: [quantization]}
  clipped: {name: mine, quantization: {calibrator: {kind: minmax}}}
"""


@pytest.fixture
def write(tmp_path):
    """Write a recipe with variants, and others beside it; returns the first's path."""

    def run(variants=VARIANTS, **others):
        for name, text in {"net": GOOD + variants, **others}.items():
            (tmp_path / f"{name}.yaml").write_text(text)
        return tmp_path / "net.yaml"

    return run


def load(path, variant):
    return load_recipe(name_variant(path, variant))


def told(path):
    return [f"{each.mark.line}: {each.message}" for each in examine_recipe(path).problems]


def test_each_is_the_recipe_but_for_what_it_says(write):
    """Merged as what extends another recipe; called after both."""
    path = write()
    int8, fp16, mine = (load(path, name).recipe for name in ("int8", "fp16", "clipped"))

    assert ["tiny-int8.int8", "tiny-int8.fp16", "mine"] == [int8.name, fp16.name, mine.name]
    assert ("fp16", None) == (fp16.precision, fp16.quantization)
    assert int8.quantization is not None
    assert mine.quantization is not None
    assert "minmax" == mine.quantization.calibrator.kind
    assert int8.quantization.ranges == mine.quantization.ranges
    assert int8.model == fp16.model == mine.model
    assert {} == int8.variants


def test_a_recipe_with_variants_stands_for_all_of_them(write):
    """In its order; others, and what cannot be read, for themselves."""
    path = write(plain=GOOD)
    plain, gone = path.with_name("plain.yaml"), path.with_name("gone.yaml")
    odd = write(odd=GOOD + "variants: {a: {}, ../x: {}}\n").with_name("odd.yaml")

    assert ("int8", "fp16", "clipped") == list_variants(path)
    assert ["net.int8.yaml", "net.fp16.yaml", "net.clipped.yaml", "plain.yaml", "gone.yaml"] == [
        each.name for each in expand_variants([path, plain, gone])
    ]
    assert (odd,) == expand_variants([odd])


def test_they_go_by_names_of_files_that_are_not_there(write):
    """So does the lock of each; a file of that name is that file."""
    path = write()
    variant = name_variant(path, "int8")

    assert (path, path) == (find_recipe_file(variant), find_recipe_file(path))
    assert "net.int8.lock" == find_lock(variant).name
    assert [True, True, False] == [
        lies_there(each) for each in (path, variant, name_variant(path, "int4"))
    ]
    variant.write_text(GOOD.replace("tiny-int8", "other"))
    assert ("other", variant) == (load_recipe(variant).recipe.name, find_recipe_file(variant))


def test_those_of_an_extended_recipe_are_had_as_well(write):
    """Each key may be changed; what is wrong is told in the file that holds it."""
    path = write(
        more=(
            "extends: net.yaml\nname: more\n"
            "variants:\n  fp16: {precision: bf16}\n  odd: {fixs: []}\n"
        )
    )
    more = path.with_name("more.yaml")

    assert ("int8", "fp16", "clipped", "odd") == list_variants(more)
    fp16 = load(more, "fp16").recipe
    assert ("more.fp16", "bf16", None) == (fp16.name, fp16.precision, fp16.quantization)
    (problem,) = examine_recipe(name_variant(more, "odd")).problems
    assert ("more.yaml", 5) == (problem.file.rpartition("/")[2], problem.mark.line)


def test_one_has_to_be_named(write):
    """Where a command takes one; a name that there is not leads to those that there are."""
    path = write()
    with pytest.raises(RecipeError, match="has 3 variants, and one is to be named") as caught:
        load_recipe(path)
    with pytest.raises(MissingFile, match="has no variant `int4`") as missing:
        load(path, "int4")

    assert "net.fp16.yaml" in caught.value.problems[0].hint
    assert "it has int8, fp16, clipped" in missing.value.hint
    with pytest.raises(MissingFile, match=r"plain\.int8\.yaml: no such file"):
        write(plain=GOOD)
        load(path.with_name("plain.yaml"), "int8")


@pytest.mark.parametrize(
    ("text", "variant", "message"),
    [
        ("variants: [fp16]", "", "variants are mappings"),
        ("variants: {}", "", "variants are mappings"),
        ("variants: {a: fp16}", "a", "a variant is a mapping"),
        ("variants: {a: }", "a", "a variant is a mapping"),
        ("variants: {a: {extends: x.yaml}}", "a", "`extends` is said once"),
        ("variants: {a: {version: 1}}", "a", "`version` is said once"),
        ("variants: {a: {without: [quantisation]}}", "a", "no section `quantisation`"),
        ("variants: {a b: {}}", "a b", "`a b` is no name of a variant"),
        ("variants: {a: {}, ../x: {}}", "", "`../x` is no name of a variant"),
        ("variants: {a: {precison: fp16}}", "a", "`precison`"),
    ],
)
def test_what_is_wrong_with_one_is_told_at_its_line(write, text, variant, message):
    """One clear line."""
    path = write(f"\n{text}\n")
    line = GOOD.count("\n") + 2
    found = told(name_variant(path, variant) if variant else path)

    assert [True] == [each.startswith(f"{line}: ") and message in each for each in found], found
