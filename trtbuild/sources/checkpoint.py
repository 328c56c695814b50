"""Find a module's weights in what a file holds: in which entry, and under which names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import StepInputError
from trtbuild.core.frozen import frozen
from trtbuild.core.words import join_few

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["fit_weights", "list_fitting_entries"]

FEW = 4
NEAREST = 3
COMPARED = 2000
"""Names among which the nearest is looked for: of more, the first tell enough."""
WRAPPERS = ("_orig_mod", "module")
"""What `torch.compile`, and DataParallel and its kin, put into the names of what they wrap."""
AVERAGES = frozenset({"ema", "averaged", "average", "avg", "swa", "shadow"})
"""Words in the names of entries with averages of the weights that training went through."""
IDLE = ("num_batches_tracked", "n_averaged")
"""How often a batch norm, or an average of weights, was fed: inference reads neither."""


@frozen
class _Candidate:
    """Weights of an entry under names that may be the module's."""

    entry: str
    weights: dict[str, Tensor]
    note: str = ""
    """How the names differ from the file's."""

    def missing(self, wanted: Mapping[str, Tensor]) -> list[str]:
        return [name for name in wanted if name not in self.weights and not _is_idle(name)]

    def unknown(self, wanted: Mapping[str, Tensor]) -> list[str]:
        return [name for name in self.weights if name not in wanted and not _is_idle(name)]

    def misshapen(self, wanted: Mapping[str, Tensor]) -> list[str]:
        return [
            f"{name} {list(self.weights[name].shape)}, not {list(tensor.shape)}"
            for name, tensor in wanted.items()
            if name in self.weights and self.weights[name].shape != tensor.shape
        ]

    def fits(self, wanted: Mapping[str, Tensor]) -> bool:
        return not (self.missing(wanted) or self.unknown(wanted) or self.misshapen(wanted))


def fit_weights(
    content: Any, wanted: Mapping[str, Tensor], *, key: str | None, path: Path
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Return a module's state dict from what a file holds, and what is to be noted.

    An entry is taken if it alone fits. A prefix that all names have is stripped, or added where
    all of the module's have it.

    Args:
        content: what the file holds: a state dict, or a checkpoint with some in its entries.
        wanted: the module's own state dict.
        key: the entry that holds the weights, or what their names begin with; None to look.
        path: the file, for messages.

    Raises:
        StepInputError: none fit, or several.
    """
    found = _find(content if key is None else _at(content, key, path), wanted, path)
    fitting = {each.entry: each for each in reversed(found) if each.fits(wanted)}
    if len(fitting) > 1:
        names = [f"`{f'{key or str()}.{entry}'.strip('.')}`" for entry in reversed(fitting)]
        averaged = [name for name in names if _is_average(name)]
        more = f"; {join_few(averaged, FEW)}: an average (EMA), which is mostly the one evaluated"
        raise StepInputError(
            f"{path}: several of its entries fit the module: {', '.join(names)}",
            hint="say in the recipe which is meant: weights: {..., key: ...}"
            + (more if averaged else ""),
        )
    if not fitting:
        raise _misfit(max(found, key=lambda each: len(each.weights.keys() & wanted)), wanted, path)
    (best,) = fitting.values()
    where = f"the weights are those of the entry `{best.entry}`" if best.entry else ""
    average = f"`{best.entry}` is an average of weights (EMA)" if _is_average(best.entry) else ""
    state = {name: best.weights.get(name, tensor) for name, tensor in wanted.items()}
    return state, tuple(note for note in (where, average, best.note) if note)


def list_fitting_entries(
    content: Any, wanted: Mapping[str, Tensor], *, path: Path
) -> tuple[str, ...]:
    """Return the entries that hold weights which fit a module, averages of them (EMA) first.

    Raises:
        StepInputError: none fit.
    """
    found = _find(content, wanted, path)
    fitting = list(dict.fromkeys(each.entry for each in found if each.fits(wanted)))
    if not fitting:
        raise _misfit(max(found, key=lambda each: len(each.weights.keys() & wanted)), wanted, path)
    return tuple(sorted(fitting, key=lambda entry: not _is_average(entry)))


def _find(root: Any, wanted: Mapping[str, Tensor], path: Path) -> list[_Candidate]:
    entries = dict(_entries(root))
    if not entries:
        raise StepInputError(
            f"{path}: is not a state dict (names → tensors); entries there: {_names(root)}",
            hint="name the entry in the recipe: weights: {..., key: state_dict}",
        )
    twins = _twins(wanted)
    return [
        replace(each, weights=_completed(each.weights, twins))
        for entry in entries.items()
        for each in _candidates(*entry, wanted)
    ]


def _is_average(entry: str) -> bool:
    return not AVERAGES.isdisjoint(re.split(r"[^a-z]+", entry.lower()))


def _is_idle(name: str) -> bool:
    return name.rpartition(".")[2] in IDLE


def _twins(wanted: Mapping[str, Tensor]) -> list[tuple[str, ...]]:
    """Return the names that are one tensor, as tied weights are."""
    found: dict[Any, list[str]] = {}
    for name, tensor in wanted.items():
        if tensor.numel():
            place = (tensor.data_ptr(), tensor.shape, tensor.stride())
            found.setdefault(place, []).append(name)
    return [tuple(names) for names in found.values() if len(names) > 1]


def _completed(weights: dict[str, Tensor], twins: Iterable[tuple[str, ...]]) -> dict[str, Tensor]:
    """Add tied weights under the names that a file leaves out: safetensors has each once."""
    more: dict[str, Tensor] = {}
    for names in twins:
        known = next((weights[name] for name in names if name in weights), None)
        if known is not None:
            more |= {name: known for name in names if name not in weights}
    return weights | more


def _at(content: Any, key: str, path: Path) -> Any:
    found = _under(content, key)
    if found is None:
        raise StepInputError(
            f"{path}: has no entry `{key}`; entries there: {_names(content)}",
            hint="correct `weights.key` in the recipe",
        )
    return found


def _under(content: Any, key: str) -> Any:
    """Return the entry of a name or path; else what has names that begin with it; else None."""
    if not isinstance(content, Mapping):
        return None
    if key in content:
        return content[key]
    for name, value in content.items():
        if key.startswith(f"{name}."):
            found = _under(value, key.removeprefix(f"{name}."))
            if found is not None:
                return found
    begun = {
        str(name).removeprefix(f"{key}."): value
        for name, value in content.items()
        if str(name).startswith(f"{key}.")
    }
    return begun or None


def _names(content: Any) -> str:
    return ", ".join(map(str, content))[:200] if isinstance(content, Mapping) else "none"


def _entries(content: Any, depth: int = 2) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """Yield the state dicts in a checkpoint by path; "" is the whole."""
    import torch

    if not isinstance(content, Mapping) or not all(isinstance(name, str) for name in content):
        return
    held = {name: each for name, each in content.items() if isinstance(each, torch.Tensor)}
    if held:
        yield "", held
    if depth and len(held) < len(content):
        for name, value in content.items():
            for inner, weights in _entries(value, depth - 1):
                yield f"{name}.{inner}".rstrip("."), weights


def _candidates(
    entry: str, weights: dict[str, Tensor], wanted: Mapping[str, Tensor]
) -> Iterator[_Candidate]:
    """Yield weights under the names they have, and under those that wrapping changed, undone."""
    spelled = [(weights, "")]
    for count in range(1, len(WRAPPERS) + 1):
        plain = {
            ".".join(part for part in name.split(".") if part not in WRAPPERS[:count]): tensor
            for name, tensor in weights.items()
        }
        told = " and ".join(f"`{each}`" for each in WRAPPERS[:count])
        spelled.append((plain, f"{told} in the names of the weights file was left out"))
    for named, note in spelled:
        if len(named) < len(weights):
            continue  # two names became one
        yield _Candidate(entry, named, note)
        for prefix in _prefixes(named):
            stripped = {name.removeprefix(prefix): tensor for name, tensor in named.items()}
            told = f"names in the weights file begin with `{prefix}`, which was stripped"
            yield _Candidate(entry, stripped, f"{note}; {told}" if note else told)
        for prefix in _prefixes(wanted):
            longer = {prefix + name: tensor for name, tensor in named.items()}
            told = f"names in the weights file lack the module's `{prefix}`, which was added"
            yield _Candidate(entry, longer, f"{note}; {told}" if note else told)


def _prefixes(names: Iterable[str]) -> Iterator[str]:
    """Yield the beginnings that all names have, up to a dot, short ones first."""
    paths = [name.split(".")[:-1] for name in names if "." in name or not _is_idle(name)]
    for length in range(1, min(map(len, paths), default=0) + 1):
        if len({tuple(path[:length]) for path in paths}) > 1:
            return
        yield ".".join(paths[0][:length]) + "."


def _misfit(best: _Candidate, wanted: Mapping[str, Tensor], path: Path) -> StepInputError:
    missing, unknown = best.missing(wanted), best.unknown(wanted)
    problems = [
        f"{len(names)} {what} ({join_few(names, FEW)})"
        for what, names in (
            ("not in the file", missing),
            ("not in the module", unknown),
            ("of another shape", best.misshapen(wanted)),
        )
        if names
    ]
    where = f" in its entry `{best.entry}`" if best.entry else ""
    after = f" ({best.note})" if best.note else ""
    hints = [*_parts(best, wanted), *_nearest(missing, unknown)]
    return StepInputError(
        f"{path}: the weights{where} do not fit the module: {'; '.join(problems)}{after}",
        hint="; ".join(hints)
        or "are the entrypoint, its `options` and the weights those of one model?",
    )


def _parts(best: _Candidate, wanted: Mapping[str, Tensor]) -> Iterator[str]:
    """Yield where in a larger model the module's weights may be."""
    first = next(iter(wanted), "")
    for name in best.weights:
        prefix = name.removesuffix(f".{first}")
        if prefix != name and all(f"{prefix}.{each}" in best.weights for each in wanted):
            key = f"{best.entry}.{prefix}".lstrip(".")
            yield f"what begins with `{prefix}.` has the module's names: for it, write `key: {key}`"


def _nearest(missing: list[str], unknown: list[str]) -> Iterator[str]:
    pairs = []
    for name in missing[:NEAREST]:
        near = get_close_matches(name, unknown[:COMPARED], n=1)
        pairs += [f"`{name}` may be `{near[0]}` there" for near in [near] if near]
    if pairs:
        yield ", ".join(pairs) + ": are the module and the weights those of one model?"
