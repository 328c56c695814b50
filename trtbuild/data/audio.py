"""Sound files, as waveforms or as log-mel spectrograms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.core.options import Location, NonEmpty
from trtbuild.core.regular_files import open_regular
from trtbuild.core.words import quote_whole
from trtbuild.data.base import Choice, Sample
from trtbuild.data.extras import load_extra
from trtbuild.data.mel import LogMel

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Audio"]

SUFFIXES = frozenset({".aif", ".aiff", ".flac", ".mp3", ".ogg", ".opus", ".wav"})
MOST_VALUES = 1 << 28
MEND = "replace the file, or take it out of the data"


class Audio(Choice):
    """Sound files, each a sample: its waveform from -1 to 1, or what `features` makes of it.

    Needs the package `soundfile`; values are reckoned in float64 and come out as float32.
    """

    captured: ClassVar[Literal[False]] = False
    caveats: ClassVar[tuple[str, ...]] = ()

    kind: Literal["audio"]
    path: Location
    """A folder of sound files, searched to the bottom, a pattern (`clips/*.wav`), or one file, in
    name order; relative to the recipe."""
    sample_rate: Annotated[int, Field(gt=0, le=768_000)]
    """Of what the model takes, in Hz."""
    resample: bool = False
    """Whether files of another sample rate are resampled, as torchaudio does by default (a sinc of
    six zero crossings under a Hann window, rolling off at 0.99 of the lower Nyquist frequency); by
    default they are an error."""
    channels: Literal["mono", "first", "all"] = "mono"
    """`mono` is the mean of all channels."""
    channel_axis: bool = False
    """Whether mono comes with an axis for its one channel, [1, samples] or [1, mels, frames]; `all`
    always does."""
    seconds: Annotated[float, Field(gt=0)] | None = None
    """How long a sample is: what is longer is cut at its end, what is shorter filled with zeros. By
    default each has its own length."""
    normalize: bool = False
    """Whether each waveform is brought to the mean 0 and the variance 1, as wav2vec 2.0 wants it;
    before it is cut or filled."""
    features: LogMel | None = None
    """The log-mel spectrogram that the model takes; by default it takes the waveform."""
    input: NonEmpty = "input"
    """The model input that takes it."""
    labels: Literal["folders"] | None = None
    """`folders`: the class of a file is the folder it lies in, the first below `path` (with a
    pattern, the nearest), numbered from 0 in name order or as `classes` has them."""
    classes: Location | None = None
    """A file with the folders' names, a line each, in the order of the model's scores; without it,
    name order."""

    def find_files(self, base: Path) -> tuple[Path, ...]:
        """Return the chosen files.

        Raises:
            MissingFile: there is none, or there are fewer than `count`.
        """
        root, names = self._list(base)
        return tuple(root / names[index] for index in self._choose(names, base))

    def find_labels(self, base: Path) -> tuple[int, ...]:
        """Return the class of each chosen file, by its folder; none without `labels: folders`.

        Raises:
            MissingFile, StepInputError: a file lies in no folder of a class, or an unknown one.
        """
        from trtbuild.data.class_folders import number_classes, read_class_names

        if self.labels is None:
            return ()
        _, names = self._list(base)
        nearest = 0 if (base / self.path).is_dir() else -2
        parts = [name.split("/") for name in names]
        folders = [each[nearest] if len(each) > 1 else "" for each in parts]
        classes = read_class_names(base / self.classes) if self.classes else ()
        numbers = number_classes(folders, classes, str(base / self.path))
        return tuple(numbers[index] for index in self._choose(names, base))

    def samples(self, files: Sequence[Path], *, threads: int = 1) -> Iterator[Sample]:
        """Yield the files in order; up to `threads` are read at once, ahead of the reader.

        Raises:
            MissingDependency: the package `soundfile` is not installed.
            StepInputError: a file cannot be decoded, or has another sample rate.
        """
        import numpy as np  # noqa: F401  # imported here, and not by several threads at once

        from trtbuild.data.prefetch import map_in_order

        load_extra("soundfile", "audio")

        def load(path: Path) -> Sample:
            return Sample(path.name, {self.input: self.prepare(*_decode(path), str(path))})

        return map_in_order(load, files, threads=threads)

    def decode(self, files: Sequence[Path], *, threads: int = 1) -> Iterator[Sample]:
        """Yield the samples: there is nothing between decoding and what the model takes."""
        return self.samples(files, threads=threads)

    def finish(self, sample: Sample) -> Sample:
        """Return it."""
        return sample

    def prepare(self, sound: NDArray[Any], rate: int, name: str) -> NDArray[Any]:
        """Return what the model takes of a sound: float64 [samples, channels] at a sample rate.

        Raises:
            StepInputError: it has another sample rate, or is too short for its features.
        """
        import numpy as np

        from trtbuild.data.waves import fit_length, normalize_wave, resample

        waves = sound.T if self.channels != "mono" else sound.mean(axis=1)[None]
        waves = waves[:1] if self.channels == "first" else waves
        if rate != self.sample_rate:
            if not self.resample:
                raise StepInputError(
                    f"{name}: has {rate} samples a second, and `sample_rate` is {self.sample_rate}",
                    hint="write the files in that rate, or `resample: true`",
                )
            waves = resample(waves, rate, self.sample_rate)
        if self.normalize:
            waves = normalize_wave(waves)
        if self.seconds is not None:
            waves = fit_length(waves, round(self.seconds * self.sample_rate))
        if self.features is not None:
            waves = self.features.apply(waves, self.sample_rate, name)
        if self.channels != "all" and not self.channel_axis:
            waves = waves[0]
        return np.ascontiguousarray(waves, np.float32)

    def expected(self, files: Sequence[Path]) -> int:
        """Return the number of files."""
        return len(files)

    def fact_names(self) -> tuple[str, ...]:
        """Decoding is libsndfile's, which the package soundfile brings; arithmetic NumPy's."""
        return ("numpy", "soundfile")

    def _list(self, base: Path) -> tuple[Path, list[str]]:
        from trtbuild.data.file_search import find_by_suffix

        place = base / self.path
        root = place if place.is_dir() else base
        found = find_by_suffix(self.path, base, SUFFIXES, what="sound files")
        return root, [path.relative_to(root).as_posix() for path in found]

    def _choose(self, names: Sequence[str], base: Path) -> Sequence[int]:
        return self.choose(len(names), where=str(base / self.path), unit="sound file")


def _decode(path: Path) -> tuple[NDArray[Any], int]:
    """Return the samples of a file, float64 [samples, channels], and how many a second has.

    Raises:
        StepInputError: it is no sound file, or holds none.
    """
    import numpy as np
    import soundfile

    try:
        with open_regular(path) as data, soundfile.SoundFile(data) as sound:
            if sound.frames * sound.channels > MOST_VALUES:
                raise StepInputError(
                    f"{path}: claims {sound.frames} samples; so many are refused",
                    hint="cut it into pieces",
                )
            found, rate = sound.read(dtype="float64", always_2d=True), sound.samplerate
    except MissingFile as error:
        raise StepInputError(error.message, hint="is it still there?") from None
    except (soundfile.SoundFileError, RuntimeError) as error:
        told = quote_whole(str(getattr(error, "error_string", error)))
        raise StepInputError(
            f"{path}: the sound is corrupt or of no known format: {told}", hint=MEND
        ) from error
    if not len(found):
        raise StepInputError(f"{path}: holds no sound", hint=MEND)
    return np.asarray(found), rate
