"""What a GPU would build, and what code makes: the steps a change reaches, by their digests.

Nothing runs: targets are deferred here, and their digests are known all the same.
"""

from __future__ import annotations

import getpass
import os
from pathlib import Path

import pytest

from tests.helpers.projects import edit
from trtbuild import api
from trtbuild.backends.tensorrt10 import Tensorrt10
from trtbuild.backends.tensorrt11 import Tensorrt11

RECIPE = """\
version: 1
name: coded
model:
  kind: torch
  entrypoint: "net.py:net"
  weights: {path: net.pth}
  inputs:
    input: {shape: [batch, 3]}
data:
  calib: {kind: arrays, path: calib.npy}
quantization:
  data: calib
  calibrator: {kind: minmax}
profiles:
  - input: {min: [1, 3], opt: [2, 3], max: [4, 3]}
targets:
  rtx: {kind: tensorrt_rtx, plugins: [own.so]}
  ten: {kind: tensorrt10, plugins: [own.so], timing_cache: ten.cache}
  eleven: {kind: tensorrt11, timing_cache: eleven.cache}
"""
FILES = {
    "net.py": "from layers import layer\n\n\ndef net():\n    return layer()\n",
    "layers.py": "from deeper.more import WIDTH\n\n\ndef layer():\n    return WIDTH\n",
    "deeper/__init__.py": "",
    "deeper/more.py": "WIDTH = 3\n",
    "net.pth": "weights",
    "calib.npy": "numbers",
    "own.so": "plugin",
    "ten.cache": "timings",
    "eleven.cache": "timings",
}
EVERYTHING_MADE = {
    "import_model", "fix_graph", "calibrate", "quantize",
    *(f"{step}({name})" for step in ("check_model", "build_engine")
      for name in ("rtx", "ten", "eleven")),
}  # fmt: skip


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))
    for name, text in {"recipe.yaml": RECIPE, **FILES}.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project/recipe.yaml"


def digests(recipe):
    return {each.step: each.digest for each in api.plan(recipe).decisions}


def changed(recipe, make):
    """Return the steps whose digests a change moves; none may come or go."""
    before = digests(recipe)
    make(recipe)
    after = digests(recipe)
    assert before.keys() == after.keys()
    return {step for step, digest in after.items() if digest != before[step]}


def rewrites(name, text):
    return lambda _: Path(name).write_text(text)


def both(*changes):
    return lambda recipe: [change(recipe) for change in changes]


def edits(before, after):
    return lambda recipe: edit(recipe, before, after)


BUILDS = {name: f"build_engine({name})" for name in ("rtx", "ten", "eleven")}
CHANGES = {
    "a byte of a plugin": (rewrites("own.so", "plugim"), {BUILDS["rtx"], BUILDS["ten"]}),
    "a byte of a timing cache": (rewrites("ten.cache", "timingz"), {BUILDS["ten"]}),
    "a model's entrypoint": (
        rewrites("net.py", FILES["net.py"].replace("layer()", "layer( )", 1)), EVERYTHING_MADE,
    ),
    "a module beside it": (rewrites("layers.py", FILES["layers.py"] + "\n"), EVERYTHING_MADE),
    "a module that this imports": (rewrites("deeper/more.py", "WIDTH = 4\n"), EVERYTHING_MADE),
    "its weights": (rewrites("net.pth", "weightz"), EVERYTHING_MADE),
    "a moved plugin": (
        both(lambda _: os.renames("own.so", "elsewhere/own.so"),
             edits("own.so", "elsewhere/own.so")), set(),
    ),
    "a moved timing cache": (
        both(lambda _: Path("ten.cache").rename("10.cache"), edits("ten.cache", "10.cache")), set(),
    ),
    "a patience": (edits("timing_cache: ten.cache", "timing_cache: ten.cache, timeout_seconds: 9"),
                   set()),
    "key order of a target": (
        edits("{kind: tensorrt_rtx, plugins: [own.so]}", "{plugins: [own.so], kind: tensorrt_rtx}"),
        set(),
    ),
    "a pinned cache for a managed one": (edits(", timing_cache: ten.cache", ""), {BUILDS["ten"]}),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_reaches_what_reads_it(recipe, change):
    """Bytes count where a step reads them; where they lie counts nowhere."""
    make, expected = CHANGES[change]

    assert expected == changed(recipe, make)


OPTIONS = {
    "builder_optimization_level": "5",
    "tf32": "false",
    "memory_pools": "{tactic_dram: 1GiB}",
    "sparse_weights": "true",
    "max_aux_streams": "1",
    "tiling": "fast",
    "preview_features": "[runtime_activation_resize_10_10]",
    "profiling_verbosity": "none",
    "plugins": "[own.so]",
    "io_formats": "{input: [chw4]}",
    "gpu": "sm_90",
    "workspace": "1GiB",
    "tactic_sources": "[jit_convolutions]",
    "frozen": "true",
    "hardware_compatibility": "ampere_plus",
    "version_compatible": "true",
    "exclude_lean_runtime": "true, version_compatible: true",
    "refit": "all",
    "strip_plan": "true, refit: all",
    "fp16": "true",
    "bf16": "true",
    "precision_constraints": "prefer",
    "ranges_as": "cache",
    "dla_core": "0",
    "gpu_fallback": "true, dla_core: 0",
    "io_types": "{input: half}, fp16: true",
}
OF_IMPLICIT = {"fp16", "bf16", "precision_constraints", "ranges_as", "dla_core", "gpu_fallback",
    "io_types",
}  # fmt: skip
"""Options for `mode: implicit`, which the other targets here cannot build."""
NO_INGREDIENT = {"kind", "timing_cache", "timeout_seconds", "runtime"}
OF_DLA = {"dla_core", "gpu_fallback"}
"""A DLA has fixed shapes."""
OF_TEN = set(Tensorrt10.model_fields) - set(Tensorrt11.model_fields) | OF_DLA
"""What the other lacks, or has for another model than that of this recipe."""


def test_every_option_of_a_target_is_looked_at():
    """One that is added needs a line here."""
    known = set(Tensorrt10.model_fields) | set(Tensorrt11.model_fields)

    assert known - NO_INGREDIENT == set(OPTIONS)


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_of_a_target_rebuilds_that_target_alone(recipe, option):
    """The model, its ranges and the other targets are what they were."""
    target = "ten" if option in OF_TEN else "eleven"
    if option in OF_IMPLICIT:
        edit(recipe, "  data: calib\n", "  data: calib\n  mode: implicit\n")
        for other in ("rtx", "eleven"):
            lines = recipe.read_text().splitlines()
            recipe.write_text("\n".join(x for x in lines if not x.startswith(f"  {other}:")))
    if option in OF_DLA:
        edit(
            recipe, "min: [1, 3], opt: [2, 3], max: [4, 3]", "min: [2, 3], opt: [2, 3], max: [2, 3]"
        )
    line = f"timing_cache: {target}.cache"

    value, _, companion = OPTIONS[option].partition(", ")  # what it may not stand without
    if companion:
        edit(recipe, line, f"{line}, {companion}")

    found = changed(recipe, edits(line, f"{line}, {option}: {value}"))

    assert BUILDS[target] in found
    assert found - {f"check_model({target})"} == {BUILDS[target]}


def test_another_user_reads_the_same(recipe, monkeypatch):
    """Who it is stands in no digest: neither name, home, number nor the rights on files."""
    before = digests(recipe)
    monkeypatch.setenv("HOME", "/nowhere")
    monkeypatch.setattr(getpass, "getuser", lambda: "somebody")
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    for path in recipe.parent.rglob("*"):
        path.chmod(0o777)

    assert before == digests(recipe)
