"""What is found before anything is exported, read or calibrated."""

from __future__ import annotations

import onnx
import pytest

from tests.helpers.models import model_of
from tests.helpers.projects import edit, small_project
from tests.helpers.recipes import GOOD
from trtbuild.plan.first_look import (
    find_input_doubts,
    find_input_problems,
    find_unusable_files,
)
from trtbuild.recipe.load import examine_recipe

SHAPES = "input: {min: [1, 3, 8, 8], opt: [2, 3, 8, 8], max: [4, 3, 8, 8]}"
TORCH = "input: {dtype: float32, shape: [batch, 3, 32, 32]}"
TORCH_SHAPES = "input: {min: [1, 3, 32, 32], opt: [8, 3, 32, 32], max: [32, 3, 32, 32]}"


def said_of(path):
    """Return what is said of a recipe's inputs."""
    return [each.message for each in find_input_problems(examine_recipe(path))]


def torch_recipe(folder, *edits):
    """Write a recipe of a torch model, of which no file is there."""
    path = folder / "recipe.yaml"
    path.write_text(GOOD)
    for old, new in edits:
        edit(path, old, new)
    return path


@pytest.mark.parametrize(
    ("data", "told", "hint"),
    [
        ("kind: text, path: a, tokenizer: t", "`input_ids`", "`inputs: {input: input_ids}`"),
        ("kind: text, path: a, tokenizer: t, inputs: {x: input_ids}", "`x`", "`input`"),
        ("kind: datasets, path: a, columns: {inputs: x}", "`inputs`", "`input`"),
        ("kind: audio, path: a, sample_rate: 8000, input: wave", "`wave`", "`input`"),
        ("kind: video, path: a, preprocess: {}, input: frame", "`frame`", "`input`"),
        ("kind: yolo, path: a, preprocess: {}, input: images", "`images`", "`input`"),
    ],
)
def test_inputs_that_no_model_has_are_told_of_all_kinds(tmp_path, data, told, hint):
    """Before a file is looked for; with what to write."""
    old = "{kind: arrays, path: eval.npz, labels: label}"
    path = torch_recipe(tmp_path, (old, f"{{{data}}}"))

    found = next(find_input_problems(examine_recipe(path)))

    assert f"data `eval` gives an array for {told}" in found.message
    assert hint in found.hint


def test_a_good_recipe_has_nothing_said_of_it(tmp_path):
    """Of an ONNX model, nor of a torch model whose code is not even there."""
    assert [] == said_of(small_project(tmp_path))
    assert [] == said_of(torch_recipe(tmp_path))


@pytest.mark.parametrize(
    ("expected", "edits"),
    [
        (
            ["the model has no input `image`", "this profile leaves out `input`"],
            [(TORCH_SHAPES, TORCH_SHAPES.replace("input", "image"))],
        ),
        (
            ["data `calib` gives an array for `image`; the model has no such input"],
            [("path: photos", "path: photos\n    input: image")],
        ),
        (
            ["dynamic dimensions without a profile"],
            [(f"profiles:\n  - {TORCH_SHAPES}\n", "")],
        ),
        (
            ["axis 3 is fixed at 32, the profile says 16"],
            [("opt: [8, 3, 32, 32]", "opt: [8, 3, 32, 16]")],
        ),
        (
            ["axis 0 is fixed at 4, the profile says 1"],
            [("size: batch", "size: 4")],
        ),
        # An output's dimension may be an input's: nothing is known any more.
        ([], [("tensor: input", "tensor: output"), ("opt: [8, 3", "opt: [8, 5")]),
    ],
)
def test_inputs_are_looked_at_before_an_export(expected, edits, tmp_path):
    """By what the recipe says of a torch model, with its fixes."""
    said = said_of(torch_recipe(tmp_path, *edits))

    assert len(expected) == len(said)
    assert all(words in told for words, told in zip(expected, said, strict=True))


def test_what_is_wrong_elsewhere_hides_nothing_of_data(tmp_path):
    """A metric that there is none of, beside data that no input takes."""
    recipe = torch_recipe(
        tmp_path,
        ("path: photos", "path: photos\n    input: image"),
        ("metrics: [cosine,", "metrics: [cosinus,"),
    )

    assert ["data `calib` gives an array for `image`; the model has no such input"] == (
        said_of(recipe)
    )


def test_what_is_wrong_in_a_data_set_is_not_read(tmp_path):
    """Its samples' shape would rest on it."""
    examined = examine_recipe(torch_recipe(tmp_path, ("crop: [32, 32]", "crop: [32]")))

    assert [] == list(find_input_problems(examined))
    assert [] == list(find_input_doubts(examined))


def test_an_onnx_model_says_its_inputs_itself(tmp_path):
    """At the beginning of its file."""
    recipe = edit(small_project(tmp_path), SHAPES, SHAPES.replace("input", "image"))

    assert "the model has no input `image`" in said_of(recipe)


RANDOM = "{kind: random, count: 4, inputs: {input: {shape: [3, 8, 8]}}}"


@pytest.mark.parametrize(
    ("expected", "hint", "axes", "before", "after"),
    [
        ("", "", "N,3,8,8", "", ""),
        (
            "gives samples of shape [4, 3, 8, 8] for `input`; the model takes [N, 3, 8, 8]",
            "draw what one sample is: `shape: [1, 3, 8, 8]`",
            *("N,3,8,8", "[3, 8, 8]", "[4, 3, 8, 8]"),
        ),
        (
            "gives samples of shape [3, 8, 9] for `input`; the model takes [N, 3, H, 8]",
            "draw what one sample is: `shape: [3, H, 8]`, with a number for H",
            *("N,3,H,8", "[3, 8, 8]", "[3, 8, 9]"),
        ),
        (
            "does not fill whole batches: the model takes 3 samples at once",
            "take 3 samples (`count`), or",
            *("3,3,8,8", "", ""),
        ),
        ("", "", "4,3,8,8", "", ""),
    ],
)
def test_data_that_a_recipe_states_must_fit_the_model(
    expected, hint, axes, before, after, tmp_path
):
    """In shape and in number, before anything is drawn; the type is not at a file's beginning."""
    recipe = small_project(tmp_path)
    edit(recipe, "{kind: arrays, path: calib.npz}", RANDOM.replace(before, after))
    edit(recipe, f"profiles:\n  - {SHAPES}\n", f"profiles: [{{{SHAPES}}}]\n" if "N" in axes else "")
    text = f"g (float[{axes}] input) => (float[N,a,b,c] y) {{ y = Identity(input) }}"
    onnx.save(model_of(text), tmp_path / "model.onnx")
    said = [
        each
        for each in find_input_problems(examine_recipe(recipe))
        if each.message.startswith("data `calib`")
    ]

    assert bool(expected) == bool(said)
    assert all(each.message.startswith(f"data `calib` {expected}") for each in said)
    assert all(each.hint.startswith(hint) for each in said)


def test_data_beyond_the_profiles_is_doubted(tmp_path):
    """Pictures and drawn samples: to calibrate on them is not wrong, and no engine takes them."""
    recipe = small_project(tmp_path)
    edit(recipe, "{kind: arrays, path: calib.npz}", RANDOM.replace("8, 8", "8, 12"))
    (doubt,) = find_input_doubts(examine_recipe(recipe))

    assert ("warning", ("data", "calib")) == (doubt.level, doubt.path)
    assert doubt.message.endswith("the engine cannot run on them")
    assert doubt.hint.startswith("widen the profile")


def test_what_is_said_of_an_input_must_be_of_one(tmp_path):
    """In the section `inputs` as in profiles."""
    recipe = small_project(tmp_path)
    recipe.write_text(recipe.read_text() + "inputs:\n  state: {fill: 0}\n")

    assert ["the model has no input `state`"] == said_of(recipe)


def test_strings_are_refused_whatever_the_data_is(tmp_path):
    """Advice to make the arrays strings would lead nowhere."""
    recipe = small_project(tmp_path)
    text = "g (string[N] input) => (string[N] y) { y = Identity(input) }"
    onnx.save(model_of(text), tmp_path / "model.onnx")

    assert "`input` holds strings, and TensorRT has no such tensors" == said_of(recipe)[0]


def test_a_mistake_elsewhere_hides_no_profile(tmp_path):
    """A misspelt option of a target: what the profile says is looked at all the same."""
    recipe = edit(small_project(tmp_path), SHAPES, SHAPES.replace("input", "image"))
    recipe.write_text(recipe.read_text() + "compare: 3\n")

    assert "the model has no input `image`" in said_of(recipe)


def test_code_of_a_metric_is_looked_for(tmp_path):
    """An entrypoint that is none, and one whose file is not there, at its line."""
    for written, told in (("m.py", "is not an entrypoint"), ("m.py:f", "no such file")):
        recipe = torch_recipe(tmp_path)
        metric = f'{{kind: python, entrypoint: "{written}"}}'
        recipe.write_text(recipe.read_text().split("\ncompare:")[0])
        with recipe.open("a") as file:
            file.write(f"\ncompare: {{data: eval, metrics: [top1, {metric}]}}\n")
        *_, found = find_unusable_files(examine_recipe(recipe))

        assert ("compare", "metrics", 1, "entrypoint") == found.at
        assert told in found.error.message


def test_all_that_is_not_here_is_found(tmp_path):
    """Code, pictures, arrays, a reference, each at its place; only to build, the code alone."""
    recipe = torch_recipe(tmp_path)
    edit(recipe, "\ncompare:\n", "\ncompare:\n  reference: {kind: onnx, path: float.onnx}\n")
    examined = examine_recipe(recipe)
    places = [each.at for each in find_unusable_files(examined)]

    assert [("model", "entrypoint"), ("data", "calib", "path"), ("data", "eval", "path")] == (
        places[:3]
    )
    assert [("compare", "reference", "path")] == places[3:]
    assert places[:1] == [each.at for each in find_unusable_files(examined, data=False)]


def test_a_mistake_beside_it_hides_no_file_that_is_not_here(tmp_path):
    """In the same section, in the same data set; of a wrong path nothing is known."""
    recipe = torch_recipe(
        tmp_path, ("count: 64", "count: many"), ("without_weights", "without_weight")
    )
    edit(recipe, "path: eval.npz", "path: 3")

    assert [("model", "entrypoint"), ("data", "calib", "path")] == [
        each.at for each in find_unusable_files(examine_recipe(recipe))
    ]


POINTER = (
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)


def test_what_git_lfs_has_not_fetched_is_called_so(tmp_path):
    """Models, arrays, weights, pictures, tables, plugins: none is damaged, all are elsewhere."""
    (tmp_path / "photos").mkdir()
    for name in ("m.onnx", "a.npz", "photos/1.jpg", "t.cache", "r.txt", "p.so"):
        (tmp_path / name).write_text(POINTER)
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("""\
version: 1
name: pointers
model: {kind: onnx, path: m.onnx}
data:
  a: {kind: arrays, path: a.npz}
  b: {kind: images, path: photos, preprocess: {scale: 1}}
quantization:
  calibrator: {kind: cache, path: t.cache}
  ranges_file: r.txt
targets:
  it: {kind: tensorrt11, plugins: [p.so]}
""")

    found = find_unusable_files(examine_recipe(recipe))

    assert ["m.onnx", "a.npz", "1.jpg", "t.cache", "r.txt", "p.so"] == [
        each.error.hint.split('"')[1] for each in found
    ]
    assert all("a pointer of git LFS" in each.error.message for each in found)
