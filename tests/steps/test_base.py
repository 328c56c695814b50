"""What a step is given, and where it leaves what it makes."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import onnx
import pytest

from tests.helpers.quant import seeded
from trtbuild.core.errors import CorruptObject
from trtbuild.core.needs import Needs
from trtbuild.core.options import find_location_fields
from trtbuild.steps.base import Context, Pinned, QuietEvents, Ref, Step


class Say(Step):
    """Writes a value twice."""

    outputs: ClassVar = {"text": "text.json"}
    beside: ClassVar = {"weights": "text.weights"}

    kind: str = "say"


@pytest.fixture
def context(tmp_path):
    (tmp_path / "out").mkdir()
    return Context(inputs={"before/text": tmp_path / "in.json"}, out=tmp_path / "out")


def test_an_input_is_a_file_wherever_it_comes_from(context, tmp_path):
    """One that a step made, and one that lies on disk."""
    assert tmp_path / "in.json" == context.path(Ref(step="before", output="text"))
    assert Path("/m.onnx") == context.path(Pinned(path="/m.onnx", digest="sha256:aa"))
    assert {"path"} == find_location_fields(Pinned)


def test_a_models_weights_lie_beside_it(tmp_path):
    """Under the name that the model knows them by, whatever they are called in the store."""
    model = seeded("g (float[N,4] x) => (float[N,4] y) { y = MatMul(x, w) }", w=(4, 4))
    onnx.save(model, tmp_path / "m", save_as_external_data=True, location="w.raw", size_threshold=0)
    (tmp_path / "m").rename(tmp_path / "ab")
    (tmp_path / "w.raw").rename(tmp_path / "cd")
    (tmp_path / "work/out").mkdir(parents=True)
    inputs = {"fix_graph/model": tmp_path / "ab", "fix_graph/weights": tmp_path / "cd"}
    context = Context(inputs=inputs, out=tmp_path / "work/out")

    found = context.path(Ref(step="fix_graph", output="model"))

    assert (tmp_path / "cd").read_bytes() == (found.parent / "w.raw").read_bytes()
    assert (tmp_path / "ab").read_bytes() == found.read_bytes()
    assert tmp_path / "cd" == context.path(Ref(step="fix_graph", output="weights"))


def test_what_was_written_is_read_again(context, tmp_path):
    """As JSON in UTF-8, with a last line's end; what cannot be read is of another trtbuild."""
    value = Ref(step="später", output="text")
    step = Say()

    step.write(context, "text", value)

    data = (tmp_path / "out/text.json").read_bytes()
    assert "später" in data.decode()
    assert data.endswith(b"}\n")
    (tmp_path / "in.json").write_bytes(data)
    assert value == context.read(Ref(step="before", output="text"), Ref)
    with pytest.raises(CorruptObject, match="another trtbuild"):
        context.read(Ref(step="before", output="text"), Pinned)


def test_outputs_have_their_places(context, tmp_path):
    """Those that may be left out too; no other has one."""
    assert tmp_path / "out/text.json" == Say().out(context, "text")
    assert tmp_path / "out/text.weights" == Say().out(context, "weights")
    with pytest.raises(KeyError):
        Say().out(context, "model")


def test_a_step_that_says_nothing_of_itself_needs_nothing():
    """No fact changes it, and it may run anywhere."""
    assert ((), Needs(), 1) == (Say().fact_names(), Say().needs(), Say.version)


def test_notes_are_kept_once_and_in_order():
    """However often a loop comes by."""
    events = QuietEvents()
    for text in ("b", "a", "b"):
        events.note(text)
        events.caveat(text)
    events.progress(1, 2, "sample")

    assert (["b", "a"], ["b", "a"]) == (events.notes, events.caveats)
