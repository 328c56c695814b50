"""A Triton model repository of what was built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from trtbuild.core.errors import UsageError
from trtbuild.core.escape import escape_controls
from trtbuild.core.placed import MODELS
from trtbuild.core.values import TensorSpec
from trtbuild.model.outline import ModelOutline
from trtbuild.verbs.packaging.parts import (
    MADE,
    PartModel,
    list_left_to_senders,
    make_postprocessing,
    make_preprocessing,
)
from trtbuild.verbs.packaging.placed_build import PlacedBuild, PlacedEngine
from trtbuild.verbs.packaging.served_model import (
    ServedModel,
    describe_build_served,
    describe_model_served,
)
from trtbuild.verbs.packaging.triton_config import (
    LABELS,
    EnsemblePart,
    Warmup,
    write_config,
    write_ensemble_config,
)
from trtbuild.verbs.packaging.triton_releases import (
    READ_ON,
    describe_newest,
    find_server_version,
    is_same,
    list_releases,
)
from trtbuild.verbs.packaging.warmup import make_warmup
from trtbuild.verbs.packaging.writing import Content

__all__ = ["PREPROCESS", "PackedModel", "Server", "pack_for_triton"]

ONNX, PREPROCESS, POSTPROCESS, PIPELINE = "_onnx", "_preprocess", "_postprocess", "_pipeline"
"""How the names of models end that are not the recipe's engine."""
RTX = "tensorrt_rtx"


@dataclass(frozen=True)
class Server:
    """What is known of the Triton that will serve."""

    release: str = ""
    """`26.07`; empty where any that can will do."""
    tensorrt: str = ""
    """The version of its TensorRT, where that is said instead."""


@dataclass(frozen=True)
class PackedModel:
    """A model of the repository: its configuration, and files by their path in its folder."""

    name: str
    config: str
    what: str
    version_files: Mapping[str, Content] = field(default_factory=dict)
    files: Mapping[str, Content] = field(default_factory=dict)


def pack_for_triton(
    build: PlacedBuild,
    server: Server,
    *,
    warm: Mapping[str, bytes],
    warm_shapes: Mapping[str, tuple[int, ...]],
    names: Sequence[str],
    picture: tuple[int, int] | None,
) -> tuple[list[PackedModel], list[str]]:
    """Return the models of a repository for a recipe, and what is to be said of them.

    Args:
        build: what was built.
        server: what will serve it.
        warm: bytes of a calibration sample, by input, to warm up with.
        warm_shapes: their shapes, without an axis that counts samples.
        names: of the classes.
        picture: [height, width] of the pictures that come in, to be resized in the ensemble.

    Raises:
        UsageError: an engine does not run in this Triton, or a tensor has a type unknown to it.
    """
    model = build.best_model
    outline = ModelOutline.read(model)
    onnx = describe_model_served(
        f"{build.name}{ONNX}", outline.inputs, outline.outputs, build.loaded.recipe
    )
    labels = _find_labelled(outline.outputs, names)
    lines = "".join(f"{escape_controls(name)}\n" for name in names)  # each is a line of its own
    shared = {LABELS: lines.encode()} if labels else {}
    warmup, warm_files = make_warmup(onnx, warm, warm_shapes)
    packed, said = [], []
    engines, left = _choose_engines(build.engines, server)
    said += left
    core = onnx
    if engines:
        core = describe_build_served(build, engines)
        config, files = _write_engines(core, engines, labels=labels, warmup=warmup)
        told = f"TensorRT {engines[0].version} for {', '.join(_list_capabilities(engines))}"
        packed.append(PackedModel(build.name, config, told, files, {**shared, **warm_files}))
    config = write_config(
        onnx, backend="onnxruntime", file="model.onnx", labels=labels, warmup=warmup, on_gpu=False
    )
    packed.append(
        PackedModel(
            onnx.name,
            config,
            f"{model.name} in ONNX Runtime on the CPU",
            _list_model_files(build, model),
            {**shared, **warm_files},
        )
    )
    packed += _make_ensemble(build, core, labels=labels, shared=shared, picture=picture)
    said += build.list_doubtful_answers()
    said += list_left_to_senders(build.loaded.recipe, core.inputs, picture=picture)
    return packed, said


def _list_model_files(build: PlacedBuild, model: Path) -> dict[str, Content]:
    """Return a model and its weights, which keep their name: the model names them."""
    kind = next(each for each in MODELS.values() if each.file == model.name)
    weights = build.directory / kind.weights
    files: dict[str, Content] = {"model.onnx": model}
    return files | ({kind.weights: weights} if weights.is_file() else {})


def _find_labelled(outputs: Sequence[TensorSpec], names: Sequence[str]) -> str:
    """Return the output that has a number for each class."""
    fitting = [each.name for each in outputs if names and each.shape[-1:] == (len(names),)]
    return fitting[0] if len(fitting) == 1 else ""


def _choose_engines(
    engines: Sequence[PlacedEngine], server: Server
) -> tuple[list[PlacedEngine], list[str]]:
    """Return the engines that the server runs, and why others are left out.

    Raises:
        UsageError: the server has another TensorRT, or it is not known that any has this one.
    """
    kept, said = [], []
    for each in engines:
        if not each.result.backend.startswith("tensorrt"):
            continue
        if each.result.backend == RTX:
            said.append(
                f"the engine of `{each.result.target}` is left out: Triton's TensorRT backend "
                "runs engines of TensorRT, not of TensorRT-RTX"
            )
            continue
        said += _demand_served(each, server)
        kept.append(each)
    versions = {each.version for each in kept}
    if len(versions) > 1:
        raise UsageError(
            f"the engines are of TensorRT {' and '.join(sorted(versions))}, and a server has one",
            hint="pack one of them: --target NAME",
        )
    return kept, said


def _demand_served(engine: PlacedEngine, server: Server) -> Iterator[str]:
    """Say which Triton runs an engine."""
    version = engine.version
    if engine.version_compatible:
        yield (
            f"the engine of `{engine.result.target}` is version compatible: start Triton, with a "
            f"TensorRT {version} or later of that major number, with `--backend-config=tensorrt,"
            "version-compatible=true`"
        )
        return
    has = server.tensorrt or (find_server_version(server.release) if server.release else "")
    if has and not is_same(has, version):
        whose = f"Triton {server.release}" if server.release else "the server"
        raise UsageError(
            f"the engine of `{engine.result.target}` is of TensorRT {version}, and {whose} has "
            f"{has}: it would refuse the engine",
            hint=f"build with TensorRT {has}, or take another Triton",
        )
    if has:
        return
    releases = list_releases(version)
    if not releases:
        raise UsageError(
            f"no Triton is known that runs engines of TensorRT {version} (`{engine.result.target}`)"
            f"; of {READ_ON}: {describe_newest()}",
            hint="say which TensorRT the server has: --server-tensorrt VERSION; or pack the ONNX "
            "model alone: --without-engines",
        )
    yield f"TensorRT {version} runs in Triton {', '.join(releases)} (table of {READ_ON})"


def _list_capabilities(engines: Sequence[PlacedEngine]) -> list[str]:
    return [name for each in engines for name in each.capabilities]


def _write_engines(
    model: ServedModel, engines: Sequence[PlacedEngine], *, labels: str, warmup: Warmup | None
) -> tuple[str, dict[str, Content]]:
    """Return the configuration of engines of one model, and their files: one for each GPU."""
    files: dict[str, Content] = {}
    by_capability: dict[str, str] = {}
    for each in engines:
        file = f"model_{each.result.target}.plan"
        files[file] = each.path
        for capability in each.capabilities:
            if capability in by_capability:
                raise UsageError(
                    f"two engines are for compute capability {capability}: {file} and "
                    f"{by_capability[capability]}",
                    hint="pack one of them: --target NAME",
                )
            by_capability[capability] = file
    config = write_config(
        model, backend="tensorrt", by_capability=by_capability, labels=labels, warmup=warmup
    )
    return config, files


def _make_ensemble(
    build: PlacedBuild,
    core: ServedModel,
    *,
    labels: str,
    shared: Mapping[str, Content],
    picture: tuple[int, int] | None,
) -> list[PackedModel]:
    """Return the parts before and behind a model, and the ensemble of all; none without parts."""
    recipe = build.loaded.recipe
    before = make_preprocessing(recipe, core.inputs, picture=picture)
    behind = make_postprocessing(recipe, core.outputs)
    packed: list[PackedModel] = []
    takes = {spec.name: spec.name for spec in core.inputs}
    gives = {spec.name: spec.name for spec in core.outputs}
    inputs, outputs = list(core.inputs), list(core.outputs)
    parts: list[EnsemblePart] = []
    if before is not None:
        model = _serve_part(f"{build.name}{PREPROCESS}", before, core)
        packed.append(_pack_part(model, before, "pictures to what the model takes"))
        name = before.takes[0].name
        parts.append(EnsemblePart(model, {name: name}, {MADE: MADE}))
        takes[name] = MADE
        inputs = [before.takes[0] if spec.name == name else spec for spec in inputs]
    parts.append(EnsemblePart(core, takes, gives))
    if behind is not None:
        model = _serve_part(f"{build.name}{POSTPROCESS}", behind, core)
        packed.append(_pack_part(model, behind, "the head's numbers to boxes"))
        used = {spec.name: spec.name for spec in behind.takes}
        made = {spec.name: spec.name for spec in behind.gives}
        parts.append(EnsemblePart(model, used, made))
        outputs = [*behind.gives, *(spec for spec in outputs if spec.name not in used)]
    if not packed:
        return []
    whole = ServedModel(
        f"{build.name}{PIPELINE}", tuple(inputs), tuple(outputs), core.profiles, core.valued
    )
    config = write_ensemble_config(whole, parts, labels="" if behind else labels)
    files = {} if behind else dict(shared)
    told = " → ".join(part.model.name for part in parts)
    return [*packed, PackedModel(whole.name, config, told, {}, files)]


def _serve_part(name: str, part: PartModel, core: ServedModel) -> ServedModel:
    return ServedModel(name, part.takes, part.gives, core.profiles)


def _pack_part(model: ServedModel, part: PartModel, what: str) -> PackedModel:
    config = write_config(model, backend="onnxruntime", file="model.onnx", on_gpu=False)
    return PackedModel(model.name, config, what, {"model.onnx": part.data})
