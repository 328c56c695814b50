"""An engine with several contexts: threads share them, and all is given back."""

from __future__ import annotations

import json
import queue
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from tests.conftest import GOLDEN
from tests.verbs.packaging.conftest import make_result
from trtbuild.backends.tensorrt.engine import EngineDescription
from trtbuild.core.errors import NotWritable, StepInputError, UsageError
from trtbuild.core.values import TensorSpec
from trtbuild.runtime import trt_runner
from trtbuild.runtime.engine_use import EngineUse
from trtbuild.runtime.trt_runner import TrtRunner

CONFIGS = []
GPU = SimpleNamespace(count_free_bytes=lambda: 4096)
X, Y = (TensorSpec(name=name, dtype="float32", shape=("?", 2)) for name in "xy")


class Context:
    """Doubles what it is given, as long as it is open and nobody else is in it."""

    made = []
    stream = 7

    def __init__(self, *_arguments, graphs=True):
        self.graphs, self.open, self.busy = graphs, True, threading.Lock()
        Context.made.append(self)

    def run(self, arrays, *, keep_on_gpu=False):
        assert self.open
        assert not keep_on_gpu
        assert self.busy.acquire(blocking=False)
        try:
            return {"y": 2 * arrays["x"]}
        finally:
            self.busy.release()

    def close(self):
        self.open = False


@pytest.fixture
def trt(monkeypatch, tmp_path):
    """A TensorRT that loads whatever begins with `plan`."""
    cache = SimpleNamespace(data=b"", deserialize=lambda _: None, serialize=lambda: b"kernels")
    config = SimpleNamespace(create_runtime_cache=lambda: cache, set_runtime_cache=lambda _: None)
    CONFIGS[:] = [config]
    engine = SimpleNamespace(
        create_execution_context=lambda *_: "context",
        create_runtime_config=lambda: config,
        num_optimization_profiles=2,
        get_engine_stat=lambda _: 7,
        get_device_memory_size_for_profile_v2=lambda index: 1024 << index,
    )

    def load(data):
        return engine if data.startswith(b"plan") else None

    logger = type("Logger", (), {"WARNING": 2, "__init__": lambda *_: None})
    runtime = SimpleNamespace(deserialize_cuda_engine=load)
    module = SimpleNamespace(
        Logger=logger,
        Runtime=lambda _: runtime,
        CudaGraphStrategy=SimpleNamespace(WHOLE_GRAPH_CAPTURE="whole", DISABLED="none"),
        DynamicShapesKernelSpecializationStrategy=SimpleNamespace(LAZY=0, EAGER=1, NONE=2),
        EngineStat=SimpleNamespace(TOTAL_WEIGHTS_SIZE=0),
        __version__="10.16",
    )
    described = EngineDescription(inputs=(X,), outputs=(Y,), profiles=())
    monkeypatch.setattr(trt_runner, "load_tensorrt", lambda _: module)
    monkeypatch.setattr(trt_runner, "describe_loaded", lambda *_: described)
    monkeypatch.setattr(trt_runner, "TrtContext", Context)
    monkeypatch.setattr(Context, "made", [])
    (tmp_path / "e").write_bytes(b"plan")
    return tmp_path / "e"


def test_threads_take_turns_in_its_contexts(trt):
    """Never two in one; each gets its own answer."""
    runner = TrtRunner(trt, "tensorrt10", EngineUse(contexts=2), cuda=GPU)
    wrong = []

    def ask(number):
        for _ in range(50):
            array = np.full((1, 2), number, np.float32)
            if not np.array_equal(2 * array, runner.run({"x": array})["y"]):
                wrong.append(number)

    threads = [threading.Thread(target=ask, args=(each,)) for each in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert ([], 2) == (wrong, len(Context.made))
    assert runner.described.endswith("in TensorRT 10 10.16")


@pytest.mark.parametrize("set_to", ["on", "off"])
def test_code_of_its_own_is_for_version_compatible_engines(trt, set_to):
    """They bring a runtime; engine.json beside says which are."""
    told = make_result("it", "tensorrt10", "10.16", ("8.9",), b"plan")
    told = told.model_copy(update={"options": {"version_compatible": set_to}})
    trt.with_name("engine.json").write_text(told.model_dump_json())
    runner = TrtRunner(trt, "tensorrt10", cuda=GPU)

    assert (set_to == "on") == runner._runtime.engine_host_code_allowed


def test_closed_it_gives_all_back(trt):
    """And says so to whoever runs it again."""
    runner = TrtRunner(trt, "tensorrt10", cuda=GPU)
    runner.close()

    assert [False] == [each.open for each in Context.made]
    with pytest.raises(UsageError, match="is closed"):
        runner.run({"x": np.zeros((1, 2), np.float32)})


class CloserFirst:
    """A queue whose contexts go to the thread that closes; all others get what comes behind."""

    def __init__(self, contexts):
        self.contexts, self.left, self.waiting = contexts, queue.SimpleQueue(), queue.SimpleQueue()
        self.put = self.left.put

    def get(self):
        if threading.current_thread() is threading.main_thread():
            return self.contexts.get()
        self.waiting.put("one more")
        return self.left.get()


def test_whoever_waits_for_a_context_hears_that_it_is_closed(trt, monkeypatch):
    """However many wait: nobody does for ever."""
    runner, told = TrtRunner(trt, "tensorrt10", cuda=GPU), queue.SimpleQueue()
    turns = CloserFirst(runner._free)
    monkeypatch.setattr(runner, "_free", turns)

    def ask():
        try:
            runner.run({"x": np.zeros((1, 2), np.float32)})
        except UsageError as error:
            told.put(str(error))

    for _ in range(2):
        threading.Thread(target=ask, daemon=True).start()
        turns.waiting.get(timeout=10)
    runner.close()

    assert ["the engine is closed"] * 2 == [told.get(timeout=10) for _ in range(2)]


def test_contexts_that_cannot_all_be_had_are_given_back(trt, monkeypatch):
    """Whoever opened it may go on with something else."""
    made = iter(["context", None])
    monkeypatch.setattr(TrtRunner, "_make_context", lambda _: next(made))

    def take(*arguments, **options):
        if arguments[2] is None:
            raise StepInputError("full")
        return Context(*arguments, **options)

    monkeypatch.setattr(trt_runner, "TrtContext", take)
    with pytest.raises(StepInputError, match="full"):
        TrtRunner(trt, "tensorrt10", EngineUse(contexts=2), cuda=GPU)
    assert [False] == [each.open for each in Context.made]


@pytest.mark.parametrize(
    ("graphs", "specialize", "told"),
    [(True, "lazy", ("whole", 0)), (False, "eager", ("none", 1)), (True, "none", ("whole", 2))],
)
def test_rtx_keeps_what_it_compiles_and_captures_itself(trt, tmp_path, graphs, specialize, told):
    """In the file that is named; and compiles for shapes when it is asked to."""
    use = EngineUse(cache=tmp_path / "cache", graphs=graphs, specialize=specialize)
    TrtRunner(trt, "tensorrt_rtx", use, cuda=GPU).close()

    assert [False] == [each.graphs for each in Context.made]
    assert b"kernels" == (tmp_path / "cache").read_bytes()
    (config,) = CONFIGS
    assert told == (
        config.cuda_graph_strategy,
        config.dynamic_shapes_kernel_specialization_strategy,
    )


def test_what_was_compiled_and_cannot_be_kept_is_an_error(trt, tmp_path):
    """Once all else is given back."""
    runner = TrtRunner(trt, "tensorrt_rtx", EngineUse(cache=trt / "below a file"), cuda=GPU)

    with pytest.raises(NotWritable, match="what was compiled cannot be kept"):
        runner.close()
    assert [False] == [each.open for each in Context.made]


def test_what_does_not_load_is_an_error(trt):
    """TensorRT's words are on standard error."""
    trt.write_bytes(b"other")

    with pytest.raises(StepInputError, match="TensorRT 10 does not load it"):
        TrtRunner(trt, "tensorrt10", cuda=GPU)


def test_contexts_that_do_not_fit_are_refused_with_the_numbers(trt):
    """By the profile that needs most; each has memory of its own."""
    with pytest.raises(StepInputError, match=r"contexts take 6.0 KiB, and 4.0 KiB of the GPU's"):
        TrtRunner(trt, "tensorrt10", EngineUse(contexts=3), cuda=GPU)
    told = TrtRunner(trt, "tensorrt10", EngineUse(contexts=2), cuda=GPU).memory
    assert (7, (1024, 2048)) == (told.weights_bytes, told.context_bytes)


def test_what_rtx_is_told_is_in_its_bindings():
    """Names of its own, and members of its enums."""
    found = json.loads((GOLDEN / "bindings/tensorrt_rtx.json").read_text())

    settings = ("cuda_graph_strategy", "dynamic_shapes_kernel_specialization_strategy")
    assert {"property"} == {found["classes"]["IRuntimeConfig"][name] for name in settings}
    assert {"LAZY", "EAGER", "NONE"} == {
        *found["enums"]["DynamicShapesKernelSpecializationStrategy"]
    }
    assert {"DISABLED", "WHOLE_GRAPH_CAPTURE"} <= {*found["enums"]["CudaGraphStrategy"]}
