"""How much of the INT8 work that was asked for an engine does."""

from __future__ import annotations

from tests.helpers.records import layer, target
from trtbuild.core.model_checks import Coverage, ModelChecks
from trtbuild.core.records import LayerPrecision
from trtbuild.verbs.coverage import measure_coverage

MACS = {"one": 600, "two": 300, "three": 90, "head": 10}
CHECKS = {
    "rtx": ModelChecks(
        faults=(),
        coverage=Coverage(target="rtx", layers=4, macs=1000, asked_macs=990, islands=1),
        macs=MACS,
    )
}


def test_layers_count_by_their_work():
    """600 delivered, 300 fell back, 90 are not told of; 10 were never asked for."""
    head = LayerPrecision(name="head", op="Gemm", asked="fp32", delivered="fp32")
    engine = target((layer("one"), layer("two", "fp32"), layer("three", "unknown"), head))

    [found] = measure_coverage([engine], CHECKS)

    assert (990, 600, 90) == (found.asked_macs, found.delivered_macs, found.unknown_macs)


def test_without_an_engine_nothing_is_delivered():
    """What was asked is known all the same."""
    [found] = measure_coverage([None], CHECKS)

    assert (990, None) == (found.asked_macs, found.delivered_macs)
