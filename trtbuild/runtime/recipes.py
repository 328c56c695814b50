"""What is built of a recipe, opened: the engine that runs here, or else its model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.backends.tensorrt.options import TrtOptions
from trtbuild.core.errors import MissingFile, TrtbuildError
from trtbuild.core.placed import ENGINE, MODELS
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.runtime.engine import Engine
from trtbuild.runtime.engine_use import EngineUse

if TYPE_CHECKING:
    from trtbuild.core.records import TargetResult
    from trtbuild.runtime.engine import Device

__all__ = ["Doubt", "find_engine", "open_built"]

Doubt = Callable[[LoadedRecipe, Path], str]
"""Why it is not known that a file is of a recipe as it stands; an error where it is not."""


def open_built(
    loaded: LoadedRecipe,
    build_dir: Path,
    *,
    device: Device = "auto",
    contexts: int = 1,
    threads: int = 0,
    doubt: Doubt = lambda *_: "",
) -> Engine:
    """Open the first of a recipe's engines that this machine runs, or else its model.

    An engine is run as `runtime` of its target says, with the target's plugins. The `why` of what
    is returned says why the engines before it do not run, and what `doubt` says.

    Raises:
        MissingFile: it is not built there.
        UsageError: it is not of the recipe as it stands.
        StepInputError, MissingDependency: its model does not load.
    """
    why: list[str] = []
    file, engine = _open(
        loaded, build_dir, device=device, contexts=contexts, threads=threads, why=why
    )
    try:
        told = doubt(loaded, file)
    except BaseException:
        engine.close()
        raise
    engine.why = (*engine.why, *why, *([told] if told else []))
    return engine


def _open(
    loaded: LoadedRecipe,
    build_dir: Path,
    *,
    device: Device,
    contexts: int,
    threads: int,
    why: list[str],
) -> tuple[Path, Engine]:
    """Open what is built, and tell which file that is; note `why` engines do not run."""
    folder, base = build_dir / loaded.recipe.name, loaded.file.absolute().parent
    for each, backend in _list_engines(loaded, folder) if device != "cpu" else ():
        use = EngineUse.from_options(backend.runtime, base)
        try:
            return each, Engine(
                each,
                device=device,
                contexts=contexts,
                plugins=[base / plugin for plugin in backend.plugins],
                cache=use.cache,
                graphs=use.graphs,
                specialize=use.specialize,
            )
        except TrtbuildError as error:
            # It may be of another GPU or TensorRT: the model that it is of runs anywhere.
            why.append(" ".join(error.message.split()))
    for model in MODELS.values():
        if (file := folder / model.file).is_file():
            return file, Engine(file, device=device, contexts=contexts, threads=threads)
    raise MissingFile(
        f"{folder}: holds no model; the recipe is not built there",
        hint=f"trtbuild apply {loaded.file} --build-dir {build_dir}",
    )


def find_engine(
    loaded: LoadedRecipe, build_dir: Path, facts: Mapping[str, str]
) -> tuple[Path | None, TargetResult | None]:
    """Return the engine that `open_built` tries first where these facts hold, and its engine.json.

    Nothing is loaded. Neither is returned where none is for this machine.
    """
    from trtbuild.verbs.inspect import explain_misfit, read_result_beside

    for engine, _ in _list_engines(loaded, build_dir / loaded.recipe.name):
        if not explain_misfit(engine, facts):
            return engine, read_result_beside(engine)[0]
    return None, None


def _list_engines(loaded: LoadedRecipe, folder: Path) -> Iterator[tuple[Path, TrtOptions]]:
    """Yield what TensorRT runs; a target of ONNX Runtime's is a copy of the model."""
    for name, backend in loaded.recipe.targets.items():
        engine = folder / name / ENGINE
        if isinstance(backend, TrtOptions) and engine.is_file():
            yield engine, backend
