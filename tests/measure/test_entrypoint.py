"""python: metrics of a team's own, and how their mistakes are told."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.measuring import begun, folded, metric_of
from trtbuild.core.errors import MissingDependency, StepInputError, TrtbuildError

ONES = {"y": [np.array([1.0, 2.0]), np.array([3.0, 4.0])]}
OFF = {"y": [np.array([1.0, 3.0]), np.array([3.0, 7.0])]}


@pytest.fixture
def measured(tmp_path):
    """Write metrics.py and return the measurement by one of its callables."""

    def make(code, name="f", *, labels=None, reference=ONES, candidate=OFF, **options):
        (tmp_path / "metrics.py").write_text("import numpy as np\n" + code)
        metric = metric_of(kind="python", entrypoint=f"metrics.py:{name}", **options)
        files = metric.find_files(tmp_path)
        return begun(metric, reference, candidate, labels=labels, files=files)

    return make


def test_a_function_of_a_sample_is_a_mean(measured):
    """Largest differences 1 and 3; each output comes by its name."""
    made = measured(
        "def f(reference, candidate): return np.abs(reference['y']-candidate['y']).max()"
    )

    assert {"f": (None, 2.0)} == folded(made, [0, 1])
    assert {"f": (None, 3.0)} == folded(made, [1, 1])


def test_one_output_comes_as_an_array_and_options_as_arguments(measured):
    """`output` chooses it; the label comes where it is asked for."""
    made = measured(
        "def f(reference, candidate, label, *, scale):\n return scale * candidate[label]",
        output="y",
        options={"scale": 2},
        labels=[0, 1],
    )

    assert {"f": (None, 8.0)} == folded(made, [0, 1])


def test_a_class_keeps_what_it_likes_and_folds_any_resample(measured):
    """A ratio of sums is no mean of ratios; own figures are pairs, reference first."""
    made = measured(
        "class Ratio:\n"
        " def update(self, reference, candidate): return reference.sum(), candidate.sum()\n"
        " def fold(self, kept):\n"
        "  r, c = (sum(each) for each in zip(*kept))\n"
        "  return {'total': (r, c), 'ratio': c / r}",
        "Ratio",
        output="y",
        values={"total": {"own": True}, "ratio": {"better": "low"}},
    )

    assert {"total": (10.0, 14.0), "ratio": (None, 1.4)} == folded(made, [0, 1])
    assert {"total": (6.0, 8.0), "ratio": (None, 8 / 6)} == folded(made, [0, 0])


def test_its_sources_are_its_files(tmp_path):
    """With the modules beside it that it imports, by names that are the same anywhere."""
    (tmp_path / "metrics.py").write_text("import beside\ndef f(reference, candidate): return 0")
    (tmp_path / "beside.py").write_text("")
    metric = metric_of(kind="python", entrypoint="metrics.py:f")

    assert ["metrics.py", "beside.py"] == list(metric.find_files(tmp_path))


@pytest.mark.parametrize(
    ("code", "options", "told"),
    [
        ("def f(reference): return 0", {}, "metrics.py:f: cannot be called with these `options`"),
        ("def f(reference, candidate): return None", {}, "`f` is NoneType; a number is needed"),
        ("def f(reference, candidate): return {'g': 1}", {}, "answers g, and the recipe expects f"),
        (
            "def f(reference, candidate): return 1",
            {"values": {"a": {}, "b": {}}},
            "answers int; a mapping with a, b is needed",
        ),
        (
            "def f(reference, candidate): return 1",
            {"values": {"a": {"own": True}}},
            "`a` is int; a pair (reference, candidate) is needed",
        ),
        ("class f:\n def update(self, reference, candidate): pass", {}, "has no method `fold`"),
        ("def f(reference, candidate): raise ValueError('no')", {}, "metrics.py:2: ValueError: no"),
        ("def f(reference, candidate): return 10**400", {}, "f: OverflowError: int too large"),
        (
            (
                "class D(dict):\n def __getitem__(self, key): raise KeyError(key)\n"
                "def f(reference, candidate): return D(f=1)"
            ),
            {},
            "metrics.py:3: KeyError: 'f'",
        ),
        (
            (
                "class E(Exception):\n def __str__(self): raise ValueError\n"
                "def f(reference, candidate): raise E"
            ),
            {},
            "metrics.py:4: E",
        ),
        ("def f(reference, candidate): return 1", {"output": "z"}, "there is no output `z`"),
    ],
)
def test_what_cannot_measure_is_told(measured, code, options, told):
    """Where it is, and what is needed."""
    with pytest.raises(StepInputError) as caught:
        measured(code, **options)

    assert told in caught.value.message
    assert caught.value.hint


def test_a_library_that_is_not_there_is_named(measured):
    """With the command that installs it."""
    with pytest.raises(MissingDependency, match="no_such_library"):
        measured("def f(reference, candidate):\n import no_such_library")


def test_code_that_cannot_be_loaded_says_so(measured):
    """As a data source's does."""
    with pytest.raises(TrtbuildError, match="has no callable `g`"):
        measured("def f(reference, candidate): return 0", "g")
