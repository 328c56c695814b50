"""PyTorch modules of sources of every kind."""

from __future__ import annotations

import sys
import types

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from trtbuild.sources.huggingface import Huggingface
from trtbuild.sources.onnx import Onnx
from trtbuild.sources.ultralytics import Ultralytics
from trtbuild.timing.base import Setting, TimedModel
from trtbuild.timing.modules import explain_no_module, prepare_maker
from trtbuild.timing.pytorch import Pytorch

torch = pytest.importorskip("torch")
EXPORTED = "g (float[1,3,8,8] images) => (float[1,3,8,8] y) { y = Relu(images) }"


def run(source, base, exported, arrays):
    """Run what a source makes, as bench does; return its outputs and notes."""
    maker = prepare_maker(source, base, None, exported)
    subject = TimedModel("source", "module", exported, make=maker)
    opened = Pytorch(kind="pytorch", device="cpu").open(subject, Setting(threads=1))
    opened.feed(arrays)
    return list(opened.outputs().values()), opened.notes


def test_a_checkpoint_of_ultralytics_runs_as_it_predicts(tmp_path, monkeypatch):
    """Its layers fused, in float, fed as the exported model is; what it lacks is noted."""
    asked = []

    class Net(torch.nn.Module):
        def fuse(self, *, verbose):
            asked.append(verbose)
            return self

        def forward(self, pictures):
            return pictures + 1, [pictures]

    double = types.SimpleNamespace(
        __version__="8.4.0", YOLO=lambda path: types.SimpleNamespace(model=Net().half(), path=path)
    )
    monkeypatch.setitem(sys.modules, "ultralytics", double)
    for name in (
        "YOLO_AUTOINSTALL",
        "YOLO_OFFLINE",
        "YOLO_VERBOSE",
        "MPLBACKEND",
        "YOLO_CONFIG_DIR",
    ):
        monkeypatch.setenv(name, "")
    onnx.save(model_of(EXPORTED), tmp_path / "m.onnx")
    (tmp_path / "best.pt").write_bytes(b"a checkpoint")
    source = Ultralytics(kind="ultralytics", path="best.pt", nms=True)
    outputs, notes = run(
        source, tmp_path, tmp_path / "m.onnx", {"images": np.ones((1, 3, 8, 8), np.float32)}
    )

    assert [2.0, 1.0] == [each.max() for each in outputs]
    assert [False] == asked
    assert "by Ultralytics 8.4.0, its layers fused" == notes[0]
    assert "without the suppression" in notes[1]
    assert "" == explain_no_module(source)


def test_a_model_of_hugging_face_is_made_by_its_configuration(tmp_path):
    """Fed by the names of its forward."""
    transformers = pytest.importorskip("transformers")
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = transformers.BertConfig(vocab_size=50, intermediate_size=32, **small)
    transformers.BertForSequenceClassification(config).save_pretrained(tmp_path / "bert")
    source = Huggingface(kind="huggingface", path="bert", outputs=("logits",))
    names = ("input_ids", "attention_mask", "token_type_ids")
    arrays = {name: np.ones((2, 5), np.int64) for name in names}
    outputs, notes = run(source, tmp_path, tmp_path / "m.onnx", arrays)

    assert [(2, 2)] == [each.shape for each in outputs]
    assert notes[0].startswith("BertForSequenceClassification of transformers ")
    assert "" == explain_no_module(source)


def test_an_onnx_file_has_no_module():
    """Which is said."""
    assert "`kind: onnx` has no module" in explain_no_module(Onnx(kind="onnx", path="m.onnx"))
