"""What a flavour lacks is refused at its line, with what to use instead."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from trtbuild.backends.tensorrt10 import Tensorrt10
from trtbuild.backends.tensorrt11 import Tensorrt11
from trtbuild.backends.tensorrt_rtx import TensorrtRtx
from trtbuild.core.errors import RecipeError
from trtbuild.recipe.load import check_source
from trtbuild.recipe.source import parse_recipe_text

KINDS = {"tensorrt10": Tensorrt10, "tensorrt11": Tensorrt11, "tensorrt_rtx": TensorrtRtx}
RECIPE = """\
version: 1
name: small
model: {{kind: onnx, path: m.onnx}}
targets:
  it:
    kind: {kind}
    {option}: {value}
"""
EVERY = {name for target in KINDS.values() for name in target.model_fields}
LACKED = [
    (kind, option)
    for kind, target in KINDS.items()
    for option in sorted(EVERY - set(target.model_fields))
]
WORDS = {
    "memory_pools": "{{{}: 1MiB}}",
    "preview_features": "[{}]",
    "tactic_sources": "[{}]",
    "io_formats": "{{x: [{}]}}",
}


def literals(annotation):
    """Return the texts of every Literal in an annotation."""
    parts = get_args(annotation)
    return {
        each for part in parts for each in ([part] if isinstance(part, str) else literals(part))
    }


def words(target, option):
    return (
        literals(target.model_fields[option].annotation) if option in target.model_fields else set()
    )


UNKNOWN = [
    (kind, option, word)
    for kind, target in KINDS.items()
    for option in WORDS
    if option in target.model_fields
    for word in sorted(set().union(*(words(each, option) for each in KINDS.values())))
    if word not in words(target, option)
]


def problem(kind, option, value):
    text = RECIPE.format(kind=kind, option=option, value=value)
    with pytest.raises(RecipeError) as caught:
        check_source(Path("r.yaml"), parse_recipe_text("r.yaml", text.encode()))
    [found] = caught.value.problems
    return found


@pytest.mark.parametrize(("kind", "option"), LACKED)
def test_an_option_that_a_flavour_lacks_says_what_to_use(kind, option):
    """At its line, before anything is loaded."""
    found = problem(kind, option, 1)

    assert 7 == found.mark.line
    assert f"`{option}` is not an option of the {kind} target" == found.message
    assert KINDS[kind].instead[option] == found.hint


@pytest.mark.parametrize(("kind", "option", "word"), UNKNOWN)
def test_a_word_that_a_flavour_lacks_says_what_to_use(kind, option, word):
    """A pool, a preview feature, a source of kernels or a layout of another flavour."""
    found = problem(kind, option, WORDS[option].format(word))

    assert 7 == found.mark.line
    assert word in found.message
    assert KINDS[kind].instead[word] == found.hint


@pytest.mark.parametrize(
    ("option", "value"),
    [("tiling", 2), ("profiling_verbosity", 1), ("tactic_sources", "[3]"), ("refit", 1)],
)
def test_enums_go_by_name_never_by_number(option, value):
    """The numbers differ between versions: VERSION_COMPATIBLE is 13 in one and 12 in another."""
    assert "must be" in problem("tensorrt11", option, value).message


@pytest.mark.parametrize("kind", KINDS)
def test_int8_is_no_option_of_a_target(kind):
    """Whoever comes from `trtexec --int8` looks for it here."""
    assert "a `quantization` does" in problem(kind, "int8", "true").hint
