"""Pieces of SVG."""

from __future__ import annotations

from trtbuild.report.svg import PlotFrame, draw_circle, draw_svg, label


def test_a_frame_places_values_between_its_ends():
    """Upwards counts from the bottom; what is beyond an end lies on it."""
    frame = PlotFrame(10, 0, 110, 50, across=(0, 2), up=(-1, 1))

    assert [60, 110, 10] == [frame.x(value) for value in (1, 9, -9)]
    assert [25, 50, 0] == [frame.y(value) for value in (0, -1, 1)]


def test_a_drawing_tells_who_cannot_see_it():
    """By its role, its label and its title."""
    assert (
        '<svg class="plot" role="img" viewBox="0 0 9 9" aria-label="two words">'
        "<title>two words</title></svg>"
    ) == draw_svg(9, 9, "two\nwords", ())


def test_names_are_escaped():
    """In a title, in a label and in an attribute."""
    evil = '"><script>\x1b'
    drawn = draw_svg(9, 9, evil, [label((0, 0), evil), draw_circle("p", (0, 0), 1, evil)])

    assert "<script>" not in drawn
    assert "\x1b" not in drawn
    assert 4 == drawn.count("&quot;&gt;&lt;script&gt;")
