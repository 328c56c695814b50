"""`config.pbtxt`: how Triton serves a model.

Fields are those of Triton's ModelConfig (model_config.proto in triton-inference-server/common).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from trtbuild.core.errors import UsageError
from trtbuild.core.values import TensorSpec
from trtbuild.verbs.packaging.protobuf_text import Message, Value, Word, write_message
from trtbuild.verbs.packaging.served_model import ServedModel

__all__ = ["LABELS", "WARMUP", "EnsemblePart", "Warmup", "write_config", "write_ensemble_config"]

LABELS = "labels.txt"
WARMUP = "warmup"
"""The folder, in that of a model, from which Triton reads what it warms up with."""
QUEUE_MICROSECONDS = 100
"""How long a request may wait for others: below what a network adds, and yours to change."""

Field = tuple[str, Value]

_TYPES = {
    "bool": "BOOL",
    "uint8": "UINT8",
    "int8": "INT8",
    "int32": "INT32",
    "int64": "INT64",
    "float16": "FP16",
    "float32": "FP32",
    "float64": "FP64",
    "bfloat16": "BF16",
    "object": "STRING",
}


@dataclass(frozen=True)
class Warmup:
    """What a model is run on before it counts as ready."""

    shapes: Mapping[str, tuple[int, ...]]
    """By input, without the axis that counts samples where the model takes several."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Of these inputs, where the bytes lie in the folder `warmup`; others are fed zeros."""


@dataclass(frozen=True)
class EnsemblePart:
    """A model of an ensemble, and under which names its tensors go through it."""

    model: ServedModel
    takes: Mapping[str, str]
    gives: Mapping[str, str]


def write_config(  # what stands in it
    model: ServedModel,
    *,
    backend: str,
    file: str = "",
    by_capability: Mapping[str, str] | None = None,
    labels: str = "",
    warmup: Warmup | None = None,
    on_gpu: bool = True,
) -> str:
    """Return the configuration of a model that a backend (`tensorrt`, `onnxruntime`) runs.

    Args:
        model: what it takes and gives.
        backend: who runs it.
        file: its file, in the folder of the version; of engines alike for any GPU.
        by_capability: the file for each compute capability (`8.9`), where these differ.
        labels: the output whose classes `labels.txt` names.
        warmup: what it is run on before it counts as ready.
        on_gpu: whether it runs on the GPU.

    Raises:
        UsageError: a tensor is of a type that Triton does not know.
    """
    fields = [*_begin(model), ("backend", backend)]
    fields += [("default_model_filename", file)] if file else []
    for capability, name in sorted((by_capability or {}).items()):
        entry = Message((("key", capability), ("value", name)))
        fields.append(("cc_model_filenames", entry))
    fields += _tensors(model, labels)
    fields += _instances(model, on_gpu=on_gpu)
    fields += _batching(model)
    if backend == "tensorrt" and model.graphs:
        fields.append(("optimization", Message((("cuda", _graphs(model)),))))
    for name, value in model.parameters.items():
        told = Message((("key", name), ("value", Message((("string_value", value),)))))
        fields.append(("parameters", told))
    fields += [("model_warmup", _warm(model, warmup))] if warmup is not None else []
    return write_message(Message(tuple(fields)))


def write_ensemble_config(
    model: ServedModel, parts: Sequence[EnsemblePart], *, labels: str = ""
) -> str:
    """Return the configuration of models that run one behind the other, as one model.

    Raises:
        UsageError: a tensor is of a type that Triton does not know.
    """
    steps: list[Field] = []
    for part in parts:
        maps: list[Field] = [("model_name", part.model.name), ("model_version", -1)]
        for word, names in (("input_map", part.takes), ("output_map", part.gives)):
            maps += [(word, Message((("key", k), ("value", v)))) for k, v in names.items()]
        steps.append(("step", Message(tuple(maps))))
    fields = [*_begin(model), ("platform", "ensemble"), *_tensors(model, labels)]
    fields.append(("ensemble_scheduling", Message(tuple(steps))))
    return write_message(Message(tuple(fields)))


def _begin(model: ServedModel) -> list[Field]:
    return [("name", model.name), ("max_batch_size", model.max_batch)]


def _tensors(model: ServedModel, labels: str) -> list[Field]:
    fields: list[Field] = []
    for word, specs in (("input", model.inputs), ("output", model.outputs)):
        for spec in specs:
            told = [*_describe(spec, batched=bool(model.max_batch))]
            told += [("is_shape_tensor", True)] if spec.name in model.valued else []
            told += [("label_filename", LABELS)] if word == "output" and spec.name == labels else []
            fields.append((word, Message(tuple(told))))
    return fields


def _describe(spec: TensorSpec, *, batched: bool) -> Iterator[Field]:
    sizes = [size if isinstance(size, int) else -1 for size in spec.shape[batched:]]
    yield "name", spec.name
    yield "data_type", _find_type(spec)
    # Triton knows no tensors without an axis: such a one is a list of one number to it.
    yield "dims", sizes or [1]
    if not sizes:
        yield "reshape", Message((("shape", []),))


def _find_type(spec: TensorSpec) -> Word:
    if spec.dtype not in _TYPES:
        raise UsageError(
            f"`{spec.name}` is {spec.dtype}, which Triton does not know",
            hint="give it another type in the model: the fix `cast_io`",
        )
    return Word(f"TYPE_{_TYPES[spec.dtype]}")


def _instances(model: ServedModel, *, on_gpu: bool) -> list[Field]:
    """Return one instance, or of several profiles one each: a profile is used by one context.

    Triton gives a request to any instance, whatever its profile takes. Profiles that take other
    shapes than each other are therefore in one instance, which picks among them.
    """
    kind: Field = ("kind", Word("KIND_GPU" if on_gpu else "KIND_CPU"))
    count: Field = ("count", 1)
    if not on_gpu or len(model.profiles) < 2:  # noqa: PLR2004  # several
        return [("instance_group", Message((count, kind)))]
    names: list[Field] = [("profile", str(number)) for number in range(len(model.profiles))]
    shared = [names] if model.profiles_differ else [[name] for name in names]
    return [("instance_group", Message((count, kind, *profiles))) for profiles in shared]


def _batching(model: ServedModel) -> list[Field]:
    """Return how requests are put together: to the sizes that profiles are tuned for, or most."""
    if model.max_batch < 2:  # noqa: PLR2004  # nothing to put together
        return []
    tuned = {each.opt[0] for profile in model.profiles for each in profile.values()}
    sizes = sorted({size for size in (*tuned, model.max_batch) if 1 < size <= model.max_batch})
    fields: list[Field] = [("preferred_batch_size", sizes)] if tuned else []
    fields.append(("max_queue_delay_microseconds", QUEUE_MICROSECONDS))
    return [("dynamic_batching", Message(tuple(fields)))]


def _graphs(model: ServedModel) -> Message:
    """Return the shapes for which CUDA graphs are made: those that profiles are tuned for."""
    fields: list[Field] = [("graphs", True)]
    for profile in model.profiles:
        batch = max((each.opt[0] for each in profile.values()), default=0) if model.max_batch else 0
        if batch > model.max_batch:
            continue
        spec: list[Field] = [("batch_size", batch)]
        for tensor in model.inputs:
            sizes = model.find_opt(tensor, profile)[bool(model.max_batch) :]
            shape = Message((("dim", list(sizes)),))
            spec.append(("input", Message((("key", tensor.name), ("value", shape)))))
        fields.append(("graph_spec", Message(tuple(spec))))
    return Message(tuple(fields))


def _warm(model: ServedModel, warmup: Warmup) -> Message:
    fields: list[Field] = [
        ("name", "calibration samples" if warmup.files else "zeros"),
        ("batch_size", 1),  # of models without batches, too: Triton passes over what has 0
    ]
    for spec in model.inputs:
        sizes = warmup.shapes[spec.name] or (1,)
        told: list[Field] = [("data_type", _find_type(spec)), ("dims", sizes)]
        file = warmup.files.get(spec.name)
        told.append(("input_data_file", file) if file else ("zero_data", True))
        fields.append(("inputs", Message((("key", spec.name), ("value", Message(tuple(told)))))))
    return Message(tuple(fields))
