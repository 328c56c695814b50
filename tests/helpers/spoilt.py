"""A recipe that has every section, and all ways to spoil a value of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from trtbuild.api.recipes import kinds
from trtbuild.core.errors import RecipeError
from trtbuild.recipe.compose import Node
from trtbuild.recipe.load import LoadedRecipe, check_source
from trtbuild.recipe.schema import Recipe
from trtbuild.recipe.source import RecipeText, parse_recipe_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trtbuild.recipe.problems import Path as At
    from trtbuild.recipe.problems import Problem

EVERY = """\
version: 1
name: every
model: {kind: onnx, path: model.onnx}
fixes:
  - {kind: fold_constants}
  - {kind: set_dimension, tensor: image, axis: 0, size: 4}
data:
  calib:
    kind: images
    path: photos
    count: 4
    preprocess: {resize: [72, 72], crop: [64, 64], mean: [0.5, 0.5, 0.5], std: [1, 1, 1]}
  eval: {kind: arrays, path: eval.npz, labels: label}
  seen: {kind: images, path: photos, labels: {kind: yolo, path: labels}, preprocess: {}}
  code: {kind: python, entrypoint: "data.py:samples", options: {n: 3}}
quantization:
  data: calib
  calibrator: {kind: percentile, percentile: 99.9}
  calibrators: {"*/Softmax*": {kind: minmax}}
  ranges: {a: 6.0, b: [-1, 2]}
  ranges_file: ranges.txt
  weights: {kind: mse}
  high_precision: fp16
  skip: [c]
  precision: {d: fp32}
  allow_float: [e]
  equalize: [{kind: cross_layer}]
precision: fp32
checks: {"off": {TB303: "the branch is tiny"}}
profiles:
  - image: {min: [1, 3, 64, 64], opt: [4, 3, 64, 64], max: [8, 3, 64, 64]}
targets:
  rtx: {kind: tensorrt_rtx, compute_capabilities: [8.6, 8.9], workspace: 1GiB}
  ten: {kind: tensorrt10, workspace: 1GiB}
  reference: {kind: onnxruntime}
compare:
  data: eval
  outputs: {scores: "y[:, 4:]"}
  metrics:
    - cosine
    - top1
    - {kind: detection, layout: {kind: yolov8}}
    - {kind: python, entrypoint: "own.py:f", values: {f: {better: low}}}
  sensitivity: {samples: 4, layers: ["op:Conv"]}
  gates:
    - {metric: cosine, at_least: 0.99}
bench: {batches: [1], runners: [{kind: onnx_runtime}]}
"""
TREE: dict[str, Any] = parse_recipe_text("every.yaml", EVERY.encode()).root.plain

_DEEP: Any = 1
for _ in range(20):
    _DEEP = [_DEEP]
WRONG = (None, True, -1, 10**17, 1e300, "", "1x3x64x64", [], [1], [[1, 2], {"a": 1}], _DEEP)
WRONG += ({}, {"nope": 1}, {"kind": "nope"})
"""Of every type, too large, too deep, empty, and of a kind that is none."""


def add_sections(text: str) -> str:
    """Return a recipe with the sections that it lacks, from one that has them all."""
    parts: dict[str, list[str]] = {}
    name = ""
    for line in EVERY.splitlines():
        if line[:1].isalpha():
            name = line.partition(":")[0]
        parts.setdefault(name, []).append(line)
    lines = [line.partition(":")[0].strip("\"' ") for line in text.splitlines()]
    lacking = [each for each in Recipe.model_fields if each not in lines and each in parts]
    return text.rstrip("\n") + "\n" + "\n".join("\n".join(parts[each]) for each in lacking) + "\n"


def list_places(value: Any, at: At = ()) -> Iterator[At]:
    """Yield where a value of a tree can be replaced."""
    yield at
    items = value if isinstance(value, list) else ()
    for key, child in value.items() if isinstance(value, dict) else enumerate(items):
        yield from list_places(child, (*at, key))


def put(value: Any, at: At, other: Any) -> Any:
    """Return a tree with another value at a place."""
    if not at:
        return other
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[at[0]] = put(value[at[0]] if at[1:] else None, at[1:], other)
    return copy


def list_options() -> Iterator[tuple[At, dict[str, Any], str]]:
    """Yield every option of every kind: where the kind may stand, the least of it, the name."""
    stands: dict[str, At] = {
        "model": ("model",),
        "fixes": ("fixes", 0),
        "data": ("data", "calib"),
        "labels": ("data", "seen", "labels"),
        "calibrator": ("quantization", "calibrator"),
        "weights": ("quantization", "weights"),
        "equalize": ("quantization", "equalize", 0),
        "targets": ("targets", "rtx"),
        "metrics": ("compare", "metrics", 0),
        "layout": ("compare", "metrics", 2, "layout"),
        "runners": ("bench", "runners", 0),
    }
    for section, classes in kinds().items():
        for each in classes:
            (kind,) = get_args(each.model_fields["kind"].annotation)
            for option in each.model_fields:
                yield stands[section], {"kind": kind}, option
    for section in ("quantization", "compare", "checks"):
        for option in _fields(section):
            yield (section,), TREE[section], option


def _fields(section: str) -> tuple[str, ...]:
    annotation = Recipe.model_fields[section].annotation
    for each in (annotation, *get_args(annotation)):
        if hasattr(each, "model_fields"):
            return tuple(each.model_fields)
    return ()


def check_tree(tree: Any) -> LoadedRecipe:
    """Check a recipe given as a tree, without the time that it takes to read YAML.

    Raises:
        RecipeError: all that is wrong with it.
    """
    nodes = _Nodes()
    root = nodes.make(tree)
    return check_source(Path("every.yaml"), RecipeText("every.yaml", ("",) * nodes.line, root))


def problems_of(tree: Any) -> tuple[Problem, ...]:
    """Return what is wrong with a recipe given as a tree."""
    try:
        check_tree(tree)
    except RecipeError as error:
        return error.problems
    return ()


class _Nodes:
    """Makes nodes, each on a line of its own."""

    def __init__(self) -> None:
        self.line = 0

    def make(self, value: Any) -> Node:
        self.line += 1
        node = Node((self.line - 1, 0), value, quoted=True)
        if isinstance(value, dict):
            node.keys = dict.fromkeys(value, node.at)
            node.value = {key: self.make(child) for key, child in value.items()}
        elif isinstance(value, list):
            node.value = [self.make(child) for child in value]
        return node
