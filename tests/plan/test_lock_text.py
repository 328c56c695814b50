"""What only looks like a lock is refused in one sentence, and soon."""

from __future__ import annotations

import pytest

from tests.plan.test_lock import FULL
from trtbuild.core.errors import MissingFile, UsageError
from trtbuild.core.values import Range
from trtbuild.plan.lock import Lock, read_lock, write_lock
from trtbuild.plan.lock_text import find_wrong, parse_lock

EMPTY = "format = 1\n\n[measures]\n[models]\n[recipe]\n[sources]\n[targets]\n[tools]\n"

REFUSED = {
    "a fact that no lock has": (EMPTY + "x = 1\n[y]\n", "`y` is nothing that it has"),
    "one that no target has": (
        EMPTY.replace("[targets]", "[targets]\nrtx.colour = 3"),
        "`targets.rtx.colour` is nothing that it has",
    ),
    "a section too few": (EMPTY.replace("[tools]\n", ""), "`tools` is not in it"),
    "another type": (
        EMPTY.replace("[models]", "[models]\nfp32 = 3"),
        "`models.fp32`: input should",
    ),
    "no number": (EMPTY.replace("[measures]", "[measures]\ntop1 = nan"), "`measures.top1`: input"),
    "an endless number": ("samples = " + "9" * 4000, "line 1 is no line"),
    "lists in lists": ("a = " + "[" * 100_000, "line 1 is no line"),
    "tables in tables": ("a = " + "{ a = " * 3000 + "1" + " }" * 3000, "line 1 is no line"),
    "a key of many": ("\n" + ".".join("a" * 20_000) + " = 1", "line 2 is no line"),
    "a key of many, inside": ("a = { " + ".".join("a" * 20_000) + " = 1 }", "line 1 is no line"),
    "a section of many": ("[" + ".".join("a" * 20_000) + "]", "line 1 is no line"),
    "many sections": ("\n".join(f"[a{i}]" for i in range(1000)), "1000 sections"),
    "a text over lines": ('a = """\n' * 9, "line 1 is no line"),
    "twice the same": (EMPTY + "[tools]\n", "Cannot declare"),
    "a date": ("samples = 2020-01-01\n" + EMPTY, "`samples`: input should"),
    "no text": ("\udcff", "can't decode"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_no_lock_says_is_refused(tmp_path, case):
    """One line, with the place; how to write it anew stands beside it."""
    text, reason = REFUSED[case]
    path = tmp_path / "a.lock"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))

    with pytest.raises(UsageError) as caught:
        read_lock(path)
    assert reason in caught.value.message
    assert 1 == len(caught.value.message.splitlines())
    assert "write it anew: trtbuild lock" in caught.value.hint


def test_of_many_wrong_facts_the_first_is_told():
    """Each would take room in memory, and nobody reads them."""
    tree = {**FULL.model_dump(), "models": dict.fromkeys(map(str, range(100_000)), 1)}

    assert find_wrong(tree, Lock).startswith("`models.0`: input should be a valid string")


def test_what_is_far_too_long_is_not_read(tmp_path):
    """Holes in a file take no room on the disk, and would in memory."""
    with (tmp_path / "a.lock").open("wb") as file:
        file.truncate(1 << 40)

    with pytest.raises(MissingFile, match="is longer than 32 MiB"):
        read_lock(tmp_path / "a.lock")


def test_all_that_a_lock_may_say_is_read(tmp_path):
    """A range holds a table and a list; line ends may be those of Windows."""
    wide = Range(
        low=-1e-30, high=3.4e38, origin="calibrated", calibrator="percentile",
        calibrator_options={"percentile": 99.99, 'odd "name", = {': "x]}"}, observed=(-1.0, 2.5),
    )  # fmt: skip
    full = FULL.model_copy(update={"ranges": {"a": wide}})
    path = tmp_path / "a.lock"
    write_lock(path, full)
    assert full == read_lock(path)

    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))

    assert full == read_lock(path)
    assert {"a": 1} == parse_lock("  # a comment\n\na = 1 ")
