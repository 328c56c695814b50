"""Sound files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trtbuild.core.errors import StepInputError
from trtbuild.verbs.init.found_data import DataPlace, FoundData, count_classes, divide_files, refuse

__all__ = ["read_sounds"]


def read_sounds(place: DataPlace) -> FoundData:
    """Read a folder of sound files as waveforms; with a folder for each class, that is the label.

    Raises:
        UsageError: no input takes waveforms.
        MissingDependency: the package `soundfile` is not installed.
        StepInputError: the first file cannot be read.
    """
    taken = next((each for each in place.fed if each.role == "signal"), None)
    shape = () if taken is None else taken.spec.shape
    alone = len(shape) == 2 or (len(shape) == 3 and shape[1] == 1)  # noqa: PLR2004  # with channels
    if taken is None or not alone:
        raise refuse(
            place, "sound files",
            "a waveform is [batch, samples] or [batch, 1, samples]; for spectrograms write "
            "`kind: audio` with `features` by hand (`trtbuild kinds audio`)",
        )  # fmt: skip
    rate = _read_rate(place.path if place.files[0] == "." else place.path / place.files[0])
    length = shape[-1] if isinstance(shape[-1], int) else rate
    options: dict[str, Any] = {
        "sample_rate": rate,
        "seconds": length / rate,
        "input": taken.spec.name,
    }
    if len(shape) == 3:  # noqa: PLR2004  # with an axis for the channel
        options["channel_axis"] = True
    first, second = divide_files(place, options)
    classes = count_classes(place.files, second)
    what = f"{len(place.files)} sound files, of {rate} Hz as the first"
    what += f", in {classes} folders" if classes else ""
    return FoundData(
        what,
        "audio",
        first,
        second,
        (taken.spec.name,),
        classes=classes,
        labels="folders" if classes else "",
    )


def _read_rate(path: Path) -> int:
    from trtbuild.data.extras import load_extra

    soundfile = load_extra("soundfile", "audio")
    try:
        return int(soundfile.info(str(path)).samplerate)
    except (RuntimeError, OSError) as error:
        raise StepInputError(f"{path}: cannot be read as sound: {error}") from None
