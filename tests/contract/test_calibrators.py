from __future__ import annotations

import functools
import json
from typing import get_args

import numpy as np
import pytest
from pydantic import TypeAdapter

from trtbuild.calib.histogram import Histogram
from trtbuild.calib.kinds import Calibrator
from trtbuild.core.kinds import load_kinds

KINDS = load_kinds(Calibrator)
NAMES = {
    "normal": lambda rng: rng.standard_normal(50_000),
    "relu": lambda rng: np.maximum(rng.standard_normal(50_000), 0),
    "heavy tail": lambda rng: rng.standard_t(2, 50_000),
    "outlier": lambda rng: np.append(rng.standard_normal(50_000), 300),
    "few": lambda rng: rng.standard_normal(7),
    "two values": lambda rng: rng.choice([-1.5, 2.0], 1000),
    "constant": lambda _: np.full(10, -0.3),
}


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def calibrator(request):
    """Each kind with its defaults."""
    kind = request.param.model_fields["kind"].annotation
    return request.param(kind=get_args(kind)[0])


@pytest.fixture(params=NAMES)
def name(request):
    """Values of many shapes."""
    return request.param


@functools.cache
def values_of(name):
    return NAMES[name](np.random.default_rng(0)).astype(np.float32)


def histogram_of(*parts, counted=True):
    histogram = Histogram(counted=counted)
    for part in parts:
        histogram.add(part)
    return histogram


@functools.cache
def limit_and_largest(calibrator, name):
    """What a calibrator finds for values as they are, found once; and the largest of them."""
    histogram = histogram_of(values_of(name), counted=calibrator.counts)
    return calibrator.limit(histogram), histogram.absmax


def test_the_limit_is_within_the_data(calibrator, name):
    """Positive, and never beyond the largest absolute value."""
    limit, largest = limit_and_largest(calibrator, name)

    assert 0 < limit <= largest


def test_zeros_and_nothing_have_no_limit(calibrator):
    """The limit of zeros, and of nothing, is 0: no NaN, no warning."""
    for part in (np.zeros(9, np.float32), np.zeros(0, np.float32)):
        assert 0 == calibrator.limit(histogram_of(part, counted=calibrator.counts))


@pytest.mark.parametrize(("factor", "tolerance"), [(4.0, 1e-12), (2.0**-20, 1e-12), (3.0, 0.1)])
def test_is_scale_equivariant(calibrator, name, factor, tolerance):
    """Values a times as large have a limit a times as large; exactly so for powers of two.

    Other factors move the bins: a search may end elsewhere in a flat minimum.
    """
    values = values_of(name)
    if factor == 3.0 and len(values) < 50_000:
        pytest.skip("of a few values, the bins of 3 x are not those of x")
    limit, _ = limit_and_largest(calibrator, name)

    scaled = histogram_of(values * np.float32(factor), counted=calibrator.counts)

    assert factor * limit == pytest.approx(calibrator.limit(scaled), rel=tolerance)


def test_signs_do_not_matter(calibrator, name):
    """Ranges are symmetric: -x has the limit of x."""
    mirrored = histogram_of(-values_of(name), counted=calibrator.counts)

    assert limit_and_largest(calibrator, name)[0] == calibrator.limit(mirrored)


def test_batches_and_their_order_do_not_matter(calibrator, name):
    """The limit is the same, to the last bit, for any batches in any order."""
    batches = np.array_split(values_of(name)[::-1], 5)

    parts = histogram_of(*batches, counted=calibrator.counts)

    assert limit_and_largest(calibrator, name)[0] == calibrator.limit(parts)


def test_survives_json(calibrator):
    """Options read back from JSON are the same value."""
    data = json.dumps(calibrator.model_dump(mode="json"))

    assert calibrator == TypeAdapter(Calibrator).validate_json(data)
