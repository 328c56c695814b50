"""Old command lines, as recipes."""

from __future__ import annotations

import pytest

from tests.helpers.sorts import save_sort
from trtbuild import api
from trtbuild.core.errors import MissingFile, UsageError
from trtbuild.recipe.load import load_recipe
from trtbuild.verbs.ready import list_problems


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_sort("cnn", tmp_path)
    save_sort("super", tmp_path)
    return tmp_path


def translated(tool, command, **more):
    made = api.init(command=(tool, command), **more)
    return load_recipe(made.file).recipe, made


def test_shapes_and_precision_go_where_a_recipe_has_them(here):
    """It validates, and the engine that this machine builds has them too."""
    recipe, made = translated(
        "trtexec",
        "trtexec --onnx=cnn.onnx --minShapes=image:2x3x32x32 --optShapes=image:4x3x32x32 "
        "--maxShapes=image:6x3x32x32 --int8 --fp16 --workspace=512 --useSpinWait",
    )
    shapes = recipe.profiles[0]["image"]

    assert (2, 4, 6) == (shapes.min[0], shapes.opt[0], shapes.max[0])
    assert "fp16" == recipe.quantization.high_precision
    assert {2**29} == {target.workspace for target in recipe.targets.values()}
    assert ["no counterpart: --useSpinWait: `apply` builds and compares, and times nothing"] == [
        *made.notes
    ]
    assert "#   --useSpinWait:" in made.text
    assert () == list_problems(here / "cnn.yaml")


def test_without_int8_there_is_no_calibration(here):
    """16 bits, or 32, compared with the model as it was."""
    half, _ = translated("trtexec", "trtexec --onnx=cnn.onnx --fp16")
    whole, made = translated("trtexec", "trtexec --onnx=cnn.onnx", force=True)

    assert (None, "fp16") == (half.quantization, half.precision)
    assert (None, "fp32", ["eval"]) == (whole.quantization, whole.precision, list(whole.data))
    assert made.text.splitlines()[1].startswith("# cnn: FP32 engines")


def test_a_calibration_cache_that_is_here_is_read(here):
    """Or else it is named, and the recipe calibrates."""
    (here / "old.cache").write_text("TRT-8601-EntropyCalibration2\nimage: 3c010a14\n")
    old, _ = translated("trtexec", "trtexec --onnx=cnn.onnx --int8 --calib=old.cache")
    new, made = translated(
        "polygraphy",
        "polygraphy convert cnn.onnx --int8 --calibration-cache gone --calib-base-cls "
        "IInt8LegacyCalibrator --quantile 0.9",
        force=True,
    )

    assert ("cache", None, True) == (
        old.quantization.calibrator.kind, old.quantization.data, old.quantization.allow_missing,
    )  # fmt: skip
    assert any("cache gone" in note for note in made.notes)
    assert "calib" == new.quantization.data


def test_a_dla_is_tensorrt_10s(here):
    """Which takes ranges, and no Q/DQ pairs."""
    recipe, _ = translated("ultralytics", "export model=super.onnx int8 device=dla:0 imgsz=64")
    (target,) = recipe.targets.values()

    assert ("tensorrt10", 0, "implicit") == (
        target.kind, target.dla_core, recipe.quantization.mode,
    )  # fmt: skip
    assert (1, 3, 64, 64) == recipe.profiles[0]["lr"].max
    assert (here / "super.yaml").is_file()


def test_a_dla_gets_one_size_of_each_input(here):
    """The best of the command's, or of what is guessed for a size that the model leaves open."""
    command = "trtexec --onnx=cnn.onnx --useDLACore=0 --int8 --allowGPUFallback"
    guessed, _ = translated("trtexec", command)
    shapes = " --minShapes=image:2x3x32x32 --optShapes=image:4x3x32x32 --maxShapes=image:6x3x32x32"
    told, _ = translated("trtexec", command + shapes, force=True)

    for recipe in (guessed, told):
        each = recipe.profiles[0]["image"]
        assert each.min == each.opt == each.max
    assert 4 == told.profiles[0]["image"].opt[0]


@pytest.mark.usefixtures("here")
def test_a_data_loader_script_calibrates():
    """What it yields cannot be parted, so nothing is compared."""
    from pathlib import Path

    Path("load.py").write_text("def load_data():\n    yield {}\n")
    recipe, _ = translated(
        "polygraphy", "polygraphy run cnn.onnx --trt --int8 --data-loader-script load.py"
    )

    assert ("python", "load.py:load_data") == (
        recipe.data["calib"].kind, recipe.data["calib"].entrypoint,
    )  # fmt: skip
    assert recipe.compare is None


def test_a_model_that_is_elsewhere_is_known_by_its_shapes(here):
    """Their types are a guess, which is said."""
    recipe, made = translated(
        "trtexec", "trtexec --onnx=far.onnx --int8 --shapes=input_ids:1x8,pixels:1x3x8x8"
    )

    assert {"int64", "float32"} == {each.dtype for each in recipe.data["calib"].inputs.values()}
    assert any("is not here" in note for note in made.notes)
    with pytest.raises(MissingFile):
        api.init(command=("trtexec", "trtexec --onnx=gone.onnx --int8"))
    assert not (here / "gone.yaml").exists()


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("tool", "command", "told"),
    [
        ("onnx2trt", "x", "not understood"),
        ("trtexec", "trtexec --onnx=cnn.onnx --shapes=imaeg:1x3x32x32", "no such input"),
        ("trtexec", "trtexec --onnx=cnn.onnx --shapes=image:1x3", "have 2 axes"),
        (
            "trtexec",
            "trtexec --onnx=cnn.onnx --minShapes=image:9x3x32x32 --optShapes=image:1x3x32x32",
            "min is larger than opt",
        ),
    ],
)
def test_what_does_not_fit_the_model_is_one_error(tool, command, told):
    """With the nearest name, or what to look at."""
    with pytest.raises(UsageError, match=told) as raised:
        api.init(command=(tool, command))

    assert raised.value.hint


def test_a_checkpoint_of_ultralytics_is_exported_as_the_command_has_it(here):
    """An ONNX file has its size from the export: what is of that is named instead."""
    import zipfile

    with zipfile.ZipFile(here / "best.pt", "w") as archive:
        archive.writestr("best/data.pkl", b"ultralytics.nn.tasks DetectionModel")
    recipe, _ = translated(
        "ultralytics", "yolo export model=best.pt imgsz=320 batch=2 nms conf=0.4 opset=16 int8"
    )
    _, made = translated("ultralytics", "export model=super.onnx imgsz=64 nms opset=16")

    assert ("ultralytics", 320, 2, True, 0.4, 16) == (
        recipe.model.kind, recipe.model.imgsz, recipe.model.batch, recipe.model.nms,
        recipe.model.conf, recipe.model.opset,
    )  # fmt: skip
    assert () == recipe.profiles
    assert {"nms", "opset=16"} <= {note.split(": ")[1] for note in made.notes}
