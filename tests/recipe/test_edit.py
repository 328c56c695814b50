"""A recipe's text is edited in place, or left alone with one clear error."""

from __future__ import annotations

import pytest

from trtbuild.core.errors import UsageError
from trtbuild.recipe.edit import AddedItem, OptionChange, edit_section, write_flow

SECTION = ("quantization",)
TEXT = """\
# what it is for
name: a
quantization:   # how
  data: calib
  # tried by hand
  calibrator:
    kind: percentile   # the best of last week
    percentile: 99.9
  skip: ["*/fc/*"]  # it is small

# where to
targets: {}
"""


def test_only_what_changes_is_touched():
    """A new value, a longer list, a new option: each with its remark, all else as it was."""
    changes = (
        OptionChange("calibrator", {"kind": "mse"}, remark="16.1 → 17.5 dB"),
        OptionChange(
            "skip", items=(AddedItem("/a/Conv", "alone 17.6 dB"), AddedItem("[b]")), remark="+ 2 dB"
        ),
        OptionChange("bias_correction", value=True, remark="+ 1 dB"),
    )
    expected = """\
# what it is for
name: a
quantization:   # how
  data: calib
  # tried by hand
  # tune: 16.1 → 17.5 dB
  calibrator: {kind: mse}
  # tune: + 2 dB
  skip:  # it is small
    - "*/fc/*"
    - /a/Conv  # alone 17.6 dB
    - "[b]"
  # tune: + 1 dB
  bias_correction: true

# where to
targets: {}
"""

    assert expected == edit_section("r.yaml", TEXT, SECTION, changes)


def test_a_second_edit_replaces_the_remark_of_the_first():
    """Remarks do not pile up, and a list over lines grows at its end."""
    once = edit_section(
        "r", TEXT, SECTION, [OptionChange("skip", items=(AddedItem("a"),), remark="1")]
    )
    twice = edit_section(
        "r", once, SECTION, [OptionChange("skip", items=(AddedItem("b"),), remark="2")]
    )

    assert "# tune: 1" in once
    assert "  # tune: 2\n  skip:  # it is small\n" in twice
    assert '    - "*/fc/*"\n    - a\n    - b\n\n# where' in twice
    assert "# tune: 1" not in twice


def test_a_section_in_braces_is_written_with_an_option_a_line():
    """What stands behind it stays there, and so do line ends as Windows has them."""
    text = "a: 1\r\nquantization: {data: calib, skip: [x]} # why\r\nb: 2"
    expected = (
        "a: 1\r\nquantization: # why\r\n  data: calib\r\n  skip: [x]\r\n  rounding: reconstructed"
        "\r\nb: 2"
    )

    assert expected == edit_section("r", text, SECTION, [OptionChange("rounding", "reconstructed")])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{quantization: {data: calib}}", "one mapping in braces"),
        ("x: &c {kind: mse}\nquantization:\n  calibrator: *c\n", "`c` is shared"),
        ("quantization:\n  skip: text\n", "bit by bit"),
        ("quantization: {data: calib, # here\n  skip: [x]}\n", "comments between its braces"),
    ],
)
def test_what_cannot_be_changed_bit_by_bit_is_refused(text, why):
    """One error that says what to write instead."""
    with pytest.raises(UsageError, match=why) as error:
        edit_section("r.yaml", text, SECTION, [OptionChange("skip", items=(AddedItem("y"),))])

    assert "over several lines" in error.value.hint


def test_data_is_written_as_people_do():
    """Without quotes but where text would mean another thing."""
    value = {"kind": "mse", "tensors": ["a b", "no", "1e3", "/x/y"], "share": 0.5, "on": True}

    assert '{kind: mse, tensors: ["a b", no, "1e3", /x/y], share: 0.5, on: true}' == write_flow(
        value
    )
