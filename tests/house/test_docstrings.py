"""What docstrings name is there."""

from __future__ import annotations

import builtins
import re
from pathlib import Path

import pytest

import trtbuild

PACKAGE = Path(trtbuild.__file__).parent
ROOMS = "|".join(sorted(path.name for path in PACKAGE.iterdir() if path.is_dir()))


@pytest.fixture(scope="module")
def texts():
    """Every module's text."""
    return {path: path.read_text() for path in sorted(PACKAGE.rglob("*.py"))}


def test_errors_that_are_promised_exist(texts):
    """Whoever catches one by the docstring would else catch nothing."""
    known = {name for name, value in vars(builtins).items() if is_error(value)}
    known.add("ValidationError")  # pydantic's
    classes = [
        found
        for text in texts.values()
        for found in re.findall(r"^class (\w+)\((\w+)", text, re.MULTILINE)
    ]
    while more := {name for name, base in classes if base in known} - known:
        known |= more
    wrong = [
        f"{path.relative_to(PACKAGE)}: {name}"
        for path, text in texts.items()
        for block in re.findall(r"^( *)Raises:\n((?:\1 .*\n|\n)+)", text, re.MULTILINE)
        for names in re.findall(rf"^{block[0]}    ((?:\w+, )*\w+): ", block[1], re.MULTILINE)
        for name in names.split(", ")
        if name not in known
    ]

    assert [] == wrong


def is_error(value):
    return isinstance(value, type) and issubclass(value, BaseException)


def test_modules_that_are_named_exist(texts):
    """With what is to be found in them: `core.values.Range`."""
    wrong = [
        f"{path.relative_to(PACKAGE)}: {room}.{module}.{name}"
        for path, text in texts.items()
        for room, module, name in re.findall(rf"\b({ROOMS})\.([a-z_.]+)\.([A-Z]\w+)\b", text)
        if not re.search(
            rf"^(class )?{name}\b|import .*\b{name}\b",
            texts.get(PACKAGE.joinpath(room, *module.split(".")).with_suffix(".py"), ""),
            re.MULTILINE,
        )
    ]

    assert [] == wrong
