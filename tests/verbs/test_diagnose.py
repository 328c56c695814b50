"""What this machine can build."""

from __future__ import annotations

from trtbuild.machine.facts import list_target_kinds
from trtbuild.verbs.diagnose import judge_kinds


def test_every_kind_is_judged():
    """Those that can be built say nothing is missing; the others say what."""
    found = judge_kinds()

    assert list_target_kinds() == tuple(each.kind for each in found)
    assert all(each.builds != bool(each.reason) for each in found)
