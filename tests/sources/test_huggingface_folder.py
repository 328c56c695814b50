"""A folder of Hugging Face's tells its files and inputs, without transformers."""

from __future__ import annotations

import json

import pytest

from tests.helpers.hf_folders import BERT, write_folder
from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.sources.huggingface_folder import find_weights, list_files, read_folder


def inputs_of(folder):
    """Return the inputs that a folder tells, as plain values."""
    told = read_folder(folder).tell_inputs()
    return {name: (each.dtype, each.shape) for name, each in told.items()}


TOKENS = ("int64", ("batch", "sequence"))


@pytest.mark.parametrize(
    ("config", "beside", "wanted"),
    [
        (BERT, {}, {"input_ids": TOKENS, "attention_mask": TOKENS, "token_type_ids": TOKENS}),
        ({**BERT, "type_vocab_size": 1}, {}, {"input_ids": TOKENS, "attention_mask": TOKENS}),
        (
            BERT,
            {"tokenizer_config": {"model_input_names": ["input_ids", "attention_mask"]}},
            {"input_ids": TOKENS, "attention_mask": TOKENS},
        ),
        (
            {"model_type": "vit", "image_size": 32, "num_channels": 1, "patch_size": 16},
            {},
            {"pixel_values": ("float32", ("batch", 1, 32, 32))},
        ),
        (
            {"model_type": "yolos", "image_size": [512, 864]},
            {},
            {"pixel_values": ("float32", ("batch", 3, 512, 864))},
        ),
        (
            {"model_type": "resnet", "num_channels": 3},
            {"preprocessor_config": {"crop_size": {"height": 224, "width": 192}}},
            {"pixel_values": ("float32", ("batch", 3, 224, 192))},
        ),
        (
            {"model_type": "detr"},
            {"preprocessor_config": {"image_mean": [0], "size": {"shortest_edge": 800}}},
            {"pixel_values": ("float32", ("batch", 3, "height", "width"))},
        ),
        (
            {"conv_dim": [8], "feat_extract_norm": "group", "vocab_size": 9},
            {},
            {"input_values": ("float32", ("batch", "samples"))},
        ),
        (
            {"model_type": "audio-spectrogram-transformer", "max_length": 64, "num_mel_bins": 16},
            {},
            {"input_values": ("float32", ("batch", 64, 16))},
        ),
    ],
)  # fmt: skip
def test_inputs_follow_from_the_configuration(tmp_path, config, beside, wanted):
    """Text, pictures and sound; tokenizer and preprocessor have a word in it."""
    assert wanted == inputs_of(write_folder(tmp_path, config, **beside))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model_type": "t5", "is_encoder_decoder": True, "vocab_size": 9}, "which run in turns"),
        ({"model_type": "clip", "text_config": {}, "vision_config": {}}, "several models in one"),
        ({"model_type": "odd"}, r"\(`model_type: odd`\) does not tell its inputs"),
    ],
)
def test_inputs_that_do_not_follow_are_asked_for(tmp_path, config, message):
    """With the option to write."""
    with pytest.raises(StepInputError, match=message) as caught:
        inputs_of(write_folder(tmp_path, config))
    assert "write `inputs` in the recipe" in caught.value.hint


def test_what_init_asks_is_read_at_once(tmp_path):
    """Family and class, of a folder that names them and of one that does not."""
    found = read_folder(write_folder(tmp_path / "a", BERT))
    other = read_folder(write_folder(tmp_path / "b", {"auto_map": {"AutoModel": "net.Net"}}))

    assert ("bert", "BertModel", ()) == (found.model_type, found.architecture, found.code)
    assert ("", "", ("net.Net",)) == (other.model_type, other.architecture, other.code)


def names_of(folder, **options):
    options = {"code": False, "tell_inputs": True, **options}
    return [each.name for each in list_files(folder, **options)]


def test_files_are_configuration_weights_and_what_tells_inputs(tmp_path):
    """Code is one where it is run; other frameworks' weights and remarks are not."""
    folder = write_folder(
        tmp_path, BERT, "model.safetensors", "pytorch_model.bin", "net.py", "README.md",
        tokenizer_config={},
    )  # fmt: skip

    assert ["config.json", "model.safetensors", "tokenizer_config.json"] == names_of(folder)
    assert ["config.json", "model.safetensors", "net.py"] == names_of(
        folder, code=True, tell_inputs=False
    )


def test_shards_are_files_of_the_model(tmp_path):
    """By their index."""
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    folder = write_folder(tmp_path, BERT, "model-1.safetensors", "model-2.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))

    assert ["model.safetensors.index.json", "model-1.safetensors", "model-2.safetensors"] == [
        each.name for each in find_weights(folder)
    ]


@pytest.mark.parametrize(
    ("config", "file", "message"),
    [
        (BERT, "README.md", "has no weights: none of model.safetensors"),
        (BERT, "tf_model.h5", "of another framework alone: tf_model.h5"),
        (BERT, "q4.gguf", "of another framework alone: q4.gguf"),
        ({**BERT, "quantization_config": {"quant_method": "awq"}}, "model.safetensors", "awq"),
        ({**BERT, "auto_map": {"AutoModel": "a/b--n.N"}}, "model.safetensors", "elsewhere on the"),
    ],
)
def test_what_no_model_can_be_made_of_is_refused(tmp_path, config, file, message):
    """Before anything runs, with the way out."""
    with pytest.raises((StepInputError, MissingFile), match=message) as caught:
        names_of(write_folder(tmp_path, config, file), code=True)
    assert caught.value.hint


def test_a_folder_without_a_configuration_says_what_it_is(tmp_path):
    """None, an adapter, nothing; a configuration that is none."""
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_config.json").write_text("{}")
    write_folder(tmp_path / "list", {})
    (tmp_path / "list" / "config.json").write_text("[]")

    with pytest.raises(MissingFile, match="my net: no such folder"):
        read_folder(tmp_path / "gone", called="my net")
    with pytest.raises(MissingFile, match=r"has no config\.json"):
        read_folder(tmp_path)
    with pytest.raises(StepInputError, match=r"is an adapter \(PEFT\)"):
        read_folder(tmp_path / "adapter")
    with pytest.raises(StepInputError, match=r"config\.json: is not a mapping"):
        read_folder(tmp_path / "list")
