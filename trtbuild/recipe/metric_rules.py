"""Rules on what is measured and judged, for `recipe.checks`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

from trtbuild.data import AnyDataSource as Data
from trtbuild.data.truths.base import tells_classes
from trtbuild.measure.base import Figure, MetricKind
from trtbuild.measure.gates import Gate, explain_bound, explain_drop
from trtbuild.measure.kinds import AnyMetric
from trtbuild.measure.metrics import LABELLED, Metric, find_row
from trtbuild.recipe.problems import Path, Problem, find_nearest, fold_case
from trtbuild.recipe.scalars import clip
from trtbuild.recipe.schema import Compare, Recipe
from trtbuild.recipe.source import RecipeText

__all__ = [
    "accuracy_has_labels",
    "figures_are_named_once",
    "find_metric_of",
    "gates_judge_figures",
]

_TOP = r"(?:top|acc@|accuracy@)([1-9][0-9]{0,5})"


def accuracy_has_labels(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """`top1`, `top5`, and kinds that judge by labels, need to know what is right."""
    from trtbuild.recipe.schema_places import join_names, list_kinds

    compare = recipe.compare
    data = recipe.data.get(compare.data) if compare is not None else None
    if compare is None or data is None:
        return
    told = getattr(data, "labels", None)
    if told is not None:
        kind = "" if tells_classes(told) else getattr(told, "kind", "")
        yield from _classes_are_classes(compare, kind, source)
        return
    asked: list[tuple[Path, str]] = [
        (("compare", "metrics", index), metric if isinstance(metric, str) else metric.kind)
        for index, metric in enumerate(compare.metrics)
        if (metric in LABELLED if isinstance(metric, str) else metric.needs_labels)
    ]
    asked += [
        (("compare", "gates", index, "metric"), gate.metric)
        for index, gate in enumerate(compare.gates)
        if gate.metric in LABELLED
    ]
    if not asked:
        return
    able = [kind for kind, each in list_kinds(Data).items() if "labels" in each.model_fields]
    hint = f"say where its labels are: `labels` of the {join_names(sorted(able), 'or')} data source"
    if "labels" in type(data).model_fields:
        hint = f"say where its labels are: `labels` in `{clip(compare.data)}`"
    for path, metric in asked:
        told = f"{metric} needs labels, and the data set `{clip(compare.data)}` has none"
        yield source.problem(path, told, hint)


def _classes_are_classes(compare: Compare, kind: str, source: RecipeText) -> Iterator[Problem]:
    """What counts classes of samples is not held against boxes or masks."""
    for index, metric in enumerate(compare.metrics):
        name = metric if isinstance(metric, str) else metric.kind
        if kind and (name in LABELLED or name == "classification"):
            told = f"{name} needs a class of each sample, and `kind: {kind}` of `labels` has none"
            hint = "leave it out, or compare on data whose labels are classes: `labels: folders`"
            yield source.problem(("compare", "metrics", index), told, hint)


def _list_tasks(recipe: Recipe) -> Iterator[tuple[int, MetricKind]]:
    for index, metric in enumerate(recipe.compare.metrics if recipe.compare is not None else ()):
        if not isinstance(metric, str):
            yield index, metric


def _figures(metric: MetricKind) -> Iterator[tuple[str, Figure]]:
    # Loaded where a metric has options.
    from trtbuild.measure.tasks import list_figures

    return list_figures(metric)


def figures_are_named_once(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """No two metrics yield figures of one name."""
    known = dict.fromkeys(get_args(Metric), "")
    for index, metric in _list_tasks(recipe):
        names = [name for name, _ in _figures(metric)]
        twice = [name for name in names if name in known or names.count(name) > 1]
        if twice:
            other = known.get(twice[0], "")
            whose = f"`metrics[{other}]`" if other else "a metric without options"
            told = f"`{twice[0]}` is also what {whose} yields"
            if names.count(twice[0]) > 1:
                told = f"it yields `{twice[0]}` twice"
            hint = "give it a name, which then stands before that of its figures: `name: own`"
            yield source.problem(("compare", "metrics", index), told, hint)
        known |= dict.fromkeys(names, str(index))


def gates_judge_figures(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """A gate names a metric, or a figure of one that is listed, and a rule that suits it."""
    figures = {name: each for _, task in _list_tasks(recipe) for name, each in _figures(task)}
    for index, gate in enumerate(recipe.compare.gates if recipe.compare is not None else ()):
        path: Path = ("compare", "gates", index)
        if find_row(gate.metric) is not None:
            continue
        figure = figures.get(gate.metric)
        if figure is not None:
            yield from _suits(gate, figure, path, source)
            continue
        from trtbuild.recipe.schema_places import join_names

        known = [*get_args(Metric), *figures]
        told = f"`{clip(gate.metric)}` is no metric, and no figure of those under `metrics`"
        guess = find_nearest(gate.metric, known)
        hint = f"did you mean `{guess}`?" if guess else f"there are {join_names(known, 'and')}"
        if maker := find_metric_of(gate.metric):
            hint = f"add {maker} to `metrics`; it yields that figure"
        yield source.problem((*path, "metric"), told, hint)


def find_metric_of(figure: str) -> str:
    """Show the metric with options that yields a figure of a name; empty where none does."""
    from trtbuild.recipe.schema_places import list_kinds

    name = fold_case(figure)
    if top := re.fullmatch(_TOP, name):
        return f"{{kind: classification, top: [{top[1]}]}}"
    for kind, each in list_kinds(AnyMetric).items():
        needed = [option for option, field in each.model_fields.items() if field.is_required()]
        if "entrypoint" in needed:
            continue  # only that code knows
        usual: Any = each.model_construct()
        if name in {fold_case(one.name) for one in usual.figures()}:
            more = "".join(f", {option}: ..." for option in needed if option != "kind")
            return f"{{kind: {kind}{more}}}"
    return ""


def _suits(gate: Gate, figure: Figure, path: Path, source: RecipeText) -> Iterator[Problem]:
    if gate.output is not None:
        told = f"{gate.metric} is of the whole model, not of one output"
        yield source.problem((*path, "output"), told, "remove `output`")
    found = [
        (option, explain_bound(gate.metric, figure, value))
        for option in ("at_least", "at_most")
        if (value := getattr(gate, option)) is not None
    ]
    found += [
        (option, explain_drop(gate.metric, figure, value, of_lock="lock" in option))
        for option in ("drop_at_most", "drop_from_lock_at_most")
        if (value := getattr(gate, option)) is not None
    ]
    if gate.confidence is not None and not figure.interval:
        found.append(("confidence", f"{gate.metric} has no interval; remove it"))
    for option, told in found:
        message, _, hint = told.rpartition("; ")
        if told:
            yield source.problem((*path, option), message or told, hint if message else "")
