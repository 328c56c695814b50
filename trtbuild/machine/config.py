"""The user's own settings, apart from any recipe: Pythons, device, remote store, executor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from trtbuild.core.devices import ANYWHERE, FORMS, DeviceChoice, read_device
from trtbuild.core.errors import RecipeError, UsageError
from trtbuild.core.frozen import frozen
from trtbuild.core.locations import find_config_root
from trtbuild.core.watch import note_path
from trtbuild.machine.facts import list_target_kinds
from trtbuild.recipe.problems import Problem, find_nearest, sort_problems
from trtbuild.recipe.source import RecipeText, read_recipe_text

__all__ = [
    "ConfiguredPython",
    "ConfiguredRemote",
    "find_config_file",
    "read_configured_device",
    "read_configured_executor",
    "read_configured_pythons",
    "read_configured_remote",
]

SETTINGS = "pythons", "device", "batch", "remote", "executor"


@frozen
class ConfiguredPython:
    """A Python that the settings name, and where they do."""

    python: str
    place: str
    """`/home/me/.config/trtbuild/config.yaml:2`."""


@frozen
class ConfiguredRemote:
    """The remote store that is named, and whether what is built here goes there."""

    url: str
    write: bool = True


def find_config_file() -> Path:
    """Return where the settings are looked for."""
    return Path(find_config_root()) / "config.yaml"


def read_configured_pythons() -> dict[str, ConfiguredPython]:
    """Return the Pythons that the settings name, by kind of target; none where there is no file.

    Raises:
        RecipeError: all that is wrong with the file, in file order.
        MissingFile: it is there, and may not be read.
    """
    source = _read_settings()
    data: Any = {} if source is None else source.root.plain
    return {
        kind: ConfiguredPython(str(Path(python).expanduser()), _place(source, kind))
        for kind, python in data.get("pythons", {}).items()
        if source is not None
    }


def read_configured_device() -> DeviceChoice:
    """Return the device and batch that the settings name; `auto` where they name none.

    Raises:
        RecipeError, MissingFile: as `read_configured_pythons`.
    """
    source = _read_settings()
    data: Any = {} if source is None else source.root.plain
    return replace(read_device(data.get("device")) or ANYWHERE, batch=data.get("batch"))


def read_configured_remote() -> ConfiguredRemote | None:
    """Return the remote store that the settings name, if any; raises as the others."""
    source = _read_settings()
    data: Any = {} if source is None else source.root.plain
    found = data.get("remote")
    if found is None:
        return None
    return ConfiguredRemote(found) if isinstance(found, str) else ConfiguredRemote(**found)


def read_configured_executor() -> str:
    """Return where the settings say that steps run, empty for nowhere; raises as the others."""
    source = _read_settings()
    data: Any = {} if source is None else source.root.plain
    return str(data.get("executor", ""))


def _read_settings() -> RecipeText | None:
    """Return the settings, checked; None where there are none."""
    path = find_config_file()
    note_path(path)
    if not path.exists():
        return None
    source = read_recipe_text(path)
    if not any(line.partition("#")[0].strip() for line in source.lines):
        return None
    problems = sort_problems([*source.problems, *_problems(source)])
    if problems:
        raise RecipeError(problems)
    return source


def _place(source: RecipeText, kind: str) -> str:
    return f"{source.file}:{source.find(('pythons', kind)).line}"


def _problems(source: RecipeText) -> Iterator[Problem]:
    data = source.root.plain
    if source.root.bad:
        return
    if not isinstance(data, dict):
        yield source.problem((), "the settings are a mapping", "begin with `pythons:`")
        return
    for name in data:
        if name not in SETTINGS:
            guess = find_nearest(str(name), SETTINGS)
            hint = f"did you mean `{guess}`?" if guess else f"there are: {', '.join(SETTINGS)}"
            yield source.problem((name,), f"`{name}` is no setting", hint, key=True)
    if "device" in data:
        yield from _device_problems(source, data["device"])
    yield from _remote_problems(source, data.get("remote", ""))
    if not isinstance(data.get("executor", ""), str):
        yield source.problem(("executor",), "`executor` is a name", "local, ray, ray://HOST:10001")
    batch = data.get("batch", 1)
    if isinstance(batch, bool) or not isinstance(batch, int) or batch < 1:
        yield source.problem(("batch",), "`batch` is a whole number from 1", "write `batch: 1`")
    section = data.get("pythons", {})
    if not isinstance(section, dict):
        hint = "write `tensorrt10: /path/to/python` below it"
        yield source.problem(("pythons",), "`pythons` is a mapping from kinds of targets", hint)
        return
    for kind, python in section.items():
        yield from _python_problems(source, kind, python)


def _device_problems(source: RecipeText, device: object) -> Iterator[Problem]:
    try:
        wrong = isinstance(device, bool) or not isinstance(device, str | int)
        found = None if wrong else read_device(device)  # type: ignore[arg-type]  # it is not wrong
    except UsageError:
        found = None
    if found is None:
        yield source.problem(("device",), f"`{device}` is no device", f"write {FORMS}")


def _remote_problems(source: RecipeText, remote: object) -> Iterator[Problem]:
    if isinstance(remote, str):
        return
    told: dict[str, Any] = remote if isinstance(remote, dict) else {}
    strange = set(told) - {"url", "write"}
    sound = isinstance(told.get("url"), str) and isinstance(told.get("write", True), bool)
    if strange or not sound:
        what = "`remote` is a URL, or a mapping of `url` and `write`"
        yield source.problem(("remote",), what, "remote: {url: s3://bucket/store, write: false}")


def _python_problems(source: RecipeText, kind: str, python: object) -> Iterator[Problem]:
    path = ("pythons", kind)
    kinds = list_target_kinds()
    if kind not in kinds:
        guess = find_nearest(str(kind), kinds)
        hint = f"did you mean `{guess}`? " if guess else ""
        told = f"`{kind}` is no kind of target"
        yield source.problem(path, told, f"{hint}kinds: {', '.join(kinds)}", key=True)
    elif not isinstance(python, str) or not _from_the_root(python):
        # A relative path would mean another Python in every directory.
        told = f"`{kind}` must be the path of a Python, from the root or from `~/`"
        yield source.problem(path, told, "for example /opt/trt10/bin/python")


def _from_the_root(python: str) -> bool:
    return python.startswith("~/") or Path(python).is_absolute()
