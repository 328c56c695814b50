"""Where the time of a call goes, on a page and in a terminal."""

from __future__ import annotations

from tests.helpers.speed import TAKEN_APART
from trtbuild.cli.show_bench_layers import write_layers
from trtbuild.report.blocks import Page, Section
from trtbuild.report.layer_times import list_layer_blocks
from trtbuild.report.markdown import render_markdown_page


def test_a_page_shows_the_slowest_and_why_others_are_not_there():
    """INT8 that was asked and not delivered stands out."""
    sections = (Section("S", tuple(list_layer_blocks(TAKEN_APART))),)
    text = render_markdown_page(Page(title="t", caveats=(), lead=(), sections=sections))

    assert "| `conv` | Conv | int8 | **fp32** | 3 ms | 75 % |" in text
    assert "The 9 slowest of 9 layers, medians of 20 calls" in text
    assert "- `int8/x`: `conv` is slow" in text
    assert "- `source/torch`: layers not told apart: it is not taken apart" in text


def test_a_terminal_shows_few_and_with_verbose_all(capsys):
    """How many more there are is said."""
    write_layers(TAKEN_APART, verbose=False)
    few = capsys.readouterr().out
    write_layers(TAKEN_APART, verbose=True)
    every = capsys.readouterr().out

    assert "slowest layers of int8/x at x 8×3; 4 more layers" in few
    assert "75 %   3 ms    int8   fp32       Conv      conv" in few
    assert "  `conv` is slow" in few.splitlines()
    assert ("n5" in every, "n5" in few) == (True, False)
    assert "layers of source/torch: it is not taken apart" in every
