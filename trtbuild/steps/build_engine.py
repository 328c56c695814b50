"""Build one target's engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from trtbuild.backends import Target
from trtbuild.backends.base import BuildOrder, BuildResult, ImplicitQuantization
from trtbuild.core.delivered import count_others
from trtbuild.core.digest import digest_of_file
from trtbuild.core.needs import GPU, GPU_MEMORY, Needs
from trtbuild.core.options import AUTO, Location
from trtbuild.core.quantized_types import TYPES, join_words
from trtbuild.core.values import Ranges, TensorSpec
from trtbuild.quant.requests import PrecisionName
from trtbuild.steps.base import Context, Pinned, Ref, Step

if TYPE_CHECKING:
    from trtbuild.core.records import LayerPrecision, RequestedLayer, TargetResult
    from trtbuild.quant.account import QuantizationAccount

__all__ = ["BuildEngine"]

MANY = 5
"""Layers named in a note; engine.json names them all."""


class BuildEngine(Step):
    """Build the engine, then read back what was delivered."""

    version: ClassVar[int] = 6
    outputs: ClassVar[Mapping[str, str]] = {
        "engine": "model.engine",
        "result": "engine.json",
        "timing_cache": "timing.cache",
    }
    keeps_log: ClassVar[bool] = True

    kind: Literal["build_engine"] = "build_engine"
    target: str
    backend: Target
    model: Ref
    account: Ref | None = None
    """quantization.json: the precision asked for, layer by layer; None asks for what is there."""
    checked: Ref | None = None
    """What says that the model breaks no static rule; it is waited for, and not read."""
    profiles: tuple[dict[str, tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]], ...] = ()
    values: tuple[str, ...] = ()
    """The inputs for which profiles have values, not shapes."""
    plugins: tuple[Pinned, ...] = ()
    """Shared libraries to load before the model is read."""
    timing_cache: Pinned | None = None
    """The timing cache that the recipe names."""
    warm: Location | None = None
    """One that an earlier build left: it saves time, and is no ingredient."""
    ranges: Ref | None = None
    """ranges.json, for implicit quantization: the model then has no Q/DQ pairs."""
    skip: tuple[str, ...] = ()
    precision: dict[str, PrecisionName] = {}
    """Of implicit quantization: what the recipe requests of single nodes."""

    def fact_names(self) -> tuple[str, ...]:
        """Name the packages that the backend builds with, and the GPU where it needs one.

        How much memory that has counts where the workspace follows from it.
        """
        gpu = () if self.needs().gpu is None else (GPU,)
        memory = (GPU_MEMORY,) if getattr(self.backend, "workspace", None) == AUTO else ()
        return (*self.backend.capabilities.packages, *gpu, *memory)

    def needs(self) -> Needs:
        """Need what the backend does."""
        return self.backend.needs()

    def run(self, context: Context) -> None:
        """Write model.engine and engine.json (core.overview.TargetResult)."""
        built = self.backend.build(self._order(context))
        self.out(context, "timing_cache").touch()  # empty where nothing is timed
        for note in (*built.notes, *_fallbacks(built.layers)):
            context.events.note(f"{self.target}: {note}")
        self.write(context, "result", self._result(context, built))

    def _read_requests(self, context: Context) -> tuple[RequestedLayer, ...]:
        from trtbuild.backends.model import OnnxModel

        if self.account is None:
            return OnnxModel.read(context.path(self.model)).list_requests()
        return self._read_account(context).layers

    def _read_account(self, context: Context) -> QuantizationAccount:
        from trtbuild.quant.account import QuantizationAccount

        assert self.account is not None  # noqa: S101  # whoever asks has looked
        return context.read(self.account, QuantizationAccount)

    def _order(self, context: Context) -> BuildOrder:
        cache = None if self.timing_cache is None else context.path(self.timing_cache)
        if cache is None and self.warm is not None and Path(self.warm).is_file():
            cache = Path(self.warm)
        return BuildOrder(
            model=context.path(self.model),
            engine=self.out(context, "engine"),
            profiles=self.profiles,
            values=self.values,
            requested=self._read_requests(context),
            progress=context.events.progress,
            plugins=tuple(context.path(plugin) for plugin in self.plugins),
            timing_cache=cache,
            timing_cache_pinned=self.timing_cache is not None,
            log_level=context.log_level,
            implicit=None if self.ranges is None else self._implicit(context, self.ranges),
        )

    def _implicit(self, context: Context, table: Ref) -> ImplicitQuantization:
        from trtbuild.backends.model import OnnxModel
        from trtbuild.model.nodes import name_of
        from trtbuild.quant.requests import PrecisionRequests

        ranges = context.read(table, Ranges)
        nodes = OnnxModel.read(context.path(self.model)).nodes
        requests = PrecisionRequests.among(nodes, skip=self.skip, precision=self.precision)
        return ImplicitQuantization(
            ranges=ranges,
            manual=tuple(
                name
                for name, each in ranges.tensors.items()
                if each.origin == "manual" and each.entry == name
            ),
            floats=tuple(
                name_of(node)
                for node in nodes
                if requests.object_to_quantizing(name_of(node), node.op_type)
            ),
            encode=_write_cache,
        )

    def _result(self, context: Context, built: BuildResult) -> TargetResult:
        engine = self.out(context, "engine")
        asked = [layer for layer in built.layers if layer.asked == "int8"]
        guarantee = self.backend.guarantee(built.inputs)
        from trtbuild.core.records import TargetResult

        return TargetResult(
            target=self.target,
            backend=self.backend.kind,
            versions={name: context.facts.get(name, "unknown") for name in self.fact_names()},
            engine_digest=digest_of_file(engine),
            engine_size_bytes=engine.stat().st_size,
            model_digest=digest_of_file(context.path(self.model)),
            ranges=None if self.account is None else self._read_account(context).ranges,
            built_for=self.backend.built_for(),
            inputs=_describe_specs(built.inputs),
            outputs=_describe_specs(built.outputs),
            profiles=tuple(
                {
                    name: {
                        f"{word} values" if name in self.values else word: list(shape)
                        for word, shape in zip(("min", "opt", "max"), shapes, strict=True)
                    }
                    for name, shapes in profile.items()
                }
                for profile in self.profiles
            ),
            options=built.options,
            layers=built.layers,
            asked_int8=len(asked),
            delivered_int8=sum(layer.delivered == "int8" for layer in asked),
            other_types=count_others(built.layers),
            level=guarantee.level,
            level_reason=guarantee.reason,
            tactics=built.tactics,
            memory=built.memory,
            caveats=context.caveats,
        )


def _write_cache(version: str, scales: Mapping[str, float]) -> bytes:
    from trtbuild.calib.trt_cache import ALGORITHMS, TrtCache, bytes_from_cache, number_from_version

    number, algorithm = number_from_version(version), ALGORITHMS["entropy2"]
    return bytes_from_cache(TrtCache(number, algorithm, dict(scales)))


def _describe_specs(specs: Sequence[TensorSpec]) -> tuple[dict[str, str | list[int | str]], ...]:
    return tuple(
        {"name": spec.name, "dtype": spec.dtype, "shape": list(spec.shape)} for spec in specs
    )


def _fallbacks(layers: Sequence[LayerPrecision]) -> Iterator[str]:
    """Name the layers that did not get the type they were asked for, cause by cause."""
    asked = [layer for layer in layers if layer.asked in TYPES]
    short = [layer for layer in asked if layer.delivered != layer.asked]
    word = join_words(layer.asked for layer in asked)
    for delivered, cause in dict.fromkeys((layer.delivered, layer.cause) for layer in short):
        names = [x.name for x in short if (x.delivered, x.cause) == (delivered, cause)]
        shown = ", ".join(names[:MANY]) + (", ..." if len(names) > MANY else "")
        what = "of unknown precision" if delivered == "unknown" else f"computed in {delivered}"
        yield (
            f"{len(names)} of {len(asked)} layers asked for in {word} are {what}: {shown}; "
            f"cause: {cause}"
        )
