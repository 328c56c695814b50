"""A recipe that is another one, but for what it says itself."""

from __future__ import annotations

import pytest

from tests.helpers.recipes import GOOD
from trtbuild.core.errors import RecipeError
from trtbuild.recipe.extending import list_extended
from trtbuild.recipe.load import examine_recipe, load_recipe
from trtbuild.recipe.source import read_recipe_text


@pytest.fixture
def write(tmp_path):
    """Write recipes beside a good one; returns the path of the last."""

    def run(**texts):
        (tmp_path / "good.yaml").write_text(GOOD)
        for name, text in texts.items():
            path = tmp_path / f"{name}.yaml"
            path.write_text(text)
        return path

    return run


def told(path):
    """Return the problems of a recipe as file:line: message."""
    return [
        f"{each.file.rpartition('/')[2]}:{each.mark.line}: {each.message}"
        for each in examine_recipe(path).problems
    ]


def test_a_variant_is_one_line(write):
    """The same model and data in FP16: no section is written twice."""
    path = write(
        fp16="{extends: good.yaml, name: fp16, precision: fp16, without: [quantization]}\n"
    )
    base, found = load_recipe(path.with_name("good.yaml")).recipe, load_recipe(path).recipe

    assert ("fp16", "fp16", None) == (found.name, found.precision, found.quantization)
    assert (base.model, base.data, base.targets) == (found.model, found.data, found.targets)
    assert (None, ()) == (found.extends, found.without)


def test_mappings_merge_and_kinds_take_each_others_place(write):
    """A calibrator of another kind keeps none of the old one's options; lists are replaced."""
    path = write(
        other=(
            "extends: good.yaml\nname: other\nfixes: []\n"
            "quantization: {calibrator: {kind: entropy2}, ranges: {input: [-1, 1]}}\n"
            "targets: {rtx: {workspace: 1GiB}}\n"
        )
    )
    base, found = load_recipe(path.with_name("good.yaml")).recipe, load_recipe(path).recipe
    assert found.quantization is not None
    assert base.quantization is not None

    assert "entropy2" == found.quantization.calibrator.kind
    assert {**base.quantization.ranges, "input": (-1.0, 1.0)} == found.quantization.ranges
    assert (2**30, (8.6, 8.9, 12.0)) == (
        found.targets["rtx"].workspace,
        found.targets["rtx"].compute_capabilities,
    )
    assert () == found.fixes


def test_several_may_extend_one_another(write):
    """The nearest word counts; all the files are known."""
    path = write(
        one="extends: good.yaml\nname: one\nprofiles: []\n", two="extends: one.yaml\nname: two\n"
    )

    assert ("two", ()) == (load_recipe(path).recipe.name, load_recipe(path).recipe.profiles)
    assert ["one.yaml", "good.yaml"] == [
        each.name for each in list_extended(path, read_recipe_text(path))
    ]


def test_what_is_wrong_is_told_at_its_own_line(write):
    """In whichever file it stands."""
    path = write(
        base=GOOD.replace("count: 64", "count: none"),
        bad="extends: base.yaml\nname: bad\nprecison: fp16\nquantization: {mode: implicitly}\n",
    )
    line = GOOD[: GOOD.index("count: 64")].count("\n") + 1
    found = told(path)

    assert any(each.startswith(f"base.yaml:{line}: ") for each in found)
    assert any(each.startswith("bad.yaml:3: `precison`") for each in found)
    assert any(each.startswith("bad.yaml:4: ") for each in found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("extends: gone.yaml\n", "no such file"),
        ("extends: x.yaml\n", "a recipe cannot extend itself"),
        ("extends: y.yaml\n", "a recipe cannot extend itself"),
        ("extends: ../x.yaml\n", "a recipe extends one that lies beside it"),
        ("extends: [good.yaml]\n", "a recipe extends one that lies beside it"),
        ("extends: good.yaml\nwithout: [quantisation]\n", "there is no section `quantisation`"),
        ("extends: good.yaml\nwithout: quantization\n", "`without` is a list of sections"),
        (GOOD + "without: [compare]\n", "and none is extended"),
    ],
)
def test_what_cannot_be_extended_is_told(text, message, write):
    """One line, at `extends` or `without`; a circle too."""
    found = told(write(y="extends: x.yaml\n", x=text))

    assert any(message in each for each in found), found


def test_more_than_a_few_are_not_followed(write, tmp_path):
    """A chain of nine."""
    chain = {f"c{index}": f"extends: c{index + 1}.yaml\n" for index in reversed(range(9))}
    path = write(c9=GOOD, **chain)
    with pytest.raises(RecipeError, match="more than 8 recipes extend one another"):
        load_recipe(path)
