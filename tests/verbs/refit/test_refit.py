"""A small project's engine takes other weights; its GPU, and the engine on it, are made up."""

from __future__ import annotations

import json
import shutil
from collections import ChainMap
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.helpers.executors import WithMadeUpGpu
from tests.helpers.projects import edit, small_project
from tests.verbs.packaging.conftest import make_result
from trtbuild import api
from trtbuild.backends.tensorrt import refit as refitting
from trtbuild.core.digest import digest_of_file
from trtbuild.core.errors import CorruptObject, MissingFile, StepFailed, StepInputError, UsageError
from trtbuild.core.records import TargetResult
from trtbuild.machine.places import Place, find_lack
from trtbuild.model.session import open_session
from trtbuild.run.inline import Inline

GPU = "NVIDIA H100 (9.0)"


class OnGpu(WithMadeUpGpu):
    """A machine with TensorRT 11, too."""

    def place(self, needs):
        there = super().place(needs)
        facts = ChainMap({"tensorrt": "11.4.0"}, there.facts)
        return Place(facts, find_lack(needs, facts)) if needs.gpu else there


@pytest.fixture(scope="module")
def built_once(tmp_path_factory):
    """The project built without a GPU, and an engine beside it."""
    folder = tmp_path_factory.mktemp("refit")
    recipe = small_project(folder / "project")
    edit(
        recipe,
        "rtx: {kind: tensorrt_rtx, compute_capabilities: [8.9], workspace: 256MiB}",
        "it: {kind: tensorrt11, refit: all}",
    )
    edit(recipe, "{kind: minmax}", "{kind: minmax}\n  ranges: {input: 2.5}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRTBUILD_STORE", str(folder / "store"))
        applied = api.apply(recipe, build_dir=folder / "build", executor=Inline())
    place = applied.directory / "it"
    place.mkdir()
    (place / "model.engine").write_bytes(b"engine")
    told = {
        "model_digest": digest_of_file(applied.directory / "model.int8.onnx"),
        "options": {"refittable": "on"},
    }
    made = make_result("it", "tensorrt11", "11.4.0", ("9.0",), b"engine")
    (place / "engine.json").write_text(made.model_copy(update=told).model_dump_json())
    return folder


class Project:
    """A copy of it, and weights that differ from its own."""

    def __init__(self, folder):
        self.recipe, self.build = folder / "project/recipe.yaml", folder / "build"
        self.engine = self.build / "small/it/model.engine"

    def change(self, scale=1.0, noise=0.01, **attributes):
        """Write a model whose first convolution has other weights, or is another."""
        model = onnx.load(self.recipe.with_name("model.onnx"))
        random = np.random.default_rng(1)
        for each in model.graph.initializer[:1]:
            values = onnx.numpy_helper.to_array(each)
            spread = random.normal(0, noise, values.shape)
            values = (scale * (values + spread)).astype(np.float32)
            each.CopyFrom(onnx.numpy_helper.from_array(values, each.name))
        for name, value in attributes.items():
            model.graph.node[0].attribute.append(onnx.helper.make_attribute(name, value))
        path = self.recipe.with_name("new.onnx")
        onnx.save(model, path)
        return path

    def refit(self, weights, *, executor=None, **more):
        executor = executor or Inline()
        return api.refit(self.engine, weights, recipe=self.recipe, executor=executor, **more)

    def tell(self, **told):
        """Change what engine.json says."""
        path = self.engine.with_name("engine.json")
        path.write_text(json.dumps(json.loads(path.read_text()) | told))

    def answer(self, weights):
        """What the float model of these weights gives."""
        session = open_session(Path(weights), threads=1, mapped=False)
        with np.load(self.recipe.with_name("eval.npz")) as data:
            return np.concatenate(
                [session.run({"input": each[None]})["logits"] for each in data["input"]]
            )


@pytest.fixture
def project(built_once, tmp_path, monkeypatch):
    shutil.copytree(built_once, tmp_path / "copy")
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "copy/store"))
    return Project(tmp_path / "copy")


@pytest.fixture
def takes(monkeypatch):
    """TensorRT takes all weights; returns what it was given."""
    given = {}

    def take(kind, engine, model, *, changed, out, plugins):
        given.update(kind=kind, model=onnx.load(model), changed=changed)
        out.write_bytes(b"refitted")
        return 5

    monkeypatch.setattr(refitting, "refit_engine", take)
    return given


def test_on_its_gpu_the_engine_is_refitted_and_judged_again(project, takes):
    """Scales of the new weights are found anew, ranges stay; the engine itself is compared."""
    weights = project.change(scale=1.2)
    executor = OnGpu(GPU, {"logits": 1.01 * project.answer(weights)}, "TensorRT 11.4.0")
    before = onnx.load(project.build / "small/model.int8.onnx").graph.initializer
    found = project.refit(weights, executor=executor)

    assert (True, ()) == (found.passed, found.rebuild)
    folder = project.build / "small-refit"
    assert (folder, b"refitted") == (found.directory, (folder / "it/model.engine").read_bytes())
    told = TargetResult.model_validate_json((folder / "it/engine.json").read_bytes())
    assert digest_of_file(project.engine) == told.refitted_from
    assert ["compare_engine(it)"] == [x for x in executor.started if x.startswith("compare_e")]
    assert ["", "engine of it"] == [each for each, _ in found.record.list_verdicts()]
    # Of the first convolution: its integers, and their scales, 1.2 times as large and more.
    assert 2 == len(takes["changed"])
    old = {each.name: onnx.numpy_helper.to_array(each) for each in before}
    new = {each.name: onnx.numpy_helper.to_array(each) for each in takes["model"].graph.initializer}
    (scales,) = [each for each in takes["changed"] if old[each].ndim == 1]
    assert new[scales] / old[scales] == pytest.approx(1.2, abs=0.1)
    assert (project.build / "small/ranges.json").read_bytes() == (
        folder / "ranges.json"
    ).read_bytes()


def test_what_it_has_left_is_packed(project, takes, tmp_path):
    """Bundle and configuration say of which engine and which weights it is."""
    taken = {"name": "input", "dtype": "float32", "shape": ["batch", 3, 8, 8]}
    project.tell(inputs=[taken], profiles=[])
    weights = project.change()
    executor = OnGpu(GPU, {"logits": project.answer(weights)}, "TensorRT 11.4.0")
    folder = project.refit(weights, executor=executor).directory
    options = {"build_dir": project.build, "refitted": folder, "executor": Inline()}
    found = api.package_bundle(project.recipe, tmp_path / "b", **options)
    api.package_triton([project.recipe], tmp_path / "t", tensorrt="11.4.0", **options)

    assert b"refitted" == (tmp_path / "b/engines/it/model.engine").read_bytes()
    before, other = digest_of_file(project.engine), digest_of_file(weights)
    told = json.loads((tmp_path / "b/provenance.json").read_text())["predicate"]["buildDefinition"]
    assert before == f"sha256:{told['internalParameters']['refitted_from']['sha256']}"
    used = told["resolvedDependencies"][-1]
    assert ("new.onnx", other) == (used["name"], f"sha256:{used['digest']['sha256']}")
    assert (
        before
        == json.loads((tmp_path / "b/bundle.json").read_text())["engines"][0]["refitted_from"]
    )
    assert f"took 2 of `new.onnx` ({other}) in a refit" in found.said[-1]
    assert "in a refit: its kernels" in (tmp_path / "b/model_card.md").read_text()
    assert before in (tmp_path / "t/small/config.pbtxt").read_text()


def test_only_what_a_refit_has_left_is_packed_as_such(project, takes, tmp_path):
    """With the engine that it is about, of the recipe that is named."""
    weights = project.change()
    executor = OnGpu(GPU, {"logits": project.answer(weights)}, "TensorRT 11.4.0")
    folder = project.refit(weights, executor=executor).directory
    wrong = partial(api.package_bundle, project.recipe, tmp_path / "b", executor=Inline())

    with pytest.raises(MissingFile, match=r"refit\.json: .* is not what a refit has left"):
        wrong(refitted=project.build / "small")
    account = folder / "refit.json"
    told = json.loads(account.read_text())
    account.write_text(json.dumps(told | {"refitted_from": "sha256:0"}))
    with pytest.raises(CorruptObject, match=r"is not the one that refit\.json is about"):
        wrong(refitted=folder)
    account.write_text(json.dumps(told | {"recipe": "large"}))
    with pytest.raises(UsageError, match="is a refit of `large`, and not of"):
        wrong(refitted=folder)
    shutil.rmtree(folder / "it")
    account.write_text(json.dumps(told))
    with pytest.raises(MissingFile, match="holds no engine; the weights were not put into one"):
        wrong(refitted=folder)


def test_how_far_values_moved_is_told(project, takes):
    """Without a GPU that, and the gates of the model, are all that can be."""
    found = project.refit(project.change(scale=1.2, noise=0.0))

    assert 6 == found.drift.samples
    moved = {each.name: each.after / each.before for each in found.drift.tensors}
    assert {"input": 1.0, "b": 1.2} == {
        n: pytest.approx(moved[n], abs=0.01) for n in ("input", "b")
    }
    assert "tensorrt is not installed" in found.deferred
    assert found.passed
    assert not (found.directory / "it").exists()
    assert (found.directory / "drift.json").is_file()


def test_ranges_that_fit_no_more_are_a_reason_to_rebuild(project):
    """By how much they may move is the user's to say."""
    weights = project.change(scale=3.0)
    found = project.refit(weights)

    assert not found.passed
    assert found.rebuild[0].startswith("`b`: ")
    assert "3.0" in found.rebuild[0]
    assert found.rebuild[-1].endswith("calibrate again")
    assert () == project.refit(weights, most_drift=5.0).rebuild


def test_another_structure_is_a_reason_to_rebuild(project):
    """An engine takes weights, and nothing else."""
    found = project.refit(project.change(dilations=[1, 1]))

    assert any("(Conv) is another than" in each for each in found.rebuild)


def test_a_model_that_takes_another_type_is_a_reason_to_rebuild(project):
    """And it is the weights that are named, not the data."""
    model = onnx.load(project.recipe.with_name("model.onnx"))
    for each in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        each.type.tensor_type.elem_type = onnx.TensorProto.DOUBLE
    for each in model.graph.initializer:
        values = onnx.numpy_helper.to_array(each)
        if values.dtype == np.float32:
            each.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float64), each.name))
    path = project.recipe.with_name("double.onnx")
    onnx.save(model, path)
    found = project.refit(path)

    assert "the recipe does not hold with these weights:" == found.rebuild[0]
    assert "the model takes float64" in found.rebuild[1]


def test_weights_that_it_has_are_nothing_to_do(project):
    """And nothing is placed."""
    found = project.refit(project.recipe.with_name("model.onnx"))

    assert (True, 0, None) == (found.passed, found.changed, found.record)


def test_a_gate_that_does_not_pass_places_no_engine(project, takes):
    """What the engine gives is judged as after a build."""
    weights = project.change()
    executor = OnGpu(GPU, {"logits": -project.answer(weights)}, "TensorRT 11.4.0")
    found = project.refit(weights, executor=executor)

    assert not found.passed
    assert not (project.build / "small-refit/it").exists()
    assert project.build / "small-refit/failed" == found.directory


def test_what_tensorrt_does_not_take_is_an_error(project, monkeypatch):
    """Its words, and the way out."""

    def refuse(*_, **__):
        raise StepInputError("it has folded w", hint="build it anew")

    monkeypatch.setattr(refitting, "refit_engine", refuse)
    weights = project.change()
    executor = OnGpu(GPU, {"logits": project.answer(weights)})

    with pytest.raises(StepFailed, match="it has folded w"):
        project.refit(weights, executor=executor)


def test_what_cannot_be_is_told_before_anything_runs(project):
    """A file that is not there; results upon what they come of; gates that nobody could judge."""
    with pytest.raises(MissingFile, match="nowhere"):
        project.refit("nowhere")
    with pytest.raises(UsageError, match="there lies what the engine was built from"):
        project.refit(project.change(), to=project.build / "small")
    project.recipe.with_name("eval.npz").unlink()
    with pytest.raises(MissingFile, match=r"eval\.npz"):
        project.refit(project.change())
