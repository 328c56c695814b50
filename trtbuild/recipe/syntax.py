"""What PyYAML says of text that is not YAML, in words that lead to the fix."""

from __future__ import annotations

import re

from yaml.error import MarkedYAMLError

from trtbuild.core.frozen import frozen

__all__ = ["Complaint", "explain_syntax_error"]

QUOTE_STAR = 'a name or pattern that begins with `*` needs quotes: "*/fc/*"'
SAME_COLUMN = "keys of one mapping, and items of one list, begin in the same column"


@frozen
class _Rule:
    """What PyYAML says (a pattern over `context; problem`), what we say, and where it points."""

    says: str
    message: str
    hint: str
    at_context: bool = False
    """Point at where the construct began, not at where PyYAML gave up."""


_RULES = tuple(
    _Rule(*row)
    for row in (
        (r"found character '\\t'", "a tab cannot stand here", "indent with spaces"),
        (
            r"found character ['\"](.)['\"]",
            "text cannot begin with the character {0}",
            "put the text in quotes",
        ),
        (
            r"mapping values are not allowed",
            "a `:` cannot stand here",
            "text that holds `: ` needs quotes; if this is a key, check its indentation",
        ),
        (
            r"could not find expected ':'",
            "a key without its `:`",
            "write `key: value`, with a space after the colon",
            True,
        ),
        (
            r"sequence entries are not allowed",
            "a list item cannot begin here",
            "put `- ` on a line of its own, indented below its key",
        ),
        (r"mapping keys are not allowed", "a key cannot begin here", SAME_COLUMN),
        (
            r"block (?:mapping|collection); expected <block end>, but found '(?:<scalar>|<alias>)'",
            "more text after the end of a value",
            "put the whole value in quotes",
        ),
        (
            r"block mapping; expected <block end>, but found '(?:-|<block sequence start>)'",
            "a list item among the keys of a mapping",
            SAME_COLUMN,
        ),
        (
            r"expected <block end>, but found '([\]},])'",
            "`{0}` closes or separates nothing here",
            "remove it, or put the text in quotes",
        ),
        (r"expected <block end>", "this line does not line up with the ones before", SAME_COLUMN),
        (
            r"flow sequence; expected",
            "a list that begins with `[` here has no `]`, or lacks a `,`",
            "close it with `]`; separate its items with `,`",
            True,
        ),
        (
            r"flow mapping; expected",
            "a mapping that begins with `{{` here has no `}}`, or lacks a `,`",
            "close it with `}}`; separate its keys with `,`",
            True,
        ),
        (
            r"quoted scalar; found unexpected",
            "a quote that is never closed",
            "close it at the end of the text",
            True,
        ),
        (
            r"found unknown escape character ['\"](.+)['\"]",
            "`\\{0}` means nothing in double quotes",
            "use single quotes, or write `\\\\` for a backslash",
        ),
        (
            r"expected escape sequence",
            "an escape that is not complete",
            "use single quotes, or write `\\\\` for a backslash",
        ),
        (r"while scanning an alias", "`*` begins an alias, and this is not one", QUOTE_STAR, True),
        (
            r"while scanning an anchor",
            "`&` begins an anchor, and this is not one",
            "text that begins with `&` needs quotes",
            True,
        ),
        (
            r"(?:scanning|parsing) a tag|tag handle|expected URI",
            "tags (`!...`) are not allowed",
            "remove the tag; text that begins with `!` needs quotes",
        ),
        (
            r"directive|incompatible YAML document",
            "a line cannot begin with `%`",
            "remove the line; a recipe is plain YAML 1.2",
        ),
        (
            r"scanning a block scalar",
            "`|` or `>` must end its line",
            "begin the text on the next line, indented",
        ),
        (
            r"expected the node content",
            "a value is missing here",
            "write one, or remove what is left over",
        ),
        (
            r"expected '<document start>'",
            "this does not belong to what stands before it",
            SAME_COLUMN,
        ),
    )
)


@frozen
class Complaint:
    """Why text is not YAML: where (both count from 0), what is wrong, the next move."""

    line: int
    column: int
    message: str
    hint: str


def explain_syntax_error(error: MarkedYAMLError) -> Complaint:
    """Put an error of PyYAML's parser into words."""
    said = f"{error.context or ''}; {error.problem or ''}"
    for rule in _RULES:
        found = re.search(rule.says, said)
        if found is not None:
            mark = error.context_mark if rule.at_context and error.context_mark else None
            at = mark or error.problem_mark or error.context_mark
            words = rule.message.format(*found.groups())
            return _complaint(at, words, rule.hint.format())
    at = error.problem_mark or error.context_mark
    return _complaint(at, f"this is not YAML: {error.problem}", "compare with the lines around it")


def _complaint(mark: object, message: str, hint: str) -> Complaint:
    line, column = getattr(mark, "line", 0), getattr(mark, "column", 0)
    return Complaint(line, column, message, hint)
