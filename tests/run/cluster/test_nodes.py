"""Which nodes of a cluster a step can run on, by what each says of itself."""

from __future__ import annotations

import pytest

from tests.helpers.ray_double import node
from trtbuild.core.errors import NoGpu
from trtbuild.core.needs import GpuNeed, Needs
from trtbuild.machine.facts import InstalledPackages
from trtbuild.run.cluster import nodes as module
from trtbuild.run.cluster.nodes import (
    FarPackages,
    choose_nodes,
    demand_inference,
    look_around,
    read_node,
)
from trtbuild.run.identity import identify

L4, H200 = "NVIDIA L4 (8.9)", "NVIDIA H200 (9.0)"


class Computing(InstalledPackages):
    """What is installed here, with a GPU that ONNX Runtime computes on."""

    def _find(self, name):
        return L4 if name == "inference_device" else super()._find(name)


def chosen(nodes, **needs):
    found, place = choose_nodes(nodes, Needs(**needs))
    return [each.id for each in found], place


def test_a_step_goes_where_its_gpu_is():
    """By compute capability; the place says which machines these are."""
    nodes = [node("a"), node("b", gpu=L4, gpus=1), node("c", gpu=H200, gpus=1)]

    found, place = chosen(nodes, gpu=GpuNeed(capability="9.0", alone=True))
    assert (["c"], "c, NVIDIA H200 (9.0)", "") == (found, place.where, place.hindrance)
    assert H200 == place.facts["gpu"]


def test_where_none_can_each_says_why():
    """Those with the same reason together."""
    nodes = [node("a"), node("b"), node("c", gpu=L4, gpus=1)]

    found, place = chosen(nodes, gpu=GpuNeed(capability="9.0"))
    assert [] == found
    assert place.hindrance.startswith("no worker can: a, b: there is no NVIDIA GPU")
    assert "c: it is for a GPU of compute capability 9.0, and here is NVIDIA L4" in place.hindrance


def test_nodes_that_would_make_the_same_count_as_one_sort():
    """What a step is made of must not depend on who was free: the most that are alike."""
    nodes = [node("a", more={"numpy": "1"}), node("b"), node("c", gpu=L4, gpus=1)]

    assert ["b", "c"] == chosen(nodes)[0]  # a GPU makes no difference to what needs none
    assert ["c"] == chosen(nodes, gpu=GpuNeed())[0]


def test_models_are_computed_where_there_is_a_gpu_for_that():
    """Though of the others there are more; its fact is an ingredient, and so is the batch there."""
    computing = node("c", gpu=L4, gpus=1, inference=f"{L4}, CUDAExecutionProvider", batch=8)
    nodes = [node("a"), node("b"), computing]

    found, place = chosen(nodes, inference=True)
    assert (["c"], "8") == (found, place.facts["inference_batch"])
    assert f"{L4}, CUDAExecutionProvider" == place.facts["inference_device"]
    assert ["a", "b", "c"] == chosen(nodes)[0]


def test_without_a_gpu_to_compute_on_there_is_no_such_fact():
    """It would be one where there is none; why there is none is told to who waits."""
    doubted = node("a", doubt="ONNX Runtime computes on the CPU: its CUDA provider does not open")

    facts = chosen([doubted], inference=True)[1].facts
    assert ({"inference_device", "inference_batch"} & {*facts}, 1) == (set(), len(facts.doubts))
    assert "inference_device" not in facts


def test_a_demanded_gpu_leaves_out_the_nodes_that_have_none():
    """Each says why; where all do, that is an error."""
    lacking = node("a", no_inference="there is no NVIDIA GPU")
    having = node("b", gpu=L4, gpus=1, inference=L4)
    demand_inference([lacking, having])

    assert ["b"] == chosen([lacking, having], inference=True)[0]
    assert ["a", "b"] == chosen([lacking, having])[0]
    with pytest.raises(NoGpu, match="no worker ONNX Runtime computes on a GPU: a: there is no NV"):
        demand_inference([lacking])


def test_a_node_tells_what_it_computes_on(monkeypatch):
    """A GPU that Ray does not give out is none."""
    monkeypatch.setattr(module, "InstalledPackages", Computing)
    told = look_around("auto")
    state = {"NodeID": "n", "Resources": {"CPU": 2.0, "GPU": 1.0}}
    found = read_node(told, state, 4)
    without = read_node(told, {"NodeID": "n", "Resources": {"CPU": 2.0}}, 4)

    assert (L4, 4, "") == (found.inference, found.batch, found.no_inference)
    assert ("", True) == (without.inference, "--num-gpus" in without.no_inference)


def test_a_node_tells_why_it_computes_on_none():
    """Where a GPU is demanded; this machine's tests have none for ONNX Runtime."""
    told = look_around("cuda")

    assert ("", True) == (told["device"], "cannot compute on a GPU here" in told["no_device"])


def test_a_gpu_that_ray_does_not_know_of_cannot_be_had():
    """Said with what makes it known."""
    assert "--num-gpus" in chosen([node("a", gpu=L4)], gpu=GpuNeed())[1].hindrance


def test_without_nodes_there_is_no_worker():
    """And nothing fails of it."""
    assert "there is no worker" == chosen([])[1].hindrance


def test_a_node_tells_what_is_here():
    """All that is installed, by the words in which facts name it, under each kind's Python."""
    told = look_around()
    found = read_node(told, {"NodeID": "n", "Resources": {"CPU": 2.0}, "Labels": {}})

    place = found.place(Needs(kind="tensorrt_rtx"))
    here = InstalledPackages()
    assert ("", 2.0) == (found.problem, found.cpus)
    assert here["onnxruntime"] == place.facts["ONNXRuntime"]
    assert here["python"] == found.place(Needs()).facts["python"]
    assert "onnxruntime" in dict(place.facts) or "ONNXRuntime" in dict(place.facts)


def test_labels_win_over_what_was_found():
    """Whoever starts a node may know better."""
    labels = {"trtbuild.gpu": "NVIDIA-L4", "trtbuild.capability": "8.9"}
    found = read_node(look_around(), {"NodeID": "n", "Labels": labels})

    assert {"gpu": "NVIDIA-L4 (8.9)"} == found.gpu


@pytest.mark.parametrize(
    ("change", "told"), [({"sources": "sha256:00"}, "another trtbuild"), (None, "is trtbuild inst")]
)
def test_a_node_of_another_trtbuild_runs_nothing(change, told):
    """It would make something else, or nothing."""
    said = None
    if change is not None:
        said = look_around()
        said["identity"] = {**identify().model_dump(), **change}
    found = read_node(said, {"NodeID": "n", "NodeManagerHostname": "x"})

    assert told in found.place(Needs()).hindrance
    assert told in choose_nodes([found], Needs())[1].hindrance


def test_facts_remember_what_was_asked():
    """A plan names those alone."""
    facts = FarPackages({"numpy": "2", "onnx-ir": "1"}, {"gpu": L4})

    assert ("2", "1", L4) == (facts["NumPy"], facts["onnx_ir"], facts["gpu"])
    assert {"NumPy", "onnx_ir", "gpu"} == set(facts)
