"""What runs: an engine where its GPU is, else its model; and arrays fed to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.helpers.executors import Recording
from tests.helpers.models import model_of
from tests.verbs.test_inspect import L4, Facts, beside
from trtbuild.core.digest import digest_of_file
from trtbuild.core.errors import MissingFile, NoGpu, UsageError
from trtbuild.run.inline import Inline
from trtbuild.verbs.running.run import run_arrays

MODEL = "net (float[n, 2] x) => (float[n, 2] y) { y = Add(x, x) }"
PLAN = b"ftrt" + bytes(20) + bytes([10, 16, 1, 11])
ONES = np.ones((3, 2), np.float32)


@pytest.fixture
def built(tmp_path):
    """A recipe that is built: its model, an engine and its engine.json."""
    (tmp_path / "r.yaml").write_text(
        "version: 1\nname: small\nmodel: {kind: onnx, path: m.onnx}\n"
        "targets: {it: {kind: onnxruntime}}\n"
    )
    model = tmp_path / "build/small/model.fp32.onnx"
    engine = tmp_path / "build/small/it/model.engine"
    engine.parent.mkdir(parents=True)
    model.write_bytes(model_of(MODEL).SerializeToString())
    engine.write_bytes(b"engine")
    beside(engine, model_digest=digest_of_file(model))
    np.savez(tmp_path / "x.npz", x=ONES)
    return tmp_path


@pytest.mark.parametrize("what", ["r.yaml", "build/small/it/model.engine"])
def test_a_recipe_or_an_engine_runs_by_its_model(built, what):
    """In ONNX Runtime, and it says that this is not the engine."""
    ran = run_arrays(built / what, built / "x.npz", Inline(), build_dir=built / "build")

    assert (2 * ONES == ran.outputs["y"]).all()
    assert "not the engine itself" in ran.told


TEN = {"tensorrt": "10.16.1.11", "polygraphy": "0.53.6", "gpu": L4}
RECIPE = """version: 1
name: small
model: {kind: onnx, path: m.onnx}
targets:
  cpu: {kind: onnxruntime}
  other: {kind: tensorrt10, plugins: [p.so]}
  it: {kind: tensorrt10, plugins: [p.so]}
"""


@pytest.fixture
def on_gpu(built):
    """Run where there is a GPU with TensorRT 10; what runs there is only written down."""
    (built / "r.yaml").write_text(RECIPE)
    (built / "build/small/it/model.engine").write_bytes(PLAN)
    beside(
        built / "build/small/it/model.engine",
        model_digest=digest_of_file(built / "build/small/model.fp32.onnx"),
    )
    np.savez(built / "y.npz", y=ONES)
    (built / "p.so").touch()
    made = {"outputs.npz": (built / "y.npz").read_bytes()}
    asked = []

    def run(what, facts=TEN, **more):
        executor = Recording(facts=Facts(facts), made=made)
        ran = run_arrays(built / what, built / "x.npz", executor, build_dir=built / "build", **more)
        for call in executor.calls:
            step = call.step
            plugins = tuple(Path(plugin.path) for plugin in step.plugins)
            asked.append((step.flavour, Path(step.engine.path).parent.name, plugins))
        return ran, asked

    return run


def test_where_its_gpu_is_the_engine_itself_runs(on_gpu, tmp_path):
    """Of a recipe the first engine that is built and fits, with the recipe's plugins."""
    ran, asked = on_gpu("r.yaml")

    assert [("tensorrt10", "it", (tmp_path / "p.so",))] == asked
    assert "on this machine's GPU (profile 0)" in ran.told
    assert "model.engine" == ran.model.name


def test_an_engine_runs_by_itself_and_a_target_by_its_name(on_gpu, tmp_path):
    """The plugins of an engine without a recipe are named by hand."""
    plugin = tmp_path / "mine.so"
    plugin.touch()
    on_gpu("build/small/it/model.engine", plugins=[plugin])
    _, asked = on_gpu("r.yaml", target="it")

    assert [("it", (plugin,)), ("it", (tmp_path / "p.so",))] == [each[1:] for each in asked]


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"tensorrt": "10.16.1.11", "polygraphy": "1"}, "no NVIDIA GPU"),
        ({"tensorrt": "11.4.0.106", "polygraphy": "1", "gpu": L4}, "version 10 is needed"),
        ({"tensorrt": "10.16.1.11", "polygraphy": "1", "gpu": "NVIDIA H200 (9.0)"}, "built on"),
        ({"gpu": L4}, "not installed"),
    ],
)
def test_elsewhere_its_model_runs_and_says_why(on_gpu, facts, why):
    """No GPU, another one, another TensorRT: told; and an error where the engine was asked for."""
    ran, asked = on_gpu("r.yaml", facts=facts)
    with pytest.raises(NoGpu, match=why):
        on_gpu("r.yaml", facts=facts, on="gpu")

    assert [] == asked
    assert "not the engine itself (" in ran.told
    assert why in ran.told


def test_the_model_runs_where_it_is_asked_for(on_gpu):
    """Also beside a GPU: to compare the two."""
    ran, asked = on_gpu("r.yaml", on="cpu")

    assert ([], "model.fp32.onnx") == (asked, ran.model.name)
    assert (2 * ONES == ran.outputs["y"]).all()


@pytest.mark.parametrize(
    ("what", "target"), [("r.yaml", "gone"), ("build/small/it/model.engine", "it")]
)
def test_a_target_must_be_one_of_a_recipe(on_gpu, what, target):
    """And an engine has none."""
    with pytest.raises(UsageError):
        on_gpu(what, target=target)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"z": ONES}, "`z` is no input of model.fp32.onnx, which has x"),
        ({}, "there is no array for the input `x`"),
        ({"x": ONES[:, :1]}, r"`x` is float32 \[3, 1\]; it must be float32 \[n, 2\]"),
        ({"x": ONES.astype(np.float64)}, "`x` is float64"),
    ],
)
def test_arrays_that_do_not_fit_are_named(built, arrays, message):
    """Before ONNX Runtime sees them: they are what was typed wrongly."""
    np.savez(built / "x.npz", **arrays)

    with pytest.raises(UsageError, match=message) as raised:
        run_arrays(built / "r.yaml", built / "x.npz", Inline(), build_dir=built / "build")
    assert raised.value.hint.endswith("an array for each input: `x` float32 [n, 2]")


@pytest.mark.parametrize(
    ("message", "feed"),
    [
        ("`z` is no input of model.engine", {"z": ONES}),
        (
            r"the engine would refuse `x` \[9, 2\]: no profile takes it",
            {"x": np.tile(ONES, (3, 1))},
        ),
    ],
)
def test_arrays_that_an_engine_does_not_take_are_refused_before_it_runs(on_gpu, message, feed):
    """By the inputs and profiles that are written down beside it."""
    folder = on_gpu("r.yaml", on="cpu")[0].model.parent
    profile = {"x": {"min": [1, 2], "opt": [1, 2], "max": [4, 2]}}
    spec: dict[str, str | list[int | str]] = {"name": "x", "dtype": "float32", "shape": ["n", 2]}
    beside(folder / "it/model.engine", inputs=(spec,), profiles=(profile,))
    np.savez(folder.parent.parent / "x.npz", **feed)

    with pytest.raises(UsageError, match=message):
        on_gpu("r.yaml")


def test_what_is_not_there_is_told(built):
    """No model, no engine, no input, no arrays in it."""
    for what, inputs, folder in (
        ("r.yaml", "x.npz", "elsewhere"),
        ("gone.engine", "x.npz", "build"),
    ):
        with pytest.raises(MissingFile):
            run_arrays(built / what, built / inputs, Inline(), build_dir=built / folder)
    with pytest.raises(UsageError, match="there is no such file"):
        run_arrays(built / "r.yaml", built / "gone.npz", Inline(), build_dir=built / "build")
    (built / "x.npz").write_bytes(b"no archive")
    with pytest.raises(UsageError, match="is neither an npz nor an npy file"):
        run_arrays(built / "r.yaml", built / "x.npz", Inline(), build_dir=built / "build")


def test_an_engine_whose_model_is_gone_cannot_be_run_here(built):
    """Another model in its place is not taken for it."""
    (built / "build/small/model.fp32.onnx").write_bytes(b"another")

    with pytest.raises(MissingFile, match="does not lie beside it"):
        run_arrays(
            built / "build/small/it/model.engine", built / "x.npz", Inline(), build_dir=built
        )
