"""The models that are served: each by its name, loaded once."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from trtbuild.core.errors import TrtbuildError, UsageError
from trtbuild.runtime import Engine
from trtbuild.runtime.recipes import Doubt, open_built
from trtbuild.serve.problem import HttpProblem
from trtbuild.serve.tensors import is_served, name_type

if TYPE_CHECKING:
    import numpy as np

    from trtbuild.core.values import TensorSpec
    from trtbuild.runtime.engine import Device

__all__ = ["VERSION", "ServedModels", "open_models"]

RECIPES = (".yaml", ".yml")
VERSION = "1"


class _How(TypedDict):
    """How a model is opened."""

    device: Device
    contexts: int
    threads: int


@dataclass(frozen=True)
class ServedModels:
    """Engines by the names that they are served under."""

    engines: dict[str, Engine]

    def find(self, name: str, version: str = "") -> Engine:
        """Return a model.

        Raises:
            HttpProblem: there is none, or not of that version.
        """
        if name not in self.engines:
            raise HttpProblem(
                404, f"there is no model of that name; there are {', '.join(self.engines)}"
            )
        if version not in ("", VERSION):
            raise HttpProblem(404, f"there is no such version; there is {VERSION}")
        return self.engines[name]

    def describe(self, name: str, version: str = "") -> dict[str, Any]:
        """Return what the protocol calls a model's metadata."""
        engine = self.find(name, version)
        return {
            "name": name,
            "versions": [VERSION],
            "platform": engine.platform,
            "inputs": [_describe(each) for each in engine.inputs],
            "outputs": [_describe(each) for each in engine.outputs],
        }

    def run(self, engine: Engine, feed: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run a model.

        Raises:
            HttpProblem: the arrays do not fit, or it does not run on them.
        """
        try:
            return engine.run(feed)
        except TrtbuildError as error:
            raise HttpProblem(400, " ".join(error.message.split())) from None

    def close(self) -> None:
        """Give all memory back, of each though another one fails to.

        Raises:
            NotWritable: what an engine has compiled cannot be kept.
        """
        with contextlib.ExitStack() as closing:
            for each in self.engines.values():
                closing.callback(each.close)


def _describe(spec: TensorSpec) -> dict[str, Any]:
    shape = [size if isinstance(size, int) else -1 for size in spec.shape]
    return {"name": spec.name, "datatype": name_type(spec.dtype), "shape": shape}


def open_models(
    paths: Sequence[Path],
    *,
    build_dir: Path,
    device: Device,
    contexts: int,
    threads: int,
    doubt: Doubt = lambda *_: "",
) -> ServedModels:
    """Load what is to be served: recipes that are built, bundles, engines and ONNX models.

    A recipe is served by its name: the first of its engines that this machine runs, or else its
    model. All others are served by the names of their files or folders.

    Raises:
        MissingFile: one is not there, or not built.
        UsageError: two have one name, one is nothing that can be served, or of types that are not,
            or what is built is not of a recipe as it stands.
        StepInputError, MissingDependency: one does not load.
    """
    models = ServedModels({})
    try:
        for path in paths:
            how: _How = {"device": device, "contexts": contexts, "threads": threads}
            name, engine = _open(path, build_dir, doubt, how)
            try:
                _demand_free(name, path, models)
                _demand_types(path, engine)
            except BaseException:
                engine.close()
                raise
            models.engines[name] = engine
    except BaseException:
        models.close()
        raise
    return models


def _demand_free(name: str, path: Path, models: ServedModels) -> None:
    if name in models.engines:
        raise UsageError(f"{path}: is called `{name}`, as another is", hint="serve one of the two")


def _demand_types(path: Path, engine: Engine) -> None:
    """Demand that requests and answers have words for all that goes in and comes out."""
    for each in (*engine.inputs, *engine.outputs):
        if not is_served(each.dtype):
            told = f"{path}: `{each.name}` is {each.dtype}, which is not served"
            raise UsageError(told, hint="give it another type in the model: the fix `cast_io`")


def _open(path: Path, build_dir: Path, doubt: Doubt, how: _How) -> tuple[str, Engine]:
    """Return the name of what lies at a path, and it, opened."""
    if path.suffix not in RECIPES:
        name = path.name if path.is_dir() else path.stem  # of a folder, a dot is no ending
        return name, Engine(path, **how)
    from trtbuild.recipe.load import load_recipe

    loaded = load_recipe(path)
    return loaded.recipe.name, open_built(loaded, build_dir, doubt=doubt, **how)
