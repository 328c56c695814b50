"""What Triton is told of models that are out of the ordinary."""

from __future__ import annotations

import pytest

from trtbuild.core.errors import UsageError
from trtbuild.core.values import TensorSpec
from trtbuild.verbs.packaging.served_model import ProfileBounds, ServedModel
from trtbuild.verbs.packaging.triton_config import Warmup, write_config

model_config = pytest.importorskip("tritonclient.grpc.model_config_pb2")
text_format = pytest.importorskip("google.protobuf.text_format")


def spec(name, *shape, dtype="float32"):
    return TensorSpec(name=name, dtype=dtype, shape=shape)


def config_of(*specs, profiles=(), valued=(), **options):
    model = ServedModel("m", specs[:-1], specs[-1:], profiles, frozenset(valued))
    text = write_config(model, backend="tensorrt", **options)
    return text_format.Parse(text, model_config.ModelConfig())


@pytest.mark.parametrize(
    ("specs", "batch", "dims"),
    [
        ((spec("x", "n", 3), spec("y", "n")), 8, [3]),
        ((spec("x", 4, 3), spec("y", 4)), 0, [4, 3]),
        ((spec("x", "n", 3), spec("y", "m")), 0, [-1, 3]),
        ((spec("x", "?", 3), spec("y", "?")), 8, [3]),
        ((spec("x", "n", 3), spec("y")), 0, [-1, 3]),
    ],
    ids=["open", "fixed", "another axis", "nameless", "scalar out"],
)
def test_only_what_counts_samples_is_a_batch(specs, batch, dims):
    """Axis 0 of all tensors, open and alike: else requests go through as they are."""
    found = config_of(*specs)

    assert (batch, dims) == (found.max_batch_size, [*found.input[0].dims])


def test_a_profile_is_an_instance_each():
    """Two contexts cannot share one; requests are put together to what each is tuned for."""
    profiles = [{"x": ProfileBounds((1, 3), (n, 3), (32, 3))} for n in (1, 4)]
    found = config_of(spec("x", "n", 3), spec("y", "n"), profiles=profiles)

    assert [["0"], ["1"]] == [[*each.profile] for each in found.instance_group]
    assert [32, [4, 32]] == [
        found.max_batch_size,
        [*found.dynamic_batching.preferred_batch_size],
    ]


def test_profiles_that_take_other_shapes_are_in_one_instance():
    """Triton gives a request to any, and an instance picks among the profiles that it has."""
    profiles = [{"x": ProfileBounds((n, 3), (4 * n, 3), (8 * n, 3))} for n in (1, 8)]
    found = config_of(spec("x", "n", 3), spec("y", "n"), profiles=profiles)

    assert [["0", "1"]] == [[*each.profile] for each in found.instance_group]


def test_no_more_is_preferred_or_captured_than_is_put_together():
    """Of a profile behind a gap, which Triton would refuse to load."""
    profiles = [{"x": ProfileBounds((n, 3), (n, 3), (2 * n, 3))} for n in (1, 8)]
    found = config_of(spec("x", "n", 3), spec("y", "n"), profiles=profiles)

    assert (2, [2]) == (
        found.max_batch_size,
        [*found.dynamic_batching.preferred_batch_size],
    )
    assert [1] == [each.batch_size for each in found.optimization.cuda.graph_spec]


def test_models_without_batches_warm_up():
    """Triton passes over a warm-up of batch size 0; a number for each sample is a list of one."""
    model = config_of(spec("x", 4, 3), spec("y", 4), warmup=Warmup({"x": (4, 3)}))
    number = config_of(spec("x", "n"), spec("y", "n"), warmup=Warmup({"x": ()}))

    (told,), (one,) = model.model_warmup, number.model_warmup
    assert (1, [4, 3]) == (told.batch_size, [*told.inputs["x"].dims])
    assert (1, [1]) == (one.batch_size, [*one.inputs["x"].dims])


def test_an_engine_that_takes_no_single_sample_gets_what_is_sent():
    """Triton would send it one."""
    profile = {"x": ProfileBounds((2, 3), (4, 3), (8, 3))}

    assert 0 == config_of(spec("x", "n", 3), spec("y", "n"), profiles=[profile]).max_batch_size


def test_values_of_shapes_and_scalars_are_told():
    """As shape tensors; and a tensor without an axis as one number, reshaped."""
    found = config_of(spec("x", "n", 3), spec("s", 2, dtype="int32"), spec("y"), valued=["s"])

    assert [False, True] == [each.is_shape_tensor for each in found.input]
    assert ([1], True) == ([*found.output[0].dims], found.output[0].HasField("reshape"))


def test_any_name_is_written_as_it_is():
    """Quotation marks, line ends and other alphabets."""
    name = 'a"b\\c\n☃'
    found = config_of(spec(name, "n"), spec("y", "n"), labels="y")

    assert [name, "labels.txt"] == [found.input[0].name, found.output[0].label_filename]


def test_a_type_that_triton_lacks_is_refused():
    """With the tensor named."""
    with pytest.raises(UsageError, match="`x` is float8e4m3fn, which Triton"):
        config_of(spec("x", 1, dtype="float8e4m3fn"), spec("y", 1))
