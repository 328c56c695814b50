"""The section `data` of a first recipe: what was found, or random values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trtbuild.verbs.init.entries import Entries, Entry
from trtbuild.verbs.init.feeding import FedInput
from trtbuild.verbs.init.found_data import DataSplit, FoundData
from trtbuild.verbs.init.parts import GUESS, RecipeParts

__all__ = ["explain_data", "write_data"]

DRAWN_COUNT = 16


def write_data(parts: RecipeParts) -> Entries:
    """Return the data sets: `calib`, and `eval` where there is a second part."""
    if parts.data is None:
        return _write_random(parts)
    entries = []
    for name, part in (("calib", parts.data.first), ("eval", parts.data.second)):
        if part is not None:
            entries.append(Entry(name, _write_part(parts, parts.data, part), part.remark))
    return tuple(entries)


def _write_part(parts: RecipeParts, data: FoundData, part: DataSplit) -> Entries:
    options = [Entry(key, value) for key, value in part.options.items()]
    labels = [Entry("labels", "folders", "the classes, numbered in the names' order")]
    if data.labels != "folders" or not parts.tells_classes:
        labels = []
    if not data.pictures:
        return (Entry("kind", data.kind), *options, *labels)
    (fed,) = (each for each in parts.fed if each.spec.name == data.brings[0])
    where = [entry for entry in options if entry.key != "count"]
    entries = [Entry("kind", data.kind), *where, Entry("input", fed.spec.name)]
    entries += [entry for entry in options if entry.key == "count"]
    chosen = parts.preprocess(fed)
    remark = f"{GUESS}: {chosen.reason}" if chosen.guessed else f"by {chosen.reason}"
    return (*entries, *labels, Entry("preprocess", dict(chosen.options), remark))


def explain_data(parts: RecipeParts) -> str:
    """Say what the data is, and what it lacks."""
    data, purpose = parts.data, parts.purpose
    if data is None:
        return (
            "RANDOM values, which calibrate nothing worth having: name your own samples, as "
            "`{kind: images, path: ..., preprocess: {...}}` or `{kind: arrays, path: ...}` "
            "(`trtbuild kinds data` shows them all)"
        )
    told = f"{data.what}, in two parts that share none" if data.second else data.what
    if data.pictures:
        told += "; `trtbuild data preview` shows them as the model will see them"
    if data.labels == "folders" and purpose.classes and data.classes != purpose.classes:
        told += (
            f"; the model has {purpose.classes} scores and there are {data.classes} folders: which "
            "is which, `labels: folders` and `classes: names.txt` would say"
        )
    return told


def _write_random(parts: RecipeParts) -> Entries:
    batch = max((fed.batch for fed in parts.fed), default=1)
    count = -(-DRAWN_COUNT // batch) * batch
    drawn = tuple(_draw(fed, parts) for fed in parts.fed if fed.fill is None)
    if not drawn:
        return ()
    options = (Entry("kind", "random"), Entry("count", count))
    calib = (*options, Entry("inputs", drawn))
    values = tuple(Entry(each.key, each.value) for each in drawn)
    return (
        Entry("calib", calib),
        Entry(
            "eval",
            (*options, Entry("seed", 1, "other values than those above"), Entry("inputs", values)),
        ),
    )


def _draw(fed: FedInput, parts: RecipeParts) -> Entry:
    options: dict[str, Any] = {"shape": list(parts.plan.sample(fed))}
    if fed.spec.dtype != "float32":
        options["dtype"] = fed.spec.dtype
    low, high = fed.low, fed.high
    if fed.role == "picture":
        chosen = parts.preprocess(fed).options
        low, high = _span(chosen)
    whole = not fed.spec.dtype.startswith("float")
    for key, value, usual in (("low", low, 0.0), ("high", high, 1.0)):
        if value != usual:
            options[key] = int(value) if whole else round(value, 4)
    rows = parts.look.tables.get(fed.spec.name, 0)
    remark = GUESS
    if fed.role == "ids" and rows:
        remark = f"places in a table of {rows} rows"
    elif fed.role in ("mask", "picture"):
        remark = "nothing is masked" if fed.role == "mask" else ""
    return Entry(fed.spec.name, options, remark)


def _span(options: Mapping[str, Any]) -> tuple[float, float]:
    """Return where values of pixels come to lie."""
    top = 255 * options.get("scale", 1 / 255)
    means: Sequence[float] = options.get("mean", [0.0])
    stds: Sequence[float] = options.get("std", [1.0])
    return -max(means) / min(stds), (top - min(means)) / min(stds)
