"""Step, Ref, Pinned, Context: a step is JSON in, files out."""

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Protocol, TypeVar

from pydantic import BeforeValidator, SerializeAsAny

from trtbuild.core.frozen import frozen
from trtbuild.core.log_levels import USUAL, LogLevel
from trtbuild.core.needs import INFERENCE_BATCH, INFERENCE_DEVICE, Needs
from trtbuild.core.options import Location, Options
from trtbuild.core.user_code import UserCode
from trtbuild.model.providers import Providers, choose_providers

__all__ = [
    "MODEL",
    "WEIGHTS",
    "Context",
    "Events",
    "HeldElsewhere",
    "Pinned",
    "QuietEvents",
    "Ref",
    "Step",
    "StepValue",
]

Value = TypeVar("Value", bound=Options)

MODEL, WEIGHTS = "model", "weights"
"""An output that is a model; one that is the file of its large weights."""


class Ref(Options):
    """An input that another step makes."""

    step: str
    output: str


class Pinned(Options):
    """An input that lies on disk; the path says how to reach the bytes, only the digest counts."""

    path: Location
    digest: str


class HeldElsewhere(Options):
    """Inputs that are not held to the digests of files: their reader holds them to something else.

    All other files that a step names are held by `steps.held_files`, whoever opens them.
    """


class Events(Protocol):
    """Where a running step tells how far it is and what its reader must know."""

    def progress(self, done: int, total: int, unit: str) -> None:
        """Say how far the step is: `done` of `total` (0 where it is not known) `unit`s."""

    def note(self, text: str) -> None:
        """Add a remark to the outcome: what was done otherwise, or left. Shown again on reuse."""

    def warn(self, text: str) -> None:
        """Add a warning to the outcome, which every reader sees: what to look at, and what to do.

        Shown again on reuse.
        """

    def caveat(self, text: str) -> None:
        """Add words that must stand beside every number made from this step's outputs."""


class QuietEvents:
    """Events that remember notes and caveats, and show nothing."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.warnings: list[str] = []
        self.caveats: list[str] = []

    def progress(self, done: int, total: int, unit: str) -> None:
        """Show nothing."""

    def note(self, text: str) -> None:
        """Remember it once."""
        if text not in self.notes:
            self.notes.append(text)

    def warn(self, text: str) -> None:
        """Remember it once."""
        if text not in self.warnings:
            self.warnings.append(text)

    def caveat(self, text: str) -> None:
        """Remember it once."""
        if text not in self.caveats:
            self.caveats.append(text)


@frozen
class Context:
    """What a step is given when it runs."""

    inputs: Mapping[str, Path]
    """`step/output` → the file."""
    out: Path
    """An empty directory; what the step declares as outputs must lie there when it is done."""
    facts: Mapping[str, str] = field(default_factory=dict)
    caveats: tuple[str, ...] = ()
    """Inherited from the steps before."""
    threads: int = 0
    """How many threads libraries may use; 0 means all. Never changes a result."""
    log_level: LogLevel = USUAL
    """How much of what a builder says goes into the log. Never changes a result."""
    events: Events = field(default_factory=QuietEvents)

    @property
    def inference_device(self) -> str:
        """What ONNX Runtime computes on, in the words of the fact; empty for the CPU.

        Only a step that names that fact has it, and is to use it.
        """
        return self.facts.get(INFERENCE_DEVICE, "")

    @property
    def providers(self) -> Providers:
        """The execution providers that its sessions are opened with."""
        return choose_providers(self.inference_device)

    @property
    def inference_batch(self) -> int:
        """How many samples a run may take on a GPU; 0 for what its memory allows."""
        return int(self.facts.get(INFERENCE_BATCH, 0))

    @property
    def runner(self) -> str:
        """What runs models, in words."""
        return f"ONNX Runtime on {self.inference_device or 'the CPU'}"

    def path(self, source: Ref | Pinned) -> Path:
        """Return the file that an input names; a model's weights lie beside it."""
        if isinstance(source, Pinned):
            return Path(source.path)
        path = self.inputs[f"{source.step}/{source.output}"]
        weights = self.inputs.get(f"{source.step}/{WEIGHTS}") if source.output == MODEL else None
        if weights is None:
            return path
        from trtbuild.model.onnx_file import link_together

        return link_together(path, weights, self.out.parent / "in" / source.step)

    def read(self, source: Ref | Pinned, kind: type[Value]) -> Value:
        """Return what an input of JSON says, as a value."""
        return kind.read_json(
            self.path(source).read_bytes(), what=f"what it reads in the store ({kind.__name__})"
        )


class Step(Options):
    """A unit of work, a pure value: its `Ref` and `Pinned` fields are inputs, the rest params.

    A subclass is a kind: it adds `kind: Literal[...]`, its fields and `run`, and goes into the
    union in `steps/__init__.py`. Its `version` moves when its output may differ for equal
    ingredients.
    """

    version: ClassVar[int] = 1
    outputs: ClassVar[Mapping[str, str]]
    """Output name → file name below `Context.out`."""
    beside: ClassVar[Mapping[str, str]] = {}
    """Outputs that may be left out, written alike. Of `weights`, whoever reads `model` is given
    the file beside it, under this name."""

    keeps_log: ClassVar[bool] = False
    """Its log is kept, too, where it ended well: what a builder says is worth reading."""

    kind: str

    def fact_names(self) -> tuple[str, ...]:
        """Name the facts (installed versions) that may change what this step makes."""
        return ()

    def user_code(self) -> UserCode | None:
        """Say what of the user's code it runs: that is watched, and all it rests on counts."""
        return None

    def needs(self) -> Needs:
        """Say what the step takes up where it runs."""
        return Needs()

    def run(self, context: Context) -> None:
        """Write every declared output below `context.out`.

        Raises:
            TrtbuildError: what it was given cannot be used; anything else is a bug.
        """
        raise NotImplementedError

    def out(self, context: Context, output: str) -> Path:
        """Return where a declared output is to be written."""
        return context.out / {**self.outputs, **self.files_beside()}[output]

    def files_beside(self) -> Mapping[str, str]:
        """Return `beside`, as it is for this very step."""
        return self.beside

    def write(
        self,
        context: Context,
        output: str,
        value: Options,
        *,
        indent: int = 2,
        exclude_defaults: bool = False,
    ) -> None:
        """Write a value as a declared output: JSON in UTF-8, whatever the encoding around it."""
        text = value.model_dump_json(indent=indent, exclude_defaults=exclude_defaults)
        self.out(context, output).write_text(text + "\n", encoding="utf-8")


def _read_step(value: Any) -> Any:
    if isinstance(value, Step):
        return value
    # Whoever reads steps runs them; whoever plans makes those that a recipe needs.
    from trtbuild.steps.any_step import read_step

    return read_step(value)


StepValue = Annotated[SerializeAsAny[Step], BeforeValidator(_read_step)]
"""A step of any kind, as a field: the kinds are loaded where one is read from JSON."""
