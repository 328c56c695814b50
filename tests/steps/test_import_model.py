"""import_model: an ONNX file or a PyTorch module becomes one checked ONNX file."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from tests.helpers.torch_models import tiny, write_source
from trtbuild.core.digest import digest_of_file
from trtbuild.core.errors import CorruptObject, MissingFile, StepInputError
from trtbuild.model.imported_model import ImportedModel
from trtbuild.sources.kinds import Onnx, Torch
from trtbuild.steps.base import Context, Pinned
from trtbuild.steps.held_files import hold_files
from trtbuild.steps.import_model import ImportModel

TEXT = "g (float[N, 3] x) => (float[N, 3] y) { y = Add(x, w) }"
WEIGHT = {"w": np.array([1, 2, 3], np.float32)}


def pinned(*paths):
    return tuple(Pinned(path=str(path), digest=digest_of_file(path)) for path in paths)


def planned(model, base, weights=None):
    """The step as a plan makes it: through JSON."""
    step = ImportModel(
        model=model,
        files=pinned(*model.find_files(base)),
        weights=weights,
        sizes=model.sizes([], {}),
        base=str(base),
    )
    return ImportModel.model_validate_json(step.model_dump_json())


@pytest.fixture
def context(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    return Context(inputs={}, out=out)


@pytest.fixture
def step(tmp_path):
    model = model_of(TEXT, WEIGHT)
    model.ir_version = 13
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    return planned(Onnx(kind="onnx", path="net.onnx"), tmp_path)


def test_an_onnx_file_comes_out_checked_and_readable_by_all(step, context):
    """Same graph and opset, IR version 10 at most."""
    step.run(context)
    written = onnx.load(context.out / "model.onnx")

    assert (10, 17, ["Add"]) == (
        written.ir_version,
        written.opset_import[0].version,
        [node.op_type for node in written.graph.node],
    )


def test_external_data_is_pinned_and_embedded(tmp_path, context):
    """Both files are ingredients; one comes out."""
    path = tmp_path / "net.onnx"
    onnx.save(model_of(TEXT, WEIGHT), path, save_as_external_data=True, size_threshold=0,
              location="net.data")  # fmt: skip
    step = planned(Onnx(kind="onnx", path="net.onnx"), tmp_path)
    step.run(context)
    written = onnx.load(context.out / "model.onnx", load_external_data=False)

    assert ["net.onnx", "net.data"] == [each.path.rpartition("/")[2] for each in step.files]
    assert WEIGHT["w"].tobytes() == written.graph.initializer[0].raw_data


def test_a_file_that_changed_since_the_plan_is_refused(step, context, tmp_path):
    """What is built is what was planned."""
    model = model_of(TEXT, {"w": np.zeros(3, np.float32)})
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())

    with (
        pytest.raises(CorruptObject, match=r"net\.onnx: has changed since this run was planned"),
        hold_files(step),
    ):
        step.run(context)
    assert not (context.out / "model.onnx").exists()


def test_a_truncated_file_is_one_clear_error(step, context, tmp_path):
    """No traceback, nothing written."""
    path = tmp_path / "net.onnx"
    path.write_bytes(path.read_bytes()[:-5])

    with pytest.raises(StepInputError, match="is cut off"):
        step.run(context)
    assert not (context.out / "model.onnx").exists()


def test_progress_is_told(step, context, monkeypatch):
    """Before and after."""
    told = []
    monkeypatch.setattr(context.events, "progress", lambda *args: told.append(args))
    step.run(context)

    assert [(0, 1, "models"), (1, 1, "models")] == told


@pytest.fixture
def torch_step(tmp_path, monkeypatch):
    """A PyTorch model whose export is left out; it records the weights it was given."""
    given = []

    def bring_in(model, base, weights, sizes):
        given.append((base, weights))
        assert {"batch": 2} == sizes.example
        return ImportedModel(model_of(TEXT, WEIGHT), ("a note",), ("seeded weights",), hold)

    def hold(path):
        return (f"{onnx.load(path).graph.name} was held",)

    monkeypatch.setattr(Torch, "bring_in", bring_in)
    base = write_source(tmp_path / "recipes")
    return base, given


def test_notes_and_caveats_reach_the_report(torch_step, context):
    """What holding the written file brought, and seeded weights beside every number from them."""
    base, given = torch_step
    planned(Torch.model_validate_json(tiny()), base).run(context)

    assert ["a note", "g was held"] == context.events.notes
    assert ["seeded weights"] == context.events.caveats
    assert [(base, None)] == given


def test_weights_are_an_input_and_held_to_their_digest(torch_step, context, tmp_path):
    """A file that is swapped after planning is noticed."""
    base, given = torch_step
    weights = tmp_path / "object"
    weights.write_bytes(b"weights")
    step = planned(Torch.model_validate_json(tiny()), base, pinned(weights)[0])
    step.run(context)
    weights.write_bytes(b"others")

    assert [(base, weights)] == given
    with pytest.raises(CorruptObject, match="object: has changed since"), hold_files(step):
        step.run(context)


def test_missing_weights_fail_unless_seeded(tmp_path, context):
    """The default; nothing is exported."""
    pytest.importorskip("torch")
    base = write_source(tmp_path / "recipes")
    step = planned(Torch.model_validate_json(tiny(without_weights="fail")), base)

    with pytest.raises(MissingFile, match="its weights are not here"):
        step.run(context)


def test_facts_are_those_that_can_change_the_result(step, tmp_path):
    """A model read from a file does not depend on PyTorch."""
    base = write_source(tmp_path / "recipes")

    assert ("onnx",) == step.fact_names()
    assert {"torch", "onnx", "onnxscript"} <= set(
        planned(Torch.model_validate_json(tiny()), base).fact_names()
    )
