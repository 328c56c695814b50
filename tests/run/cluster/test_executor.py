"""Steps on a cluster: tried again where a worker was lost; the same bytes from a real Ray."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from tests.helpers.projects import small_project
from tests.helpers.ray_double import Lost, RayDouble, end, node, session_with
from tests.helpers.staged import artifacts
from trtbuild import api
from trtbuild.core.errors import NoGpu
from trtbuild.core.needs import GpuNeed, Needs
from trtbuild.core.user_code import UserCode
from trtbuild.run.cluster import executor as module
from trtbuild.run.cluster.executor import RayCluster
from trtbuild.run.executor import Call, CallResult
from trtbuild.steps.base import Pinned
from trtbuild.steps.describe_engine import DescribeEngine

L4 = "NVIDIA L4 (8.9)"


@pytest.fixture
def cluster(monkeypatch):
    """Make an executor over a double of Ray."""

    def make(*answers, nodes=None, **options):
        ray = RayDouble(answers)
        nodes = nodes or [node("a", gpu=L4, gpus=1.0), node("b", gpu=L4, gpus=1.0)]
        monkeypatch.setattr(module, "RaySession", lambda _: session_with(ray, nodes))
        return ray, RayCluster(jobs=1, **options)

    return make


@pytest.fixture
def call(tmp_path):
    engine = tmp_path / "model.engine"
    engine.write_bytes(b"engine")
    out = tmp_path / "work/out"
    out.mkdir(parents=True)
    step = DescribeEngine(
        flavour="tensorrt_rtx", engine=Pinned(path=str(engine), digest="sha256:00")
    )
    return Call(name="it", step=step, inputs={}, out=str(out), log=str(out.parent / "log.txt"))


def run(executor, call) -> CallResult:
    executor.start(call)
    for _ in range(9):
        told = executor.wait(0.1)
        if isinstance(told, CallResult):
            return told
    raise AssertionError


def test_a_lost_worker_is_replaced(cluster, call):
    """The step runs in a directory of its own, and what it wrote comes where it was asked for."""
    ray, executor = cluster(Lost("The actor died unexpectedly"), end())
    executor.start(call)
    assert executor.wait(0.1) is None
    again = Call.model_validate_json(ray.asked[1][0])
    Path(again.out, "description.json").write_text("made")

    told = executor.wait(0.1)
    assert ("", "far, process 7, try 2") == (told.message, told.where)
    assert call.out != again.out
    assert "made" == Path(call.out, "description.json").read_text()


def test_a_step_that_loses_all_workers_fails(cluster, call):
    """After three; each is named."""
    _, executor = cluster(*[Lost(f"it died\n\tpid: {n}\n\tip: 10.0.0.{n}") for n in (1, 2, 3)])

    told = run(executor, call)
    assert "its worker was lost 3 times: pid: 1, ip: 10.0.0.1" in told.message
    assert 3 == told.code


def test_a_process_that_was_killed_is_tried_again(cluster, call):
    """Something ended it from without."""
    killed = end(message="was ended by SIGKILL", ended_by="SIGKILL")
    _, executor = cluster(killed, end())

    assert "" == run(executor, call).message


@pytest.mark.parametrize("more", [{"message": "no"}, {"message": "crash", "ended_by": "SIGSEGV"}])
def test_an_error_of_its_own_is_the_end(cluster, call, more):
    """It would come again; the message names the worker."""
    ray, executor = cluster(end(code=3, **more))

    assert f"{more['message']} (on far)" == run(executor, call).message
    assert 1 == len(ray.asked)


def test_what_a_worker_does_not_see_is_carried_there_and_back(cluster, call):
    """Files by their bytes, both ways."""
    back = {**end(), "outputs": {"description.json": [b"far"]}, "log": [b"said"]}
    ray, executor = cluster({"unseen": True}, back)

    assert "" == run(executor, call).message
    assert {call.step.engine.path: [b"engine"]} == ray.asked[1][2]
    assert (b"far", b"said") == (
        Path(call.out, "description.json").read_bytes(), Path(call.log).read_bytes(),
    )  # fmt: skip


def test_copies_are_removed_when_their_slot_ends(cluster, call):
    """It is asked to, before it is ended."""
    back = {**end(), "outputs": {}, "log": []}
    ray, executor = cluster({"unseen": True}, back)
    run(executor, call)
    executor.close()

    assert ([0], [0]) == (ray.closed, ray.killed)


def test_code_goes_to_a_node_that_sees_it(cluster, call, monkeypatch):
    """Where the first does not, another may; it is none's only when all were asked."""
    monkeypatch.setattr(DescribeEngine, "user_code", lambda _: UserCode(base="/here"))
    ray, executor = cluster({"unseen": True, "node": "a"}, end())
    assert "" == run(executor, call).message
    wanted = [each["label_selector"]["ray.io/node-id"] for each in ray.made]
    assert ["in(a,b)", "in(b)"] == wanted

    ray.answers += [{"unseen": True, "node": "b"}]
    told = run(executor, call)
    assert ("no worker", 4) == (told.where, told.code)


def test_there_is_room_for_as_many_as_can_run(cluster, call):
    """One a node of one processor; for a GPU alone, one a GPU that fits."""
    _, executor = cluster(nodes=[node("a", gpu=L4, gpus=1.0), node("b")])
    alone = Needs(kind="tensorrt_rtx", gpu=GpuNeed(alone=True))
    assert (True, True) == (executor.has_room(Needs()), executor.has_room(alone))
    executor.start(call)
    assert (True, False) == (executor.has_room(Needs()), executor.has_room(alone))
    executor.start(call)
    assert not executor.has_room(Needs())


def test_what_computes_models_shares_a_gpu(cluster, call, monkeypatch):
    """A quarter of one each, on the node that has it; without `--device` all is as before."""
    monkeypatch.setattr(DescribeEngine, "needs", lambda _: Needs(inference=True))
    nodes = [node("a"), node("b", gpu=L4, gpus=1.0, cpus=8.0, inference=L4)]
    ray, executor = cluster(end(), nodes=nodes, inference="auto", batch=2)
    assert ("", "2") == (
        run(executor, call).message,
        executor.place(Needs(inference=True)).facts["inference_batch"],
    )
    (made,) = ray.made
    assert (0.25, "in(b)") == (made["num_gpus"], made["label_selector"]["ray.io/node-id"])

    ray, executor = cluster(end(), nodes=nodes)
    run(executor, call)
    assert [0.0] == [each["num_gpus"] for each in ray.made]


def test_a_full_gpu_is_left_where_it_was_not_demanded(cluster, call):
    """What was to be computed there is computed on the processor from here on."""
    nodes = [node("b", gpu=L4, gpus=1.0, inference=L4)]
    for where, left in (("auto", ""), ("cuda", L4)):
        _, executor = cluster(end(message="full", gpu_full=True), nodes=nodes, inference=where)
        run(executor, call)
        told = executor.leave_gpu("it")
        assert (bool(told), left) == (not left, executor.nodes[0].inference)


def test_where_a_gpu_is_demanded_and_none_is_it_is_an_error(cluster):
    """Before anything runs."""
    _, executor = cluster(nodes=[node("a", no_inference="no CUDA")], inference="cuda")
    with pytest.raises(NoGpu, match="a: no CUDA"):
        executor.place(Needs())


def test_closing_ends_all(cluster, call):
    """Idle and running."""
    ray, executor = cluster(end())
    run(executor, call)
    executor.start(call)
    executor.close()

    assert set(range(len(ray.made))) == set(ray.killed)


def share_at_once(executor, monkeypatch):
    """Have every calibration shared out over two workers as soon as it is begun."""
    start, shared = executor.start, []

    def start_shared(call):
        start(call)
        if call.step.kind == "calibrate":
            shared.append(call.name)
            running = next(each for each in executor._running.values() if each.call is call)
            executor._share_out(running, 6, 2)

    monkeypatch.setattr(executor, "start", start_shared)
    return shared


def test_a_real_ray_makes_the_same(tmp_path, monkeypatch):
    """On files that its workers see, and on copies, with a calibration that two of them share.

    A target that none can build is deferred.
    """
    pytest.importorskip("ray")
    made = {}
    with contextlib.closing(RayCluster("ray", jobs=2)) as cluster:
        for name, executor in (("inline", "inline"), ("seen", cluster), ("carried", cluster)):
            monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / name / "store"))
            if name == "carried":
                monkeypatch.setattr(cluster, "_share_files", False)
                shared = share_at_once(cluster, monkeypatch)
            recipe = small_project(tmp_path / name)
            made[name] = api.apply(recipe, build_dir=tmp_path / name / "build", executor=executor)
        lacking = cluster.place(Needs(kind="tensorrt11", gpu=GpuNeed())).hindrance

    assert artifacts(made["inline"]) == artifacts(made["seen"]) == artifacts(made["carried"])
    assert ["calibrate"] == shared
    assert lacking.startswith("no worker can: ")
    assert all(", process " in each.where for each in made["carried"].record.outcomes)


def test_a_calibration_that_is_shared_out_ends_once(cluster, call):
    """Its worker is ended, both nodes count, and what is left is done on what they counted."""
    from tests.helpers.plans import plan_with

    step = next(each.step for each in plan_with().steps if each.name == "calibrate")
    whole = call.model_copy(update={"name": "calibrate", "step": step})
    ends = [end(f"calibrate#share{number}") for number in (0, 1)]
    ray, executor = cluster(*ends, end("calibrate"))
    executor.start(whole)
    (running,) = executor._running.values()

    executor._share_out(running, total=6, workers=2)
    told = [each for _ in range(3) if (each := executor.wait(0.1)) is not None]
    assert ["calibrate"] == [each.name for each in told]
    last = Call.model_validate_json(ray.asked[-1][0])
    assert ["share/0000", "share/0001"] == sorted(last.inputs)
    assert (4, whole.out) == (len(ray.asked), last.out)
    assert 0 in ray.killed
