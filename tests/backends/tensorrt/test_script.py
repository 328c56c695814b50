"""A printed program for TensorRT 10 or 11 tells the builder what trtbuild's own build tells it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.helpers.qdq import layer, relu_gemm
from tests.helpers.recipes import one_target
from trtbuild.calib.trt_cache import cache_from_bytes
from trtbuild.core.values import Ranges
from trtbuild.recipe.load import check_source
from trtbuild.recipe.source import parse_recipe_text
from trtbuild.verbs.script import write_program

IMPLICIT = """\
data: {{calib: {{kind: arrays, path: c.npz}}}}
quantization: {{mode: implicit, data: calib, calibrator: {{kind: minmax}}, {more}}}
"""
RANGES = {
    name: {"low": -limit / 2, "high": limit, "origin": "calibrated"}
    for name, limit in {"x": 2.0, "a": 1.0, "y": 4.0}.items()
}
OWN = ("progress_monitor", "timing_cache")
"""What a program does without: it tells no progress, and keeps no managed timing cache."""


def told(lines):
    """Return what the builder was told before it built."""
    end = next(i for i, line in enumerate(lines) if "build_serialized_network" in line)
    return [line for line in lines[:end] if not any(word in line for word in OWN)]


@pytest.fixture
def both(double, tmp_path):
    """Build by trtbuild and by the printed program; returns what each told the double."""

    def run(kind, options=None, *, model=None, more="", files=(), **order):
        text = one_target({"kind": kind, **(options or {})}, more)
        printed = tmp_path / "build.py"
        printed.write_text(
            write_program(
                check_source(Path("r.yaml"), parse_recipe_text("r.yaml", text.encode())), "it"
            )
        )
        ours = double(kind, model, options=options, **order)
        engine = tmp_path / "theirs.engine"
        arguments = [printed, "build.py", tmp_path / "model.onnx", engine, *files]
        theirs = double(
            kind,
            model,
            options=options,
            program=list(map(str, arguments)),
            memory=order.get("memory", 0),
        )
        assert engine.is_file()
        return [told(each["told"]) for each in (ours, theirs)]

    return run


OPTIONS = {
    "workspace": "1GiB",
    "tf32": False,
    "tiling": "full",
    "refit": "identical",
    "preview_features": ["aliased_plugin_io_10_03"],
    "io_formats": {"x": ["chw32"]},
}


@pytest.mark.parametrize("kind", ["tensorrt10", "tensorrt11"])
def test_it_tells_the_builder_the_same(both, kind):
    """Flags, pools, enums by name, formats, profiles: call by call."""
    more = "profiles: [{x: {min: [1, 8, 8, 8], opt: [2, 8, 8, 8], max: [4, 8, 8, 8]}}]"
    profiles = [{"x": [[size, 8, 8, 8] for size in (1, 2, 4)]}]

    ours, theirs = both(kind, OPTIONS, model=layer(x="n, 8, 8, 8"), more=more, profiles=profiles)

    assert ours == theirs
    assert any("set_shape('x', (1, 8, 8, 8), (2, 8, 8, 8), (4, 8, 8, 8))" in x for x in theirs)


def test_types_flags_and_dla_are_the_same(both):
    """What TensorRT 10 alone has."""
    options = {"fp16": True, "io_types": {"x": "half"}}

    ours, theirs = both("tensorrt10", options, model=relu_gemm())

    assert ours == theirs
    assert "x.dtype = HALF" in theirs


@pytest.mark.parametrize(
    ("form", "requests"),
    [
        ("tensors", ""),
        ("tensors", 'skip: ["op:Gemm"]'),
        ("tensors", "precision: {fc: fp32}"),
        ("tensors", 'precision: {"op:Gemm": fp32, "*": int8}'),
        ("cache", "skip: [fc]"),
    ],
)
def test_implicit_ranges_and_constraints_are_the_same(both, tmp_path, requests, form):
    """Every tensor gets the same range, those that the parser made too, or the same cache."""
    path = tmp_path / "ranges.json"
    path.write_text(Ranges.model_validate_json(json.dumps({"tensors": RANGES})).model_dump_json())

    ours, theirs = both(
        "tensorrt10",
        {"ranges_as": form},
        model=relu_gemm(),
        more=IMPLICIT.format(more=requests),
        files=[path],
        ranges=RANGES,
        floats=["fc"] if requests else [],
    )

    assert ours == theirs
    given = [line for line in theirs if "dynamic_range" in line]
    assert (4 if form == "tensors" else 0) == len(given)
    assert ("fc.precision = FLOAT" in theirs) == bool(requests)
    if form == "cache":
        cache = cache_from_bytes((tmp_path / "theirs.engine.calibration.cache").read_bytes())
        assert (101601, pytest.approx(4 / 127)) == (cache.number, cache.scales["y"])


def test_a_workspace_that_follows_from_the_gpu_is_the_same(both):
    """Seven eighths of what the builder says there is."""
    ours, theirs = both("tensorrt11", {"workspace": "auto"}, memory=24 << 30)

    assert f"IBuilderConfig.set_memory_pool_limit(WORKSPACE, {21 << 30})" in ours
    assert ours == theirs
