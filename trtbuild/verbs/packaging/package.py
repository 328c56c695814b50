"""Pack what was built of recipes."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from trtbuild.core.errors import MissingDependency, MissingFile, UsageError
from trtbuild.core.escape import escape_controls
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.run.executor import Executor
from trtbuild.store.store import Store
from trtbuild.verbs.build import compile_for_machine
from trtbuild.verbs.freshness import explain_doubt_of_digest
from trtbuild.verbs.lock import make_static_lock
from trtbuild.verbs.packaging.bundle import RenderCard, pack_bundle
from trtbuild.verbs.packaging.bundle_index import INDEX
from trtbuild.verbs.packaging.placed_build import PlacedBuild, demand_distinct, read_build
from trtbuild.verbs.packaging.triton import PREPROCESS, PackedModel, Server, pack_for_triton
from trtbuild.verbs.packaging.triton_releases import find_server_version
from trtbuild.verbs.packaging.warm_sample import take_sample
from trtbuild.verbs.packaging.writing import (
    Content,
    replace_folder,
    say_unwritable,
    write_archive,
    write_files,
)

__all__ = ["BuildPlace", "Packed", "find_class_names", "package_for_triton", "package_in_bundles"]

CONFIG = "config.pbtxt"
ARCHIVE = ".zip"
_OTHER_ARCHIVES = {".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar"}


@dataclass(frozen=True)
class Packed:
    """What was written, and what is to be said of it."""

    path: Path
    contents: tuple[tuple[str, str], ...]
    """Names of models, engines or files, and what each is."""
    said: tuple[str, ...]


@dataclass(frozen=True)
class BuildPlace:
    """Where what was built lies, and what can look into it."""

    build_dir: Path
    targets: tuple[str, ...]
    store: Store
    executor: Executor
    refitted: Path | None = None
    """Where a refit has left what stands for the build of the recipe."""

    def read(self, loaded: LoadedRecipe) -> PlacedBuild:
        """Read what was built of a recipe; see `read_build`."""
        return read_build(
            loaded,
            self.build_dir,
            targets=self.targets,
            doubt=self._explain_doubt,
            refitted=self.refitted,
        )

    def _explain_doubt(self, loaded: LoadedRecipe, shown: str, digest: str) -> str:
        return explain_doubt_of_digest(loaded, shown, digest, self.store, self.executor)


def package_for_triton(
    recipes: Sequence[LoadedRecipe],
    place: BuildPlace,
    repository: Path,
    server: Server,
    *,
    version: int,
    engines: bool,
    picture: tuple[int, int] | None,
) -> Packed:
    """Write a model repository; models and versions in it that are of other recipes stay.

    Raises:
        MissingFile: a recipe is not built.
        UsageError: an engine does not run in this Triton, or no such is known; there are no
            pictures to be resized; two recipes have one name, or make
            models of one; a folder holds something else. Nothing is written then.
        NotWritable: it cannot be written.
    """
    if server.release:
        find_server_version(server.release)
    builds = [place.read(each) for each in recipes]
    demand_distinct(builds)
    packed: list[PackedModel] = []
    said: list[str] = []
    for build in builds:
        shown = build if engines else build.leave_engines()
        warm, shapes, why = take_sample(build.loaded, place.store, place.executor)
        models, told = pack_for_triton(
            shown,
            server,
            warm=warm,
            warm_shapes=shapes,
            names=find_class_names(build.loaded),
            picture=picture,
        )
        packed += [_add_caveats(each, build.list_caveats()) for each in models]
        which = f"{build.name}: " if len(builds) > 1 else ""
        said += [*build.list_remarks(), *told, *([f"{which}{why}"] if why else [])]
    if picture and not any(each.name.endswith(PREPROCESS) for each in packed):
        raise UsageError(
            "--picture: is of recipes that preprocess pictures, and none here does",
            hint="leave it out; `preprocess` of a recipe's data says how pictures are made ready",
        )
    with say_unwritable(repository):
        _demand_free(repository, packed)
        for model in packed:
            _write_model(repository / model.name, model, version)
    contents = tuple((each.name, each.what) for each in packed)
    return Packed(repository, contents, tuple(dict.fromkeys(said)))


def _add_caveats(model: PackedModel, caveats: Sequence[str]) -> PackedModel:
    """Return a model whose configuration says first what is to be known of it."""
    told = "".join(f"# {escape_controls(each)}\n" for each in caveats)
    return replace(model, config=f"{told}{model.config}")


def _demand_free(repository: Path, models: Sequence[PackedModel]) -> None:
    """Demand a folder for each model that is its own: absent, or a model's already."""
    names = [model.name for model in models]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(
                f"two recipes make a model `{name}`", hint="pack them into two repositories"
            )
        folder = repository / name
        if folder.exists() and not (folder / CONFIG).is_file():
            raise UsageError(
                f"{folder}: is no model of a repository, and would be replaced",
                hint="name another folder: --to FOLDER",
            )


def _write_model(folder: Path, model: PackedModel, version: int) -> None:
    with replace_folder(folder / str(version)) as part:
        write_files(part, model.version_files)
    write_files(folder, {**model.files, CONFIG: model.config.encode()})


def package_in_bundles(
    recipes: Sequence[LoadedRecipe], place: BuildPlace, path: Path, *, render: RenderCard
) -> Packed:
    """Write a bundle of each recipe: of one, a folder, or an archive where the path ends in `.zip`.

    Those of several, the variants of a file, lie in a folder, each by its name.

    Raises:
        MissingFile: a recipe is not built; nothing is written then.
        UsageError: there is something else at the path, or several are to be one archive; nothing
            is written then.
        NotWritable: it cannot be written.
    """
    if len(recipes) == 1:
        _demand_replaceable(path)
        bundle = _read_bundle(recipes[0], place, render)
        _write_bundle(path, bundle)
        return Packed(path, bundle.list_contents(), bundle.said)
    if path.suffix.lower() == ARCHIVE:
        raise UsageError(
            f"{path}: is one archive, and the recipe has {len(recipes)} variants",
            hint="name one of them: --variant NAME; or a folder for a bundle of each",
        )
    for each in recipes:
        _demand_replaceable(path / each.recipe.name)
    bundles = [_read_bundle(each, place, render) for each in recipes]
    contents: list[tuple[str, str]] = []
    for bundle in bundles:
        _write_bundle(path / bundle.name, bundle)
        contents += [(f"{bundle.name}/{name}", what) for name, what in bundle.list_contents()]
    said = (f"{bundle.name}: {told}" for bundle in bundles for told in bundle.said)
    return Packed(path, tuple(contents), tuple(said))


@dataclass(frozen=True)
class _Bundle:
    """A bundle that is to be written."""

    name: str
    files: Mapping[str, Content]
    said: tuple[str, ...]

    def list_contents(self) -> tuple[tuple[str, str], ...]:
        return tuple((name, _tell_size(self.files[name])) for name in sorted(self.files))


def _read_bundle(loaded: LoadedRecipe, place: BuildPlace, render: RenderCard) -> _Bundle:
    build = place.read(loaded)
    sources, why = _list_sources(loaded, place)
    files = pack_bundle(build, classes=find_class_names(loaded), sources=sources, render=render)
    return _Bundle(build.name, files, (*build.list_remarks(), *([why] if why else [])))


def _write_bundle(path: Path, bundle: _Bundle) -> None:
    with say_unwritable(path):
        if path.suffix.lower() == ARCHIVE:
            write_archive(path, {f"{bundle.name}/{n}": each for n, each in bundle.files.items()})
            return
        with replace_folder(path) as part:
            write_files(part, bundle.files)


def _demand_replaceable(path: Path) -> None:
    """Demand that what a bundle is written to is absent, or a bundle already."""
    if path.suffix.lower() in _OTHER_ARCHIVES:
        raise UsageError(
            f"{path}: a bundle is a folder, or an archive that ends in {ARCHIVE}",
            hint=f"--to {path.with_suffix(ARCHIVE)}",
        )
    if path.exists() and not (_holds_bundle(path) if path.is_file() else (path / INDEX).is_file()):
        raise UsageError(
            f"{path}: is there already, and is no bundle",
            hint="name another place: --to FOLDER, or --to FILE.zip",
        )


def _holds_bundle(path: Path) -> bool:
    """Tell whether a file is an archive of a bundle."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith(f"/{INDEX}") for name in archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def _tell_size(content: Content) -> str:
    size = content.stat().st_size if isinstance(content, Path) else len(content)
    return f"{size} bytes"


def _list_sources(loaded: LoadedRecipe, place: BuildPlace) -> tuple[dict[str, str], str]:
    """Return the files that a recipe rests on, and why they are not known."""
    try:
        made, _ = compile_for_machine(loaded, place.store, place.executor, targets=(), fetch=False)
    except (MissingFile, MissingDependency) as error:
        return {}, f"what it was built from is not in its provenance: {error.message}"
    return make_static_lock(loaded, made).sources, ""


def find_class_names(loaded: LoadedRecipe) -> tuple[str, ...]:
    """Return the names of the classes, where the data that is compared on tells them."""
    recipe, base = loaded.recipe, loaded.file.parent.absolute()
    name = recipe.compare.data if recipe.compare is not None else ""
    source = recipe.data.get(name)
    find = getattr(source, "find_class_names", None)
    try:
        return tuple(find(base)) if find is not None else ()
    except MissingFile:
        return ()
