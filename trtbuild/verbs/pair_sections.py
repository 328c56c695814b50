"""What two models are compared on and by, as typed: the sections of a recipe, by the same rules."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trtbuild.core.errors import MissingFile, RecipeError, UsageError
from trtbuild.measure.kinds import AnyMetric
from trtbuild.plan.feeding_fit import NAMING
from trtbuild.recipe.load import LoadedRecipe, check_source, load_recipe
from trtbuild.recipe.problems import Problem
from trtbuild.recipe.schema import NAME_PATTERN
from trtbuild.recipe.schema_places import list_kinds
from trtbuild.recipe.source import parse_recipe_text

__all__ = ["RECIPES", "PairRequest", "blame_options", "read_sections"]

RECIPES = (".yaml", ".yml")
ARRAYS = (".npz", ".npy")
TYPED = "the command line"
_RULE = re.compile(r"([A-Za-z_][\w.]*)\s*(drop)?\s*(>=|<=|≥|≤)\s*(\S+)\s*")
_RULES = {(False, True): "at_least", (False, False): "at_most", (True, False): "drop_at_most"}
"""Of a gate, by whether it is on a drop, and whether it is from below."""
_ITEM = re.compile(r"^`(?:metrics|gates)\[\d+\]` ")
"""What an item of a list is called in a recipe."""
_NAMING = f"; {NAMING}"
_OPTIONS = {"metrics": "--metric", "gates": "--gate", "data": "--data", "outputs": "--recipe"}
GATE_HINT = (
    "--gate 'sqnr_db >= 20', --gate 'top1 drop <= 1%', or as in a recipe: "
    "--gate '{metric: top1, drop_at_most: 1%, confidence: 95%}'"
)


@dataclass(frozen=True)
class PairRequest:
    """What was typed, beside the two models."""

    data: str = ""
    """An npz or npy file; a recipe's data set, as `recipe.yaml:eval`, or `eval` beside `recipe`."""
    recipe: Path | None = None
    """Whose data counts where none is typed, and whose parts, metrics and gates."""
    metrics: Sequence[str] = ()
    """Names, or what stands in a recipe's list: `{kind: detection, ...}`; beside the recipe's."""
    gates: Sequence[str] = ()
    labels: str = ""
    """The array of the file that holds the labels."""


def read_sections(
    request: PairRequest, *, name: str, model: Path, inputs: Sequence[str]
) -> LoadedRecipe:
    """Return what was asked for as a recipe that builds nothing.

    `inputs` are those of the models: the array of an npy file is for the one that there is.

    Raises:
        UsageError: something that was typed is wrong, or there is no data.
        RecipeError: the recipe that was named is wrong.
        MissingFile: a file that was named is not there.
    """
    place, chosen = _find_recipe(request)
    loaded = None if place is None else load_recipe(place)
    given: dict[str, Any] = {} if loaded is None else loaded.source.root.plain
    data, source = _data(request, chosen, loaded, given, inputs)
    compare = dict(given.get("compare") or {})
    for moot in ("reference", "sensitivity"):
        compare.pop(moot, None)
    compare["data"] = data
    if request.metrics:
        metrics = [*compare.get("metrics", ()), *map(_metric, request.metrics)]
        compare["metrics"] = [each for n, each in enumerate(metrics) if each not in metrics[:n]]
    if request.gates:
        compare["gates"] = [*compare.get("gates", ()), *map(_gate, request.gates)]
    sections = {
        "version": 1,
        "name": name,
        "model": {"kind": "onnx", "path": str(model.absolute())},
        "inputs": given.get("inputs") or {},
        "data": {data: source},
        "targets": {"none": {"kind": "onnxruntime"}},
        "compare": compare,
    }
    file = Path(TYPED) if place is None else place
    text = parse_recipe_text(str(file), json.dumps(sections).encode())
    try:
        return check_source(file, text)
    except RecipeError as error:
        raise blame_options(error.problems, request) from None


def blame_options(problems: Sequence[Problem], request: PairRequest) -> UsageError:
    """Return what is wrong with sections that were typed as an error in what was typed."""
    told = []
    for problem in problems:
        option = next((_OPTIONS[each] for each in problem.path if each in _OPTIONS), "")
        message = _ITEM.sub("", problem.message)
        told.append(f"{option}: {message}" if option else message)
    first, *rest = dict.fromkeys(told)
    hint = next((each.hint for each in problems if each.hint), "")
    typed = not request.labels and Path(request.data).suffix in ARRAYS
    if typed and (hint.startswith("say where its labels are") or _NAMING in hint):
        hint = f"{hint.partition(_NAMING)[0]}; " if _NAMING in hint else ""
        hint += f"--labels NAME says which array of {request.data} holds labels"
    return UsageError(first, hint=hint, lines=rest)


def _find_recipe(request: PairRequest) -> tuple[Path | None, str]:
    """Return the recipe that is named, and the data set of it, if one is."""
    file, colon, chosen = request.data.rpartition(":")
    if not (colon and Path(file).suffix in RECIPES):
        file, chosen = (request.data, "") if Path(request.data).suffix in RECIPES else ("", "")
    if not file:
        return request.recipe, ""
    if request.recipe is not None and request.recipe != Path(file):
        raise UsageError(
            f"--data {request.data}: there is --recipe {request.recipe} too",
            hint="name one recipe: its data, metrics, parts and gates are what counts",
        )
    return Path(file), chosen


def _data(
    request: PairRequest,
    chosen: str,
    loaded: LoadedRecipe | None,
    given: Mapping[str, Any],
    inputs: Sequence[str],
) -> tuple[str, dict[str, Any]]:
    """Return the data set to compare on: its name, and what a recipe says of it."""
    sets: Mapping[str, Any] = given.get("data") or {}
    of_recipe = loaded is not None and (
        chosen or not request.data or request.data in sets or Path(request.data).suffix in RECIPES
    )
    if not of_recipe:
        return _arrays(request, inputs)
    assert loaded is not None  # noqa: S101  # said above
    compare = loaded.recipe.compare
    name = chosen or (request.data if request.data in sets else "")
    if not name and compare is not None:
        name = compare.data
    if not name or name not in sets:
        told = f"there is no data set `{name}`" if name else "it has no section `compare`"
        known = ", ".join(sets) or "none"
        hint = f"its data sets: {known}; choose one by --data {loaded.file}:NAME"
        raise UsageError(f"{loaded.file}: {told}", hint=hint)
    if request.labels:
        hint = f"write `labels:` in the data set `{name}` of {loaded.file}"
        raise UsageError("--labels is for the arrays of an npz file", hint=hint)
    return name, dict(sets[name])


def _arrays(request: PairRequest, inputs: Sequence[str]) -> tuple[str, dict[str, Any]]:
    hint = "--data FILE.npz (an array an input, axis 0 the samples), or --data recipe.yaml:NAME"
    if not request.data:
        raise UsageError("there is nothing to compare the two on: --data is missing", hint=hint)
    file = Path(request.data)
    if file.is_dir() or (file.suffix not in ARRAYS and file.is_file()):
        what = "is a folder" if file.is_dir() else "is neither an npz nor an npy file"
        hint += "; how pictures become arrays is said in a recipe's `data`"
        raise UsageError(f"--data {request.data}: {what}", hint=hint)
    if not file.is_file():
        raise MissingFile(f"--data {request.data}: there is no such file", hint=hint)
    source: dict[str, Any] = {"kind": "arrays", "path": str(file.absolute())}
    if len(inputs) == 1:
        source["input"] = inputs[0]
    if request.labels:
        source["labels"] = request.labels
    return file.name if re.fullmatch(NAME_PATTERN, file.name) else "data", source


def _metric(text: str) -> Any:
    """Return an item of `metrics`: a mapping, or a name, which may be that of a kind."""
    if text.lstrip().startswith("{"):
        return _mapping(text, "--metric", "--metric '{kind: classification, output: logits}'")
    return {"kind": text} if text in list_kinds(AnyMetric) else text


def _gate(text: str) -> Any:
    """Return an item of `gates`: a mapping, or what a rule in words says."""
    if text.lstrip().startswith("{"):
        return _mapping(text, "--gate", GATE_HINT)
    found = _RULE.fullmatch(text.strip())
    rule = _RULES.get((bool(found[2]), found[3] in {">=", "≥"})) if found else None
    if found is None or rule is None:
        raise UsageError(f"--gate {text}: is no rule", hint=GATE_HINT)
    return {"metric": found[1], rule: _number(found[4])}


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _mapping(text: str, option: str, hint: str) -> Any:
    found = parse_recipe_text(option, text.encode())
    if found.problems or found.root.bad:
        told = found.problems[0].message if found.problems else "it cannot be read"
        raise UsageError(f"{option} {text}: {told}", hint=hint)
    return found.root.plain
