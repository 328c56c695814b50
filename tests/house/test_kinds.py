"""Every kind is documented, named after its file, tested, and in its union."""

from __future__ import annotations

import ast
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
IN_WORDS = {"OneOf", "WhereNamed"}
"""Unions and sections that are named in words (`core.kinds`)."""
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


def test_docstrings_open_with_a_line_for_lists():
    """`trtbuild kinds` shows the first line: a whole sentence."""
    first = {kind.__name__: kind.__doc__.splitlines()[0] for _, kind in KINDS}

    assert {} == {
        name: line
        for name, line in first.items()
        if not line.endswith((".", "?")) or len(line) > 100
    }


def test_names_are_those_of_classes():
    """snake_case in YAML, CamelCase in Python, the same word; the section's may precede it."""
    words = [(section, name_of(kind).replace("_", ""), kind) for section, kind in KINDS]

    assert [] == [
        kind for section, word, kind in words if kind.__name__.lower() not in {word, section + word}
    ]


def test_every_option_is_described():
    """The editor shows it, and so does the reference."""
    plain = {
        kind.__name__: kind.model_fields.keys() - describe_fields(kind).keys() - {"kind"}
        for _, kind in KINDS
    }

    assert {} == {name: options for name, options in plain.items() if options}


def test_test_files_mirror_modules():
    """trtbuild/calib/minmax.py has tests/calib/test_minmax.py."""
    parts = [kind.__module__.split(".")[1:] for _, kind in KINDS]
    places = {TESTS / Path(*rooms, f"test_{name}.py") for *rooms, name in parts}

    assert [] == [place for place in sorted(places) if not place.is_file()]


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


def test_a_union_in_words_names_what_is_imported():
    """To type checkers: what is not imported there is a union of anything to them."""
    wrong = []
    sources = {path: path.read_text() for path in Path(trtbuild.__file__).parent.rglob("*.py")}
    for path, text in sorted(sources.items()):
        if not any(f"{word}[" in text for word in IN_WORDS):
            continue
        nodes = list(ast.walk(ast.parse(text)))
        known = {
            name.asname or name.name
            for node in nodes
            if isinstance(node, ast.ImportFrom | ast.Import)
            for name in node.names
        }
        wrong += [
            f"{path.stem}: {word.strip()}"
            for node in nodes
            if isinstance(node, ast.Subscript) and ast.unparse(node.value) in IN_WORDS
            for word in ast.literal_eval(node.slice.elts[0]).split("|")
            if "." in word and word.strip().partition(".")[0] not in known
        ]

    assert [] == wrong


def test_there_is_one_top_level_package():
    """And its version is all that it says."""
    assert ["__version__"] == [name for name in vars(trtbuild) if name == "__version__"]
