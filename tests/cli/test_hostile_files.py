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
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def built(applied_project, trtbuild):
    """A project that is applied, locked and planned."""
    assert 0 == trtbuild("lock", "recipe.yaml").code
    assert 0 == trtbuild("plan", "recipe.yaml", "--out", "saved.json").code
    return applied_project.parent


HARM = st.tuples(
    st.integers(0, 10**6),
    st.integers(1, 40),
    st.sampled_from([b"", None, b"\xff\x00", b'"', b"}", b"1e999", b"-1"]),
)
"""Where, how long, and what stands there instead; None doubles the piece."""


def mangled(data, harm):
    """Return bytes with a piece taken out, doubled or turned into something else."""
    at, length, piece = harm
    at %= len(data)
    end = min(len(data), at + length)
    return data[:at] + (data[at:end] * 2 if piece is None else piece) + data[end:]


@QUICK
@given(harm=HARM)
def test_a_mangled_lock_never_ends_in_a_traceback(built, harm):
    """Nor is a lock that says something else taken for the build's."""
    path = built / "recipe.lock"
    whole = path.read_bytes()
    try:
        path.write_bytes(mangled(whole, harm))
        assert run(["lock", "--check", "recipe.yaml"]) in EXPECTED
        assert run(["diff", "recipe.lock", "recipe.lock"]) in EXPECTED
    finally:
        path.write_bytes(whole)


@QUICK
@given(harm=HARM)
def test_a_mangled_plan_never_ends_in_a_traceback(built, harm):
    """It is refused, as no plan or as a stale one, or it is the same plan still."""
    path = built / "saved.json"
    whole = path.read_bytes()
    try:
        path.write_bytes(mangled(whole, harm))
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
@given(which=st.integers(0, 10**6), harm=HARM)
def test_a_mangled_store_reads_as_absent(built, which, harm):
    """Every file but the objects, which have a test of their own."""
    store = Path(os.environ["TRTBUILD_STORE"])
    files = [p for p in sorted(store.rglob("*")) if p.is_file() and p.stat().st_size]
    files = [path for path in files if "objects" not in path.parts]
    path = files[which % len(files)]
    whole = path.read_bytes()
    try:
        path.write_bytes(mangled(whole, harm))
        for words in (["plan"], ["why"], ["lock", "--check"]):
            assert run([*words, "recipe.yaml"]) in EXPECTED
        assert run(["store", "ls"]) == run(["store", "du"]) == 0
    finally:
        path.write_bytes(whole)
