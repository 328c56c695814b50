"""The hub of Hugging Face: its cache on disk, and how it is filled."""

from __future__ import annotations

import os
from pathlib import Path

from trtbuild.core.errors import MissingDependency, MissingFile, StepInputError
from trtbuild.core.watch import note_path
from trtbuild.core.words import describe_cause

__all__ = ["fetch_snapshot", "find_snapshot", "is_cached"]

CONFIG = "config.json"
TEXTS = ["*.json"]
WEIGHTS = ["*.safetensors"]
PICKLED = ["pytorch_model*.bin"]
CODE = ["*.py"]
INSTALL = "pip install 'trtbuild[huggingface]'"
LONGEST = 300


def find_snapshot(name: str, revision: str) -> Path:
    """Return where the hub's cache keeps a model; nothing is fetched, or asked for.

    Raises:
        MissingFile: it is not there.
    """
    folder = _cache() / f"models--{name.replace('/', '--')}"
    reference = folder / "refs" / revision
    note_path(reference)
    commit = revision
    if reference.is_file():
        commit = reference.read_text().strip()
    snapshot = folder / "snapshots" / commit
    note_path(snapshot / CONFIG)
    if not (snapshot / CONFIG).is_file():
        raise MissingFile(
            f"{name}@{revision}: is not in the hub's cache ({_cache()})",
            hint="`trtbuild apply` fetches it; where there is no network, name a folder with its "
            "files: `path: FOLDER` in place of `id`",
        )
    return snapshot


def is_cached(name: str, revision: str) -> bool:
    """Tell whether the hub's cache has a model, with weights."""
    from trtbuild.sources.huggingface_folder import find_weights

    try:
        find_weights(find_snapshot(name, revision))
    except MissingFile:
        return False
    except StepInputError:  # of another framework: to fetch it again changes nothing
        return True
    return True


def fetch_snapshot(name: str, revision: str, *, code: bool) -> None:
    """Fetch a model into the hub's cache, unless it is there, with its `code` where that is run.

    Raises:
        MissingFile: the hub cannot be reached, or has no such model.
        MissingDependency: the hub's client is not installed.
    """
    if not is_cached(name, revision):
        _fetch(name, revision, code=code)


def _fetch(name: str, revision: str, *, code: bool) -> None:
    try:
        from huggingface_hub import snapshot_download
    except ModuleNotFoundError as error:
        raise MissingDependency(
            f"{name}@{revision}: is fetched by `huggingface_hub`, which is not installed",
            hint=f"{INSTALL}, or name a folder with its files: `path: FOLDER` in place of `id`",
        ) from error
    wanted = [*TEXTS, *WEIGHTS, *(CODE if code else [])]
    where = {"revision": revision, "cache_dir": str(_cache())}
    try:
        found = Path(snapshot_download(name, allow_patterns=wanted, **where))
        if not any(found.glob(WEIGHTS[0])):
            snapshot_download(name, allow_patterns=[*wanted, *PICKLED], **where)
    except Exception as error:
        raise MissingFile(
            f"{name}@{revision}: cannot be fetched from the hub: {describe_cause(error)[:LONGEST]}",
            hint="fetch it where there is a network, and name the folder: `path: FOLDER` in place "
            f"of `id`, after `hf download {name} --revision {revision} --local-dir FOLDER`",
        ) from error


def _cache() -> Path:
    """Return the folder of the hub's cache, as its client finds it."""
    given = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    if given:
        return Path(given).expanduser()
    home = os.environ.get("HF_HOME")
    if home:
        return Path(home).expanduser() / "hub"
    caches = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return caches / "huggingface" / "hub"
