from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from trtbuild.calib.collect import collect_histograms
from trtbuild.calib.histogram import Histogram
from trtbuild.calib.observe import Observer
from trtbuild.core.errors import StepInputError
from trtbuild.model.feeds import Feed

RELU = """
<ir_version: 8, opset_import: ["" : 17]>
tiny (float[N, 3] x) => (float[N, 3] y) { a = Relu(x)  b = Sqrt(a)  y = Add(b, b) }
"""


def observer(text=RELU, tensors=("x", "a", "b")):
    return Observer(model_of(text), tensors, folder=Path())


def feed(name, *values):
    return Feed((name,), {"x": np.asarray([values], np.float32)})


def run(feeds, workers=1, tensors=("x", "a", "b"), text=RELU):
    histograms = {name: Histogram() for name in tensors}
    done = []
    count = collect_histograms(
        observer(text, tensors), feeds, histograms, workers=workers, progress=done.append
    )
    assert list(range(1, len(done) + 1)) == done
    return count, histograms


def test_every_observed_tensor_is_reduced():
    """Input, inner tensors and extents over two samples."""
    count, found = run([feed("a", -4, 0, 4), feed("b", -1, 9, 1)])

    assert 2 == count
    assert {"x": (-4, 9), "a": (0, 9), "b": (0, 3)} == {
        name: (histogram.low, histogram.high) for name, histogram in found.items()
    }
    assert {6} == {histogram.total for histogram in found.values()}


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_what_is_not_finite_is_named_with_its_sample(workers):
    """An infinity on the way is an error that names the tensor and the first such sample."""
    text = RELU.replace("Sqrt(a)", "Reciprocal(a)")
    bad = [feed(f"bad{i}.png", 0, 1, 2) for i in range(9)]
    with pytest.raises(StepInputError, match=r"`b` holds a NaN or an infinity for sample bad0"):
        run([feed("good", 1, 2, 3), *bad], workers, text=text)


def test_nan_in_the_data_names_the_input():
    """A NaN in a sample is found where it enters."""
    with pytest.raises(StepInputError, match=r"`x` holds a NaN or an infinity for sample c\.npy"):
        run([feed("a", 1, 2, 3), feed("c.npy", 1, float("nan"), 3)])


def test_workers_do_not_change_the_result():
    """One, two and three at a time count the same."""
    rng = np.random.default_rng(0)
    model = convolutions()
    feeds = [
        Feed((str(i),), {"x": rng.standard_normal((1, 3, 20, 20)).astype(np.float32)})
        for i in range(7)
    ]
    states = []
    for workers, order in ((1, feeds), (2, feeds), (3, feeds[::-1])):
        histograms = {name: Histogram() for name in ("x", "a", "b", "y")}
        watched = Observer(onnx.ModelProto.FromString(model), list(histograms), folder=Path())
        collect_histograms(watched, order, histograms, workers=workers, progress=lambda _: None)
        states.append(
            [(h.low, h.high, h.total, h.exponent, h.counts.tolist()) for h in histograms.values()]
        )

    assert states[0] == states[1] == states[2]


def convolutions():
    """Two convolutions and a matrix product with seeded weights."""
    rng = np.random.default_rng(3)
    model = onnx.parser.parse_model("""
        <ir_version: 8, opset_import: ["" : 17]>
        net (float[N, 3, 20, 20] x) => (float[N, 10] y) {
            c = Conv<pads=[1, 1, 1, 1]>(x, w1)
            a = Relu(c)
            b = Conv<strides=[2, 2]>(a, w2)
            f = Flatten(b)
            y = MatMul(f, w3)
        }
    """)
    for name, shape in {"w1": (24, 3, 3, 3), "w2": (17, 24, 3, 3), "w3": (17 * 81, 10)}.items():
        weights = rng.standard_normal(shape).astype(np.float32)
        model.graph.initializer.append(onnx.numpy_helper.from_array(weights, name))
    return model.SerializeToString()


def test_a_fixed_batch_is_kept():
    """The batch of the model is its own where it is fixed, and 1 where it is open."""
    assert (1, 4) == (observer().feeder.batch, observer(RELU.replace("N", "4")).feeder.batch)


def test_a_model_that_cannot_run_is_quoted():
    """What ONNX Runtime says of a model stands in the error."""
    model = model_of(RELU)
    model.graph.node[0].op_type = "NoSuchOperator"
    with pytest.raises(StepInputError, match="NoSuchOperator"):
        Observer(model, ["x"], folder=Path())


def test_a_failing_run_is_quoted():
    """What ONNX Runtime says of a sample stands in the error."""
    with pytest.raises(StepInputError, match="cannot run the model"):
        run([Feed(("a",), {"x": np.ones((1, 5), np.float32)})])


def test_only_floats_have_ranges():
    """An integer tensor is refused by name."""
    text = """
    <ir_version: 8, opset_import: ["" : 17]>
    tiny (float[N, 3] x) => (int64[2] y) { y = Shape(x) }
    """
    with pytest.raises(StepInputError, match="`y` is int64"):
        run([feed("a", 1, 2, 3)], tensors=("y",), text=text)


def test_external_data_is_found_in_its_folder(tmp_path):
    """A model whose weights lie in a file of their own is observed like any other."""
    whole = onnx.ModelProto.FromString(convolutions())
    onnx.save(whole, tmp_path / "net.onnx", save_as_external_data=True, location="net.data")
    apart = onnx.load(tmp_path / "net.onnx", load_external_data=False)
    image = np.random.default_rng(1).standard_normal((1, 3, 20, 20)).astype(np.float32)

    one = Observer(onnx.ModelProto.FromString(convolutions()), ["b"], folder=Path())
    other = Observer(apart, ["b"], folder=tmp_path)

    (_, expected), (_, found) = (next(o.values({"x": image})) for o in (one, other))
    assert expected.tobytes() == found.tobytes()


def test_pairs_that_a_model_brings_are_computed_in_float():
    """0 * w + 0.25, in steps of 0.25; an integer Conv would round 0.25 to whole numbers."""
    text = """m (float[1, 4, 1, 1] x) => (float[1, 1, 1, 1] y)
        <float s = {1}, float t = {0.25}, int8 z = {0}, float[1] b = {0.25},
         float[1, 4, 1, 1] w = {1, 1, 1, 1}> {
        xq = QuantizeLinear(x, s, z)  xd = DequantizeLinear(xq, s, z)
        wq = QuantizeLinear(w, s, z)  wd = DequantizeLinear(wq, s, z)
        c = Conv(xd, wd, b)
        yq = QuantizeLinear(c, t, z)  y = DequantizeLinear(yq, t, z)
    }"""
    seen = observer(text, ["y"]).values({"x": np.zeros((1, 4, 1, 1), np.float32)})

    assert [0.25] == [values.item() for _, values in seen]
