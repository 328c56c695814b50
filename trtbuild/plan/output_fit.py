"""What is measured and judged × the model → problems: its outputs, and parts of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from trtbuild.core.values import Signature, TensorSpec
from trtbuild.measure.parts import parse_part
from trtbuild.plan.nearest import suggest_nearest
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.recipe.problems import Path, Problem

__all__ = ["find_output_problems"]

LAYOUT = ("output", "boxes", "scores", "classes", "number")
"""The options of a detector's layout that name outputs."""


def find_output_problems(loaded: LoadedRecipe, signature: Signature) -> Iterator[Problem]:
    """Yield every place where `compare` names an output, or a part of one, that is not there."""
    section = loaded.recipe.compare
    if section is None:
        return
    outputs = {spec.name: spec for spec in signature.outputs}
    yield from _parts(loaded, signature, outputs)
    known = [*outputs, *section.outputs]
    asked: list[tuple[Path, str | None]] = [
        (("compare", "gates", index, "output"), gate.output)
        for index, gate in enumerate(section.gates)
    ]
    for index, metric in enumerate(section.metrics):
        place: Path = ("compare", "metrics", index)
        asked.append(((*place, "output"), getattr(metric, "output", None)))
        layout = getattr(metric, "layout", None)
        asked += [((*place, "layout", each), getattr(layout, each, None)) for each in LAYOUT]
    for path, name in asked:
        if name is not None and name not in known and not _may_be_cut_at(name, signature):
            message = f"the model has no output `{name}`"
            yield loaded.source.problem(path, message, suggest_nearest(name, known))


def _parts(
    loaded: LoadedRecipe, signature: Signature, outputs: Mapping[str, TensorSpec]
) -> Iterator[Problem]:
    section = loaded.recipe.compare
    for name, text in section.outputs.items() if section is not None else ():
        path: Path = ("compare", "outputs", name)
        part = parse_part(text)
        if name in outputs:
            told = f"the model has an output `{name}` itself"
            yield loaded.source.problem(path, told, "give the part another name", key=True)
        elif part.output not in outputs:
            if not _may_be_cut_at(part.output, signature):
                told = f"the model has no output `{part.output}`"
                yield loaded.source.problem(path, told, suggest_nearest(part.output, list(outputs)))
        else:
            shape = outputs[part.output].shape
            sizes = tuple(size if isinstance(size, int) else None for size in shape)
            if why := part.explain_misfit(sizes):
                hint = f"the model says [{', '.join(map(str, shape))}]"
                yield loaded.source.problem(path, f"`{text}`: {why}", hint)


def _may_be_cut_at(tensor: str, signature: Signature) -> bool:
    """Tell whether a tensor may be compared in the place of outputs: a plugin may read it."""
    if tensor not in signature.tensors:
        return False
    from trtbuild.model.plugins import has_operator

    return not all(has_operator(node.op) for node in signature.nodes)
