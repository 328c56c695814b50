"""A test is found where its module is: `trtbuild/a/b.py` has `tests/a/test_b.py`."""

from __future__ import annotations

from pathlib import Path

import trtbuild

PACKAGE = Path(trtbuild.__file__).parent
TESTS = Path(__file__).parents[1]
LONG = 80
"""Lines; what is shorter may be tested by what uses it."""
ROOMS = sorted(path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file())
NO_MIRROR = {
    "backends/test_bindings.py": "all kinds of TensorRT, held against real bindings",
    "calib/test_trained_models.py": "every calibrator, on models that were trained",
    "cli/test_examples.py": "the examples of the README, by whichever verb",
    "cli/test_bad_input.py": "whatever a user may get wrong, by whichever verb",
    "cli/test_damage.py": "whatever may befall a store, by whichever verb",
    "cli/test_device.py": "where ONNX Runtime computes, by whichever verb",
    "cli/test_disturbed.py": "applies that are killed",
    "cli/test_hostile_files.py": "whatever may lie where a file of ours should",
    "cli/test_other_versions.py": "stores of another trtbuild",
    "cli/test_reference.py": "what a build is compared with, in figures, verdicts and on pages",
    "cli/test_shipped_recipes.py": "the recipes of this repository, applied",
    "report/test_browser.py": "pages of every sort, as a browser shows them",
    "quant/test_accuracy.py": "all of quantization, against another quantizer",
    "quant/test_delivered.py": "all of quantization, by what a builder makes of it",
    "quant/test_fp8.py": "all of quantization, in FP8",
    "quant/test_int4.py": "all of quantization, in INT4",
    "quant/test_families.py": "all of quantization, on every family of models",
    "quant/test_half_delivered.py": "16 bits, by what a builder makes of them",
    "quant/test_half_sources.py": "all of quantization, on models that are 16-bit already",
    "run/test_crowd.py": "many walks in many processes",
    "run/test_large_models.py": "all steps, on models over 2 GB",
}
"""Tests of what no single module does, and what they test."""


def mirror_of(module: Path) -> Path:
    """Return where the test of a module is to be found."""
    place = module.relative_to(PACKAGE)
    return place.with_name(f"test_{place.name}")


MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if path.stem != "__init__"]
PLACES = {mirror_of(module) for module in MODULES}


def test_every_long_module_has_a_test_in_its_place():
    """Whoever changes it finds what holds it, and where to add to that."""
    wrong = [
        f"{module.relative_to(PACKAGE)} has no tests/{mirror_of(module)}"
        for module in MODULES
        if len(module.read_text().splitlines()) > LONG and not (TESTS / mirror_of(module)).is_file()
    ]

    assert [] == wrong


def test_every_test_in_a_room_is_of_a_module():
    """A module that is renamed takes its test along; what is of none has a reason."""
    found = [path for room in ROOMS for path in sorted((TESTS / room).rglob("test_*.py"))]
    wrong = [
        str(path.relative_to(TESTS))
        for path in found
        if path.relative_to(TESTS) not in PLACES
        and path.relative_to(TESTS).as_posix() not in NO_MIRROR
    ]

    assert [] == wrong


def test_exceptions_are_needed():
    """They are there, and of no module: else they would hide the next one that is misplaced."""
    assert [] == [name for name in NO_MIRROR if not (TESTS / name).is_file()]
    assert [] == [name for name in NO_MIRROR if Path(name) in PLACES]


def test_a_test_tests_something():
    """An empty file in the right place would pass for one."""
    mirrors = [TESTS / place for place in sorted(PLACES) if (TESTS / place).is_file()]

    assert [] == [
        str(path.relative_to(TESTS)) for path in mirrors if "def test_" not in path.read_text()
    ]
