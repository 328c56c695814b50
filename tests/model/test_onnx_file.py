"""ONNX files: what to pin, what to read, what to refuse."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import onnx
import pytest

from tests.helpers.models import HEADER, model_of, outputs_of
from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.model import onnx_file
from trtbuild.model.onnx_file import find_model_files, read_onnx, write_onnx
from trtbuild.model.weights_file import read_values

TEXT = "g (float[N, 4] x) => (float[N, 4] y) { a = Add(x, w)  y = Mul(a, v) }"
LARGE = np.arange(6400, dtype=np.float32).reshape(80, 80)
WEIGHTS = {"w": np.arange(4, dtype=np.float32), "v": np.full(4, 2, np.float32)}


@pytest.fixture
def split(tmp_path):
    """A model in `m/` whose two weights lie in `m/data/`."""
    folder = tmp_path / "m"
    (folder / "data").mkdir(parents=True)
    model = model_of(TEXT, WEIGHTS)
    for tensor in model.graph.initializer:
        (folder / "data" / f"{tensor.name}.bin").write_bytes(tensor.raw_data)
        point_to(tensor, f"data/{tensor.name}.bin")
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def point_to(tensor, location: str, **entries: str) -> None:
    tensor.ClearField("raw_data")
    del tensor.external_data[:]
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=value)


def rewritten(path, location: str, **entries: str):
    """Point the first tensor of a model elsewhere."""
    model = onnx.load(path, load_external_data=False)
    point_to(model.graph.initializer[0], location, **entries)
    path.write_bytes(model.SerializeToString())
    return path


def test_files_are_the_model_then_its_data_sorted(split):
    """What must be pinned is named in one order, whatever the order inside."""
    names = ["model.onnx", "v.bin", "w.bin"]

    assert names == [file.name for file in find_model_files(split)]


def test_finding_the_files_loads_no_library(tmp_path):
    """A plan asks every time: neither onnx nor numpy is imported for it."""
    write_onnx(model_of(TEXT, WEIGHTS), tmp_path / "model.onnx")
    code = (
        "import sys; from pathlib import Path; "
        "from trtbuild.model.onnx_file import find_model_files;"
        f"find_model_files(Path({str(tmp_path / 'model.onnx')!r})); print(*sys.modules)"
    )
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()

    assert set() == {"onnx", "numpy", "torch"} & set(loaded)


def test_external_data_is_read_in(split):
    """The model that comes back holds its weights and computes (x + w) v."""
    model = read_onnx(split).model
    y = outputs_of(model, {"x": np.ones((1, 4), np.float32)})["y"]

    assert [2, 4, 6, 8] == y[0].tolist()
    assert not any(tensor.external_data for tensor in model.graph.initializer)


def test_missing_data_names_the_tensor(split):
    """A model copied without its data says which tensor lacks which file."""
    (split.parent / "data" / "w.bin").unlink()

    with pytest.raises(MissingFile, match=r"w\.bin: no such file; tensor `w` of model\.onnx"):
        find_model_files(split)


@pytest.mark.parametrize(
    "location", ["../secret.bin", "/etc/passwd", "data/../../secret.bin", "data/../data/w.bin", ""]
)
def test_data_outside_the_folder_is_refused(split, location):
    """A model cannot make us read what lies elsewhere."""
    (split.parent.parent / "secret.bin").write_bytes(b"\0" * 16)

    with pytest.raises(StepInputError, match="outside the model's folder"):
        find_model_files(rewritten(split, location))


def test_a_link_out_of_the_folder_is_refused(split):
    """Neither can it do so by a symbolic link."""
    (split.parent.parent / "secret.bin").write_bytes(b"\0" * 16)
    (split.parent / "link.bin").symlink_to(split.parent.parent / "secret.bin")

    with pytest.raises(StepInputError, match=r"tensor `w`.*`link\.bin`, outside"):
        find_model_files(rewritten(split, "link.bin"))


@pytest.mark.parametrize(
    "entries",
    [{"offset": "8"}, {"offset": "8", "length": "16"}, {"length": "99"}, {"offset": "-4"},
     {"offset": "many"}],
)  # fmt: skip
def test_a_short_data_file_is_an_error(split, entries):
    """A tensor that lies beyond its file is named; nothing is made up."""
    broken = rewritten(split, "data/w.bin", **entries)

    with pytest.raises(StepInputError, match="w"):
        read_onnx(broken)


def test_a_truncated_model_is_one_clear_error(split):
    """It names the file and asks whether it is whole."""
    split.write_bytes(split.read_bytes()[:-20])

    with pytest.raises(StepInputError, match=r"model\.onnx: is cut off") as caught:
        read_onnx(split)
    assert "copy or export it again" in caught.value.hint


def test_a_model_that_only_looks_whole_is_an_error_too(tmp_path):
    """Well-formed fields that are no valid model are refused by the checker."""
    model = model_of(TEXT, WEIGHTS)
    model.graph.node[0].attribute.add(name="nonsense", type=2, i=1)
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())

    with pytest.raises(StepInputError, match="nonsense"):
        read_onnx(path)


def test_an_operator_whose_name_is_no_text_is_an_error(tmp_path):
    """Protobuf reads it all the same."""
    path = saved(tmp_path, "g (float[N] x) => (float[N] y) { y = Relu(x) }")
    path.write_bytes(path.read_bytes().replace(b"Relu", b"\xc3elu"))

    with pytest.raises(StepInputError, match="the name of an operator is no text"):
        read_onnx(path)


def test_a_missing_model_and_a_directory(tmp_path):
    """Both are said plainly."""
    with pytest.raises(MissingFile, match="no such file"):
        find_model_files(tmp_path / "gone.onnx")
    with pytest.raises(MissingFile, match="is a directory"):
        find_model_files(tmp_path)


def test_one_file_over_two_gigabytes_is_refused(split, monkeypatch):
    """Nothing can read it: the size is known before anything is."""
    monkeypatch.setattr(onnx_file, "LIMIT_BYTES", 100)

    with pytest.raises(StepInputError, match="in one file; Protocol Buffers end at 2 GB") as raised:
        read_onnx(split)
    assert "external data" in raised.value.hint


@pytest.fixture
def large(tmp_path, monkeypatch):
    """A model over the limit with one large weight in a file."""
    monkeypatch.setattr(onnx_file, "LIMIT_BYTES", 10_000)
    model = model_of("g (float[1, 80] x) => (float[1, 80] y) { y = MatMul(x, w) }", {"w": LARGE})
    onnx.save(model, tmp_path / "m.onnx", save_as_external_data=True, location="m.data")
    return tmp_path / "m.onnx"


def test_large_weights_stay_in_their_file(large):
    """Read and checked, the model holds none of their bytes, and still knows their values."""
    model = read_onnx(large).model
    (weight,) = model.graph.initializer

    assert b"" == weight.raw_data
    assert np.array_equal(LARGE, read_values(weight))
    assert model.ByteSize() < 1000


def test_a_large_model_is_written_in_two_files(large, tmp_path):
    """What reads the one finds the other, wherever the folder is."""
    out = tmp_path / "out"
    out.mkdir()
    write_onnx(read_onnx(large).model, out / "net.onnx")
    out.rename(tmp_path / "moved")

    assert ["net.onnx", "net.weights"] == [
        path.name for path in find_model_files(tmp_path / "moved" / "net.onnx")
    ]
    x = {"x": np.ones((1, 80), np.float32)}
    assert np.array_equal(
        outputs_of(large, x)["y"], outputs_of(tmp_path / "moved" / "net.onnx", x)["y"]
    )


def test_a_model_that_grew_is_written_in_two_files(tmp_path, monkeypatch):
    """A message over 2 GB cannot be written, wherever its weights come from."""
    monkeypatch.setattr(onnx_file, "LIMIT_BYTES", 10_000)
    model = model_of("g (float[1, 80] x) => (float[1, 80] y) { y = MatMul(x, w) }", {"w": LARGE})
    write_onnx(model, tmp_path / "net.onnx")

    assert LARGE.nbytes == (tmp_path / "net.weights").stat().st_size
    assert np.array_equal(
        LARGE, onnx.numpy_helper.to_array(onnx.load(tmp_path / "net.onnx").graph.initializer[0])
    )


def test_a_large_weight_of_another_size_is_refused(large):
    """It would be read past its end, or cut off."""
    model = onnx.load(large, load_external_data=False)
    model.graph.initializer[0].dims[0] = 81
    large.write_bytes(model.SerializeToString())

    with pytest.raises(StepInputError, match="`w` has 25920 bytes by its shape"):
        read_onnx(large)


def test_local_functions_are_inlined(tmp_path):
    """What follows sees one flat graph."""
    text = """<ir_version: 8, opset_import: ["" : 17, "own" : 1]>
    g (float[N] x) => (float[N] y) { y = own.twice(x) }
    <domain: "own", opset_import: ["" : 17]>
    twice (a) => (b) { b = Add(a, a) }"""
    path = tmp_path / "model.onnx"
    path.write_bytes(model_of(text).SerializeToString())
    imported = read_onnx(path)

    assert ["Add"] == [node.op_type for node in imported.model.graph.node]
    assert ("local functions were inlined: twice",) == imported.notes


@pytest.mark.parametrize(("before", "after"), [(3, 4), (8, 8), (10, 10), (13, 10)])
def test_the_ir_version_is_one_that_all_read(tmp_path, before, after):
    """Old ones are raised to where initializers are no inputs, new ones capped; opsets stay."""
    model = model_of(TEXT, WEIGHTS)
    model.ir_version = before
    write_onnx(model, tmp_path / "model.onnx")
    written = onnx.load(tmp_path / "model.onnx")

    assert (after, 17) == (written.ir_version, written.opset_import[0].version)


def saved(folder, text):
    """Write a model down as it is: no checker has seen it."""
    path = folder / "model.onnx"
    path.write_bytes(onnx.parser.parse_model(HEADER + text).SerializeToString())
    return path


def test_weights_need_be_no_inputs_in_an_old_file_either(tmp_path):
    """ONNX Runtime and TensorRT take them so; the checker, for IR 3, does not."""
    path = saved(tmp_path, "g (float[2] x) => (float[2] y) <float[2] w = {1, 2}> { y = Add(x, w) }")
    model = onnx.load(path)
    model.ir_version = 3
    path.write_bytes(model.SerializeToString())

    assert 4 == read_onnx(path).model.ir_version


def test_nodes_in_another_order_are_sorted_and_told(tmp_path):
    """ONNX Runtime takes them in any order, TensorRT and the checker do not."""
    path = saved(tmp_path, "g (float[N] x) => (float[N] y) { y = Neg(a)  a = Abs(x) }")
    imported = read_onnx(path)

    assert ["Abs", "Neg"] == [node.op_type for node in imported.model.graph.node]
    assert ("nodes were sorted: some stood before what they read",) == imported.notes


def test_nodes_of_one_name_get_their_own_and_it_is_told(tmp_path):
    """TensorRT takes two of a name, ONNX Runtime does not."""
    path = saved(tmp_path, "g (float[N] x) => (float[N] y) { [n] a = Abs(x)  [n] y = Neg(a) }")
    imported = read_onnx(path)

    assert ["n", "n_1"] == [node.name for node in imported.model.graph.node]
    assert ("nodes that shared a name got names of their own: `n`",) == imported.notes


def test_a_size_of_minus_one_is_open(tmp_path):
    """So old Paddle and TensorFlow exporters write what they leave open."""
    model = model_of("g (float[N, 3] x) => (float[N, 3] y) { y = Relu(x) }")
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = -1
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    first, second = read_onnx(path).model.graph.input[0].type.tensor_type.shape.dim

    assert (None, 3) == (first.WhichOneof("value"), second.dim_value)


def test_what_is_written_is_checked(tmp_path):
    """A step cannot leave a model behind that ONNX Runtime would not load; no file is written."""
    model = model_of("g (float[N] x) => (float[N] y) { [n] a = Abs(x)  [n] y = Neg(a) }")

    with pytest.raises(StepInputError, match="two nodes are named `n`"):
        write_onnx(model, tmp_path / "model.onnx")
    assert [] == list(tmp_path.iterdir())
