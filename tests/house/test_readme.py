"""The README says what is so."""

from __future__ import annotations

import re
from pathlib import Path

from tests.helpers.reference import reference
from trtbuild.cli.app import GROUPS, VERBS

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- reference: made from the schema -->", "<!-- end of the reference -->"


def test_the_reference_is_the_schemas(request):
    """Every section, kind and option; `--rewrite-golden` writes it anew."""
    text = README.read_text()
    before, rest = text.split(BEGIN)
    inside, after = rest.split(END)
    if request.config.getoption("--rewrite-golden"):
        README.write_text(f"{before}{BEGIN}\n\n{reference()}\n{END}{after}")
        return

    assert reference().strip() == inside.strip()


def test_the_two_commands_come_first():
    """One ends in an apply with real engines, the other runs the tests; each is one line."""
    first, second = re.findall(r"```sh\n(.*?)```", README.read_text(), flags=re.DOTALL)[:2]

    assert first.strip().endswith("trtbuild apply recipes/resnet50_int8.yaml")
    assert "pytest" in second
    assert (1, 1) == (first.strip().count("\n") + 1, second.strip().count("\n") + 1)


def test_every_verb_it_shows_exists():
    """And every verb that exists is shown."""
    shown = set(re.findall(r"\btrtbuild ([a-z]+)\b", README.read_text()))
    verbs = {*VERBS, *GROUPS}

    assert verbs <= shown
    assert (
        set() == set(re.findall(r"^\$ trtbuild ([a-z]+)", README.read_text(), re.MULTILINE)) - verbs
    )
