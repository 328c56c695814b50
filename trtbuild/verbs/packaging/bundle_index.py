"""`bundle.json`: what lies in a bundle, and which engine is for which device."""

from __future__ import annotations

from pathlib import Path, PurePath, PurePosixPath
from typing import Literal

from trtbuild.backends.tensorrt.runtime_options import RtxRuntimeOptions, RuntimeOptions
from trtbuild.core.digest import digest_of_file
from trtbuild.core.options import Options
from trtbuild.core.values import TensorSpec
from trtbuild.model.outline import ModelOutline
from trtbuild.verbs.packaging.placed_build import PlacedBuild, PlacedEngine

__all__ = ["INDEX", "BundleEngine", "BundleIndex", "BundleModel", "make_index"]

INDEX = "bundle.json"


class BundleModel(Options):
    """A model that ONNX Runtime runs anywhere."""

    file: str
    weights: str = ""
    """A file of weights beside it, which it names; empty where it holds its own."""
    weights_digest: str = ""
    digest: str
    what: str


class BundleEngine(Options):
    """An engine, and what it runs in."""

    file: str
    digest: str
    target: str
    backend: str
    """`tensorrt10`, `tensorrt11`, `tensorrt_rtx`."""
    tensorrt: str
    """The version that built it; it runs in that one alone, unless it is `version_compatible`."""
    version_compatible: bool = False
    """It brings a runtime of its own, so that newer versions of the same major number run it."""
    compute_capabilities: tuple[str, ...]
    refitted_from: str = ""
    """The digest of the engine that took other weights to become this one."""
    profiles: tuple[dict[str, dict[str, list[int]]], ...]
    runtime: RuntimeOptions | RtxRuntimeOptions = RuntimeOptions()
    """How the recipe wants it run; a file for what is compiled lies beside the bundle."""


class BundleIndex(Options):
    """What lies in a bundle."""

    format: Literal[1] = 1
    name: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    classes: tuple[str, ...] = ()
    """Their names, where the recipe's data tells them."""
    model: BundleModel
    """What the engines are built from."""
    engines: tuple[BundleEngine, ...]


def make_index(
    build: PlacedBuild, names: dict[str, str], classes: tuple[str, ...], weights: Path | None
) -> BundleIndex:
    """Return the index of a bundle.

    Args:
        build: what was built.
        names: where in the bundle each engine lies, by its target, and the model (``).
        classes: names of the classes.
        weights: the model's weights, which lie beside it, if it does not hold them itself.
    """
    outline = ModelOutline.read(build.best_model)
    return BundleIndex(
        name=build.name,
        inputs=outline.inputs,
        outputs=outline.outputs,
        classes=classes,
        model=BundleModel(
            file=names[""],
            weights=f"{PurePosixPath(names['']).parent}/{weights.name}" if weights else "",
            weights_digest=digest_of_file(weights) if weights else "",
            digest=digest_of_file(build.best_model),
            what=build.best_model.name,
        ),
        engines=tuple(_index_engine(each, names) for each in build.engines),
    )


def _index_engine(engine: PlacedEngine, names: dict[str, str]) -> BundleEngine:
    told = engine.result
    return BundleEngine(
        file=names[told.target],
        digest=told.engine_digest,
        target=told.target,
        backend=told.backend,
        tensorrt=engine.version,
        version_compatible=engine.version_compatible,
        compute_capabilities=engine.capabilities,
        refitted_from=told.refitted_from,
        profiles=told.profiles,
        runtime=_move_cache(engine.runtime),
    )


def _move_cache(options: RuntimeOptions) -> RuntimeOptions:
    """Return how an engine is run, without a folder that is of this machine."""
    if isinstance(options, RtxRuntimeOptions) and options.cache is not None:
        return options.model_copy(update={"cache": PurePath(options.cache).name})
    return options
