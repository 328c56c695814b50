"""Problems as text, JSON and annotations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trtbuild.core.errors import RecipeError
from trtbuild.recipe.load import load_recipe
from trtbuild.recipe.problems import (
    MOST_PROBLEMS,
    Mark,
    Problem,
    find_nearest,
    format_path,
    render_problems,
    sort_problems,
)


def problem(line=12, column=3, message="no", **rest):
    return Problem(
        file=rest.pop("file", "recipes/face.yaml"),
        mark=Mark(line=line, column=column),
        path=rest.pop("path", ("quantization", "mode")),
        message=message,
        **rest,
    )


def test_a_problem_reads_as_the_design_shows():
    """Place, message, the line with its number, a caret under the column, the hint."""
    text = problem(excerpt="  mode: implicit", hint="use `mode: explicit`").render()

    expected = """\
recipes/face.yaml:12:3: error: no
   12 |   mode: implicit
      |   ^
hint: use `mode: explicit`"""
    assert expected == text


def test_without_a_line_or_a_hint_neither_is_shown():
    """An empty file has no line to show."""
    assert "recipes/face.yaml:12:3: error: no" == problem().render()


@pytest.mark.parametrize(
    ("before", "column", "excerpt"),
    [
        ("\t  ", 4, "\t  x"),
        ("    ", 3, "漢漢x"),
        (" ", 3, "e\N{COMBINING ACUTE ACCENT}x"),
    ],
)
def test_the_caret_stands_under_its_column(before, column, excerpt):
    """Tabs stay tabs, wide characters count twice, combining ones not at all."""
    caret = problem(column=column, excerpt=excerpt).render().splitlines()[2]

    assert f"      | {before}^" == caret


def test_a_long_line_is_cut_around_the_caret():
    """A recipe of one endless line does not fill the terminal."""
    lines = problem(column=5001, excerpt="." * 5000 + "x" + "." * 5000).render().splitlines()

    assert "x" == lines[1][lines[2].index("^")]
    assert max(map(len, lines)) < 130


def test_a_line_cannot_steer_the_terminal():
    """Escapes and direction marks in the file are shown as what they are not."""
    text = problem(excerpt="a: \x1b[31m\u202e").render()

    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "error: a\\u001b\\u202eb\\nc" in problem(message="a\x1b\u202eb\nc").render()


def test_github_shows_a_problem_on_its_line():
    """What a workflow command would read as its own syntax is escaped."""
    one = problem(message="100% wrong: a,\nb", hint="write c", file="a,b:c%.yaml", path=("a", 0))

    expected = (
        "::error file=a%2Cb%3Ac%25.yaml,line=12,col=3,title=a[0]"
        "::100%25 wrong: a,\\nb%0Ahint: write c"
    )
    assert expected == render_problems([one], "github")


def test_json_holds_the_same():
    """One array for all recipes; a place is numbers, a path is a list."""
    expected = {
        "file": "recipes/face.yaml",
        "line": 12,
        "column": 3,
        "level": "error",
        "path": ["quantization", "mode"],
        "message": "no",
        "hint": "",
    }
    assert [expected, expected] == json.loads(render_problems([problem(), problem()], "json"))


@pytest.mark.parametrize("form", ["text", "json", "github"])
def test_nothing_wrong_is_nothing_written(form):
    """An empty array is JSON's nothing."""
    assert render_problems([], form) == ("[]" if form == "json" else "")


def test_problems_come_once_and_in_file_order():
    """However many rules noticed, and in whatever order."""
    found = sort_problems([problem(3, 2), problem(1, 9), problem(3, 1), problem(1, 9)])

    assert [(1, 9), (3, 1), (3, 2)] == [(p.mark.line, p.mark.column) for p in found]


def test_what_nobody_would_read_is_cut_off():
    """And the cut is told, at the place of the first that is left out."""
    found = sort_problems([problem(line) for line in range(1, 500)])

    assert MOST_PROBLEMS + 1 == len(found)
    assert "more problems" in found[-1].message
    assert MOST_PROBLEMS + 1 == found[-1].mark.line


@pytest.mark.parametrize(
    ("expected", "word"),
    [
        ("percentile", "percentil"),
        ("percentile", "PERCENTILE"),
        ("fold_constants", "fold-constants"),
        ("fold_constants", "FoldConstants"),
        (None, "zebra"),
        (None, ""),
    ],
)
def test_the_nearest_word_is_found(expected, word):
    """Slips, case and separators are forgiven; guesses are not made of nothing."""
    assert expected == find_nearest(word, ["percentile", "fold_constants", "minmax"])


def test_a_path_reads_as_one_would_say_it():
    """Keys with dots between them, positions in brackets."""
    assert "fixes[0].axis" == format_path(("fixes", 0, "axis"))
    assert "" == format_path(())


def test_a_recipe_error_carries_its_problems(tmp_path):
    """Its message is what a terminal shows; its problems are values."""
    path = tmp_path / "bad.yaml"
    path.write_text("version: 1\n")

    with pytest.raises(RecipeError) as caught:
        load_recipe(path)

    assert render_problems(caught.value.problems) == str(caught.value)
    assert {str(path)} == {each.file for each in caught.value.problems}
    for each in caught.value.problems:
        assert each == Problem.model_validate_json(each.model_dump_json())
    assert Path(path) == Path(caught.value.problems[0].file)
