"""`trtbuild init`, from what is typed to the file."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.helpers.hostile import FORGED
from tests.helpers.sorts import SORTS, save_pictures, save_sort, sort_of
from trtbuild import api
from trtbuild.core.errors import MissingFile, StepInputError, UsageError
from trtbuild.recipe.load import load_recipe
from trtbuild.run.inline import Inline
from trtbuild.verbs.ready import list_problems


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))
    return tmp_path


@pytest.mark.parametrize("sort", SORTS)
def test_a_recipe_of_each_sort_stands(sort, here):
    """Without data it validates without a word, and plans."""
    save_sort(sort, here)
    api.init(f"{sort}.onnx")
    file = here / f"{sort}.yaml"

    assert () == list_problems(file)
    assert "build_engine(rtx)" in [each.step for each in api.plan(file).decisions]


@pytest.mark.parametrize("sort", ["bert", "lstm"])
def test_the_model_of_a_recipe_passes_the_static_rules(sort, here):
    """Quantized, with ranges that stand in."""
    save_sort(sort, here)
    api.init(f"{sort}.onnx")

    assert [] == [
        (fault.code, fault.reason)
        for checked in api.check(here / f"{sort}.yaml", executor=Inline())
        for fault in checked.checks.faults
        if fault.level == "error"
    ]


def test_data_that_is_none_is_said_at_the_top(here):
    """Whoever opens the file reads it first."""
    save_sort("cnn", here)

    assert "Its data is RANDOM" in api.init("cnn.onnx").text.split("version:")[0]


def test_pictures_are_found(here):
    """Two parts of them, and a gate."""
    save_sort("cnn", here)
    save_pictures(here / "pictures")
    recipe = load_recipe(api.init("cnn.onnx", data="pictures").file).recipe

    assert ["images", "images"] == [source.kind for source in recipe.data.values()]
    assert ["sqnr_db"] == [gate.metric for gate in recipe.compare.gates]
    assert () == list_problems(here / "cnn.yaml")


def test_a_file_that_is_there_stays(here):
    """Unless it is to be written over."""
    save_sort("cnn", here)
    file = here / "cnn.yaml"
    file.write_text("mine")
    with pytest.raises(UsageError, match=r"cnn\.yaml: is there already"):
        api.init("cnn.onnx")

    assert "mine" == file.read_text()
    assert file.read_text() != api.init("cnn.onnx", force=True).text
    assert file.read_text().startswith("# cnn")


def test_a_dash_writes_nothing(here):
    """It is made, held against the model, and given back."""
    save_sort("cnn", here)
    made = api.init("cnn.onnx", output="-")

    assert made.file is None
    assert not (here / "cnn.yaml").exists()


def test_paths_relate_to_the_recipe(here):
    """Wherever it is written."""
    save_sort("cnn", here)
    (here / "recipes").mkdir()
    recipe = load_recipe(api.init("cnn.onnx", output="recipes/mine.yaml").file).recipe

    assert ("mine", "../cnn.onnx") == (recipe.name, recipe.model.path)


@pytest.mark.parametrize(
    ("model", "error", "told"),
    [
        ("gone.onnx", MissingFile, "no such file"),
        ("gone", MissingFile, "no such model"),
        ("broken.onnx", StepInputError, "broken.onnx"),
        ("x.engine", UsageError, "does not start from that"),
        ("", UsageError, "there is no model"),
    ],
)
def test_what_is_no_model_is_refused(model, error, told, here):
    """With what to do next, and nothing written."""
    (here / "broken.onnx").write_bytes(b"no model")
    (here / "x.engine").write_bytes(b"ftrt")
    with pytest.raises(error, match=told) as raised:
        api.init(model)

    assert raised.value.hint
    assert ["broken.onnx", "x.engine"] == sorted(path.name for path in here.iterdir())


def test_names_that_would_act_are_written_out(here):
    """In keys, values and comments; the recipe reads them back as they are."""
    for index, name in enumerate(FORGED):
        model = sort_of("cnn")
        for node in model.graph.node:
            for place, each in enumerate(node.input):
                if each == "image":
                    node.input[place] = name
        model.graph.input[0].name = name
        onnx.save(model, f"{index}.onnx")
        if "\x1b" in name:
            with pytest.raises(UsageError, match=r"no recipe that stands .* U\+001B"):
                api.init(f"{index}.onnx")
            continue
        file = api.init(f"{index}.onnx").file

        assert [name] == list(load_recipe(file).recipe.profiles[0])
        assert "::" not in {line[:2] for line in file.read_text().splitlines()}


def test_one_part_of_data_compares_nothing(here):
    """Too few samples for two batches: they calibrate, and the recipe says what is missing."""
    save_sort("fixed", here)
    np.savez("x.npz", x=np.zeros((7, 1, 28, 28), np.float32), labels=np.zeros(7, np.int64))
    made = api.init("fixed.onnx", data="x.npz")
    recipe = load_recipe(made.file).recipe

    assert recipe.compare is None
    assert 4 == recipe.data["calib"].count  # whole batches of 4
    assert "there is no second part" in made.text
