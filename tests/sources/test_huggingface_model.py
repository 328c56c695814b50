"""Models of transformers come in by their configuration, with all their weights and no code."""

from __future__ import annotations

import json

import pytest

from trtbuild.core.errors import StepInputError
from trtbuild.model.onnx_file import write_onnx
from trtbuild.model.signature import read_signature
from trtbuild.sources.huggingface import Huggingface

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

pytestmark = pytest.mark.filterwarnings("ignore")  # whatever a library says of itself
SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
OWN = """
from transformers import PretrainedConfig, PreTrainedModel
from torch import nn

class OwnConfig(PretrainedConfig):
    model_type = "own"

class Own(PreTrainedModel):
    config_class = OwnConfig

    def __init__(self, config):
        super().__init__(config)
        self.layer = nn.Linear(4, 2)
        self.post_init()

    def forward(self, x):
        return {"y": self.layer(x)}
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A folder with a tiny BERT for classes, and a tiny ViT."""
    folder = tmp_path_factory.mktemp("hub")
    torch.manual_seed(0)
    bert = transformers.BertConfig(vocab_size=50, max_position_embeddings=128, **SMALL)
    transformers.BertForSequenceClassification(bert).save_pretrained(folder / "bert")
    vit = transformers.ViTConfig(image_size=32, patch_size=16, **SMALL)
    transformers.ViTForImageClassification(vit).save_pretrained(folder / "vit")
    return folder


def brought(base, profiles=(), **fields):
    model = Huggingface(kind="huggingface", exporter="torchscript", **fields)
    model.find_files(base)
    return model.bring_in(base, None, model.sizes(profiles, {}, base))


def test_a_model_of_text_has_three_inputs_and_agrees_at_every_corner(base, tmp_path):
    """Named and sized by its configuration; outputs as transformers names them."""
    names = ("input_ids", "attention_mask", "token_type_ids")
    found = brought(base, [dict.fromkeys(names, ((1, 4), (2, 7), (4, 16)))], path="bert")
    write_onnx(found.model, tmp_path / "model.onnx")
    signature = read_signature(found.model)

    assert [(name, ("batch", "sequence")) for name in names] == [
        (each.name, each.shape) for each in signature.inputs
    ]
    assert [("logits", ("batch", 2))] == [(each.name, each.shape) for each in signature.outputs]
    assert "/bert/encoder/layer/0/output/dense/MatMul" in {n.name for n in signature.nodes}
    assert found.notes[0].startswith("BertForSequenceClassification of transformers ")
    assert () == found.hold(tmp_path / "model.onnx")


def test_a_model_of_pictures_has_their_size(base, tmp_path):
    """That it was trained at."""
    found = brought(base, path="vit")
    write_onnx(found.model, tmp_path / "model.onnx")

    assert ("batch", 3, 32, 32) == read_signature(found.model).inputs[0].shape
    assert () == found.hold(tmp_path / "model.onnx")


def test_a_task_takes_another_class_and_outputs_are_chosen(base):
    """What of the weights is not read is said."""
    found = brought(base, path="bert", task="feature-extraction", outputs=("last_hidden_state",))

    assert ["last_hidden_state"] == [each.name for each in found.model.graph.output]
    assert "2 weights of its files are not the model's: classifier.bias" in found.notes[1]


def test_weights_that_would_be_random_are_an_error(base):
    """A head that was never trained."""
    with pytest.raises(StepInputError, match=r"bert: \d weights are not in its files, and would"):
        brought(base, path="bert", task="fill-mask")


def test_an_output_that_it_does_not_have_is_said(base):
    """With those that it has."""
    with pytest.raises(StepInputError, match="bert: it returns `logits`, and no `boxes`"):
        brought(base, path="bert", outputs=("boxes",))


def test_an_unknown_class_names_the_version(base, tmp_path):
    """Of transformers."""
    config = json.loads((base / "vit" / "config.json").read_text())
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "model.safetensors").touch()
    for more in ({"architectures": ["NewModel"]}, {"model_type": "newest"}):
        (tmp_path / "new" / "config.json").write_text(json.dumps({**config, **more}))
        with pytest.raises(StepInputError, match=r"new: transformers .* has no `"):
            brought(tmp_path, path="new")


def test_code_of_its_own_runs_only_where_it_is_trusted(tmp_path):
    """And leaves nothing behind."""
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "own.py").write_text(OWN)
    code = {"AutoConfig": "own.OwnConfig", "AutoModel": "own.Own"}
    config = {"architectures": ["Own"], "model_type": "own", "auto_map": code}
    (folder / "config.json").write_text(json.dumps(config))
    weights = {"layer.weight": torch.ones(2, 4), "layer.bias": torch.zeros(2)}
    torch.save(weights, folder / "pytorch_model.bin")
    inputs = {"x": {"shape": ("n", 4)}}

    with pytest.raises(StepInputError, match=r"`Own` is made by code that comes with it") as caught:
        brought(tmp_path, path="own", inputs=inputs)
    found = brought(tmp_path, path="own", inputs=inputs, trust_remote_code=True)

    assert "write `trust_remote_code: true`" in caught.value.hint
    assert ["y"] == [each.name for each in found.model.graph.output]
