"""What the README says to those who come from other tools holds, row by row."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import typer

import trtbuild
from tests.conftest import GOLDEN
from trtbuild.backends.tensorrt.settings import Member
from trtbuild.cli.app import make_app
from trtbuild.recipe.load import check_source
from trtbuild.recipe.source import parse_recipe_text

README = (Path(trtbuild.__file__).parents[1] / "README.md").read_text()
BASE = {
    "version": 1,
    "name": "net",
    "model": {"kind": "onnx", "path": "net.onnx"},
    "data": {"calib": {"kind": "arrays", "path": "calib.npz"}},
    "targets": {"edge": {"kind": "tensorrt11"}},
}
SURFACES = {
    major: json.loads((GOLDEN / f"bindings/tensorrt{major}.json").read_text()) for major in (10, 11)
}
OWNERS = {
    "builder": "Builder",
    "config": "IBuilderConfig",
    "layer": "ILayer",
    "profile": "IOptimizationProfile",
    "tensor": "ITensor",
    "calibrator": "IInt8EntropyCalibrator2",
}
"""What a script usually calls an object, and its class."""


def rows(heading):
    """Return the cells of the table below a heading."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def spans(cell):
    return re.findall(r"`([^`]+)`", cell)


def answers(cell):
    """Return the recipe lines of a cell, those joined by `and` as one; and its commands."""
    found = spans(cell.replace("` and `", "\n"))
    lines = [each for each in found if re.match(r"\w+: ", each)]
    return lines, [each for each in found if each.startswith("trtbuild ")]


def recipe_with(lines):
    """Return the recipe that holds these lines, with all else that a recipe needs."""
    given = parse_recipe_text("lines.yaml", lines.encode())
    assert () == given.problems, lines
    text = json.dumps({**BASE, **given.root.plain})
    return check_source(Path("r.yaml"), parse_recipe_text("r.yaml", text.encode())).recipe


def parse_command(line):
    """Hold a command line to the options that its verb has."""
    _, verb, *words = re.sub(r'"[^"]*"', "WORD", line).split()
    command = typer.main.get_command(make_app([verb])).commands[verb]
    known = {option for each in command.params for option in each.opts}
    assert {word for word in words if word.startswith("-")} <= known, line


TOOLS, SCRIPT = rows("From other tools"), rows("From a calibrator script")


@pytest.mark.parametrize("row", TOOLS + SCRIPT, ids=lambda row: row[0][:40])
def test_every_line_for_a_recipe_is_of_one_that_validates(row):
    """And every command has the options that stand in it."""
    for cell in row[1:]:
        lines, commands = answers(cell)
        for each in lines:
            recipe_with(each)
        for each in commands:
            parse_command(each)


def target(recipe):
    (found,) = recipe.targets.values()
    return found


def pool(recipe):
    return target(recipe).settings().arguments["memory_pool_limits"]


def profile(recipe):
    shapes = recipe.profiles[0]["images"]
    return shapes.min[0], shapes.opt[0], shapes.max[0]


def edge(name):
    return lambda recipe: getattr(target(recipe), name)


def calibrator(recipe):
    return recipe.quantization.calibrator.kind


YAML = "coco8.yaml"
MEANING = {
    "model=yolov8n.pt": (lambda r: (r.model.kind, r.model.imgsz), ("ultralytics", 640)),
    "format=engine": (edge("kind"), "tensorrt11"),
    "imgsz=640": (
        lambda r: (r.data["calib"].preprocess.resize, r.data["calib"].preprocess.fit),
        ((640, 640), "letterbox"),
    ),
    "batch=8": (lambda r: (r.fixes[0].axis, r.fixes[0].size), (0, 8)),
    "dynamic=True": (profile, (1, 8, 16)),
    "half=True": (lambda r: r.precision, "fp16"),
    "int8=True": (lambda r: (r.quantization.mode, calibrator(r)), ("explicit", "auto")),
    "data=coco8.yaml": (lambda r: (r.data["calib"].path, r.data["calib"].split), (YAML, "val")),
    "fraction=0.5": (lambda r: r.data["calib"].fraction, 0.5),
    "the calibration algorithm": (calibrator, "entropy2"),
    "--calib=old.cache": (calibrator, "cache"),
    "simplify=True": (lambda r: r.fixes[0].kind, "simplify"),
    "opset=17": (lambda r: r.model.opset, 17),
    "nms=True": (
        lambda r: (r.fixes[0].score_threshold, r.fixes[0].iou_threshold, r.fixes[0].max_detections),
        (0.25, 0.7, 300),
    ),
    "workspace=4": (pool, {Member("MemoryPoolType", "WORKSPACE"): 4 << 30}),
    "workspace=None": (lambda r: target(r).settings().auto, True),
    "device=1": ("--device 1", None),
    "device=dla:0": (
        lambda r: [target(r).settings().arguments[x] for x in ("use_dla", "allow_gpu_fallback")],
        [True, True],
    ),
    "--noTF32": (lambda r: target(r).settings().flags["TF32"], False),
    "--builderOptimizationLevel=5": (edge("builder_optimization_level"), 5),
    "--timingCacheFile=t.cache": (edge("timing_cache"), "t.cache"),
    "--layerPrecisions=head:fp32": (lambda r: r.quantization.skip, ("head",)),
    "--inputIOFormats=fp16:chw": (lambda r: r.fixes[0].types, {"images": "float16"}),
    "--sparsity=enable": (edge("sparse_weights"), True),
    "--versionCompatible": (edge("version_compatible"), True),
    "--hardwareCompatibilityLevel=ampere+": (edge("hardware_compatibility"), "ampere_plus"),
    "--refit": (lambda r: (target(r).refit, target(r).strip_plan), ("all", True)),
    "--staticPlugins=libmine.so": (edge("plugins"), ("libmine.so",)),
    "--verbose": ("--log-level verbose", None),
    "--saveEngine=net.engine": ("--build-dir out", None),
    "--loadEngine=net.engine": ("run net.engine", None),
}
"""By the first of a row's arguments: what its answer comes to, or what stands in its command."""


def name_of(row):
    return next(iter(spans(row[0])), row[0])


def test_every_row_is_looked_at():
    """One that is added needs a line here."""
    assert [name_of(row) for row in TOOLS] == list(MEANING)


@pytest.mark.parametrize("row", TOOLS, ids=name_of)
def test_an_argument_comes_to_what_people_know_it_for(row):
    """In the first answer of the row."""
    read, expected = MEANING[name_of(row)]
    lines, commands = answers(row[1])

    if isinstance(read, str):
        assert read in commands[0]
    else:
        assert expected == read(recipe_with(lines[0]))


def is_there(major, owner, name):
    surface = SURFACES[major]
    return name in surface["classes"].get(owner, {}) or name in surface["enums"].get(owner, ())


def names_of(line):
    """Yield the owner and name of all of TensorRT's API in a line of a script."""
    for owner, name in re.findall(r"\btrt\.(\w+)(?:\.(\w+))?", line):
        if name:
            yield owner, name
        elif owner.startswith("I"):
            yield owner, "get_batch"
    for owner, name in re.findall(rf"\b({'|'.join(OWNERS)})\.(\w+)", line):
        yield OWNERS[owner], name
    for name in re.findall(r"\bdef (\w+)", line):
        yield "IInt8EntropyCalibrator2", name


def judge(line):
    """Say what became of a line's API: the worst of what it names."""
    names = list(names_of(line))
    assert names, line
    if not all(is_there(10, *name) for name in names):
        return "gone before 10"
    return "there" if all(is_there(11, *name) for name in names) else "gone in 11"


@pytest.mark.parametrize("row", SCRIPT, ids=lambda row: row[0][:40])
def test_what_a_script_rests_on_is_gone_as_it_says(row):
    """Held against the real bindings of 10.16 and 11.4, as they are written down."""
    lines, told = spans(row[0]), row[1].split(", ")

    assert (told * len(lines) if len(told) == 1 else told) == [judge(line) for line in lines]


def test_what_are_options_of_a_checkpoint_are():
    """By the names that Ultralytics has for them."""
    said = next(row[2] for row in TOOLS if "model=yolov8n.pt" in row[0]).split(" are its options")[
        0
    ]

    assert set(spans(said)) <= set(type(recipe_with(answers(TOOLS[0][1])[0][0]).model).model_fields)
