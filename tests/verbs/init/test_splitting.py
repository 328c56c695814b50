"""Two patterns that share no name and leave none out."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trtbuild.verbs.init.splitting import divide_by_name

NAMES = st.builds(
    str.__add__, st.text("ab01_.", min_size=1, max_size=4), st.sampled_from([".jpg", ".png"])
)


@settings(max_examples=60)
@given(st.lists(NAMES, unique=True, max_size=12))
def test_no_name_is_in_both_and_none_in_neither(names):
    """As the data source matches them."""
    divided = divide_by_name(names)
    if divided is None:
        return
    (one, few), (other, rest) = divided
    mine = [name for name in names if fnmatchcase(name, one)]

    assert (few, rest) == (len(mine), len(names) - len(mine))
    assert [name for name in names if name not in mine] == [
        name for name in names if fnmatchcase(name, other)
    ]
    assert 0 < few < len(names)


def test_every_folder_has_some_of_both():
    """Else a class would have no picture in one of them."""
    names = [f"{folder}/{index}.jpg" for folder in "ab" for index in range(4)]
    (one, few), _ = divide_by_name(names)

    assert ("*/*[02].jpg", 4) == (one, few)
    assert divide_by_name(["a/0.jpg", "b/1.jpg"]) is None


@pytest.mark.parametrize("names", [[], ["a.jpg"], ["a.jpg", "b.jpg", "c.png.jpg", "d.1.png"]])
def test_what_no_letter_divides_is_left_whole(names):
    """One picture, or names whose dots a pattern would mistake."""
    assert divide_by_name(names) is None
