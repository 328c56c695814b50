"""The program in a bundle: what it picks, what it runs, and what it says where nothing fits."""

from __future__ import annotations

import ctypes
import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from tests.helpers.models import model_of
from trtbuild.core.digest import digest_of_bytes
from trtbuild.verbs.packaging import bundle_program
from trtbuild.verbs.packaging.bundle_program import choose_engine, main, run_model

ENGINES = [
    {"file": file, "backend": backend, "tensorrt": version, "compute_capabilities": ["8.9"],
     "digest": digest_of_bytes(file.encode()), "version_compatible": False}
    for file, backend, version in (
        ("a", "tensorrt10", "10.16.1.11"),
        ("b", "tensorrt_rtx", "1.7.1.116"),
    )
]  # fmt: skip


@pytest.fixture
def machine(monkeypatch):
    """Make up a GPU of a capability, and what is installed; memory is the CPU's."""
    lent = []

    def make(capability, **installed):
        def cuda(name, *arguments):
            if not capability:
                raise OSError
            if name == "cuDeviceGetAttribute":
                arguments[0]._obj[arguments[1] - 75] = int(capability.split(".")[arguments[1] - 75])
            if name == "cuMemAllocManaged":
                lent.append(ctypes.create_string_buffer(arguments[1].value))
                arguments[0]._obj.value = ctypes.addressof(lent[-1])

        monkeypatch.setattr(bundle_program, "cuda", cuda)
        for name in ("tensorrt", "tensorrt_rtx"):
            monkeypatch.setitem(sys.modules, name, installed.get(name))

    return make


def version(number, **more):
    return SimpleNamespace(__version__=number, __spec__="there", **more)


@pytest.mark.parametrize(
    ("installed", "file"),
    [({"tensorrt": "10.16.1.11"}, "a"), ({"tensorrt": "11.4", "tensorrt_rtx": "1.7.1.116"}, "b")],
)
def test_the_engine_for_the_device_is_picked(machine, installed, file):
    """By compute capability and the very version."""
    machine("8.9", **{name: version(number) for name, number in installed.items()})

    assert file == choose_engine(ENGINES)[0]["file"]


def test_a_version_compatible_engine_is_for_other_versions_too(machine):
    """TensorRT itself refuses what is newer than it."""
    machine("8.9", tensorrt=version("10.17"))

    assert "a" == choose_engine([ENGINES[0] | {"version_compatible": True}])[0]["file"]


@pytest.mark.parametrize(
    ("installed", "capability", "why"),
    [
        ({}, "8.9", "a needs tensorrt 10.16.1.11, here is none; compute capability 8.9, here is 8"),
        ({"tensorrt": "11.4"}, "8.9", "a needs tensorrt 10.16.1.11, here is 11.4;"),
        ({"tensorrt": "10.16.1.11"}, "12.0", "b needs .* capability 8.9, here is 12.0"),
    ],
)
def test_where_none_fits_each_says_what_it_needs(machine, installed, capability, why):
    """And what is here; a machine without a GPU runs the model."""
    machine(capability, **{name: version(number) for name, number in installed.items()})
    with pytest.raises(SystemExit, match=f"error: no engine .*; --onnx runs the model(\n.*)*{why}"):
        choose_engine(ENGINES)

    machine("")
    assert (None, None) == choose_engine(ENGINES)


MODEL = model_of("m (float[n,2] x) => (float[n,2] y) { y = Add(x, x) }").SerializeToString()


@pytest.fixture
def bundle(tmp_path):
    index = {
        "inputs": [{"name": "x", "dtype": "float32"}],
        "engines": ENGINES,
        "model": {"file": "m.onnx", "digest": digest_of_bytes(MODEL), "weights": ""},
    }
    (tmp_path / "bundle.json").write_text(json.dumps(index))
    (tmp_path / "m.onnx").write_bytes(MODEL)
    for each in ENGINES:
        (tmp_path / each["file"]).write_text(each["file"])
    return tmp_path


class Context:
    """Gives 2 x, from where it was told to where it was told."""

    shapes, places = {}, {}

    def set_optimization_profile_async(self, profile, _):
        self.most = (2, 4)[profile]

    def set_input_shape(self, name, shape):
        assert shape[0] <= self.most
        self.shapes |= {name: shape, "y": shape}

    def get_tensor_shape(self, name):
        return self.shapes[name] if name == "x" or self.shapes["x"][0] != 3 else (-1, 2)

    def set_tensor_address(self, name, place):
        self.places[name] = place

    def execute_async_v3(self, stream):
        size = int(np.prod(self.shapes["x"]))
        x, y = ((ctypes.c_float * size).from_address(self.places[name]) for name in "xy")
        y[:] = [2 * each for each in x]
        return stream == 0


def test_it_runs_an_engine(machine, bundle, capsys):
    """On the inputs of a .npy or .npz; outputs are shown, and written where that is asked for."""
    engine = SimpleNamespace(
        num_io_tensors=2,
        get_tensor_name=lambda number: "yx"[number],
        get_tensor_dtype=lambda _: np.float32,
        create_execution_context=Context,
        num_optimization_profiles=2,
        get_tensor_profile_shape=lambda _, number: [(1, 2), (1, 2), ((2, 4)[number], 2)],
    )
    runtime = SimpleNamespace(deserialize_cuda_engine=lambda data: engine if data == b"a" else None)
    logger = type("Logger", (), {"WARNING": 2, "__init__": lambda *_: None})
    trt = version("10.16.1.11", Runtime=lambda _: runtime, Logger=logger, nptype=lambda kind: kind)
    machine("8.9", tensorrt=trt)
    np.save(bundle / "in.npy", np.float64([[1, 2]]))
    np.save(bundle / "more.npy", np.ones((4, 2), np.float32))
    np.save(bundle / "many.npy", np.zeros((5, 2), np.float32))
    np.save(bundle / "flat.npy", np.zeros(2, np.float32))
    main(bundle, [str(bundle / "in.npy"), str(bundle / "out.npz")])

    assert "y float32 [1, 2]\n[[2. 4.]]\nby a\n" == capsys.readouterr().out
    with np.load(bundle / "out.npz") as found:
        assert [[2, 4]] == found["y"].tolist()
    main(bundle, [str(bundle / "more.npy")])
    assert "y float32 [4, 2]\n" in capsys.readouterr().out
    for name, shape in (("many", r"\(5, 2\)"), ("flat", r"\(2,\)")):
        with pytest.raises(SystemExit, match=rf"no profile of the engine takes {{'x': {shape}}}"):
            main(bundle, [str(bundle / f"{name}.npy")])
    np.save(bundle / "values.npy", np.ones((3, 2), np.float32))
    with pytest.raises(SystemExit, match="values decide the size of `y`"):
        main(bundle, [str(bundle / "values.npy")])
    (bundle / "a").write_text("b")
    with pytest.raises(SystemExit, match="a is not what was packed"):
        main(bundle, [str(bundle / "in.npy")])


def test_arrays_that_cannot_be_read_are_told(bundle):
    """In a sentence: another name, no arrays, nothing; without any, how to use it."""
    np.savez(bundle / "other.npz", y=np.zeros(1))
    np.save(bundle / "text.npy", np.array(["one"]))
    (bundle / "text.npz").write_text("no arrays")

    for name in ("other.npz", "text.npy", "text.npz", "none.npz"):
        with pytest.raises(SystemExit, match=rf"error: .*{name} holds no inputs: "):
            main(bundle, ["--onnx", str(bundle / name)])
    for wrong in (["--onnx"], ["--help", "other.npz"]):
        with pytest.raises(SystemExit, match=r"python run\.py INPUTS"):
            main(bundle, wrong)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda folder: (folder / "bundle.json").unlink(), r"error: bundle\.json: .*No such file"),
        (lambda folder: (folder / "bundle.json").write_text("{"), r"error: bundle\.json: .*copy"),
        (lambda folder: (folder / "m.onnx").unlink(), r"error: m\.onnx: No such file.*copy"),
        (lambda folder: (folder / "m.onnx").write_text("x"), r"error: m\.onnx is not what was"),
        (lambda folder: np.savez(folder / "in.npz", x=np.ones((1, 3), "f4")), "does not run the"),
    ],
)
def test_what_is_wrong_with_it_is_told(bundle, spoil, told):
    """In a sentence: the index, the model, arrays that the model does not take."""
    np.savez(bundle / "in.npz", x=np.ones((1, 2), np.float32))
    spoil(bundle)

    with pytest.raises(SystemExit, match=told):
        main(bundle, ["--onnx", str(bundle / "in.npz")])


def test_where_outputs_cannot_be_written_is_told(bundle):
    """As is a name that NumPy would lengthen."""
    np.savez(bundle / "in.npz", x=np.ones((1, 2), np.float32))

    for name, why in (("none/out.npz", "No such file"), ("out.txt", "let it end so")):
        with pytest.raises(SystemExit, match=rf"error: .*{name}.*{why}"):
            main(bundle, ["--onnx", str(bundle / "in.npz"), str(bundle / name)])


def test_pairs_are_computed_as_they_stand(monkeypatch, tmp_path):
    """As `trtbuild` compares them, and not by kernels that saturate on some processors."""
    asked = {}

    class Options:
        def add_session_config_entry(self, name, value):
            asked[name] = value

    def open_session(path, options, **_):
        asked["options"] = options
        return SimpleNamespace(get_outputs=tuple, run=lambda *_: [])

    told = SimpleNamespace(SessionOptions=Options, InferenceSession=open_session)
    monkeypatch.setitem(sys.modules, "onnxruntime", told)
    told.__spec__ = object()

    assert {} == run_model(tmp_path, {})
    assert "1" == asked["session.disable_quant_qdq"]
    assert isinstance(asked["options"], Options)


def test_it_speaks_tensorrts_own_interface():
    """Every name that it asks of TensorRT is there: in stubs of 10 and 11, and in RTX."""
    trt = pytest.importorskip("tensorrt_rtx_bindings")
    engine, context = trt.ICudaEngine, trt.IExecutionContext

    for owner, names in {
        trt: ["Runtime", "Logger", "nptype"],
        trt.Runtime: ["deserialize_cuda_engine", "engine_host_code_allowed"],
        engine: ["create_execution_context", "get_tensor_name", "get_tensor_dtype",
                 "num_io_tensors", "num_optimization_profiles", "get_tensor_profile_shape"],
        context: ["set_optimization_profile_async", "set_input_shape", "get_tensor_shape",
                  "set_tensor_address", "execute_async_v3"],
    }.items():  # fmt: skip
        assert [] == [name for name in names if not hasattr(owner, name)]
