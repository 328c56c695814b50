"""A build by any TensorRT: the model read, the config set, the engine and timing cache written."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trtbuild.backends.base import BuildOrder, Profile
from trtbuild.backends.tensorrt.dla import demand_dla
from trtbuild.backends.tensorrt.flavour import Flavour, load_tensorrt
from trtbuild.backends.tensorrt.messages import explain_warnings, make_refusal
from trtbuild.backends.tensorrt.settings import Member, Settings, resolve_members
from trtbuild.backends.tensorrt.shared import (
    capture_log,
    check_profiles,
    demand_values,
    make_progress_monitor,
    refuse_unless_started,
)
from trtbuild.backends.tensorrt.timing_cache import TimingCache
from trtbuild.core.errors import StepInputError
from trtbuild.core.words import quote_whole

if TYPE_CHECKING:
    from trtbuild.backends.model import OnnxModel
    from trtbuild.backends.tensorrt.shared import BuildLog

__all__ = ["BuildJob", "check_model", "check_names", "compile_engine"]


@dataclass
class BuildJob:
    """An order for one TensorRT, and what its target sets."""

    flavour: Flavour
    order: BuildOrder
    settings: Settings
    network: dict[str, Any] = field(default_factory=dict)
    """Arguments of Polygraphy's NetworkFromOnnxPath."""
    io_formats: Mapping[str, Sequence[str]] = field(default_factory=dict)
    io_types: Mapping[str, str] = field(default_factory=dict)
    frozen: bool = False
    times: bool = True
    """Kernels are timed, so there is a timing cache."""
    edit: Callable[[Any, Any], None] | None = None
    """What to change in the network once it is read: (trt, network)."""
    calibrator: Callable[[Any], Any] | None = None
    """Makes the calibrator: (trt)."""

    @property
    def heeds_tactics(self) -> bool:
        """Tell whether kernels may be lost to a limit: only `verbose` names layers that did so."""
        limited = self.settings.auto or self.settings.workspace is not None
        return self.times and limited


def check_model(
    model: OnnxModel, profiles: Sequence[Profile], values: Collection[str] = ()
) -> None:
    """Refuse what TensorRT would take for something else, or crash on.

    Raises:
        StepInputError: says which input or node, and what to do.
    """
    check_profiles(model.inputs, profiles, values)
    for node in model.computed_scales():
        raise StepInputError(
            f"node `{node.name}` ({node.op_type}): its scale `{node.input[1]}` is computed while "
            "the model runs, and TensorRT wants a constant",
            hint="fold constants, or leave that tensor in float",
        )
    for node in model.unsigned():
        raise StepInputError(
            f"node `{node.name}` ({node.op_type}) is of uint8, which TensorRT takes for int8 "
            "without a word: the engine's numbers would be others",
            hint="quantize to int8, with a zero point of that type",
        )


def compile_engine(job: BuildJob) -> list[str]:
    """Write the engine, and the timing cache beside it; return the builder's warnings.

    Raises:
        StepInputError: the builder refused the model; quotes its messages.
        MissingDependency: that TensorRT is not installed.
        NoGpu: it needs a GPU that is not here.
    """
    trt, name = load_tensorrt(job.flavour), job.flavour.name
    # Only now: Polygraphy asks once, when it is imported, which TensorRT there is.
    from polygraphy.backend.trt import engine_bytes_from_network

    monitor = make_progress_monitor(trt.IProgressMonitor, job.order.progress)
    cache = TimingCache(job.order.timing_cache, pinned=job.order.timing_cache_pinned)
    with (
        capture_log(job.order.log_level, whole=job.heeds_tactics) as log,
        refuse_unless_started(name, "builder", log),
        _refusals(job, log, monitor),
    ):
        config = _config(trt, job, monitor, cache if job.times else None)
        plan = engine_bytes_from_network(_network(trt, job), config=config)
        if job.times:
            cache.keep(job.order.engine.with_name("timing.cache"), frozen=job.frozen)
    job.order.engine.write_bytes(memoryview(plan))
    said = log.scratch.explain(job.settings.workspace, device=job.settings.device_bytes)
    return [*explain_warnings(log.warnings, job.order.model), *cache.notes, *said]


@contextlib.contextmanager
def _refusals(job: BuildJob, log: BuildLog, monitor: Any) -> Iterator[None]:
    """Turn what a builder raises into one error that says why."""
    from polygraphy.exception import PolygraphyException

    try:
        yield
    except PolygraphyException as error:
        if monitor.failure is not None:
            raise monitor.failure from None
        raise make_refusal(job.flavour.name, log, str(error), model=job.order.model) from None
    except OSError as error:
        if not job.order.plugins:
            raise
        raise StepInputError(
            f"a library with plugins cannot be loaded: {quote_whole(str(error))}",
            hint="was it built for this machine, and for this version of TensorRT?",
        ) from None


def _network(trt: Any, job: BuildJob) -> Any:
    """Return a loader that reads the model and changes what the target asks for."""
    from polygraphy.backend import trt as loaders

    network = loaders.NetworkFromOnnxPath(str(job.order.model), **job.network)
    if job.order.plugins:
        network = loaders.LoadPlugins([str(path) for path in job.order.plugins], network)
    if job.io_types:
        types = {name: _data_type(trt, word) for name, word in job.io_types.items()}
        network = loaders.SetTensorDatatypes(network, types)
    if job.io_formats:
        formats = {
            name: [resolve_members(Member("TensorFormat", word.upper()), trt) for word in words]
            for name, words in job.io_formats.items()
        }
        network = loaders.SetTensorFormats(network, formats)
    if job.edit is not None:
        edit = job.edit

        def changed(network: Any) -> None:
            edit(trt, network)

        network = loaders.PostprocessNetwork(network, changed)
    return network


def _data_type(trt: Any, word: str) -> Any:
    return resolve_members(Member("DataType", word.upper()), trt)


def _config(trt: Any, job: BuildJob, monitor: Any, cache: TimingCache | None) -> Any:
    """Return a function that makes the IBuilderConfig; nothing is left to a default."""
    from polygraphy.backend import tensorrt_rtx
    from polygraphy.backend import trt as loaders

    where = tensorrt_rtx if job.flavour.rtx else loaders
    arguments = resolve_members(job.settings.arguments, trt)
    if job.calibrator is not None:
        arguments["calibrator"] = job.calibrator(trt)
    create = getattr(where, job.flavour.create_config)(
        profiles=[_shapes(profile) for profile in job.order.profiles] or None,
        progress_monitor=monitor,
        **arguments,
    )

    def config(builder: Any, network: Any) -> Any:
        demand_values(network, job.order.values)
        demand_dla(str(trt.__version__), builder, job.settings)
        made = create(builder, network)
        job.settings.apply(made, trt)
        if cache is not None:
            cache.attach(made)
        return made

    return config


def _shapes(profile: Profile) -> Any:
    from polygraphy.backend.trt import Profile as Shapes

    shapes = Shapes()
    for name, (low, best, high) in profile.items():
        shapes.add(name, low, best, high)
    return shapes


def check_names(model: OnnxModel, named: Mapping[str, Any], option: str) -> None:
    """Demand that an option about inputs and outputs names some.

    Raises:
        StepInputError: it names another tensor, which Polygraphy would only warn of.
    """
    known = [spec.name for spec in (*model.inputs, *model.outputs)]
    for name in named:
        if name not in known:
            raise StepInputError(
                f"`{option}` names `{name}`, which is no input or output of the model",
                hint="there are: " + ", ".join(known),
            )
