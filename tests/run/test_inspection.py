"""What a plan is, and whether it fits: an answer for any file."""

from __future__ import annotations

import struct

import pytest

from trtbuild.core.digest import digest_of_file
from trtbuild.core.errors import MissingFile
from trtbuild.core.records import TargetResult
from trtbuild.run.inspection import inspect

RTX = "tensorrt_rtx_cu13_libs"
L4, H200 = "NVIDIA L4 (8.9)", "NVIDIA H200 (9.0)"


@pytest.fixture
def plan(tmp_path):
    """Write a plan's header of 1.7.1.116 for 8.6 and 8.9, and as many bytes as it says."""

    def write(*, size=100, actual=None, magic=b"vtrt"):
        data = magic + bytes(4) + struct.pack("<QQ", 2, size) + bytes([1, 7, 1, 116]) + magic
        data += struct.pack("<Q", 0b1100)
        path = tmp_path / "model.engine"
        path.write_bytes(data.ljust(actual or size, b"\0"))
        return path

    return write


def beside(path, **changes):
    """Write the engine.json of an engine."""
    result = TargetResult(
        target="it", backend="tensorrt10", versions={"tensorrt": "10.16.1.11", "gpu": L4},
        engine_digest=digest_of_file(path), engine_size_bytes=1, model_digest="sha256:1",
        built_for=("8.9",), inputs=(), outputs=(), profiles=(), options={}, layers=(),
        asked_int8=0, delivered_int8=0,
    ).model_copy(update=changes)  # fmt: skip
    path.with_name("engine.json").write_text(result.model_dump_json())


@pytest.mark.parametrize(
    ("facts", "fits", "reason"),
    [
        ({}, "not known", "no NVIDIA GPU"),
        ({RTX: "1.7.1.116"}, "not known", "no NVIDIA GPU"),
        ({RTX: "1.7.1.116", "gpu": L4}, "yes", "L4"),
        ({RTX: "1.7.1.116", "gpu": H200}, "no", "for compute capability 8.6, 8.9; here is NVIDIA"),
        ({RTX: "1.8.0.1", "gpu": L4}, "no", "it is of TensorRT-RTX 1.7.1.116; 1.8.0.1 is here"),
        ({"gpu": L4}, "not known", "not installed"),
    ],
)
def test_a_plan_of_rtx_says_itself_what_it_is(plan, facts, fits, reason):
    """Version and compute capabilities stand in its header."""
    found = inspect(plan(), facts)

    assert ("TensorRT-RTX", "1.7.1.116", ("8.6", "8.9")) == (
        found.flavour,
        found.version,
        found.built_for,
    )
    assert fits == found.fits
    assert reason in found.reason
    assert ("there is no engine.json beside it",) == found.notes


def test_a_plan_that_was_cut_off_fits_nowhere(plan):
    """Its header knows how long it is."""
    found = inspect(plan(actual=80), {RTX: "1.7.1.116", "gpu": L4})

    assert "no" == found.fits
    assert "80 bytes, and its header says 100" in found.reason


@pytest.mark.parametrize(
    ("facts", "fits"),
    [
        ({"tensorrt": "10.16.1.11", "gpu": L4}, "yes"),
        ({"tensorrt": "10.16.1.11", "gpu": H200}, "no"),
        ({"tensorrt": "11.4.0.106", "gpu": L4}, "no"),
        ({"tensorrt": "10.16.1.11"}, "not known"),
        ({"gpu": L4}, "not known"),
    ],
)
def test_other_plans_are_what_engine_json_says(plan, facts, fits):
    """Version and GPU of the machine that built it."""
    path = plan(magic=b"ftrt")
    beside(path)

    found = inspect(path, facts)

    assert ("tensorrt10", "10.16.1.11", fits) == (found.flavour, found.version, found.fits)


def test_an_engine_json_of_another_engine_is_not_believed(plan):
    """Its digest is of other bytes; an unreadable one is none."""
    path = plan(magic=b"ftrt")
    beside(path, engine_digest="sha256:0")
    other = inspect(path, {})
    path.with_name("engine.json").write_text("{}")

    assert ("not known", "not known") == (other.flavour, other.fits)
    assert ("the engine.json beside it is about another engine",) == other.notes
    assert "was not written by this trtbuild" in inspect(path, {}).notes[0]


@pytest.mark.parametrize("data", [b"", b"vtrt", b"\x89PNG" * 40])
def test_any_file_gets_an_answer(tmp_path, data):
    """Never a crash."""
    path = tmp_path / "file"
    path.write_bytes(data)

    assert ("not known", "not known") == (inspect(path, {}).flavour, inspect(path, {}).fits)


def test_no_file_is_an_error(tmp_path):
    """With its name."""
    with pytest.raises(MissingFile, match=r"gone\.engine"):
        inspect(tmp_path / "gone.engine", {})
