"""An execution context's buffers, shapes and graphs; the device is this machine's memory."""

from __future__ import annotations

import ctypes
import math
from types import SimpleNamespace

import numpy as np
import pytest

from trtbuild.core.errors import StepInputError, UsageError
from trtbuild.model.gpu_arrays import GpuArray
from trtbuild.runtime.trt_context import MOST_GRAPHS, TrtContext

TRT = SimpleNamespace(TensorIOMode=SimpleNamespace(INPUT="in", OUTPUT="out"), nptype=np.dtype)


class FakeCuda:
    """CUDA whose device is main memory; a captured graph is the calls, done when it is launched."""

    def __init__(self):
        self.held, self.told, self.recording = {}, [], None

    def allocate(self, size):
        array = np.zeros(max(size, 1), np.uint8)
        self.held[array.ctypes.data] = array
        return array.ctypes.data

    allocate_pinned = allocate

    def free(self, address):
        del self.held[address]

    free_pinned = free

    def create_stream(self):
        stream = 7 + len(self.held)
        self.held[f"stream {stream}"] = None
        return stream

    def destroy_stream(self, stream):
        del self.held[f"stream {stream}"]

    def do(self, call):
        if self.recording is None:
            call()
        else:
            self.recording.append(call)

    def copy(self, to, source, size, _stream):
        self.do(lambda: ctypes.memmove(to, source, size))

    def wait(self, _stream):
        self.told.append("wait")

    def begin_capture(self, _stream):
        self.recording = []

    def end_capture(self, _stream):
        graph, self.recording = self.recording, None
        if graph is None:
            raise StepInputError("nothing is captured")
        self.held[id(graph)] = graph
        return graph

    def launch(self, graph, _stream):
        self.told.append("launch")
        for call in graph:
            call()

    def destroy_graph(self, graph):
        del self.held[id(graph)]


class FakeContext:
    """An engine that doubles `x` [n, 2] into `y`, and its context."""

    num_io_tensors = 2

    def __init__(self, cuda, spans, *, capturable=True, sized=True, valued=""):
        self.cuda, self.spans, self.capturable = cuda, spans, capturable
        self.sized, self.valued = sized, valued
        self.num_optimization_profiles = len(spans)
        self.shape, self.profile, self.at, self.runs = None, 0, {}, True

    def get_tensor_name(self, index):
        return "xy"[index]

    def get_tensor_mode(self, name):
        return "in" if name == "x" else "out"

    def get_tensor_dtype(self, _name):
        return "float32"

    def get_tensor_profile_shape(self, _name, index):
        return self.spans[index]

    def set_input_shape(self, _name, shape):
        low, _, high = self.spans[self.profile]
        self.shape = tuple(shape)
        return low <= self.shape <= high

    def is_shape_inference_io(self, name):
        return name == self.valued

    def get_max_output_size(self, _name):  # of the profile and the shapes that are set
        return 4 * math.prod(self.shape)

    def get_tensor_shape(self, _name):
        return self.shape if self.sized else (-1, 2)

    def set_tensor_address(self, name, address):
        self.at[name] = address

    def set_optimization_profile_async(self, index, _stream):
        self.profile, self.shape = index, None
        return True

    def execute_async_v3(self, _stream):
        count = math.prod(self.shape)

        def double():
            x, y = ((ctypes.c_float * count).from_address(self.at[name]) for name in "xy")
            y[:] = [2 * value for value in x]

        if self.cuda.recording is not None and not self.capturable:
            return False
        self.cuda.do(double)
        return self.runs


SPANS = [((1, 2), (2, 2), (4, 2)), ((8, 2), (8, 2), (16, 2))]


@pytest.fixture
def cuda():
    return FakeCuda()


@pytest.fixture
def make(cuda):
    def made(spans=SPANS, **options):
        fake = FakeContext(cuda, spans, **options)
        return TrtContext(TRT, fake, fake, cuda), fake

    return made


def numbers(rows):
    return {"x": np.arange(2 * rows, dtype=np.float32).reshape(rows, 2)}


def test_outputs_are_right_and_the_callers_own(make):
    """Whatever ran before, and is run behind."""
    context, _ = make()
    first = context.run(numbers(3))["y"]
    for rows in (1, 3, 3, 3, 16, 2, 16, 16):
        np.testing.assert_array_equal(2 * numbers(rows)["x"], context.run(numbers(rows))["y"])

    np.testing.assert_array_equal(2 * numbers(3)["x"], first)


def test_memory_is_taken_once_and_all_given_back(make, cuda):
    """Two buffers and two pinned ones, for the largest shape of all profiles."""
    context, _ = make()
    sizes = sorted(each.size for each in cuda.held.values() if each is not None)
    before = set(cuda.held)
    context.run(numbers(4))

    assert [16 * 2 * 4] * 4 == sizes
    assert before == set(cuda.held)
    context.close()
    assert {} == cuda.held


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"sized": False}, "the output `y` has a size that depends on values"),
        ({"valued": "x"}, "the values of the input `x` decide shapes"),
    ],
)
def test_sizes_that_depend_on_values_are_refused(make, cuda, options, told):
    """Before anything runs, with what to do instead; nothing stays taken."""
    with pytest.raises(StepInputError, match=told) as caught:
        make(**options)

    assert caught.value.hint
    assert {} == cuda.held


def test_what_finds_no_room_leaves_nothing_taken(make, cuda, monkeypatch):
    """Not what was had before it, nor the stream."""
    rooms = iter([True, False])

    def allocate_pinned(size):
        if not next(rooms):
            raise StepInputError("CUDA: cudaMallocHost: cudaErrorMemoryAllocation")
        return cuda.allocate(size)

    monkeypatch.setattr(cuda, "allocate_pinned", allocate_pinned)
    with pytest.raises(StepInputError, match="cudaMallocHost"):
        make()
    assert {} == cuda.held


def test_shapes_that_come_again_are_launched_as_a_graph(make, cuda):
    """From the second run in a row on; the ones used last are kept."""
    context, _ = make()
    for rows in (3, 3, 3, 1, 3):
        context.run(numbers(rows))
    assert 3 == cuda.told.count("launch")

    wide = [((1, 2), (1, 2), (64, 2))]
    many, _ = make(wide)
    for rows in range(1, MOST_GRAPHS + 3):
        many.run(numbers(rows))
        many.run(numbers(rows))
    many.close()
    context.close()
    assert {} == cuda.held


def test_what_cannot_be_captured_is_run(make, cuda):
    """TensorRT refuses to within a capture: from then on it is run as it is."""
    context, _ = make(capturable=False)
    for _ in range(3):
        np.testing.assert_array_equal(2 * numbers(2)["x"], context.run(numbers(2))["y"])

    assert "launch" not in cuda.told


def test_the_profile_is_the_one_that_takes_the_shapes(make):
    """And shapes that none takes are told, with those that are."""
    context, fake = make()
    context.run(numbers(9))

    assert 1 == fake.profile
    with pytest.raises(UsageError, match=r"no profile of the engine takes `x` \[6, 2\]") as caught:
        context.run(numbers(6))
    assert "`x` [1, 2] to [4, 2]; `x` [8, 2] to [16, 2]" in caught.value.hint


def test_what_tensorrt_refuses_is_an_error(make):
    """Its own words are on standard error."""
    context, fake = make()
    fake.runs = False

    with pytest.raises(StepInputError, match="TensorRT refuses the run"):
        context.run(numbers(1))


def test_arrays_on_the_gpu_are_taken_and_left_there(make, cuda):
    """Outputs have memory of their own, which ends with them."""
    context, _ = make()
    held = set(cuda.held)
    for rows in (3, 3, 3):
        array = numbers(rows)["x"]
        given = {"x": GpuArray(array.ctypes.data, array.shape, array.dtype)}
        np.testing.assert_array_equal(2 * array, context.run(given)["y"])
        found = context.run(given, keep_on_gpu=True)["y"]
        assert found.__cuda_array_interface__["data"][0] == found.address != array.ctypes.data
        np.testing.assert_array_equal(2 * array, read(found))
        np.testing.assert_array_equal(2 * array, context.run({"x": array})["y"])
        assert (rows, 2) == found.shape
    del found

    graphs = {key for key in cuda.held if key not in held}
    assert all(isinstance(cuda.held[each], list) for each in graphs), "an output is still held"
    with pytest.raises(UsageError, match="no profile"):
        context.run({"x": GpuArray(0, (64, 2), np.dtype("f"))})


def read(array):
    raw = (ctypes.c_ubyte * array.nbytes).from_address(array.address)
    return np.frombuffer(raw, array.dtype).reshape(array.shape)
