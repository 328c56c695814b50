"""Files that would run code when they are unpickled, or constructed, run none."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.hostile import npz, typed
from tests.helpers.projects import RECIPE, edit, small_project


class Evil:
    """Makes a file when it is unpickled."""

    def __reduce__(self):
        return (Path.touch, (Path("ran").absolute(),))


@pytest.fixture
def project(tmp_path, monkeypatch):
    recipe = small_project(tmp_path / "project")
    monkeypatch.chdir(recipe.parent)
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))
    return recipe


def test_the_trap_works(project):
    """Unpickled by anybody else, it makes the file."""
    pickle.loads(pickle.dumps(Evil()))  # noqa: S301  # what must never be done

    assert Path("ran").exists()


def objects(path):
    np.save(path, np.array([Evil()], dtype=object), allow_pickle=True)
    return path.read_bytes()


@pytest.mark.parametrize("form", ["npy", "npz", "pickle", "packed"])
def test_arrays_of_objects_are_not_unpickled(project, form):
    """To calibrate with, and to run a model on."""
    array = objects(Path("objects.npy"))
    data = {
        "npy": array,
        "npz": npz({"input.npy": array}),
        "packed": npz({"input.npy": array}, zipfile.ZIP_DEFLATED),
        "pickle": pickle.dumps(Evil()),
    }[form]
    Path("calib.npz").write_bytes(data)
    Path("build/small").mkdir(parents=True)
    Path("build/small/model.int8.onnx").write_bytes(Path("model.onnx").read_bytes())

    assert 2 == typed("run", "recipe.yaml", "--input", "calib.npz")[0]
    if form == "npz":
        assert 3 == typed("apply", "-q", "recipe.yaml")[0]
    assert not Path("ran").exists()


@pytest.mark.parametrize("form", ["zip", "old", "pickle"])
def test_weights_are_not_unpickled(project, form):
    """In either form of torch.save, and as a bare pickle."""
    import torch

    from trtbuild.core.errors import StepInputError
    from trtbuild.sources.weights import read_weights

    path = Path("w.pth")
    if form == "pickle":
        path.write_bytes(pickle.dumps({"w": Evil()}))
    else:
        torch.save({"w": Evil()}, path, _use_new_zipfile_serialization=form == "zip")

    with pytest.raises(StepInputError):
        read_weights(path)
    assert not Path("ran").exists()


@pytest.mark.parametrize(
    "value",
    [
        '!!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path ["ran"]]',
        '!!python/object/new:os.system ["touch ran"]',
        "!!python/name:os.system",
        "!<tag:yaml.org,2002:python/object/apply:os.system> [touch ran]",
    ],
)
def test_tags_construct_nothing(project, value):
    """A recipe is data, whatever its tags."""
    project.write_text(RECIPE.replace("name: small", f"name: {value}"))

    code, said = typed("validate", "recipe.yaml")

    assert (2, True) == (code, "error: tags (`" in said), said
    assert not Path("ran").exists()


def test_only_an_apply_runs_the_code_that_a_recipe_names(project):
    """Looking at a recipe is safe: no other verb imports its entrypoint."""
    Path("net.py").write_text("from pathlib import Path\nPath('ran').touch()\ndef net(): ...\n")
    model = "{kind: torch, entrypoint: net.py:net, inputs: {input: {shape: [1, 3, 8, 8]}}}"
    edit(project, "{kind: onnx, path: model.onnx}", model)

    for words in (["validate"], ["plan"], ["why"], ["lock"], ["lock", "--check"], ["diff", "."],
                  ["script", "--target", "rtx"], ["ranges", "show"]):  # fmt: skip
        typed(*("recipe.yaml" if word == "." else word for word in words), "recipe.yaml")

    assert not Path("ran").exists()


@pytest.mark.parametrize(
    "url",
    ["http://example.org/w", "ftp://example.org/w", "data:,x", "https:/w", "HTTP://example.org/w"],
)
def test_only_https_and_file_are_fetched(project, url):
    """And nothing without its digest."""
    for digest in (f', sha256: "{"ab" * 32}"', ""):
        model = f'{{kind: torch, entrypoint: n.py:n, weights: {{url: "{url}"{digest}}}, '
        model += "inputs: {input: {shape: [1]}}}"
        Path("r.yaml").write_text(RECIPE.replace("{kind: onnx, path: model.onnx}", model))

        assert 2 == typed("validate", "r.yaml")[0]


def test_a_url_needs_its_digest(project):
    """What stands behind an address may be another thing tomorrow."""
    model = '{kind: torch, entrypoint: n.py:n, weights: {url: "https://example.org/w"}, '
    model += "inputs: {input: {shape: [1]}}}"
    Path("r.yaml").write_text(RECIPE.replace("{kind: onnx, path: model.onnx}", model))

    code, said = typed("validate", "r.yaml")

    assert (2, True) == (code, "need their sha256" in said), said
