"""Reports as Markdown: pinned texts, and names that try to be markup."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.helpers.records import RECORDS, deferred, fallback, good, layer, outcomes, seeded, target
from trtbuild.core.records import Record, UnbuiltTarget
from trtbuild.core.values import Range
from trtbuild.report.blocks import flatten_line
from trtbuild.report.markdown import render_markdown


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_a_report_reads_as_it_did(name, golden):
    """Every change of a report's words is a diff that somebody read."""
    golden(f"reports/{name}.md", render_markdown(RECORDS[name]()))


def test_a_report_does_not_tell_whether_a_step_was_reused():
    """An apply that finds everything in place leaves the page of the apply that made it."""
    reused = {step.replace("(", "_").rstrip(")"): {"status": "reused"} for step in ("quantize",)}

    assert render_markdown(good()) == render_markdown(
        good(outcomes=outcomes(**reused), seconds=99.0)
    )


def test_seeded_weights_stand_beside_every_number():
    """The title, each figure at the top and the caption of each table carry the caveat."""
    text = render_markdown(seeded())
    captions = re.findall(r"^\*(?!\*).*\*$", text, re.MULTILINE)
    figures = re.findall(r"^- \*\*.*$", text, re.MULTILINE)

    assert text.startswith("# digits-int8 (seeded weights)\n")
    assert captions
    assert figures
    assert [] == [line for line in [*captions, *figures] if "seeded weights" not in line]


def test_a_target_s_own_caveat_is_the_page_s():
    """A caveat is not lost because the record itself forgot it."""
    assert "(seeded weights)" in render_markdown(
        good(targets=(target(caveats=("seeded weights",)),))
    )


def test_a_layer_that_fell_back_is_named_at_once():
    """INT8 that was not delivered is said at the top, and the layer with its cause unfolded."""
    text = render_markdown(fallback())
    open_text = re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL)

    assert "**INT8 fell short** in `rtx`: 1 of 3 layers are INT8, 1 fell back, 1 cannot" in text
    assert "| `/layer1/conv/Conv` | Conv | int8 | **fp32** | depthwise: no INT8" in open_text


def test_a_deferred_target_says_why_and_what_to_run():
    """A reader learns where its engine comes from."""
    text = render_markdown(deferred())

    assert "- `h200` deferred: TensorRT 11 is not installed" in text
    assert "`trtbuild apply recipes/digits_int8.yaml --target h200`" in text


def test_a_comparison_is_not_taken_for_an_engine_s():
    """ONNX Runtime ran the models, and the report says so."""
    assert (
        "in ONNX Runtime on the CPU: these numbers are the models', not an engine's"
        in render_markdown(good())
    )


def test_a_bare_record_still_makes_a_page():
    """A run without comparison, ranges, fixes or targets has a short report."""
    text = render_markdown(Record(recipe="bare", file="", facts={}, outcomes=()))

    assert text.startswith("# bare\n\nNothing was compared")


def rendered(text: str) -> str:
    return MarkdownIt("commonmark", {"html": True}).enable("table").render(text)


@pytest.mark.parametrize(
    "name",
    [
        "a|b",
        "`tick`",
        "``",
        "<script>alert(1)</script>",
        "[x](http://evil.example)",
        "a*b*c",
        "_a_",
        "\\",
        "&lt;",
        "a\nb",
        "\u202egnirts",
        "1. one",
        "- item",
        "| |",
    ],
)
def test_a_name_is_never_markup(name):
    """Names come from models and file systems: they are shown, not obeyed."""
    record = good(
        recipe=name,
        targets=(target((layer(f"{name} Gemm", "fp32", name),)),),
        unbuilt=(
            UnbuiltTarget(target=name, backend=name, status="deferred", reason=name, hint=name),
        ),
        ranges={name: Range(low=-1.0, high=1.0, origin="manual")},
        notes=(name,),
        caveats=(name,),
    )
    page = rendered(render_markdown(record))
    harmless = set(re.findall(r"<(\w+)", rendered(render_markdown(good()))))

    assert set() == set(re.findall(r"<(\w+)", page)) - harmless
    assert "<li>\n<ul" not in page
    assert "href" not in page
    assert name.replace("\n", " ").replace("\u202e", "\\u202e") in html.unescape(
        re.sub(r"<[^>]+>", "", page)
    )


@given(st.text(alphabet=st.one_of(st.sampled_from("|`\\<&\n "), st.characters()), max_size=12))
def test_any_name_keeps_the_tables_whole(name):
    """Whatever a tensor is called, its row holds that name and ends in its origin."""
    page = rendered(
        render_markdown(good(ranges={name: Range(low=-1.0, high=1.0, origin="manual")}))
    )
    tables = [
        each for each in re.findall(r"<table>.*?</table>", page, re.DOTALL) if "Tensor" in each
    ]
    for table in tables:
        cells = [
            html.unescape(re.sub(r"<[^>]+>", "", cell))
            for cell in re.findall(r"<td[^>]*>(.*?)</td>", table, re.DOTALL)
        ]

        assert [flatten_line(name), "-1", "1", "0.00787402", "manual"] == cells
    assert tables
