"""The printed program does what trtbuild does."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.qdq import layer
from tests.helpers.recipes import one_target
from trtbuild.backends.tensorrt.rtx_plan import read_kernels
from trtbuild.backends.tensorrt_rtx import TensorrtRtx
from trtbuild.core.errors import UsageError
from trtbuild.recipe.load import load_recipe
from trtbuild.verbs.script import write_program


@pytest.fixture
def printed(tmp_path):
    """Print the program of a target."""

    def run(target, more="", name="it"):
        (tmp_path / "r.yaml").write_text(one_target(target, more))
        return write_program(load_recipe(tmp_path / "r.yaml"), name)

    return run


def plans(text, target, tmp_path, *, profiles=()):
    """Build by the program and by the backend, each in a process of its own."""
    (tmp_path / "build.py").write_text(text)
    ours = (
        "import sys; from pathlib import Path; "
        "from trtbuild.backends.base import BuildOrder; "
        "from trtbuild.backends.tensorrt_rtx import TensorrtRtx; "
        f"order = BuildOrder(Path('m.onnx'), Path('ours'), {list(profiles)!r}); "
        "TensorrtRtx.model_validate_json(sys.argv[1]).build(order)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    for arguments in (
        ["build.py", "m.onnx", "theirs"],
        ["-c", ours, json.dumps(target)],
    ):
        command = [sys.executable, *arguments]
        subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True)
    return tmp_path / "theirs", tmp_path / "ours"


def test_its_plan_is_ours_byte_for_byte(printed, tmp_path):
    """For TensorRT-RTX and a model with fixed shapes, whatever the options."""
    pytest.importorskip("tensorrt_rtx_bindings")
    target = {
        "kind": "tensorrt_rtx",
        "compute_capabilities": [8.6, 8.9],
        "workspace": "1GiB",
        "memory_pools": {"tactic_shared_memory": "32KiB"},
        "preview_features": ["aliased_plugin_io_10_03"],
        "tf32": False,
        "io_formats": {"x": ["chw32"]},
    }
    (tmp_path / "m.onnx").write_bytes(layer().SerializeToString())

    theirs, ours = plans(printed(target), target, tmp_path)

    assert theirs.read_bytes() == ours.read_bytes()


def test_with_open_shapes_it_compiles_the_same_kernels(printed, tmp_path):
    """Names in such plans hold memory addresses, so bytes may differ between any two processes."""
    pytest.importorskip("tensorrt_rtx_bindings")
    target = {"kind": "tensorrt_rtx", "compute_capabilities": [8.9]}
    (tmp_path / "m.onnx").write_bytes(layer(x="n, 8, 8, 8").SerializeToString())
    shapes = {"x": ((1, 8, 8, 8), (2, 8, 8, 8), (4, 8, 8, 8))}
    more = "profiles: [{x: {min: [1, 8, 8, 8], opt: [2, 8, 8, 8], max: [4, 8, 8, 8]}}]"

    theirs, ours = plans(printed(target, more), target, tmp_path, profiles=[shapes])

    kernels = [
        [(kernel.op, kernel.operands, kernel.layers) for kernel in read_kernels(plan)]
        for plan in (theirs, ours)
    ]
    assert kernels[0] == kernels[1]


@pytest.mark.parametrize("major", [10, 11])
def test_it_names_what_the_real_bindings_have(printed, real_names, major):
    """Every `trt.Enum.MEMBER` of a program for TensorRT 10 or 11 exists there."""
    target = {
        "kind": f"tensorrt{major}",
        "workspace": "1GiB",
        "tactic_sources": ["jit_convolutions"],
        "hardware_compatibility": "ampere_plus",
        "refit": "identical",
        "timing_cache": "t.cache",
        "frozen": True,
        "io_formats": {"x": ["chw32"]},
    }
    target |= {"dla_core": 1, "gpu_fallback": True}
    if major == 10:
        target |= {"fp16": True, "io_types": {"x": "half"}}

    text = printed(target)

    assert "REFIT_IDENTICAL" in text
    assert set() == real_names(text) - real_names.known(major)
    compile(text, "build.py", "exec")


class _Names:
    """`trt.Enum.MEMBER` as a program has them, and as the bindings do."""

    def __call__(self, text):
        import re

        return set(re.findall(r"trt\.(\w+\.[A-Z]\w*)", text))

    def known(self, major):
        path = Path(__file__).parents[1] / f"golden/bindings/tensorrt{major}.json"
        enums = json.loads(path.read_text())["enums"]
        return {f"{name}.{member}" for name, members in enums.items() for member in members}


@pytest.fixture
def real_names():
    return _Names()


@pytest.mark.parametrize(
    ("target", "name", "message"),
    [
        ({"kind": "onnxruntime"}, "it", "is no TensorRT engine"),
        ({"kind": "onnxruntime"}, "other", "there is no target `other`"),
    ],
)
def test_what_no_program_builds_is_a_usage_error(printed, target, name, message):
    """And says what there is."""
    with pytest.raises(UsageError, match=message):
        printed(target, name=name)


def test_its_settings_are_the_backends():
    """One table says what is set, for the build and for the program."""
    target = TensorrtRtx(kind="tensorrt_rtx", tf32=False)

    assert {"TF32": False} == target.settings().flags


def structure(text):
    """Return what a program does: its tree, with a blank in the place of every constant."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            node.value = None
    return ast.dump(tree)


IMPLICIT = """\
data: {{calib: {{kind: arrays, path: calib.npz}}}}
quantization: {{mode: implicit, data: calib, calibrator: {{kind: minmax}}, skip: [{0}],
  precision: {{{0}: fp32}}}}
"""
NAMES = [
    '"""\nimport forged\n"""', "'''", "\\", '\\"""', "a\nb", "\u2028", "{x}", "'; rm -rf x; '",
    "##[error]", "::error::x",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("kind", "options", "section"),
    [
        ("tensorrt_rtx", {"compute_capabilities": [8.9]}, ""),
        ("tensorrt11", {"timing_cache": "NAME"}, ""),
        ("tensorrt10", {"timing_cache": "NAME", "io_types": {"NAME": "half"}}, IMPLICIT),
    ],
)
def test_names_are_values_and_never_code(tmp_path, kind, options, section, name):
    """Recipe text and the file's own name, wherever they stand in the program."""
    plain, hostile = (_named(each, tmp_path, kind, options, section) for each in ("NAME", name))

    assert structure(plain) == structure(hostile)
    assert plain.count("\n") == hostile.count("\n")
    assert f"Build the target `it` of {name}.yaml as" in ast.get_docstring(ast.parse(hostile))


def _named(name, folder, kind, options, section):
    """Print a program with a name in every place where a recipe may have any."""
    quoted = json.dumps(name)
    target = json.loads(json.dumps({"kind": kind, **options}).replace('"NAME"', quoted)) | {
        "plugins": [name],
        "io_formats": {name: ["linear"]},
    }
    shapes = "{min: [1], opt: [1], max: [1]}"
    more = f"profiles: [{{{quoted}: {shapes}}}]\n{section.format(quoted)}"
    recipe = folder / f"{name.replace('/', '')}.yaml"
    recipe.write_text(one_target(target, more))
    return write_program(load_recipe(recipe), "it")
