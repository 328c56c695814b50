"""Engine: what was built, ready to run, whatever runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

from trtbuild.core.errors import MissingDependency, MissingFile, UsageError
from trtbuild.core.regular_files import open_regular
from trtbuild.core.values import TensorSpec
from trtbuild.core.words import join_few
from trtbuild.model.providers import CPU, CUDA, make_cuda
from trtbuild.runtime.bundle import OpenBundle, is_bundle
from trtbuild.runtime.engine_use import EngineUse, Specialization
from trtbuild.runtime.runner import Arrays, Runner

if TYPE_CHECKING:
    from trtbuild.verbs.packaging.bundle_index import BundleEngine

__all__ = ["Engine"]

Device = Literal["auto", "cpu", "cuda"]
MODEL = ".onnx"
SHOWN = 8
COPIED = "onnxruntime"
"""The kind of target whose engine is a copy of the model."""


class Engine:
    """Runs an engine of TensorRT or TensorRT-RTX, an ONNX model, or what a bundle has for this GPU.

    Memory is allocated once, and given back when it is closed. It may be used from several threads:
    so many runs as it has `contexts` are under way at once, and others wait.
    """

    def __init__(  # noqa: PLR0913  # all that a user may say of it
        self,
        path: Path | str,
        *,
        device: Device = "auto",
        contexts: int = 1,
        threads: int = 0,
        plugins: Sequence[Path | str] = (),
        cache: Path | str | None = None,
        graphs: bool | None = None,
        specialize: Specialization | None = None,
    ) -> None:
        """Load what lies at a path.

        Of a bundle, `cache`, `graphs` and `specialize` are what its recipe says, unless given here.

        Args:
            path: an engine, an ONNX model, or a bundle (folder or .zip).
            device: `cpu` runs the model in ONNX Runtime; `cuda` demands a GPU; of a bundle, `auto`
                takes the engine for the GPU that is here, and the model where there is none.
            contexts: how many runs of an engine may be under way at once.
            threads: of ONNX Runtime on the CPU; 0 means all cores.
            plugins: libraries that an engine needs.
            cache: a file for what TensorRT-RTX compiles on this GPU; none by default.
            graphs: whether runs of shapes that come again are launched as CUDA graphs, as they are
                by default.
            specialize: when TensorRT-RTX compiles kernels for the shapes that come: `lazy`, beside
                the first runs, as by default; `eager`, before them; `none`.

        Raises:
            MissingFile: there is nothing at the path, or it may not be read.
            UsageError: it is neither of these, nothing of a bundle is for this device, or
                `device`, `contexts`, `threads` or `specialize` is no such thing.
            CorruptObject: a bundle is not whole, or not what was packed.
            MissingDependency: what runs it is not installed.
            StepInputError: it does not load.
        """
        self._bundle: OpenBundle | None = None
        if device not in get_args(Device):
            known = ", ".join(get_args(Device))
            raise UsageError(f"`device` is one of {known}, not {device!r}")
        if threads < 0:
            raise UsageError(f"`threads` is {threads}, and 0 means all cores")
        file, use = Path(path), EngineUse()
        said: dict[str, Any] = {
            "contexts": contexts,
            "plugins": tuple(map(Path, plugins)),
            "cache": Path(cache) if cache is not None else None,
            "graphs": graphs,
            "specialize": specialize,
        }
        said = {name: each for name, each in said.items() if each is not None}
        if not file.exists():
            raise MissingFile(
                f"{file}: there is no such file", hint="give an engine, an ONNX model or a bundle"
            )
        if not file.is_dir():
            open_regular(file).close()  # a pipe would be waited for
        try:
            if is_bundle(file):
                self._bundle = OpenBundle(file)
                chosen = None if device == "cpu" else self._bundle.find_engine(device == "cuda")
                self.why: tuple[str, ...] = self._bundle.why
                if chosen is not None:
                    use = EngineUse.from_options(chosen.runtime, file.absolute().parent)
                    self._runner = _load_engine(self._bundle, chosen, replace(use, **said))
                    return
                file = self._bundle.model
            self._runner = _load_file(file, device, threads, replace(use, **said))
        except BaseException:
            if self._bundle is not None:
                self._bundle.close()
            raise

    why: tuple[str, ...] = ()
    """Of a bundle or a recipe, what is against the engines that do not run here."""

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """What it takes: names, types, and shapes with names for what is open."""
        return self._runner.inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """What it gives."""
        return self._runner.outputs

    @property
    def described(self) -> str:
        """What runs, and where, in words."""
        told = self._runner.described
        return told if self._bundle is None else self._bundle.name_file(told)

    @property
    def platform(self) -> str:
        """`tensorrt_plan` or `onnxruntime_onnx`."""
        return self._runner.platform

    @property
    def on_gpu(self) -> bool:
        """Whether it takes arrays that lie on a GPU, and can leave its outputs there."""
        return self._runner.on_gpu

    def run(self, feed: Mapping[str, Any], *, keep_on_gpu: bool = False) -> Arrays:
        """Run it once; return arrays of one's own, by the outputs' names.

        Args:
            feed: an array for each input: NumPy's, or what has `__dlpack__`. What lies on the GPU
                that the engine runs on is taken as it lies there.
            keep_on_gpu: return outputs that lie there, too, with DLPack.

        Raises:
            UsageError: arrays do not fit what it takes; says which.
            StepInputError: it does not run on them; quotes what ran it.
        """
        return self._runner.run(feed, keep_on_gpu=keep_on_gpu)

    def close(self) -> None:
        """Give memory back, once what runs has ended.

        Raises:
            NotWritable: what was compiled for this GPU cannot be kept in `cache`.
        """
        try:
            self._runner.close()
        finally:
            if self._bundle is not None:
                self._bundle.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()


def _load_engine(bundle: OpenBundle, chosen: BundleEngine, use: EngineUse) -> Runner:
    from trtbuild.runtime.trt_runner import TrtRunner

    return TrtRunner(bundle.folder / chosen.file, chosen.backend, use)


def _load_file(file: Path, device: Device, threads: int, use: EngineUse) -> Runner:
    from trtbuild.verbs.inspect import find_engine_kind

    if file.is_dir():
        bundles = [str(each) for each in sorted(file.iterdir()) if is_bundle(each)]
        raise UsageError(
            f"{file}: is a folder, and no bundle",
            hint=f"bundles in it: {join_few(bundles, SHOWN) or 'none'}",
        )
    kind = "" if file.suffix == MODEL else find_engine_kind(file)
    if file.suffix == MODEL or kind == COPIED:
        return _load_model(file, device, threads)
    if device == "cpu":
        raise UsageError(
            f"{file}: is an engine, which no CPU runs", hint="give the ONNX model that it is of"
        )
    if not kind:
        raise UsageError(
            f"{file}: is neither an engine nor an ONNX model (`.onnx`) nor a bundle",
            hint="`trtbuild inspect` looks at engines",
        )
    from trtbuild.runtime.trt_runner import TrtRunner

    return TrtRunner(file, kind, use)


def _load_model(file: Path, device: Device, threads: int) -> Runner:
    from trtbuild.runtime.onnx_runner import OnnxGpuRunner, OnnxRunner

    if not _on_gpu(device):
        return OnnxRunner(file, CPU, threads=threads)
    try:
        return OnnxGpuRunner(file)
    except MissingDependency:  # without cuda-core, ONNX Runtime copies by itself
        return OnnxRunner(file, make_cuda(), threads=threads)


def _on_gpu(device: Device) -> bool:
    """Tell whether ONNX Runtime shall compute on the GPU: if asked to, or where it can."""
    if device != "auto":
        return device == "cuda"
    import onnxruntime as ort

    return CUDA in ort.get_available_providers()
