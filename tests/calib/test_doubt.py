"""Numbers of a calibration cache that are hardly scales, told by their size alone."""

from __future__ import annotations

import pytest

from trtbuild.calib.doubt import check_size, read_limit
from trtbuild.core.errors import RangeFileError


def check(*numbers):
    check_size({f"t{index}": number for index, number in enumerate(numbers)}, "some.file")


@pytest.mark.parametrize(
    ("limit", "number", "values"),
    [
        (254.0, 2.0, "scale"),
        (254.0, 2.0, "auto"),
        (2.0, 2.0, "limit"),
        (63.5, 2.0, "inverse"),
        (0.0, 0.0, "inverse"),
    ],
)
def test_a_number_means_a_limit(limit, number, values):
    """limit / 127, the limit itself, or 127 / limit; of 0 nothing is known."""
    assert limit == read_limit(number, values)


@pytest.mark.parametrize(
    ("numbers", "values"),
    [
        ((127 / 2.64, 127 / 6, 127 / 3, 0.0), "inverse"),
        ((2.64, 6.0, 3.0, 0.0), "limit"),
        ((127.0, 127 / 6, 127 / 3), "inverse"),
        ((1.0, 6.0, 3.0), "limit"),
        ((255.0, 6.0, 3.0), "limit"),
    ],
)
def test_numbers_of_another_kind_are_noticed(numbers, values):
    """127 / 2.64 = 48 is no scale of a normalized input, nor is 2.64; each gets its own advice."""
    with pytest.raises(RangeFileError, match="write the limit, or 127 / limit") as caught:
        check(*numbers)

    (other,) = {"inverse", "limit"} - {values}
    assert f"`values: {values}`" in caught.value.hint
    assert other not in caught.value.hint


def test_where_the_first_tensor_tells_nothing_all_readings_are_shown():
    """±14 could be a limit, and 127 / 14 = ±9.07 too: a person who knows the input decides."""
    with pytest.raises(RangeFileError) as caught:
        check(14.0, 6.0, 3.0)

    assert (
        "`t0`, its first, spans ±1.78e+03 by `values: scale`, ±14 by `values: limit`, "
        "±9.07 by `values: inverse`"
    ) in caught.value.hint


@pytest.mark.parametrize(
    "limits",
    [
        (255, 900, 4000, 700),
        (151, 900, 2000),
        (3, 900, 255, 4000),
        (0.5, 3, 80),
        (255, 40, 12),
        (2.64,),
        (0, 0),
        (),
    ],
)
def test_plausible_scales_are_taken(limits):
    """Inputs of 0 to 255, their mean taken off or not, and what VGG makes of them; and small ones.

    Where nothing is known, nothing is doubted.
    """
    check(*(limit / 127 for limit in limits))


def test_numbers_that_are_no_bits_are_noticed():
    """Decimals of eight digits are hexadecimal by chance; 12345678 is 5.69e-28 as a float32."""
    with pytest.raises(RangeFileError, match="hardly the bits of float32 scales") as caught:
        check(5.69e-28, 2.24e-27, 8.83e-18)
    assert "`values: scale`" in caught.value.hint
