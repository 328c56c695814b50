"""What a plan is, and whether it fits: an answer for any file."""

from __future__ import annotations

import struct

import pytest

from tests.helpers.executors import Recording
from trtbuild.backends.tensorrt.engine import EngineDescription
from trtbuild.core.digest import digest_of_file
from trtbuild.core.errors import MissingFile
from trtbuild.core.records import TargetResult
from trtbuild.machine.facts import InstalledPackages
from trtbuild.verbs.inspect import inspect_engine as inspect_at

RTX = "tensorrt_rtx_cu13_libs"
L4, H200 = "NVIDIA L4 (8.9)", "NVIDIA H200 (9.0)"


NOT_LOADED = {"describe_engine": {"message": "no", "code": 4}}


class Facts(InstalledPackages):
    """Facts of a machine that somebody made up."""

    def __init__(self, facts):
        super().__init__([])
        self.facts = facts

    def __getitem__(self, name):
        return self.facts[name]


def inspect(path, facts, **more):
    """Inspect a plan where these facts hold; no engine is loaded unless the test says how."""
    return inspect_at(path, Recording(facts=Facts(facts), **{"failing": NOT_LOADED, **more}))


@pytest.fixture
def plan(tmp_path):
    """Write a plan's header of 1.7.1.116 for 8.6 and 8.9, and as many bytes as it says."""

    def write(*, size=100, actual=None, magic=b"vtrt", version=(1, 7, 1, 116)):
        data = magic + bytes(4) + struct.pack("<QQ", 2, size) + bytes(version) + magic
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


TEN = {"magic": b"ftrt", "version": (10, 16, 1, 11)}


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
def test_a_plan_of_tensorrt_is_held_to_engine_json(plan, facts, fits):
    """Version by its header; GPU and options of the machine that built it by engine.json."""
    path = plan(**TEN)
    beside(path)

    found = inspect(path, facts)

    assert ("TensorRT", "10.16.1.11", fits) == (found.flavour, found.version, found.fits)


@pytest.mark.parametrize(
    ("facts", "fits", "reason"),
    [
        ({"tensorrt": "10.9.0.34", "gpu": L4}, "no", "it is of TensorRT 10.16.1.11; 10.9.0.34"),
        ({"tensorrt": "11.4.0.106", "gpu": L4}, "not known", "if it was built as version-comp"),
        ({"tensorrt": "10.16.1.11", "gpu": L4}, "not known", "for which GPU it was built"),
    ],
)
def test_without_engine_json_its_version_alone_speaks(plan, facts, fits, reason):
    """An older TensorRT never runs a newer one's plan; of the GPU the header says nothing."""
    found = inspect(plan(**TEN), facts)

    assert fits == found.fits
    assert reason in found.reason


def test_a_plan_of_a_tensorrt_that_is_not_known_here_does_not_fit(plan):
    """Version 8 has no target, so nothing here would load it."""
    found = inspect(plan(magic=b"ftrt", version=(8, 6, 1, 6)), {"gpu": L4})

    assert ("no", "trtbuild knows no TensorRT 8.6.1.6") == (found.fits, found.reason)


HERE = {"tensorrt": "10.16.1.11", "polygraphy": "0.53.6", "gpu": L4}


def test_where_its_tensorrt_and_a_gpu_are_the_engine_speaks_for_itself(plan):
    """It is loaded, and what it says of its inputs and profiles is told."""
    said = EngineDescription(inputs=(), outputs=(), profiles=({"x": ((1,), (2,), (3,))},))

    found = inspect(
        plan(**TEN),
        HERE,
        failing={},
        made={"description.json": said.model_dump_json().encode()},
    )

    assert ("yes", "it was loaded here", said) == (found.fits, found.reason, found.loaded)


@pytest.mark.parametrize(("code", "fits"), [(3, "no"), (4, "not known")])
def test_an_engine_that_does_not_load_is_an_answer(plan, code, fits):
    """TensorRT's own words; where it could not even try, nothing is claimed."""
    failure = {"message": "built for another GPU", "hint": "rebuild", "code": code}

    found = inspect(plan(**TEN), HERE, failing={"describe_engine": failure})

    assert (fits, "built for another GPU (hint: rebuild)") == (found.fits, found.reason)


def test_what_does_not_fit_is_not_loaded(plan):
    """No process is started for an engine of another version, or without a GPU."""
    for facts in ({**HERE, "tensorrt": "10.9.0.34"}, {"tensorrt": "10.16.1.11"}):
        executor = Recording(facts=Facts(facts))
        inspect_at(plan(**TEN), executor)
        assert [] == executor.started


def test_an_engine_json_of_another_engine_is_not_believed(plan):
    """Its digest is of other bytes; an unreadable one is none."""
    path = plan(magic=b"none")
    beside(path, engine_digest="sha256:0")
    other = inspect(path, {})
    path.with_name("engine.json").write_text("{}")

    assert ("not known", "no") == (other.flavour, other.fits)
    assert ("the engine.json beside it is about another engine",) == other.notes
    assert "was not written by this trtbuild" in inspect(path, {}).notes[0]


@pytest.mark.parametrize("data", [b"", b"vtrt", b"\x89PNG" * 40])
def test_what_is_no_engine_fits_nowhere(tmp_path, data):
    """An answer, never a crash."""
    path = tmp_path / "file"
    path.write_bytes(data)

    assert ("not known", "no") == (inspect(path, {}).flavour, inspect(path, {}).fits)


def test_of_a_model_it_says_what_looks_at_models(tmp_path):
    """Which `inspect` was asked to do by its name."""
    path = tmp_path / "m.onnx"
    path.write_bytes(b"onnx")

    assert f"`trtbuild check {path}`" in inspect(path, {}).reason


def test_a_plan_that_more_was_added_to_is_not_called_cut_off(plan):
    """And it fits nowhere, either."""
    found = inspect(plan(size=100, actual=105), {})

    assert ("no", True) == (found.fits, found.reason.endswith("something was added to it"))


def test_a_folder_is_told_to_be_one(tmp_path):
    """It is there, and what to give instead is said."""
    with pytest.raises(MissingFile, match="is a directory; an engine is a file") as caught:
        inspect(tmp_path, {})

    assert "<target>/model.engine" in caught.value.hint


def test_no_file_is_an_error(tmp_path):
    """With its name."""
    with pytest.raises(MissingFile, match=r"gone\.engine"):
        inspect(tmp_path / "gone.engine", {})
