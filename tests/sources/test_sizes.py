"""What an exporter sees lies within the profiles."""

from __future__ import annotations

from trtbuild.sources.kinds import InputSpec
from trtbuild.sources.sizes import choose_sizes

IDS = {"ids": InputSpec(dtype="int64", shape=("batch", "seq"))}
PICTURE = {"x": InputSpec(shape=("batch", 3, "h", "w"))}
TEXT = {"ids": ((1, 4), (8, 20), (32, 77))}


def test_without_profiles_sizes_are_made_up():
    """A small batch, and what can be halved; one after the other, in the order of names."""
    both = {**IDS, "extra": InputSpec(shape=("seq", "more"))}

    assert {"batch": 2, "seq": 96} == choose_sizes(IDS, [], {}).example
    assert {"seq": 64, "more": 96, "batch": 4} == choose_sizes(both, [], {}).example
    assert choose_sizes(both, [], {}) == choose_sizes(dict(reversed(both.items())), [], {})
    assert ((), {}) == (choose_sizes(IDS, [], {}).checked, choose_sizes(IDS, [], {}).bounds())


def test_the_example_is_the_profiles_opt_and_its_corners_are_checked():
    """All but the batch, which stays as small as the profile lets it: tuning it exports nothing."""
    sizes = choose_sizes(IDS, [TEXT], {})
    tuned = choose_sizes(IDS, [{"ids": ((1, 4), (16, 20), (64, 77))}], {})

    assert {"batch": 2, "seq": 20} == sizes.example
    assert ({"batch": 1, "seq": 4}, {"batch": 1, "seq": 77}) == sizes.checked
    assert sizes == tuned
    assert {"seq": (4, 77)} == sizes.bounds()
    assert 5 == choose_sizes(IDS, [{"ids": ((5, 4), (8, 20), (9, 77))}], {}).example["batch"]


def test_equal_sizes_are_moved_apart_where_the_profile_allows():
    """To a bound first, which the model takes for certain."""
    wide = choose_sizes(PICTURE, [{"x": ((1, 3, 32, 32), (8, 3, 224, 224), (8, 3, 518, 518))}], {})
    fixed = choose_sizes(PICTURE, [{"x": ((1, 3, 64, 64),) * 3}], {})

    assert {"batch": 2, "h": 224, "w": 518} == wide.example
    assert {"batch": 1, "h": 64, "w": 64} == fixed.example
    assert () == fixed.checked


def test_the_profile_that_reaches_furthest_gives_the_example():
    """A model that is fed one step at a time is not exported for one step."""
    step = {"ids": ((1, 1), (1, 1), (4, 1))}
    sizes = choose_sizes(IDS, [step, TEXT], {})

    assert {"batch": 2, "seq": 20} == sizes.example
    assert [1, 4, 77] == [each["seq"] for each in sizes.checked]


def test_a_size_that_a_fix_sets_is_the_example():
    """The model need not take any other."""
    later = {("ids", 1): 16}

    assert {"batch": 2, "seq": 16} == choose_sizes(IDS, [], later).example
    assert [{"batch": 1, "seq": 16}] == list(choose_sizes(IDS, [TEXT], later).checked)


def test_what_does_not_fit_is_passed_over():
    """Another rank, another input, nothing: others say what is wrong with it."""
    wrong = {"ids": ((1,), (2,), (3,)), "other": ((1,), (1,), (1,))}

    assert {"batch": 2, "seq": 96} == choose_sizes(IDS, [wrong], {}).example
    assert {} == choose_sizes({"x": InputSpec(shape=(1, 3))}, [wrong], {}).example


def test_every_corner_is_checked_where_few_dimensions_vary():
    """A picture may be wide, high or both; of many that vary, one at a time is at an end."""
    picture = {"x": ((1, 3, 32, 64), (8, 3, 224, 256), (8, 3, 512, 768))}
    many = {"x": InputSpec(shape=("n", "a", "b", "c", "d"))}
    profile = {"x": ((1, 1, 1, 1, 1), (1, 2, 3, 4, 5), (9, 9, 9, 9, 9))}

    assert [(32, 64), (512, 768), (32, 768), (512, 64)] == [
        (each["h"], each["w"]) for each in choose_sizes(PICTURE, [picture], {}).checked
    ]
    assert 10 == len(choose_sizes(many, [profile], {}).checked)
