"""PyTorch modules come in as ONNX: names, sizes, weights, and the same bytes everywhere."""

from __future__ import annotations

import hashlib
import inspect
import logging
import subprocess
import sys

import numpy as np
import pytest

from tests.helpers.models import outputs_of
from tests.helpers.torch_models import tiny, write_source
from trtbuild.core.errors import StepInputError
from trtbuild.model.onnx_file import write_onnx
from trtbuild.model.signature import read_signature
from trtbuild.sources.torch import Torch
from trtbuild.sources.torch_module import prepare_module

torch = pytest.importorskip("torch")


def source(**fields):
    return Torch.model_validate_json(tiny(**fields))


def brought(base, profiles=(), **fields):
    """Bring a model in, as a recipe with these profiles would."""
    model = source(**fields)
    return model.bring_in(base, None, model.sizes(profiles, {}))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return write_source(tmp_path_factory.mktemp("recipes"))


@pytest.fixture(scope="module")
def seeded(base):
    """The tiny model, exported once with seeded weights."""
    return brought(base)


def test_seeded_weights_say_so(seeded):
    """A caveat for every number, and a note with the reason."""
    assert ("seeded weights",) == seeded.caveats
    assert ("weights drawn from seed 0: the numbers say nothing of a real model",) == seeded.notes


def test_layers_are_named_after_the_users_modules(seeded):
    """Batch norms are gone, convolutions keep their own names, weights and biases theirs."""
    signature = read_signature(seeded.model)

    assert [
        ("/stem/Conv", "Conv"),
        ("/layer1/0/conv1/Conv", "Conv"),
        ("/layer1/0/relu/Relu", "Relu"),
        ("/layer1/0/conv2/Conv", "Conv"),
        ("/layer1/0/Add", "Add"),
        ("/layer1/0/relu/Relu_1", "Relu"),
        ("/layer1/1/conv1/Conv", "Conv"),
        ("/layer1/1/relu/Relu", "Relu"),
        ("/layer1/1/conv2/Conv", "Conv"),
        ("/layer1/1/Add", "Add"),
        ("/layer1/1/relu/Relu_1", "Relu"),
        ("/pool/ReduceMean", "ReduceMean"),
        ("/Reshape", "Reshape"),
        ("/fc/Gemm", "Gemm"),
    ] == [(node.name, node.op) for node in signature.nodes]
    assert "/layer1/0/conv1/Conv_output_0" in signature.tensors
    assert {"stem.weight", "layer1.0.conv1.weight", "layer1.0.conv1.bias", "fc.bias"} <= {
        tensor.name for tensor in seeded.model.graph.initializer
    }


def test_the_batch_is_dynamic(seeded):
    """Input and output carry the recipe's name; any batch runs."""
    signature = read_signature(seeded.model)
    run = outputs_of(seeded.model, {"input": np.zeros((5, 3, 9, 9), np.float32)})

    assert ("batch", 3, 9, 9) == signature.inputs[0].shape
    assert ("logits", ("batch", 3)) == (signature.outputs[0].name, signature.outputs[0].shape)
    assert (5, 3) == run["logits"].shape


def test_the_model_computes_what_pytorch_computes(seeded, base):
    """ONNX Runtime against the module itself, batch norms as seeded."""
    module = prepare_module(source(), base=base, weights=None).module
    x = np.random.default_rng(1).normal(size=(2, 3, 9, 9)).astype(np.float32)
    with torch.no_grad():
        wanted = module(torch.from_numpy(x)).numpy()

    found = outputs_of(seeded.model, {"input": x})["logits"]

    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_ir_and_opset_are_what_was_asked(seeded):
    """IR 10 at most, opset 20, one file, one domain."""
    assert [("", 20)] == [(entry.domain, entry.version) for entry in seeded.model.opset_import]
    assert seeded.model.ir_version <= 10
    assert not any(tensor.external_data for tensor in seeded.model.graph.initializer)


def test_the_place_is_not_in_the_file(seeded, base, tmp_path):
    """Neither the user's nor PyTorch's."""
    write_onnx(seeded.model, tmp_path / "model.onnx")
    text = str((tmp_path / "model.onnx").read_bytes())

    assert not [word for word in (str(base), "site-packages", "net.py") if word in text]


def digest_of_weights(module):
    parts = sorted((name, each.numpy().tobytes()) for name, each in module.state_dict().items())
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def test_seeded_weights_are_the_same_in_another_process_and_folder(base, tmp_path):
    """Whatever was drawn before; that all of an export is the same, the shipped digits tell."""
    module = prepare_module(source(), base=base, weights=None).module
    elsewhere = write_source(tmp_path / "quite" / "another" / "place")
    code = f"""
import hashlib
from pathlib import Path
import torch
torch.set_num_threads(1)
torch.rand(7)
from trtbuild.sources.kinds import Torch
from trtbuild.sources.torch_module import prepare_module
source = Torch.model_validate_json({tiny()!r})
module = prepare_module(source, base=Path({str(elsewhere)!r}), weights=None).module
{inspect.getsource(digest_of_weights)}
print(digest_of_weights(module), end="")
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=elsewhere,
        env={"PYTHONHASHSEED": "77", "PATH": "/usr/bin:/bin"},
        check=True,
        capture_output=True,
        text=True,
    )

    assert digest_of_weights(module) == done.stdout


PAIR = {
    "entrypoint": "net.py:pair",
    "weights": None,
    "outputs": ["sum", "difference"],
    "inputs": {
        "right": {"shape": ["batch", "length"]},
        "left": {"shape": ["batch", "length"]},
    },
}


@pytest.fixture(scope="module")
def pair(base):
    """A model of two inputs and two outputs, exported once."""
    return brought(base, **PAIR).model


def test_several_inputs_go_where_forward_names_them(pair):
    """However the recipe orders them; equal names are one dimension."""
    feed = {"left": np.ones((3, 5), np.float32), "right": np.full((3, 5), 2, np.float32)}
    run = outputs_of(pair, feed)

    assert (5, -1) == (run["sum"][0, 0], run["difference"][0, 0])
    assert [("left", ("batch", "length")), ("right", ("batch", "length"))] == [
        (spec.name, spec.shape) for spec in read_signature(pair).inputs
    ]


def test_inputs_that_forward_does_not_know_are_refused(base):
    """With forward's own names."""
    wrong = {**PAIR, "inputs": {"a": {"shape": [1, 2]}, "right": {"shape": [1, 2]}}}

    with pytest.raises(StepInputError, match=r"inputs a, right do not match forward\(left, right"):
        brought(base, **wrong)


def test_outputs_must_be_named_each(base, capfd):
    """Two tensors, one name: nobody could tell which. The exporter itself says nothing."""
    level = logging.getLogger("torch.onnx").level
    with pytest.raises(StepInputError, match="returns 2 tensors, the recipe names 1: sum"):
        brought(base, **{**PAIR, "outputs": ["sum"]})

    assert ("", "") == capfd.readouterr()
    assert level == logging.getLogger("torch.onnx").level


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"entrypoint": "net.py:failing"}, "raised: ValueError: no such width$"),
        ({"entrypoint": "net.py:not_a_module"}, "returned str; a torch.nn.Module is needed"),
        ({"options": {"depth": 3}}, "raised: TypeError: .*unexpected keyword argument 'depth'"),
        (
            {"inputs": {"input": {"shape": ["batch", 5, 9, 9]}}},
            r"cannot be exported by PyTorch: it raises RuntimeError: .*, at input \[2, 5, 9, 9\]$",
        ),
        (
            {"entrypoint": "net.py:counting", "inputs": {"x": {"shape": ["n", 2]}}},
            "cannot be exported by PyTorch: it returns int beside tensors, at",
        ),
        (
            {"entrypoint": "net.py:paired", "inputs": {"x": {"shape": ["n", 2]}}},
            r"the export works for `n` = 2 alone, in `x` \['n', 2\]",
        ),
        (
            {"entrypoint": "net.py:branchy", "inputs": {"x": {"shape": ["n", 2]}}},
            "cannot be exported by PyTorch: .*data-dependent",
        ),
    ],
)
def test_what_cannot_be_made_or_exported_says_why(base, fields, message):
    """One sentence with PyTorch's own words."""
    with pytest.raises(StepInputError, match=message):
        brought(base, **fields)


CLASHING = {
    "entrypoint": "net.py:clashing",
    "weights": None,
    "inputs": {"scale": {"shape": ["batch", "seq"]}},
    "outputs": ["softmax", "relu"],
}
SHORT = ({"scale": ((1, 4), (4, 20), (8, 77))},)


def test_keys_and_names_that_clash_within_are_kept_apart(base, tmp_path):
    """Outputs by their keys, not by place; parameters and inner tensors of their names give way."""
    imported = brought(base, SHORT, **CLASHING)
    write_onnx(imported.model, tmp_path / "model.onnx")
    run = outputs_of(tmp_path / "model.onnx", {"scale": np.zeros((1, 77), np.float32)})
    names = [value.name for value in read_signature(imported.model).outputs]
    held = imported.hold(tmp_path / "model.onnx")

    assert (["softmax", "relu"], ()) == (names, held)
    np.testing.assert_allclose(run["relu"], 3.0)
    np.testing.assert_allclose(run["softmax"], 1 / 77, rtol=1e-5)


def test_a_sequence_is_exported_within_the_profile(base):
    """A table of 77 rows: what is made up where nobody says is longer, and the message says how."""
    with pytest.raises(StepInputError, match=r"it raises .* at scale \[2, 96\]") as caught:
        brought(base, **CLASHING)
    assert "give profiles" in caught.value.hint


def test_finding_the_sources_is_cheap(base):
    """A plan asks every time: torch and onnx stay out."""
    code = (
        "import sys; from pathlib import Path; from trtbuild.sources.kinds import Torch;"
        f"print(Torch.model_validate_json({tiny()!r}).find_files(Path({str(base)!r})));"
        "print(*sys.modules)"
    )
    files, loaded = subprocess.check_output([sys.executable, "-c", code], text=True).splitlines()

    assert "net.py" in files
    assert set() == {"torch", "onnx", "numpy"} & set(loaded.split())
