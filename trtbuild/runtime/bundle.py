"""A bundle, opened: what of it is for this machine."""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from pathlib import Path

from trtbuild.backends.tensorrt.fit import is_newer
from trtbuild.backends.tensorrt.flavour import FLAVOURS, load_tensorrt
from trtbuild.core.digest import digest_of_file
from trtbuild.core.errors import CorruptObject, MissingDependency, NotWritable, UsageError
from trtbuild.core.files import FULL
from trtbuild.core.regular_files import open_regular, read_regular
from trtbuild.machine.facts import NO_GPU, list_gpus
from trtbuild.verbs.packaging.bundle_index import INDEX, BundleEngine, BundleIndex

__all__ = ["OpenBundle", "is_bundle"]

ARCHIVE = ".zip"
# What `zipfile` says of damage: in an entry's data and flags it is whatever error comes of it.
_DAMAGED = (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError)


def is_bundle(path: Path) -> bool:
    """Tell whether a path is a bundle's: a folder with an index, or an archive."""
    return (path / INDEX).is_file() if path.is_dir() else path.suffix.lower() == ARCHIVE


class OpenBundle:
    """A bundle's files in a folder; of an archive, in one of its own until it is closed."""

    def __init__(self, path: Path) -> None:
        """Open a bundle.

        Raises:
            MissingFile: it is not there.
            CorruptObject: it is none, or not whole.
            NotWritable: there is no room to unpack it.
        """
        self._own: tempfile.TemporaryDirectory[str] | None = None
        self._path = path
        self.folder = path if path.is_dir() else self._unpack(path)
        self.why: tuple[str, ...] = ()
        """Why engines of it are not for this machine."""
        try:
            text = read_regular(self.folder / INDEX)
            hint = f"pack it again, or open it with the trtbuild that packed it: {path}"
            self.index = BundleIndex.read_json(text, what=f"{path}: {INDEX}", hint=hint)
            model = self.index.model
            self._demand_whole(model.file, model.digest)
            if model.weights:
                self._demand_whole(model.weights, model.weights_digest)
        except BaseException:
            self.close()
            raise

    def _unpack(self, path: Path) -> Path:
        """Unpack an archive: its files lie in one folder, which has the recipe's name."""
        open_regular(path).close()
        self._own = tempfile.TemporaryDirectory(prefix="trtbuild-bundle-")
        try:
            with zipfile.ZipFile(path) as archive:
                archive.extractall(self._own.name)
        except _DAMAGED as error:
            self.close()
            if isinstance(error, OSError) and error.errno in FULL:
                raise NotWritable(
                    f"{path}: cannot be unpacked: {error.strerror}",
                    hint=f"make room in {tempfile.gettempdir()}, or unpack it and name the folder",
                ) from None
            raise CorruptObject(f"{path}: is no bundle: {error}", hint="copy it again") from None
        folders = list(Path(self._own.name).glob(f"*/{INDEX}"))
        if len(folders) != 1:
            self.close()
            told = (
                f"{len(folders)} bundles, and one is run"
                if folders
                else f"no {INDEX} in a folder of its own"
            )
            raise CorruptObject(
                f"{path}: holds {told}",
                hint="is it a bundle? `trtbuild package --format bundle` packs one",
            )
        return folders[0].parent

    def _demand_whole(self, file: str, digest: str) -> None:
        """Demand that a file that the index names is of the bundle, and what was packed.

        An empty digest is of weights in a bundle of before these were told.
        """
        path, again = self.folder / file, "copy the bundle again"
        if not path.resolve().is_relative_to(self.folder.resolve()):
            told = f"{self._path}: its {INDEX} names {file}, which is not in the bundle"
            raise CorruptObject(told, hint="it was not packed so: do not run it")
        if not path.is_file():
            raise CorruptObject(f"{self._path}: holds no {file}", hint=again)
        if digest and digest_of_file(path) != digest:
            raise CorruptObject(f"{self._path}: {file} is not what was packed", hint=again)

    @property
    def model(self) -> Path:
        """The ONNX model, which runs anywhere."""
        return self.folder / self.index.model.file

    def name_file(self, text: str) -> str:
        """Return a text with the bundle's own path in the place of where it was unpacked."""
        return text.replace(str(self.folder), str(self._path))

    def find_engine(self, demanded: bool) -> BundleEngine | None:  # noqa: FBT001  # a switch
        """Return the engine for the GPU that is here, or None; `why` then says what else is there.

        Raises:
            UsageError: one is demanded, and none is for this machine.
            CorruptObject: it is not what was packed.
        """
        gpus = list_gpus()
        why: list[str] = []
        for each in self.index.engines if gpus else ():
            misfit = _explain_misfit(each, gpus[0].compute_capability)
            if not misfit:
                self._demand_whole(each.file, each.digest)
                self.why = tuple(why)
                return each
            why.append(misfit)
        self.why = tuple(why) if gpus else (NO_GPU,)
        if demanded:
            told = "; ".join(self.why) or "the bundle has no engines"
            raise UsageError(
                f"no engine of the bundle is for this machine: {told}",
                hint="`device='cpu'` runs its model in ONNX Runtime",
            )
        return None

    def close(self) -> None:
        """Remove what was unpacked."""
        if self._own is not None:
            self._own.cleanup()
            self._own = None


def _explain_misfit(engine: BundleEngine, capability: str) -> str:
    """Say why an engine is not for the first GPU, or nothing is here that runs it."""
    known = engine.compute_capabilities
    if capability not in known:
        told = f"{engine.file} is for compute capability {', '.join(known)}"
        return f"{told}, and this GPU is {capability}"
    flavour = FLAVOURS.get(engine.backend)
    if flavour is None:
        return f"{engine.file} is of {engine.backend}, which this trtbuild does not know"
    try:
        version = str(load_tensorrt(flavour).__version__)
    except MissingDependency as error:
        return f"{engine.file} needs {flavour.family} {engine.tensorrt}: {error.message}"
    if version == engine.tensorrt or (
        engine.version_compatible and is_newer(version, engine.tensorrt)
    ):
        return ""
    return f"{engine.file} needs {flavour.family} {engine.tensorrt}, and {version} is here"
