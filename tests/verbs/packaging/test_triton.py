"""A model repository: parsed by Triton's own message, its parts run in their order."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from trtbuild.core.errors import UsageError
from trtbuild.core.values import TensorSpec
from trtbuild.verbs.packaging.parts import PartModel
from trtbuild.verbs.packaging.triton import Server, pack_for_triton

model_config = pytest.importorskip("tritonclient.grpc.model_config_pb2")
text_format = pytest.importorskip("google.protobuf.text_format")

PICTURES = {"kind": "images", "path": "none", "input": "x", "preprocess": {"mean": [0.5]}}
TRT = ("a", "tensorrt10", "10.14.1.48", ("8.9",))
OTHER = ("b", "tensorrt10", "10.14.1.48", ("9.0",))


def pack(build, server=Server(), **options):  # noqa: B008  # is frozen
    settings = {"warm": {}, "warm_shapes": {}, "names": (), "picture": None, **options}
    packed, said = pack_for_triton(build, server, **settings)
    read = {
        each.name: text_format.Parse(each.config, model_config.ModelConfig()) for each in packed
    }
    return {each.name: each for each in packed}, read, said


def test_engines_go_by_compute_capability(place):
    """One model with a file for each GPU; batches and shapes are the profile's."""
    packed, read, said = pack(place(TRT, OTHER))
    config = read["mean"]

    assert "tensorrt" == config.backend
    assert {"8.9": "model_a.plan", "9.0": "model_b.plan"} == dict(config.cc_model_filenames)
    assert {"model_a.plan", "model_b.plan"} == {*packed["mean"].version_files}
    assert (8, [3, -1, -1], [2, 8]) == (
        config.max_batch_size,
        [*config.input[0].dims],
        [*config.dynamic_batching.preferred_batch_size],
    )
    graph = config.optimization.cuda.graph_spec[0]
    assert (2, [3, 6, 6]) == (graph.batch_size, [*graph.input["x"].dim])
    assert "Triton 26.03, 26.04" in said[0]


def test_graphs_are_made_where_the_recipe_wants_them(place):
    """And else not."""
    _, read, _ = pack(place(TRT, runtime={"graphs": False}))

    assert not read["mean"].optimization.cuda.graphs


def test_the_onnx_model_stands_beside_them(place):
    """In ONNX Runtime, with the same inputs; zeros of the usual shape warm both up."""
    _, read, _ = pack(place(TRT))
    config = read["mean_onnx"]

    assert ("onnxruntime", "model.onnx") == (config.backend, config.default_model_filename)
    assert [(True, [3, 6, 6])] == [
        (each.zero_data, [*each.dims]) for each in [config.model_warmup[0].inputs["x"]]
    ]


def test_what_onnx_runtime_makes_of_fp8_is_doubted(place):
    """Its own rewriting drops a Relu there; of INT8 it has kernels that saturate somewhere."""
    eight = {"quantization": {"type": "fp8", "ranges": {"x": 1.0}}}

    assert any("drops a Relu in front of FP8" in each for each in pack(place(**eight))[2])
    assert not any("Relu" in each or "VNNI" in each for each in pack(place())[2])
    eight["quantization"]["type"] = "int8"
    assert any("without VNNI" in each for each in pack(place(**eight))[2])


def test_a_calibration_sample_warms_up(place):
    """Its bytes lie in the folder that Triton looks in."""
    packed, read, _ = pack(place(), warm={"x": b"1234"}, warm_shapes={"x": (3, 4, 4)})
    told = read["mean_onnx"].model_warmup[0].inputs["x"]

    assert (b"1234", [3, 4, 4]) == (
        packed["mean_onnx"].files[f"warmup/{told.input_data_file}"],
        [*told.dims],
    )


def test_classes_are_named(place):
    """By the output that has a number for each; a line each, whatever is in them."""
    packed, read, _ = pack(place(), names=("cat", "do\ng", "öwl"))

    assert "labels.txt" == read["mean_onnx"].output[0].label_filename
    lines = packed["mean_onnx"].files["labels.txt"].decode().split("\n")
    assert ["cat", "do\\ng", "öwl", ""] == lines


@pytest.mark.parametrize(
    ("version", "server", "told"),
    [
        ("10.14.1.48", Server("25.10"), r"is of TensorRT 10.14.1.48, and Triton 25.10 has 10.11"),
        ("10.14.1.48", Server("", "10.16.1"), r"and the server has 10.16.1"),
        ("10.16.1.11", Server(), r"no Triton is known .* TensorRT 10.16.1.11 .*10.14.1.48 in 26"),
        ("10.14.1.48", Server("19.01"), r"--triton 19.01: is not in the table of 20"),
    ],
)
def test_what_a_server_would_refuse_is_refused(place, version, server, told):
    """An engine runs in the TensorRT that built it alone."""
    with pytest.raises(UsageError, match=told):
        pack(place(("a", "tensorrt10", version, ("8.9",))), server)


def test_a_server_that_is_named_is_enough(place):
    """Where the table does not know it."""
    _, read, said = pack(place(("a", "tensorrt11", "11.4.0.106", ("8.9",))), Server("", "11.4.0"))

    assert ({"mean", "mean_onnx"}, []) == ({*read}, said)


def test_engines_of_rtx_are_left_out_aloud(place):
    """Triton has no backend for them."""
    _, read, said = pack(place(("a", "tensorrt_rtx", "1.7", ("8.9",))))

    assert ["mean_onnx"] == [*read]
    assert "the engine of `a` is left out" in said[0]


@pytest.mark.parametrize("other", [("b", "tensorrt10", "10.14.1.48", ("8.9",)),
                                   ("b", "tensorrt10", "10.13.3.9", ("9.0",))])  # fmt: skip
def test_engines_that_clash_are_refused(place, other):
    """Two for one GPU, or of two TensorRTs: a server has one."""
    with pytest.raises(UsageError, match=r"two engines are for|a server has one"):
        pack(place(TRT, other))


def test_a_preprocessing_becomes_a_part(place):
    """The ensemble takes bytes; its parts, run in order, answer as the recipe's own way."""
    compare = {"data": "photos", "metrics": ["cosine"]}
    build = place(data={"photos": PICTURES}, compare=compare)
    packed, read, _ = pack(build)
    steps = read["mean_pipeline"].ensemble_scheduling.step
    picture = np.random.default_rng(0).integers(0, 256, (1, 4, 4, 3), np.uint8)

    found = {"x": picture}
    for step in steps:
        found |= run_part(packed, step, found)

    assert ["mean_preprocess", "mean_onnx"] == [each.model_name for each in steps]
    assert [-1, -1, 3] == [*read["mean_pipeline"].input[0].dims]
    np.testing.assert_allclose(picture.mean((1, 2)) / 255 - 0.5, found["y"], atol=1e-6)


@pytest.mark.parametrize("takes", ["pq", "qp"])
def test_a_part_is_fed_in_the_order_in_which_it_takes(place, monkeypatch, takes):
    """The same file each time, in whatever order Python's sets are."""
    takes = tuple(TensorSpec(name=name, dtype="float32", shape=("n", 2)) for name in takes)
    part = PartModel(b"", takes, takes)
    monkeypatch.setattr("trtbuild.verbs.packaging.triton.make_postprocessing", lambda *_: part)
    config = pack(place())[0]["mean_pipeline"].config

    fed = re.findall(r'input_map {\n *key: "([pq])"', config)
    assert [spec.name for spec in takes] == fed


def run_part(packed, step, found):
    """Run a step of an ensemble on what is there, as Triton passes tensors by its maps."""
    import onnxruntime

    content = packed[step.model_name].version_files["model.onnx"]
    data = content if isinstance(content, bytes) else content.read_bytes()
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    feed = {name: found[tensor] for name, tensor in step.input_map.items()}
    names = [*step.output_map]
    return dict(
        zip((step.output_map[n] for n in names), session.run(names, feed), strict=True)
    )  # fmt: skip


def test_a_version_compatible_engine_needs_no_table(place):
    """Any later TensorRT of that major number runs it, if Triton is told to."""
    build = place(("a", "tensorrt10", "10.16.1.11", ("8.9",)))
    engine = build.engines[0]
    told = engine.result.model_copy(update={"options": {"version_compatible": "on"}})
    _, read, said = pack(replace(build, engines=(replace(engine, result=told),)))

    assert "mean" in read
    assert "version-compatible=true" in said[0]
