"""Every kind is documented, named after its file, tested, and in its union."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import get_args

import pytest

import trtbuild
from trtbuild import api
from trtbuild.core.options import Options, describe_fields

KINDS = [(section, kind) for section, kinds in api.kinds().items() for kind in kinds]
TESTS = Path(__file__).parents[1]
HOMES = [
    "calib",
    "fixes",
    "sources",
    "data",
    "backends",
    "quant.equalizing",
    "quant.writing",
    "measure",
    "timing",
]


def name_of(kind):
    (name,) = get_args(kind.model_fields["kind"].annotation)
    return name


@pytest.mark.parametrize(("section", "kind"), KINDS, ids=str)
class TestKind:
    def test_its_docstring_opens_with_a_line_for_lists(self, section, kind):
        """`trtbuild kinds` shows the first line: a whole sentence."""
        first = kind.__doc__.splitlines()[0]

        assert first.endswith((".", "?"))
        assert len(first) <= 100

    def test_its_name_is_its_class(self, section, kind):
        """snake_case in YAML, CamelCase in Python, the same word; the section's may precede it."""
        word = name_of(kind).replace("_", "")

        assert kind.__name__.lower() in {word, section + word}

    def test_every_option_is_described(self, section, kind):
        """The editor shows it, and so does the reference."""
        plain = kind.model_fields.keys() - describe_fields(kind).keys() - {"kind"}

        assert set() == plain

    def test_a_test_file_mirrors_its_module(self, section, kind):
        """trtbuild/calib/minmax.py has tests/calib/test_minmax.py."""
        parts = kind.__module__.split(".")[1:]

        assert (TESTS / Path(*parts[:-1]) / f"test_{parts[-1]}.py").is_file()


@pytest.mark.parametrize("home", HOMES)
def test_every_kind_in_a_folder_is_in_its_union(home):
    """A class with a `kind` that no union names cannot be written in a recipe."""
    known = {kind for _, kind in KINDS}
    package = importlib.import_module(f"trtbuild.{home}")
    found = set()
    for module in pkgutil.iter_modules(package.__path__, f"trtbuild.{home}."):
        for value in vars(importlib.import_module(module.name)).values():
            if (
                isinstance(value, type)
                and issubclass(value, Options)
                and value.__module__ == module.name
            ):
                field = value.model_fields.get("kind")
                # What kinds have in common has a kind of any name.
                found |= {value} if field is not None and field.annotation is not str else set()

    assert set() == found - known


def test_there_is_one_top_level_package():
    """And its version is all that it says."""
    assert ["__version__"] == [name for name in vars(trtbuild) if name == "__version__"]
