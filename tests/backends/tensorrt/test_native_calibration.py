"""TensorRT 10's own calibrators: what they swallow is an error, and the callbacks are real."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.helpers.models import model_of
from trtbuild.backends.tensorrt.native_calibration import CLASSES, CountedBatches
from trtbuild.core.errors import StepInputError

MODEL = "net (float[N, 4] x) => (float[N, 4] y) { [act] y = Relu(x) }"
PROFILE = {"x": [[2, 4]] * 3}
CACHE = "TRT-101601-EntropyCalibration2\nx: 3c010204\n"
GOOD = {"x": [2, 4]}


@pytest.fixture
def calibrate(double):
    """Have the double of TensorRT 10 calibrate."""

    def run(batches, *, promised=None, calibrator="entropy2", **order):
        return double(
            "tensorrt10",
            model_of(MODEL),
            batches=batches,
            promised=len(batches) if promised is None else promised,
            calibrator=calibrator,
            profiles=[PROFILE],
            cache=CACHE,
            **order,
        )

    return run


def test_every_batch_is_taken_and_the_cache_comes_back(calibrate):
    """As TensorRT wrote it; the calibration profile has the one shape."""
    result = calibrate([GOOD] * 3)

    assert CACHE == result["cache"]
    assert "batches: 3" in result["told"]
    assert "IOptimizationProfile.set_shape('x', (2, 4), (2, 4), (2, 4))" in result["told"]
    assert any("set_calibration_profile" in line for line in result["told"])
    assert "IBuilderConfig.builder_optimization_level = 0" in result["told"]


@pytest.mark.parametrize(
    ("batches", "order", "message"),
    [
        ([GOOD, {"x": [1, 4]}], {}, "batch 2: `x` is [1, 4]; the calibration profile's opt shape"),
        ([GOOD, {"x": [2, 3]}, GOOD], {}, "batch 2: `x` is [2, 3]"),
        ([GOOD, {"z": [2, 4]}], {}, "calibration batch 2 has no `x`"),
        ([GOOD], {"promised": 2}, "calibrated on 1 of 2 batches"),
        ([GOOD] * 3, {"batches_taken": 2}, "calibrated on 1 of 3 batches"),
    ],
)
def test_what_tensorrt_swallows_is_an_error(calibrate, batches, order, message):
    """A short last batch, a foreign shape, a missing input, too few batches."""
    result = calibrate(batches, **order)

    assert message in result["error"][1]


def test_a_loader_keeps_what_went_wrong():
    """Whatever the source of batches raises, told after the build as the batch that it was."""

    def batches():
        yield {"x": np.zeros((2, 4), np.float32)}
        raise ValueError("disk on fire")

    loader = CountedBatches(batches(), promised=2, shapes={"x": (2, 4)}, progress=lambda *_: None)
    next(loader)
    with pytest.raises(ValueError, match="disk on fire"):
        next(loader)

    with pytest.raises(StepInputError, match="calibration batch 2 failed: disk on fire"):
        loader.demand_all()


def test_progress_counts_batches():
    """Done of promised."""
    told = []
    array = {"x": np.zeros(1, np.float32)}
    loader = CountedBatches(
        [array, array], promised=2, shapes={}, progress=lambda *e: told.append(e)
    )

    assert 2 == len(list(loader))
    assert [(1, 2, "batches"), (2, 2, "batches")] == told
    loader.demand_all()


TRAMPOLINES = """
import ctypes, json, sys
import numpy as np
import tensorrt_bindings as trt
sys.modules["tensorrt"] = trt
from polygraphy.backend.trt import Calibrator
from trtbuild.backends.tensorrt.native_calibration import CountedBatches

kind, failing = sys.argv[1], sys.argv[2] == "failing"
batches = [{"b": np.full(2, 7, np.float32), "a": np.full(3, 5, np.float32)} for _ in range(2)]
if failing:
    batches[1]["a"] = np.zeros(4, np.float32)
shapes = {"a": (3,), "b": (2,)}
loader = CountedBatches(batches, promised=2, shapes=shapes, progress=lambda *_: None)
made = Calibrator(loader, cache=None, BaseClass=getattr(trt, kind), quantile=0.99,
                  regression_cutoff=0.5)

# As C++ sees it: pybind11 keeps the object's pointer behind PyObject's 16 bytes, and the class of
# NvInfer.h has its virtual functions in this order.
this = ctypes.c_void_p.from_address(id(made) + 16).value
table = ctypes.c_void_p.from_address(this).value
def virtual(slot, result, *kinds):
    address = ctypes.c_void_p.from_address(table + 8 * slot).value
    return lambda *values: ctypes.CFUNCTYPE(result, ctypes.c_void_p, *kinds)(address)(this, *values)

pointers, strings = ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.c_char_p)
get_batch = virtual(5, ctypes.c_bool, pointers, strings, ctypes.c_int)
names = (ctypes.c_char_p * 2)(b"a", b"b")
seen = []
while True:
    found = (ctypes.c_void_p * 2)()
    if not get_batch(found, names, 2):
        break
    sizes = (3, 2)
    seen.append([list((ctypes.c_float * n).from_address(p)) for p, n in zip(found, sizes)])
virtual(7, None, ctypes.c_char_p, ctypes.c_size_t)(b"the cache", 9)
length = ctypes.c_size_t()
pointer = virtual(6, ctypes.c_void_p, ctypes.POINTER(ctypes.c_size_t))(ctypes.byref(length))
told = {"batches": seen, "algorithm": virtual(8, ctypes.c_int)(),
        "cache": ctypes.string_at(pointer, length.value).decode(), "failure": str(loader.failure)}
if kind == "IInt8LegacyCalibrator":
    told["legacy"] = [virtual(slot, ctypes.c_double)() for slot in (9, 10)]
print("\\n" + json.dumps(told))
"""
ALGORITHM = {"legacy": 0, "entropy": 1, "entropy2": 2, "minmax": 3}


@pytest.mark.parametrize("kind", CLASSES)
def test_the_callbacks_work_through_the_real_trampolines(real, kind):
    """TensorRT's C++ calls Python's calibrator, as the real bindings do it, and gets the data."""
    told = json.loads(real(10).run(TRAMPOLINES, CLASSES[kind], "good").splitlines()[-1])

    assert [[[5.0] * 3, [7.0] * 2]] * 2 == told["batches"]
    assert (ALGORITHM[kind], "the cache", "None") == (
        told["algorithm"],
        told["cache"],
        told["failure"],
    )
    if kind == "legacy":
        assert [0.99, 0.5] == told["legacy"]


def test_the_real_trampoline_hides_a_failure_and_the_loader_does_not(real):
    """To TensorRT a batch that raises looks like the end of the data."""
    told = json.loads(real(10).run(TRAMPOLINES, CLASSES["minmax"], "failing").splitlines()[-1])

    assert 1 == len(told["batches"])
    assert "calibration batch 2: `a` is [4]" in told["failure"]


def test_eleven_has_no_calibrators(real):
    """So there is no such backend for it."""
    code = "import tensorrt_bindings as trt; print([n for n in dir(trt) if 'Calibrator' in n])"

    assert "[]" == real(11).run(code).strip()
