"""A bundle, opened: what of it is for this machine."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

from trtbuild.core.digest import digest_of_file
from trtbuild.core.errors import CorruptObject, UsageError
from trtbuild.core.regular_files import open_regular, read_regular
from trtbuild.verbs.packaging.bundle_index import INDEX, BundleEngine, BundleIndex
from trtbuild.verbs.packaging.bundle_program import Device, find_engine

__all__ = ["OpenBundle", "is_bundle"]

ARCHIVE = ".zip"


def is_bundle(path: Path) -> bool:
    """Tell whether a path is a bundle's: a folder with an index, or an archive."""
    return (path / INDEX).is_file() if path.is_dir() else path.suffix == ARCHIVE


class OpenBundle:
    """A bundle's files in a folder; of an archive, in one of its own until it is closed."""

    def __init__(self, path: Path) -> None:
        """Open a bundle.

        Raises:
            MissingFile: it is not there.
            CorruptObject: it is none, or not whole.
        """
        self._own: tempfile.TemporaryDirectory[str] | None = None
        self.folder = path if path.is_dir() else self._unpack(path)
        self.why: tuple[str, ...] = ()
        """Why engines of it are not for this machine."""
        try:
            text = read_regular(self.folder / INDEX)
            self.index = BundleIndex.read_json(text, what=f"{path}: {INDEX}")
            self._demand_whole(self.index.model.file, self.index.model.digest)
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
        except (zipfile.BadZipFile, OSError) as error:
            self.close()
            raise CorruptObject(f"{path}: is no bundle: {error}", hint="copy it again") from None
        folders = list(Path(self._own.name).glob(f"*/{INDEX}"))
        if len(folders) != 1:
            self.close()
            raise CorruptObject(f"{path}: holds no {INDEX}", hint="is it a bundle?")
        return folders[0].parent

    def _demand_whole(self, file: str, digest: str) -> None:
        if digest_of_file(self.folder / file) != digest:
            raise CorruptObject(f"{file} is not what was packed", hint="copy the bundle again")

    @property
    def model(self) -> Path:
        """The ONNX model, which runs anywhere."""
        return self.folder / self.index.model.file

    def find_engine(self, demanded: bool) -> BundleEngine | None:  # noqa: FBT001  # a switch
        """Return the engine for the GPU that is here, or None; `why` then says what else is there.

        Raises:
            UsageError: one is demanded, and none is for this machine.
            CorruptObject: it is not what was packed.
        """
        try:
            capability = Device().find_capability()
        except OSError:
            self.why = ("there is no NVIDIA driver here",)
        else:
            told, _, why = find_engine(self.index.model_dump(mode="json"), capability)
            self.why = tuple(why)
            if told is not None:
                chosen = next(each for each in self.index.engines if each.file == told["file"])
                self._demand_whole(chosen.file, chosen.digest)
                return chosen
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
