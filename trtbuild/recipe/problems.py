"""Problem: what is wrong in a recipe, where, and the next move; as text, JSON or annotations."""

import json
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Literal

from trtbuild.core.escape import escape_controls
from trtbuild.core.options import Options

__all__ = [
    "Mark",
    "Path",
    "Problem",
    "ProblemStyle",
    "find_nearest",
    "format_annotation",
    "format_path",
    "render_problems",
    "sort_problems",
]

Path = tuple[str | int, ...]
"""Keys and list positions from the top of a recipe to a value."""
ProblemStyle = Literal["text", "json", "github"]
WIDEST_EXCERPT = 110
LEAD = 60
MOST_PROBLEMS = 100


class Mark(Options):
    """A place in a file; line and column count from 1, the column in characters."""

    line: int
    column: int


class Problem(Options):
    """One thing that is wrong in a recipe, or with what it names."""

    file: str
    """The recipe's path as the user gave it."""
    mark: Mark
    path: Path
    message: str
    hint: str = ""
    """The next move."""
    excerpt: str = ""
    """The line of the file that the mark points into."""
    level: Literal["error", "warning"] = "error"
    """A warning stands in the way of a build, and not of the recipe."""

    def render(self) -> str:
        """Write the problem as a reader sees it: place, message, the line, a caret, the hint."""
        place = f"{self.file}:{self.mark.line}:{self.mark.column}"
        lines = [escape_controls(f"{place}: {self.level}: {self.message}")]
        if self.excerpt.strip():
            excerpt, before = _window(self.excerpt, self.mark.column - 1)
            lines.append(f"{self.mark.line:5d} | {excerpt}".rstrip())
            lines.append(f"      | {_blank(before)}^")
        if self.hint:
            lines.append(escape_controls(f"hint: {self.hint}"))
        return "\n".join(lines)


def render_problems(problems: Iterable[Problem], form: ProblemStyle = "text") -> str:
    """Write problems, of one file or several, in the order given; empty when there are none.

    `json` is an array of objects; `github` is a workflow command a line, which GitHub shows on
    the line of the file it names.
    """
    if form == "json":
        return json.dumps([_json(problem) for problem in problems], indent=2)
    if form == "github":
        return "\n".join(_github(problem) for problem in problems)
    return "\n\n".join(problem.render() for problem in problems)


def sort_problems(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Sort by place in the file, drop repeats, and cut off what nobody would read."""
    once = {(p.mark.line, p.mark.column, p.message): p for p in reversed(list(problems))}
    ordered = [once[key] for key in sorted(once)]
    if len(ordered) > MOST_PROBLEMS:
        more = {"message": "more problems from here on are not shown", "hint": ""}
        ordered[MOST_PROBLEMS:] = [ordered[MOST_PROBLEMS].model_copy(update=more)]
    return tuple(ordered)


def find_nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that was probably meant, or None."""
    import difflib

    words = sorted(known)
    by_folded = {fold_case(name): name for name in reversed(words)}
    if fold_case(word) in by_folded:
        return by_folded[fold_case(word)]
    found = difflib.get_close_matches(word[:80], words, n=1, cutoff=0.6)
    return found[0] if found else None


def fold_case(word: str) -> str:
    """Return a name as it is compared when only case and separators may differ."""
    return word.lower().replace("-", "_").replace(" ", "_").replace("_", "")


def _window(line: str, offset: int) -> tuple[str, str]:
    """Cut a long line around `offset`; return what is shown and the part of it before there."""
    start = 0 if len(line) <= WIDEST_EXCERPT else max(0, offset - LEAD)
    cut = "".join(_visible(char) for char in line[start : start + WIDEST_EXCERPT])
    head = "… " if start else ""
    tail = " …" if start + WIDEST_EXCERPT < len(line) else ""
    return head + cut + tail, head + cut[: offset - start]


def _visible(char: str) -> str:
    return char if char.isprintable() or char == "\t" else "\N{REPLACEMENT CHARACTER}"


def _blank(text: str) -> str:
    """Return white space as wide as `text` is in a terminal."""
    return "".join(_blank_for(char) for char in text)


def _blank_for(char: str) -> str:
    if char == "\t":
        return "\t"
    if unicodedata.combining(char):
        return ""
    return "  " if unicodedata.east_asian_width(char) in "WF" else " "


def _json(problem: Problem) -> dict[str, object]:
    return {
        "file": problem.file,
        "line": problem.mark.line,
        "column": problem.mark.column,
        "level": problem.level,
        "path": list(problem.path),
        "message": problem.message,
        "hint": problem.hint,
    }


def _github(problem: Problem) -> str:
    where = {
        "file": problem.file,
        "line": str(problem.mark.line),
        "col": str(problem.mark.column),
        "title": format_path(problem.path) or "recipe",
    }
    return format_annotation(problem.level, where, problem.message, problem.hint)


def format_annotation(level: str, where: Mapping[str, str], text: str, hint: str) -> str:
    """Write GitHub's workflow command for an `error` or a `warning`; `where` holds its options."""
    properties = ",".join(f"{name}={_property(value)}" for name, value in where.items())
    lines = [text, f"hint: {hint}"] if hint else [text]
    return f"::{level} {properties}::{'%0A'.join(map(_data, lines))}"


def _data(text: str) -> str:
    return escape_controls(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def format_path(path: Path) -> str:
    """Write a path as a reader would: `fixes[0].axis`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
