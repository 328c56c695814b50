"""Observer: the model, with the tensors that need a range exposed as outputs."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError
from trtbuild.model.cuda_work import CudaWork
from trtbuild.model.feeds import Feeder
from trtbuild.model.merging import find_open_axes
from trtbuild.model.plugins import cut_before_plugins
from trtbuild.model.providers import CPU, CUDA, Providers, list_names, make_cuda
from trtbuild.model.session import open_session

if TYPE_CHECKING:
    import numpy as np
    import onnx

    from trtbuild.core.values import TensorSpec

__all__ = ["Exposed", "Observer", "observing"]


@dataclass(frozen=True)
class Exposed:
    """A model whose observed tensors are outputs, in files that any process opens alike."""

    model: Path
    inputs: frozenset[str]
    tensors: tuple[str, ...]
    """Those to observe; some may be inputs."""
    folder: Path
    """Where its weights lie; all who open it map the same file."""
    split: bool
    """Whether they lay there before: a large model's, which nobody is to copy."""
    providers: Providers
    axes: Mapping[str, int]
    """The axis of each input that counts samples, where a run may take any number; else none."""
    batch: int
    """How many samples a run may take on a GPU; 0 for what its memory allows."""


class Observer:
    """Runs an exposed model in ONNX Runtime on one thread, so that no sum's order ever changes.

    ONNX Runtime neither fuses nor drops what is an output, so each observed tensor is what the
    model as written computes.
    """

    def __init__(self, exposed: Exposed) -> None:
        """Open a session.

        Raises:
            StepInputError: ONNX Runtime cannot load the model; quotes it.
        """
        self.exposed = exposed
        """What another process needs to observe the same."""
        self.tensors = exposed.tensors
        self.work: CudaWork | None = None
        """Where the model runs on a GPU, the stream that it runs in."""
        providers = exposed.providers
        if CUDA in list_names(providers):
            self.work = CudaWork()
            providers = make_cuda(stream=self.work.handle)
        self.session = open_session(
            exposed.model.read_bytes(),
            threads=1,
            folder=exposed.folder,
            mapped=exposed.split,
            providers=providers,
        )
        self.session.keep = self.work, self.session.keep  # it works in that stream to its end
        self.fed = [name for name in self.tensors if name in exposed.inputs]
        """Those of the tensors that are inputs."""
        self.made = [name for name in self.tensors if name not in exposed.inputs]
        """Those that the model computes."""

    def values(self, feed: Mapping[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
        """Run the model once and return each observed tensor, inputs first.

        Raises:
            StepInputError: ONNX Runtime failed; quotes it.
        """
        return self._named(feed, self.session.run(feed, self.made))

    def _named(
        self, feed: Mapping[str, np.ndarray], made: dict[str, np.ndarray]
    ) -> Iterator[tuple[str, np.ndarray]]:
        for name in self.fed:
            yield name, _as_float32(name, feed[name])
        for name in self.made:
            yield name, _as_float32(name, made.pop(name))  # nobody holds what was yielded


@contextlib.contextmanager
def observing(  # a model, what is observed of it, and how it is run
    model: onnx.ModelProto,
    tensors: Sequence[str],
    *,
    folder: Path,
    below: Path | None = None,
    feeder_for: Callable[[Sequence[TensorSpec]], Feeder] = Feeder,
    providers: Providers = CPU,
    batch: int = 0,
) -> Iterator[tuple[Observer, Feeder]]:
    """Open a model to observe its tensors, and yield what makes feeds for it as well.

    What stands behind a plugin is cut off: ONNX Runtime cannot run it.

    `folder` is where the model's external data lies. What observers open is written into a
    temporary folder, made in `below`, and is there as long as the context lasts; `feeder_for` knows
    the samples. Empties `model`, whose memory returns once nobody holds it.

    Raises:
        StepInputError: the model has no such tensor, it cannot be fed samples, it begins with a
            plugin, or ONNX Runtime cannot load it.
    """
    from trtbuild.model.signature import describe_tensor, list_inputs

    inputs = tuple(map(describe_tensor, list_inputs(model.graph)))
    feeder = feeder_for(inputs)
    front = cut_before_plugins(model)
    if front.plugins and not model.graph.node:
        raise StepInputError(
            f"nothing can be calibrated: all of the model stands {front.behind}, which ONNX "
            "Runtime cannot run",
            hint="leave `quantization` out of the recipe, or replace the plugin before the export",
        )
    _add_outputs(model, tensors)
    with tempfile.TemporaryDirectory(
        prefix="observed-", dir=below, ignore_cleanup_errors=True
    ) as scratch:
        path = Path(scratch, "model.onnx")
        split = _write(model, path)
        del model
        exposed = Exposed(
            model=path,
            inputs=frozenset(spec.name for spec in inputs),
            tensors=tuple(tensors),
            folder=folder if split else path.parent,
            split=split,
            providers=providers,
            axes=find_open_axes(feeder),
            batch=batch,
        )
        yield Observer(exposed), feeder


def _add_outputs(model: onnx.ModelProto, tensors: Sequence[str]) -> None:
    import onnx

    graph = model.graph
    known = {value.name for value in (*graph.input, *graph.output)}
    made = {name for node in graph.node for name in node.output}
    for name in tensors:
        if name not in known:
            if name not in made:
                raise StepInputError(f"the model has no tensor `{name}`")
            graph.output.append(onnx.ValueInfoProto(name=name))


def _write(model: onnx.ModelProto, path: Path) -> bool:
    """Write a model whose weights lie in a file of their own; tell whether they did so before.

    ONNX Runtime maps that file; of a model in one file it would keep two copies more.
    """
    import onnx

    if any(tensor.external_data for tensor in model.graph.initializer):
        path.write_bytes(model.SerializeToString())
        return True
    onnx.save(model, path, save_as_external_data=True)
    return False


def _as_float32(name: str, values: np.ndarray) -> np.ndarray:
    import numpy as np

    if values.dtype == np.float32:
        return values
    if values.dtype == np.float16:
        return values.astype(np.float32)  # exact
    raise StepInputError(
        f"`{name}` is {values.dtype.name}; only floating-point tensors have ranges"
    )
