"""Targets that can be built here, or else anywhere."""

from __future__ import annotations

import pytest

from trtbuild.verbs.init.targets import choose_targets


@pytest.mark.parametrize(
    ("buildable", "suppresses", "keys"),
    [
        (["tensorrt_rtx"], False, ["rtx"]),
        (["tensorrt_rtx", "tensorrt11"], True, ["trt11"]),
        (["tensorrt_rtx"], True, ["trt11", "reference"]),
        ([], False, ["rtx", "reference"]),
    ],
)
def test_what_no_tensorrt_here_builds_is_deferred_and_runs_on_a_cpu(buildable, suppresses, keys):
    """RTX has no NMS."""
    assert keys == [each.key for each in choose_targets(buildable, [], suppresses=suppresses)]
