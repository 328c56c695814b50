"""The recipe's section for a model of Hugging Face's."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tests.helpers.hf_folders import BERT, write_folder
from trtbuild.core.errors import MissingFile
from trtbuild.sources.huggingface import Huggingface

COMMIT = "0" * 40


def source(**fields):
    return Huggingface(kind="huggingface", **fields)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"path": "bert", "id": "bert", "revision": COMMIT},
        {"id": "bert"},
        {"id": "../bert", "revision": COMMIT},
        {"id": "acme/bert", "revision": "../main"},
        {"path": "bert", "task": "cooking"},
        {"path": "bert", "exporter": "torchscript", "opset": 21},
        {"path": "bert", "outputs": ("logits", "logits")},
    ],
)
def test_what_makes_no_sense_is_refused(fields):
    """One place, a revision with a name, a task that there is."""
    with pytest.raises(ValidationError):
        source(**fields)


def test_inputs_and_sizes_are_known_without_transformers(tmp_path):
    """From the configuration, and from the recipe where it says so."""
    write_folder(tmp_path / "bert", BERT)
    profile = {"input_ids": ((1, 4), (4, 20), (8, 77))}
    found = source(path="bert")

    assert ["input_ids", "attention_mask", "token_type_ids"] == [
        spec.name for spec in found.find_inputs(tmp_path)
    ]
    assert {"batch": 2, "sequence": 20} == found.sizes([profile], {}, tmp_path).example
    assert ["config.json", "model.safetensors"] == [
        each.name for each in found.find_files(tmp_path)
    ]
    assert () == source(path="gone").find_inputs(tmp_path)


def test_code_of_its_own_is_watched_only_where_it_is_trusted():
    """Without, none runs."""
    assert source(path="net").user_code("/r", ()) is None
    assert "/r" == source(path="net", trust_remote_code=True).user_code("/r", ("a",)).base


def test_a_name_on_the_hub_is_looked_for_in_its_cache(tmp_path, monkeypatch):
    """And said with its revision."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    found = source(id="acme/bert", revision=COMMIT)
    with pytest.raises(MissingFile, match=f"acme/bert@{COMMIT}: is not in the hub's cache"):
        found.find_files(tmp_path)
    folder = tmp_path / "models--acme--bert" / "snapshots" / COMMIT
    write_folder(folder, BERT)

    assert (folder / "config.json", folder / "model.safetensors") == found.find_files(tmp_path)
    assert ("id", f"huggingface acme/bert@{COMMIT}") == (found.place_option, found.describe())


def test_what_is_to_be_fetched_is_not_missed(tmp_path, monkeypatch):
    """`validate` and `apply` look for it only where it is."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))

    assert not source(id="acme/bert", revision=COMMIT).is_here()
    write_folder(tmp_path / "models--acme--bert" / "snapshots" / COMMIT, BERT)
    assert source(id="acme/bert", revision=COMMIT).is_here()
