"""Whatever lies in the place of a lock, a saved plan or the store ends in one sentence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trtbuild.cli.app import run

EXPECTED = {0, 1, 2, 3, 4, 5}
"""Every exit code but 70, which is a bug."""
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("sha256:../../x")
NAMES = st.sampled_from(
    ["format", "recipe", "targets", "steps", "ranges", "sources", "tools", "models", "measures"]
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
QUICK = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def built(project, trtbuild):
    """A project that is applied, locked and planned."""
    assert 0 == trtbuild("apply", "-q", "recipe.yaml").code
    assert 0 == trtbuild("lock", "recipe.yaml").code
    assert 0 == trtbuild("plan", "recipe.yaml", "--out", "saved.json").code
    return project.parent


def mangled(data, draw):
    """Return bytes with a piece taken out, doubled or turned into something else."""
    at = draw(st.integers(0, len(data) - 1))
    end = min(len(data), at + draw(st.integers(1, 40)))
    piece = draw(st.sampled_from([b"", data[at:end] * 2, b"\xff\x00", b'"', b"}", b"1e999", b"-1"]))
    return data[:at] + piece + data[end:]


@QUICK
@given(data=st.data())
def test_a_mangled_lock_never_ends_in_a_traceback(built, data):
    """Nor is a lock that says something else taken for the build's."""
    path = built / "recipe.lock"
    whole = path.read_bytes()
    try:
        path.write_bytes(mangled(whole, data.draw))
        assert run(["lock", "--check", "recipe.yaml"]) in EXPECTED
        assert run(["diff", "recipe.lock", "recipe.lock"]) in EXPECTED
    finally:
        path.write_bytes(whole)


@QUICK
@given(data=st.data())
def test_a_mangled_plan_never_ends_in_a_traceback(built, data):
    """It is refused, as no plan or as a stale one, or it is the same plan still."""
    path = built / "saved.json"
    whole = path.read_bytes()
    try:
        path.write_bytes(mangled(whole, data.draw))
        assert run(["apply", "-q", "--plan", "saved.json"]) in EXPECTED
    finally:
        path.write_bytes(whole)


@QUICK
@given(tree=TREES)
def test_what_is_valid_but_of_another_shape_is_refused(built, tree):
    """JSON is no saved plan, and no lock."""
    import json

    (built / "odd.json").write_text(json.dumps(tree))
    (built / "odd.lock").write_text(json.dumps(tree))

    assert 2 == run(["apply", "--plan", "odd.json"])
    assert 2 == run(["diff", "odd.lock", "odd.lock"])


@QUICK
@given(data=st.data())
def test_a_mangled_store_reads_as_absent(built, data):
    """Every file but the objects, which have a test of their own."""
    store = Path(os.environ["TRTBUILD_STORE"])
    files = [p for p in sorted(store.rglob("*")) if p.is_file() and "objects" not in p.parts]
    path = data.draw(st.sampled_from([p for p in files if p.stat().st_size]))
    whole = path.read_bytes()
    try:
        path.write_bytes(mangled(whole, data.draw))
        for words in (["plan"], ["why"], ["lock", "--check"]):
            assert run([*words, "recipe.yaml"]) in EXPECTED
        assert run(["store", "ls"]) == run(["store", "du"]) == 0
    finally:
        path.write_bytes(whole)
