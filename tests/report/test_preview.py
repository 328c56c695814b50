"""The page that shows what a model will see."""

from __future__ import annotations

import re

from tests.helpers.records import words
from trtbuild.core.preview import ChannelCounts, DataPreview, FirstLayerDistance, ShownInput
from trtbuild.report.blocks import Bullets, Paragraph, Picture, TableBlock
from trtbuild.report.html import render_page
from trtbuild.report.preview import make_preview_page

CHANNEL = ChannelCounts(name="R", low=0, high=1, mean=0.25, deviation=0.1, counts=(3, 0, 1))
SHOWN = ShownInput(
    name="image",
    dtype="float32",
    shapes=((3, 8, 8), (3, 9, 9)),
    look="picture",
    ends=(0, 1),
    channels=(CHANNEL,),
)
PREVIEW = DataPreview(data="calib", source="images", of=40, names=("<a>", "b"), inputs=(SHOWN,))


def page(**changes):
    return make_preview_page(PREVIEW.model_copy(update=changes), b"png", recipe="face")


def test_what_looks_wrong_stands_first():
    """In words; without anything it says that."""
    told = page(doubts=("scaled by `1/255` twice?",)).lead

    assert isinstance(told[1], Bullets)
    assert "scaled by 1/255 twice?" == words(told[1].items[0])
    assert isinstance(page().lead[0], Paragraph)
    assert "Nothing looks wrong" == words(page().lead[0].spans)


def test_pictures_numbers_and_the_first_layer_follow():
    """The sheet with its words, a table by channel, distances with the least first."""
    first = FirstLayerDistance(
        layer="conv1", normalization="bn1", distances={"as they are": 2.0, "times 255": 0.5}
    )
    sheet, values, expected = page(first_layer=first).sections
    table = expected.blocks[1]

    assert (Picture(b"png", "2 samples: <a>, b"),) == sheet.blocks
    assert isinstance(values.blocks[0], TableBlock)
    assert ["R", "0", "1", "0.25", "0.1"] == [words(cell) for cell in values.blocks[0].rows[0]]
    assert isinstance(table, TableBlock)
    assert ["times 255", "as they are"] == [words(row[0]) for row in table.rows]
    assert "Not known: no input is a picture." == words(page().sections[-1].blocks[0].spans)


def test_without_pictures_there_is_no_sheet():
    """Numbers are written out, a line a sample."""
    numbers = SHOWN.model_copy(update={"look": "numbers", "first": ("1, 2", "3")})
    sections = page(inputs=(numbers,)).sections

    assert ["Input image", "What the first layer expects"] == [each.title for each in sections]
    assert ["<a>", "1, 2"] == [words(cell) for cell in sections[0].blocks[-1].rows[0]]


def test_the_page_loads_nothing():
    """Its one picture is within it, and the policy allows no other; names are escaped."""
    text = render_page(page())

    assert 1 == text.count("<img ") == text.count('src="data:image/png;base64,cG5n"')
    assert "img-src data:;" in text
    assert not re.search(r"https?://|<script", text)
    assert "2 samples: &lt;a&gt;, b" in text
