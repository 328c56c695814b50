"""Reports as one page: self-contained, escaped, and with the content of the Markdown."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from tests.helpers.records import (
    RECORDS,
    counts,
    good,
    layer,
    seeded,
    sensitivity,
    target,
    tuning,
)
from trtbuild.core.values import Range
from trtbuild.report.content import make_page
from trtbuild.report.html import render_html

VOID = {"meta", "rect"}


class Nesting(HTMLParser):
    """Notes every tag, attribute and text; fails where tags do not nest."""

    def __init__(self, page):
        super().__init__()
        self.open = []
        self.tags = []
        self.attributes = []
        self.text = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        """Open a tag."""
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        """Close the innermost tag, which must be this one."""
        if tag not in VOID:
            assert tag == self.open.pop()

    def handle_data(self, data):
        """Keep the text."""
        self.text.append(data)


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_a_page_nests(name):
    """Every tag that is opened is closed, in order."""
    page = Nesting(render_html(RECORDS[name]()))

    assert [] == page.open


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_a_page_needs_nothing_from_elsewhere(name):
    """No scripts, no addresses: a page can be mailed and opened years later."""
    page = Nesting(render_html(RECORDS[name]()))
    addresses = [value for key, value in page.attributes if key in ("href", "src")]

    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert [] == [each for each in addresses if not each.startswith("#")]
    assert "url(" not in render_html(RECORDS[name]())


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_a_browser_is_told_to_run_and_fetch_nothing(name):
    """The policy stands before all that it is for, and allows the page's one style alone."""
    page = render_html(RECORDS[name]())
    found = Nesting(page)
    (style,) = re.findall("<style>(.*?)</style>", page, re.DOTALL)
    known = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    head = '<head>\n<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="'

    assert (
        f"default-src 'none'; style-src 'sha256-{known}'; base-uri 'none'; form-action 'none'"
        == (page.partition(head)[2].partition('"')[0])
    )
    # It would refuse a style in an attribute, and what an event runs.
    assert [] == [key for key, _ in found.attributes if key == "style" or key.startswith("on")]


@pytest.mark.parametrize("name", sorted(RECORDS))
def test_a_page_has_every_section_and_table(name):
    """HTML and Markdown are made of the same blocks."""
    record = RECORDS[name]()
    page = render_html(record)
    titles = re.findall(r"<h2>(.*?)</h2>", page)

    assert [section.title for section in make_page(record).sections] == titles
    for outcome in record.outcomes:
        assert outcome.step in page


def test_equal_records_give_equal_pages():
    """A page holds no time and no order by chance."""
    assert render_html(good()) == render_html(good())


def test_names_are_escaped():
    """A tensor called like a tag is shown, not obeyed."""
    evil = '<img src=x onerror="alert(1)">$title&amp;'
    record = good(
        recipe=evil,
        targets=(target((layer(evil, "fp32", evil),)),),
        ranges={evil: Range(low=-1.0, high=1.0, origin="manual")},
        notes=(evil,),
        caveats=(evil,),
        histograms={evil: counts()},
        sensitivity=sensitivity().model_copy(
            update={"layers": (sensitivity().layers[0].model_copy(update={"name": evil}),)}
        ),
        tuning=tuning().model_copy(update={"patch": evil, "searched_on": evil}),
    )
    page = Nesting(render_html(record))

    assert "img" not in page.tags
    assert evil in page.text


def test_seeded_weights_stand_beside_every_number():
    """The title, each figure at the top and the caption of each table carry the caveat."""
    page = render_html(seeded())
    captions = re.findall(r"<caption>.*?</caption>", page)
    figures = re.findall(r'<div class="key .*?</div>', page)

    assert "<title>digits-int8 (seeded weights)</title>" in page
    assert captions
    assert figures
    assert [] == [each for each in [*captions, *figures] if "seeded weights" not in each]


def test_a_bar_is_as_long_as_its_share():
    """One of four layers delivered is a quarter of the bar."""
    layers = (layer("a"), layer("b", "fp32"), layer("c", "fp32"), layer("d", "fp32"))

    assert '<rect class="part" width="25.0"' in render_html(good(targets=(target(layers),)))
