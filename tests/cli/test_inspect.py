"""trtbuild inspect, as its user meets it."""

from __future__ import annotations

import json

import pytest

from tests.helpers.records import target
from trtbuild import api
from trtbuild.verbs.inspect import InspectedEngine

TEN = b"ftrt" + bytes(20) + bytes([10, 16, 1, 11])
"""The head of a plan of TensorRT 10.16.1.11."""


@pytest.fixture
def inspected(monkeypatch, trtbuild):
    """Inspect an engine of which this is found."""

    def typed(*words, **changes):
        found = InspectedEngine(
            **{
                "file": "model.engine",
                "size_bytes": 100,
                "flavour": "TensorRT-RTX",
                "version": "1.7.1.116",
                "built_for": ("8.6", "8.9"),
                "fits": "yes",
                "reason": "the GPU here is an 8.9",
                **changes,
            }
        )
        monkeypatch.setattr(
            api, "inspect", lambda path, plugins, **_: asked.append((path, plugins)) or found
        )
        return trtbuild("inspect", "model.engine", *words)

    asked = []
    typed.asked = asked
    return typed


@pytest.mark.parametrize(("code", "fits"), [(0, "yes"), (0, "not known"), (1, "no")])
def test_the_exit_code_says_whether_it_fits(inspected, code, fits):
    """What is not known speaks against nothing."""
    answer = inspected(fits=fits)

    assert code == answer.code
    assert answer.out.endswith(f"fits this machine: {fits} (the GPU here is an 8.9)\n")


def test_an_engine_is_described_by_what_lies_beside_it(inspected):
    """Inputs, outputs, profiles, and how much of it is INT8; notes and caveats."""
    out = inspected(result=target(caveats=("seeded weights",)), notes=("it is old",)).out

    assert out.startswith("model.engine: 100 bytes\n  TensorRT-RTX 1.7.1.116\n  for 8.6, 8.9\n")
    assert "  input `input` float32 [batch, 3, 224, 224]\n" in out
    assert "  profile 0: `input` min [1, 3, 224, 224], opt [8, 3, 224, 224], max [32, 3" in out
    assert "  INT8: asked for in 4 layers, delivered in 4\n" in out
    assert "  caveat: seeded weights\n" in out
    assert "  note: it is old\n" in out


def test_what_is_not_known_is_left_out(inspected):
    """No empty lines, no words about nothing."""
    out = inspected(flavour="not known", version="", built_for=()).out

    assert ["model.engine: 100 bytes", "  not known"] == out.splitlines()[:2]
    assert 3 == len(out.splitlines())


def test_json_is_all_of_it(inspected):
    """As a program reads it; plugins are handed on."""
    found = json.loads(inspected("--format", "json", "--plugin", "p.so").out)

    assert ("model.engine", "yes", ["8.6", "8.9"]) == (
        found["file"],
        found["fits"],
        found["built_for"],
    )
    ((path, plugins),) = inspected.asked
    assert ("model.engine", ["p.so"]) == (str(path), [str(each) for each in plugins])


def test_an_engine_that_does_not_fit_is_exit_code_1(trtbuild, tmp_path):
    """An answer, as text and as JSON: this plan is of a TensorRT that is not known here."""
    engine = tmp_path / "old.engine"
    engine.write_bytes(TEN[:24] + bytes([8, 6, 1, 6]))

    text = trtbuild("inspect", engine)
    data = trtbuild("inspect", engine, "--format", "json")

    assert (1, 1) == (text.code, data.code)
    assert "fits this machine: no (trtbuild knows no TensorRT 8.6.1.6)" in text.out
    assert ("TensorRT", "no") == tuple(json.loads(data.out)[key] for key in ("flavour", "fits"))


def test_an_engine_of_which_nothing_speaks_against_is_exit_code_0(trtbuild, tmp_path):
    """Without a GPU nobody knows."""
    engine = tmp_path / "ten.engine"
    engine.write_bytes(TEN)

    answer = trtbuild("inspect", engine)

    assert 0 == answer.code
    assert "TensorRT 10.16.1.11" in answer.out
