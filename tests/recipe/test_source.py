"""Every key, value and item has its place; text that is no recipe is refused, and soon."""

from __future__ import annotations

import json
import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from trtbuild.core.errors import MissingFile
from trtbuild.recipe.source import Mark, parse_recipe_text, read_recipe_text

TEXT = """\
name: tiny
quantization:
  calibrator: {kind: percentile, percentile: 99.9}
  skip:
    - fc
    - "*/head/*"
fixes:
- kind: fold_constants
"""


def source_of(text):
    return parse_recipe_text("tiny.yaml", text.encode())


@pytest.mark.parametrize(
    ("line", "column", "path", "key"),
    [
        (1, 1, (), False),
        (1, 1, ("name",), True),
        (1, 7, ("name",), False),
        (2, 1, ("quantization",), False),
        (3, 15, ("quantization", "calibrator"), False),
        (3, 34, ("quantization", "calibrator", "percentile"), True),
        (3, 46, ("quantization", "calibrator", "percentile"), False),
        (4, 3, ("quantization", "skip"), False),
        (6, 7, ("quantization", "skip", 1), False),
        (8, 3, ("fixes", 0), False),
        (8, 9, ("fixes", 0, "kind"), False),
        (3, 15, ("quantization", "calibrator", "bins"), False),
        (4, 3, ("quantization", "skip", 7), False),
        (2, 1, ("quantization", "nowhere", "at", 1), False),
    ],
)
def test_a_path_has_its_place(line, column, path, key):
    """A key, a value, an item; of what is not there, the nearest parent."""
    assert Mark(line=line, column=column) == source_of(TEXT).find(path, key=key)


LEAVES = st.integers(10**9, 10**10)
NAMES = st.text("abcdef_- é漢", min_size=1).filter(lambda text: text.strip() == text)
TREES = st.recursive(
    LEAVES,
    lambda below: st.lists(below, min_size=1) | st.dictionaries(NAMES, below, min_size=1),
    max_leaves=6,
)


def leaves_of(tree, path=()):
    if not isinstance(tree, dict | list):
        yield path, tree
        return
    for key, child in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield from leaves_of(child, (*path, key))


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(NAMES, TREES, min_size=1), st.sampled_from(["block", "flow", "json"]))
def test_every_value_stands_where_its_mark_says(tree, style):
    """In block style, in flow style and in JSON, the text at the mark is the value."""
    if style == "json":
        text = json.dumps(tree, ensure_ascii=False, indent=1)
    else:
        text = yaml.safe_dump(tree, allow_unicode=True, default_flow_style=style == "flow")
    source = source_of(text)

    assert () == source.problems
    assert tree == source.root.plain
    for path, value in leaves_of(tree):
        mark = source.find(path)
        assert source.lines[mark.line - 1][mark.column - 1 :].startswith(str(value))


JSON = st.recursive(
    st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(NAMES, below, max_size=4),
    max_leaves=8,
)


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(NAMES, JSON))
def test_json_is_read_as_json(tree):
    """YAML 1.2 holds JSON; what another tool writes as JSON is read unchanged."""
    source = source_of(json.dumps(tree, ensure_ascii=False))

    assert (tree, ()) == (source.root.plain, source.problems)


def test_what_quotes_hold_is_text():
    """Quoting and block scalars keep a number, a switch or nothing at all as text."""
    source = source_of("a: \"8\"\nb: 'true'\nc: |\n  12\nd: ''\n")

    assert {"a": "8", "b": "true", "c": "12\n", "d": ""} == source.root.plain


def test_an_alias_stands_for_its_anchor():
    """The value is the anchor's; the mark is the alias's own, and inside it the anchor's."""
    source = source_of("a: &x {k: 1}\nb: *x\n")

    assert {"a": {"k": 1}, "b": {"k": 1}} == source.root.plain
    assert Mark(line=2, column=4) == source.find(("b",))
    assert Mark(line=1, column=11) == source.find(("b", "k"))


@pytest.mark.parametrize("text", [TEXT.replace("\n", "\r\n"), "\ufeff" + TEXT])
def test_windows_files_are_read(text):
    """Line ends and the byte order mark of other systems change no value and no mark."""
    source, plain = source_of(text), source_of(TEXT)

    assert (plain.root.plain, ()) == (source.root.plain, source.problems)
    assert Mark(line=1, column=7) == source.find(("name",))
    assert Mark(line=6, column=7) == source.find(("quantization", "skip", 1))


BOMBS = {
    "aliases": "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30)),
    "mappings": "a0: &a0 {k: x, l: x}\n"
    + "".join(f"a{i}: &a{i} {{k: *a{i - 1}, l: *a{i - 1}}}\n" for i in range(1, 60)),
    "chain": "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 9000)),
    "itself": "a: &a [*a]\n",
    "flow depth": "a: " + "[" * 100_000,
    "block depth": "- " * 100_000,
    "keys": "? " * 100_000,
    "items": "a: [" + "1," * 500_000,
    "size": "a: " + "x" * 2_000_000,
    "digits": "a: " + "9" * 1_000_000,
    "exponent": "a: 1e" + "9" * 100_000,
    "directive": "%YAML 1." + "9" * 100_000 + "\n---\na: 1\n",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_cheaply(bomb):
    """A small file that means a huge one, or a huge one, costs no more than reading it."""
    start = time.process_time()
    source = source_of(BOMBS[bomb])
    seconds = time.process_time() - start

    assert 1 == len(source.problems)
    assert seconds < 10


@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/object/apply:os.system ['true']\n",
        "a: !!python/name:os.system x\n",
        "!!map {a: 1}\n",
        "a: ! b\n",
        "%TAG !p! tag:yaml.org,2002:python/\n---\na: !p!none x\n",
    ],
)
def test_no_tag_is_followed(text):
    """No tag makes an object; every one is an error."""
    source = source_of(text)

    assert 1 == len(source.problems)
    assert any(word in source.problems[0].message for word in ("tags", "`%`"))


def test_problems_of_the_text_do_not_hide_each_other():
    """What can be read past is: one run tells of all."""
    source = source_of("a: 017\na: 2\nb: !x 1\n5: 1\nc:\nd: .inf\n")

    assert [1, 2, 3, 4, 5, 6] == [problem.mark.line for problem in source.problems]


def test_a_message_cannot_forge_a_line():
    """Escapes in a quoted key are written out, not sent to the terminal."""
    (problem,) = source_of('"a\\nb\\u202e": 1\n"a\\nb\\u202e": 2\n').problems

    assert "`a\\nb\\u202e` is written twice" in problem.message


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused(data):
    """There is no file that ends in a traceback."""
    source = parse_recipe_text("bytes", data)

    for problem in source.problems:
        assert problem.render()


def test_a_missing_file_says_so(tmp_path):
    """A wrong path, and a directory, are named."""
    with pytest.raises(MissingFile, match="no such file"):
        read_recipe_text(tmp_path / "none.yaml")
    with pytest.raises(MissingFile, match="is a directory"):
        read_recipe_text(tmp_path)
    with pytest.raises(MissingFile, match="null"):
        read_recipe_text(tmp_path / "a\0b")
