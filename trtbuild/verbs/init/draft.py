"""Draft: what a first recipe says, section by section, and its text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trtbuild.verbs.init.entries import Entries, Entry, write_comment, write_entries

__all__ = ["Draft", "compose_recipe"]


@dataclass(frozen=True)
class Draft:
    """What a recipe says; a section that is empty is left out, its remark stays."""

    heading: str
    name: str
    model: Entries
    fixes: Sequence[Entries] = ()
    inputs: Entries = ()
    data: Entries = ()
    quantization: Entries = ()
    precision: str = ""
    profiles: Sequence[Entries] = ()
    targets: Entries = ()
    compare: Entries = ()
    model_remark: str = ""
    inputs_remark: str = ""
    data_remark: str = ""
    quantization_remark: str = ""
    profiles_remark: str = ""
    targets_remark: str = ""
    compare_remark: str = ""


def compose_recipe(draft: Draft) -> str:
    """Return a recipe's text, which reads from the model over the data to the comparison."""
    lines = [
        *write_comment(draft.heading),
        *write_entries([Entry("version", 1), Entry("name", draft.name)]),
        *_section("model", draft.model, draft.model_remark),
        *_section("fixes", list(draft.fixes), "changes to the graph, in this order"),
        *_section("inputs", draft.inputs, draft.inputs_remark),
        *_section("data", draft.data, draft.data_remark),
        *_section("quantization", draft.quantization, draft.quantization_remark),
        *_section("precision", draft.precision, ""),
        *_section("profiles", list(draft.profiles), draft.profiles_remark),
        *_section("targets", draft.targets, draft.targets_remark),
        *_section("compare", draft.compare, draft.compare_remark),
    ]
    return "\n".join(lines) + "\n"


def _section(name: str, content: Entries | list[Entries] | str, remark: str) -> Iterator[str]:
    """Yield an empty line, what is to be said of a section, and the section."""
    if not content and (not remark or name == "fixes"):
        return
    yield ""
    yield from write_comment(remark) if remark else ()
    if content:
        yield from write_entries([Entry(name, content)])
