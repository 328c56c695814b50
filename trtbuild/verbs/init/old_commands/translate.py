"""Translation: what an old command line asks for, and what a recipe says in its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from trtbuild.core.errors import MissingFile, UsageError
from trtbuild.core.values import TensorSpec
from trtbuild.plan.nearest import suggest_nearest
from trtbuild.verbs.init.checkpoint_look import look_at_export
from trtbuild.verbs.init.draft import Draft
from trtbuild.verbs.init.entries import Entries, Entry
from trtbuild.verbs.init.feeding import FedInput
from trtbuild.verbs.init.model_look import ModelLook
from trtbuild.verbs.init.models import ModelRequest, look_at_model, place_beside
from trtbuild.verbs.init.old_commands.command_line import Reading, split_command
from trtbuild.verbs.init.old_commands.polygraphy import read_polygraphy
from trtbuild.verbs.init.old_commands.precision import change_precision
from trtbuild.verbs.init.old_commands.target_options import choose_old_targets
from trtbuild.verbs.init.old_commands.trtexec import read_trtexec
from trtbuild.verbs.init.old_commands.ultralytics import read_ultralytics
from trtbuild.verbs.init.sizes import SizePlan

__all__ = ["Translation", "apply_translation"]

READERS: Mapping[str, Callable[[list[str], Reading], None]] = {
    "trtexec": read_trtexec,
    "polygraphy": read_polygraphy,
    "ultralytics": read_ultralytics,
}
"""A row for each tool whose commands are understood."""
Ends = tuple[tuple[int, ...], ...]
"""min, opt and max of an input."""
_INTEGERS = ("ids", "mask", "token_type", "position", "tokens")


@dataclass(frozen=True)
class Translation:
    """What an old command line asks for."""

    tool: str
    reading: Reading

    @classmethod
    def read(cls, tool: str, command: str) -> Translation:
        """Read a command line of a tool.

        Raises:
            UsageError: the tool is not known, or the command cannot be read.
        """
        known = {"yolo": "ultralytics"}.get(tool, tool)
        if known not in READERS:
            raise UsageError(
                f"--from {tool}: its commands are not understood",
                hint=f"tools: {', '.join(READERS)}",
            )
        words, variables = split_command(command, known)
        reading = Reading({}, [])
        for variable in variables:
            reading.note(variable, "set it for `trtbuild apply` as well, if it is still needed")
        READERS[known](words, reading)
        made = cls(known, reading)
        if not made.exports:
            for value, written, why in reading.told.pop("export", {}).values():
                if value not in (None, False):
                    reading.note(written, why)
        return made

    @property
    def exports(self) -> bool:
        """Tell whether the model is a checkpoint of Ultralytics, which is exported anew."""
        return self.tool == "ultralytics" and Path(self.model).suffix == ".pt"

    @property
    def told(self) -> dict[str, Any]:
        """What it asks for, in words of our own."""
        return self.reading.told

    @property
    def model(self) -> str:
        """The model that it names; the ONNX file beside a checkpoint of Ultralytics, if any."""
        named = Path(self.told["model"])
        exported = named.with_suffix(".onnx")
        able = named.is_file() and find_spec("ultralytics") is not None
        if self.tool == "ultralytics" and exported.is_file() and not able:
            return str(exported)
        return str(named)

    @property
    def data(self) -> Path | None:
        """The data that it names, where that is here."""
        named = self.told.get("data")
        return Path(named) if isinstance(named, str) and Path(named).exists() else None

    def look(self, request: ModelRequest) -> ModelLook:
        """Look at the model; where its file is not here, what the command says of its inputs.

        Raises:
            MissingFile: neither tells enough.
        """
        if self.exports:
            names = ("side", "batch", "dynamic")
            options = {name: self.told[name] for name in names if name in self.told}
            kept = self.told.get("export", {}).items()
            options |= {name: told[0] for name, told in kept if told[0] is not None}
            return look_at_export(request, {"dynamic": False, **options})
        try:
            return look_at_model(request)
        except MissingFile:
            named = Path(request.model)
            shapes = _settle_profiles(self.told)
            if named.suffix.lower() != ".onnx" or (self.told.get("int8") and not shapes):
                raise
            return _look_without_file(named, request.base, shapes[0] if shapes else {})

    def settle(self, plan: SizePlan, fed: Sequence[FedInput]) -> SizePlan:
        """Return sizes as the command has them, in the place of guesses.

        Raises:
            UsageError: it gives sizes for inputs that the model has not, or of another rank.
        """
        spans = dict(plan.spans)
        for profile in _settle_profiles(self.told)[:1]:
            for name, ends in profile.items():
                for axis, span in enumerate(zip(*ends, strict=True)):
                    size = _find(name, fed).spec.shape[axis]
                    if isinstance(size, str):
                        spans[size] = span
        batch, dynamic = self.told.get("batch"), self.told.get("dynamic", False)
        side = self.told.get("side") or ((640, 640) if self.tool == "ultralytics" else None)
        for name, kind in plan.kinds.items():
            if kind == "batch" and (batch or self.tool == "ultralytics"):
                most = batch or 1
                spans[name] = (1, most, most) if dynamic else (most, most, most)
            elif kind in ("height", "width") and side:
                own = side[0] if kind == "height" else side[1]
                spans[name] = (32, own, 2 * own) if dynamic else (own, own, own)
        if "dla_core" in self.told:
            spans = {name: (best, best, best) for name, (_, best, _) in spans.items()}
        return replace(plan, spans=spans)

    def check_names(self, fed: Sequence[FedInput]) -> None:
        """Demand that the command speaks of this model's inputs.

        Raises:
            UsageError: it gives sizes for others, or of another rank.
        """
        for profile in _settle_profiles(self.told):
            for name, ends in profile.items():
                shape = _find(name, fed).spec.shape
                ranks = {len(end) for end in ends}
                if ranks != {len(shape)} and not _is_list_of_values(_find(name, fed)):
                    raise UsageError(
                        f"--from {self.tool}: shapes of `{name}` have {ranks.pop()} axes; the "
                        f"model's is {list(shape)}",
                        hint="is it another model?",
                    )

    def tell(self) -> list[str]:
        """Return a line for each flag that has no counterpart."""
        return [f"{flag}: {why}" for flag, why in self.reading.notes]


def apply_translation(
    draft: Draft, translation: Translation, fed: Sequence[FedInput], base: Path
) -> Draft:
    """Return a draft that says what the command says; what that leaves open stays a guess."""
    told, reading = translation.told, translation.reading
    changed = change_precision(draft, reading, base, translation.tool)
    changed = replace(changed, targets=choose_old_targets(reading, changed, fed, base))
    further = [
        tuple(Entry(name, _write(ends, _find(name, fed))) for name, ends in profile.items())
        for profile in _settle_profiles(told)[1:]
    ]
    values = _write_values(changed.profiles, told, fed)
    sizes = "profiles" in told or "side" in told or "batch" in told
    heading = [f"Translated from a command of {translation.tool}.", changed.heading]
    if lines := translation.tell():
        heading += ["What has no counterpart:", *(f"  {line}" for line in lines)]
    return replace(
        changed,
        heading="\n".join(heading),
        profiles=[*values, *further],
        profiles_remark="sizes as the command has them" if sizes else changed.profiles_remark,
    )


def _write(ends: Ends, fed: FedInput) -> dict[str, Any]:
    shapes = dict(zip(("min", "opt", "max"), map(list, ends), strict=True))
    return {"values": True, **shapes} if _is_list_of_values(fed) else shapes


def _write_values(
    profiles: Sequence[Entries], told: Mapping[str, Any], fed: Sequence[FedInput]
) -> list[Entries]:
    """Give inputs whose values decide sizes the values of the command."""
    asked = _settle_profiles(told)[:1]
    return [
        tuple(
            replace(entry, value=_write(each[entry.key], _find(entry.key, fed)), remark="")
            if (each := asked[0] if asked else {}) and entry.key in each
            else entry
            for entry in profile
        )
        for profile in profiles
    ]


def _is_list_of_values(fed: FedInput) -> bool:
    return fed.role == "sizes"


def _find(name: str, fed: Sequence[FedInput]) -> FedInput:
    found = next((each for each in fed if each.spec.name == name), None)
    if found is None:
        names = [each.spec.name for each in fed]
        raise UsageError(
            f"--from: the command gives shapes for `{name}`; the model has no such input",
            hint=suggest_nearest(name, names),
        )
    return found


def _settle_profiles(told: Mapping[str, Any]) -> list[dict[str, Ends]]:
    """Return min, opt and max of each input and profile: what is left out follows from the rest.

    A DLA is built for one size: that which the engine is to be fastest at.
    """
    settled = []
    for profile in told.get("profiles", ()):
        found: dict[str, Ends] = {}
        for name, ends in profile.items():
            run = ends.get("run")
            opt = ends.get("opt", run or ends.get("max", ends.get("min")))
            found[name] = (ends.get("min", opt), opt, ends.get("max", opt))
            if "dla_core" in told:
                found[name] = (opt, opt, opt)
        if found:
            settled.append(found)
    return settled[:1] if "dla_core" in told else settled


def _look_without_file(path: Path, base: Path, shapes: Mapping[str, Ends]) -> ModelLook:
    """Say of a model what a command's shapes say: a size that moves is open."""
    inputs = []
    for name, ends in shapes.items():
        columns = list(zip(*ends, strict=True))
        sizes = tuple(
            column[0] if len(set(column)) == 1 and axis else f"{name}_dim_{axis}"
            for axis, column in enumerate(columns)
        )
        whole = any(word in name.lower() for word in _INTEGERS)
        inputs.append(TensorSpec(name=name, dtype="int64" if whole else "float32", shape=sizes))
    note = f"{path} is not here: its inputs are taken from the command, their types are a guess"
    return ModelLook(
        name=path.stem,
        section=(Entry("kind", "onnx"), Entry("path", place_beside(path, base))),
        inputs=tuple(inputs),
        notes=(note,),
    )
