"""What an apply has left of a recipe: read again, and held to what is said of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from trtbuild.backends.tensorrt.flavour import FLAVOURS
from trtbuild.backends.tensorrt.options import ANY_GPU, TrtOptions
from trtbuild.backends.tensorrt.runtime_options import RuntimeOptions
from trtbuild.core.comparison import Comparison
from trtbuild.core.digest import digest_of_file
from trtbuild.core.errors import CorruptObject, MissingFile, UsageError
from trtbuild.core.needs import GPU, read_capability
from trtbuild.core.placed import COMPARISON, ENGINE, ENGINE_RESULT, MODELS, REFIT, WAIVED
from trtbuild.core.quantized_types import FP8, INT8
from trtbuild.core.records import TargetResult
from trtbuild.core.refit_account import RefitAccount
from trtbuild.core.regular_files import read_regular
from trtbuild.recipe.load import LoadedRecipe

__all__ = ["PlacedBuild", "PlacedEngine", "demand_distinct", "read_build"]

FROM_AMPERE = ("8.0", "8.6", "8.7", "8.9", "9.0", "10.0", "10.3", "11.0", "12.0", "12.1")
"""The compute capabilities from Ampere on, as far as they are known."""
AFTER_REFIT = "name the folder that `trtbuild refit` has written: build/<recipe name>-refit"
Doubt = Callable[[LoadedRecipe, str, str], str]
"""Why it is not known that a file, by its name and digest, is of a recipe as it stands; an error
where it is not."""


@dataclass(frozen=True)
class PlacedEngine:
    """An engine, and the engine.json that is about it."""

    path: Path
    result: TargetResult
    runtime: RuntimeOptions
    """How the recipe wants it run."""

    @property
    def version(self) -> str:
        """The version of the TensorRT that built it, as far as engine.json tells: `10.16.1.11`."""
        names = [name for name in self.result.versions if name.startswith("tensorrt")]
        return self.result.versions[names[0]] if names else ""

    @property
    def capabilities(self) -> tuple[str, ...]:
        """The compute capabilities of the GPUs that it is for: of the one that built it, say."""
        if self.result.options.get("hardware_compatibility_level") == "AMPERE_PLUS":
            return FROM_AMPERE
        if self.result.built_for == (ANY_GPU,):
            return (read_capability(self.result.versions.get(GPU, "")),)
        return self.result.built_for

    @property
    def version_compatible(self) -> bool:
        """Whether later versions of the same major number run it too, by a lean runtime in it."""
        return self.result.options.get("version_compatible") == "on"


@dataclass(frozen=True)
class PlacedBuild:
    """What lies in the build directory of a recipe."""

    loaded: LoadedRecipe
    directory: Path
    engines: tuple[PlacedEngine, ...]
    """In the order of the recipe's targets."""
    models: dict[str, Path]
    """By what `core.placed.MODELS` calls them: `int8`, `half`, `fp32`."""
    comparison: Comparison | None
    doubts: tuple[str, ...]
    """Why it is not known that this is what the recipe makes as it stands."""
    refit: RefitAccount | None = None
    """Where its engine comes from, if that was refitted."""

    @property
    def name(self) -> str:
        """The recipe's name."""
        return self.loaded.recipe.name

    def list_caveats(self) -> list[str]:
        """Say what whoever runs it is to know before relying on it: a gate that it did not pass."""
        told = [caveat for each in self.engines for caveat in each.result.caveats]
        verdicts = () if self.comparison is None else self.comparison.verdicts
        failed = dict.fromkeys(each.gate for each in verdicts if not each.passed)
        if failed and not any(each.startswith(WAIVED) for each in told):
            told.append(f"{WAIVED}{'; '.join(failed)}")
        told += () if self.comparison is None else self.comparison.caveats
        return list(dict.fromkeys(told))

    def list_remarks(self) -> list[str]:
        """Say what whoever packs it is to know of where it comes from."""
        refitted = [self.refit.describe()] if self.refit is not None else []
        return [*self.list_caveats(), *self.doubts, *refitted, *self._list_plugins()]

    def _list_plugins(self) -> Iterator[str]:
        for each in self.engines:
            target = self.loaded.target(each.result.target)
            if isinstance(target, TrtOptions) and target.plugins:
                names = ", ".join(PurePath(path).name for path in target.plugins)
                told = f"the engine of `{each.result.target}` needs {names}"
                yield f"{told}, which is not packed: whoever runs it has to load that"

    def list_doubtful_answers(self) -> list[str]:
        """Say where an ONNX Runtime that others set up computes something else than compared."""
        instead = "hold that model's answers against `trtbuild run`, or serve engines"
        if self.loaded.recipe.quantized == FP8.name:
            told = "ONNX Runtime 1.32 by itself drops a Relu in front of FP8, and Triton lets it"
            return [f"{told}: {instead}"]
        if self.loaded.recipe.quantized == INT8.name:
            told = "in Triton, ONNX Runtime multiplies integers where it can, which saturate on "
            told += f"processors without VNNI: there, {instead}; or let `config.pbtxt` end in "
            return [told + "`optimization { graph { level: -1 } }`, which is slower, and does not"]
        return []

    def leave_engines(self) -> PlacedBuild:
        """Return the same without engines."""
        return replace(self, engines=())

    def leave_copies(self) -> PlacedBuild:
        """Return the same with what a GPU runs: an engine for ONNX Runtime is a copy of a model."""
        return replace(self, engines=tuple(e for e in self.engines if e.result.backend in FLAVOURS))

    @property
    def best_model(self) -> Path:
        """The model that the engines are built from."""
        return next(iter(self.models.values()))


def read_build(
    loaded: LoadedRecipe,
    build_dir: Path,
    *,
    targets: Sequence[str],
    doubt: Doubt,
    refitted: Path | None = None,
) -> PlacedBuild:
    """Read what was built of a recipe, or only some targets of it.

    In the place of the build it may be what `trtbuild refit` has left, in a folder of its own: of
    its engine the one before it is held to the recipe.

    Raises:
        MissingFile: it is not built there, or one of the `targets` is not.
        UsageError: the recipe has no such target; what lies there is of another recipe.
        CorruptObject: an engine is not the one that engine.json is about.
    """
    directory = refitted or build_dir / loaded.recipe.name
    refit = _read_refit(directory, loaded, demanded=refitted is not None)
    again = f"trtbuild apply {loaded.file} --build-dir {build_dir}"
    models = {
        name: directory / each.file
        for name, each in MODELS.items()
        if (directory / each.file).is_file()
    }
    if not models:
        raise MissingFile(f"{directory}: holds no model; the recipe is not built there", hint=again)
    for target in targets:
        loaded.target(target)
        if not (directory / target / ENGINE).is_file():
            raise MissingFile(f"{directory / target / ENGINE}: there is no such engine", hint=again)
    names = [name for name in loaded.recipe.targets if not targets or name in targets]
    engines = tuple(_read_engines(loaded, directory, names, again))
    files = {
        str(each): digest_of_file(each)
        for each in (next(iter(models.values())), *(each.path for each in engines))
    }
    if refit is not None:
        _demand_refitted(engines, refit, directory)
        files = {f"{engines[0].path}, before it was refitted": refit.refitted_from}
    doubts = dict.fromkeys(told for each in files.items() if (told := doubt(loaded, *each)))
    compared = _read_comparison(directory)
    return PlacedBuild(loaded, directory, engines, models, compared, (*doubts,), refit)


def _read_refit(directory: Path, loaded: LoadedRecipe, *, demanded: bool) -> RefitAccount | None:
    """Return where a refitted engine comes from; None where there was no refit."""
    path = directory / REFIT
    if not path.is_file():
        if demanded:
            told = "is not what a refit has left"
            raise MissingFile(
                f"{path}: there is no such file; {directory} {told}", hint=AFTER_REFIT
            )
        return None
    refit = RefitAccount.read_json(read_regular(path), what=str(path))
    if refit.recipe != loaded.recipe.name:
        told = f"{directory}: is a refit of `{refit.recipe}`, and not of {loaded.file}"
        raise UsageError(told, hint="name the recipe that its engine was built by")
    return refit


def _demand_refitted(engines: Sequence[PlacedEngine], refit: RefitAccount, directory: Path) -> None:
    """Demand that the engine that took the weights is there, and no other."""
    found = [(each.result.target, each.result.refitted_from) for each in engines]
    if not found:
        told = f"{directory}: holds no engine; the weights were not put into one here"
        raise MissingFile(told, hint="run `trtbuild refit` on the engine's GPU")
    if found != [(refit.target, refit.refitted_from)]:
        told = f"{directory}: its engine is not the one that {REFIT} is about"
        raise CorruptObject(told, hint="run `trtbuild refit` again")


def _read_engines(
    loaded: LoadedRecipe, directory: Path, names: Sequence[str], again: str
) -> Iterator[PlacedEngine]:
    for name in names:
        path = directory / name / ENGINE
        if not path.is_file():
            continue
        told = TargetResult.read_json(
            read_regular(directory / name / ENGINE_RESULT), what=str(path)
        )
        if told.engine_digest != digest_of_file(path):
            raise CorruptObject(
                f"{path}: is not the engine that {ENGINE_RESULT} is about", hint=again
            )
        target = loaded.target(name)
        how = target.runtime if isinstance(target, TrtOptions) else RuntimeOptions()
        yield PlacedEngine(path, told, how)


def _read_comparison(directory: Path) -> Comparison | None:
    path = directory / COMPARISON
    if not path.is_file():
        return None
    return Comparison.read_json(read_regular(path), what=str(path))


def demand_distinct(builds: Sequence[PlacedBuild]) -> None:
    """Demand that no two recipes have one name: they would be packed into one folder.

    Raises:
        UsageError: two have.
    """
    seen: dict[str, Path] = {}
    for each in builds:
        if each.name in seen:
            raise UsageError(
                f"{each.loaded.file}: is called `{each.name}`, as {seen[each.name]} is",
                hint="pack them into two folders",
            )
        seen[each.name] = each.loaded.file
