"""A store that another trtbuild has filled: what it wrote is made again, or refused in a line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.helpers.projects import edit
from trtbuild.core.digest import digest_of_bytes, read_sealed, seal


def rewritten(store, step, name, text):
    """Let a step have left another text, whole in every respect but its meaning."""
    data = text.encode()
    digest = digest_of_bytes(data)
    place = store / "objects" / digest[7:9] / digest[9:]
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(data)
    for path in [*(store / "actions").iterdir(), *(store / "contents").iterdir()]:
        record = json.loads(read_sealed(path, 1 << 20))
        action = record.get("action", record)
        if action["step"] != step:
            continue
        for artifact in action["artifacts"]:
            if artifact["name"] == name:
                artifact |= {"digest": digest, "size_bytes": len(data)}
        path.write_bytes(seal(json.dumps(record)))


@pytest.mark.parametrize(
    ("step", "name"),
    [
        ("build_engine(rtx)", "result"),
        ("fix_graph", "signature"),
        ("capture_data(calib)", "manifest"),
        ("quantize", "ranges"),
        ("compare", "comparison"),
    ],
)
def test_what_cannot_be_understood_is_made_again(applied_project, tmp_path, trtbuild, step, name):
    """Its digest is right, so it is not damaged; it is of no use all the same."""
    rewritten(tmp_path / "store", step, name, '{"from": "the future"}')
    for path in Path("build/small").glob("report.*"):
        path.unlink()

    answer = trtbuild("apply", "recipe.yaml")

    assert 0 == answer.code, answer.err
    assert f"damaged  {step}: {name} in the store was " in answer.err
    assert "3 of 3 delivered" in answer.out


def test_a_step_that_cannot_understand_its_input_says_so(applied_project, tmp_path, trtbuild):
    """One line, how to go on, and not a bug."""
    rewritten(tmp_path / "store", "quantize", "account", "{}")
    edit(applied_project, "256MiB", "512MiB")

    answer = trtbuild("apply", "recipe.yaml")

    assert 5 == answer.code
    assert (
        "what it reads in the store (QuantizationAccount) was written by another trtbuild"
        in answer.err
    )
    assert "remove the store" in answer.err
