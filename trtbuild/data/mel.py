"""Log-mel spectrograms, by NumPy in float64."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from trtbuild.core.errors import StepInputError
from trtbuild.core.options import Options

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LogMel", "make_mel_filters"]

Frequency = Annotated[float, Field(ge=0)]
Formula = Literal["slaney", "htk"]
Norm = Literal["slaney", "none"]


class LogMel(Options):
    """Short-time Fourier transform → power → mel filters → logarithm → (x - mean) / std.

    By default as librosa and Whisper do. Comes out as [mels, frames]. Whisper is `{n_fft: 400, hop:
    160, mels: 80, log: log10, dynamic_range: 8, mean: -4, std: 4, frames: 3000}` of `seconds: 30`.
    """

    n_fft: Annotated[int, Field(gt=1, le=65536)] = 400
    """How many samples a frame transforms."""
    hop: Annotated[int, Field(gt=0)] = 160
    """How many samples a frame begins after the one before."""
    window: Literal["hann", "hamming", "none"] = "hann"
    """What each frame is multiplied by (periodic, as for spectra)."""
    window_length: Annotated[int, Field(gt=0)] | None = None
    """Samples under the window, zeros on both sides of it up to `n_fft`; `n_fft` by default."""
    center: bool = True
    """Whether frame t has its middle at sample t * hop, the sound mirrored at its ends; else it
    begins there."""
    power: Literal[1, 2] = 2
    """1 takes magnitudes, 2 their squares."""
    mels: Annotated[int, Field(gt=0, le=1024)] = 80
    """How many mel filters."""
    formula: Formula = "slaney"
    """Hz to mel: `slaney` is linear up to 1000 Hz and logarithmic above (M. Slaney, Auditory
    Toolbox, 1998; librosa's default), `htk` 2595 log10(1 + f / 700) (The HTK Book; torchaudio's
    default)."""
    norm: Norm = "slaney"
    """Whether each filter has the area 1 (in Hz) or the height 1."""
    f_min: Frequency = 0.0
    """Where the lowest filter begins, in Hz."""
    f_max: Frequency | None = None
    """Where the highest filter ends, in Hz; half the sample rate by default."""
    log: Literal["ln", "log10", "db"] = "ln"
    """`db` is 10 log10 of powers, 20 log10 of magnitudes."""
    floor: Annotated[float, Field(gt=0)] = 1e-10
    """The least value of which the logarithm is taken."""
    floor_by: Literal["clamp", "add"] = "clamp"
    """Whether smaller values become the floor, or it is added to all."""
    dynamic_range: Annotated[float, Field(gt=0)] | None = None
    """How far below its highest value (after the logarithm) a spectrogram may go; what is lower is
    raised to that. By default nothing is."""
    mean: float = 0.0
    """Subtracted at the end."""
    std: Annotated[float, Field(gt=0)] = 1.0
    """Divided by at the end."""
    frames: Annotated[int, Field(gt=0)] | None = None
    """How many frames are kept, from the first on; fewer there are an error. All by default."""

    def apply(self, waves: NDArray[Any], rate: int, name: str) -> NDArray[Any]:
        """Return the spectrogram of each channel: float64 [channels, mels, frames].

        Raises:
            StepInputError: the sound is too short, or the filters lie beyond its frequencies.
        """
        import numpy as np

        spectrum = self._transform(waves, name)
        low, high = self.f_min, rate / 2 if self.f_max is None else self.f_max
        if not low < high <= rate / 2:
            raise StepInputError(
                f"{name}: filters from {low:g} to {high:g} Hz do not fit into {rate / 2:g} Hz",
                hint="see `f_min` and `f_max`; sound has frequencies up to half its sample rate",
            )
        filters = make_mel_filters(
            rate, self.n_fft, self.mels, (low, high), formula=self.formula, norm=self.norm
        )
        values = np.einsum("mf,cft->cmt", filters, spectrum, optimize=False)
        values = self._take_logarithm(values)
        if self.dynamic_range is not None:
            highest = values.max(axis=(1, 2), keepdims=True)
            values = np.maximum(values, highest - self.dynamic_range)
        values = (values - self.mean) / self.std
        if self.frames is not None and values.shape[2] < self.frames:
            raise StepInputError(
                f"{name}: makes {values.shape[2]} frames, and `frames` asks for {self.frames}",
                hint="set `seconds`, so that short sounds are filled up",
            )
        return np.asarray(values[:, :, : self.frames])

    def _transform(self, waves: NDArray[Any], name: str) -> NDArray[Any]:
        """Return the magnitudes, or powers, of each frame: [channels, frequencies, frames]."""
        import numpy as np

        if self.center:
            half = self.n_fft // 2
            if waves.shape[1] <= half:
                raise _too_short(name, waves.shape[1], half + 1)
            waves = np.pad(waves, ((0, 0), (half, half)), mode="reflect")
        if waves.shape[1] < self.n_fft:
            raise _too_short(name, waves.shape[1], self.n_fft)
        frames = np.lib.stride_tricks.sliding_window_view(waves, self.n_fft, axis=1)[:, :: self.hop]
        found = np.abs(np.fft.rfft(frames * self._make_window(), axis=2)) ** self.power
        return np.asarray(np.moveaxis(found, 1, 2))

    def _make_window(self) -> NDArray[Any]:
        import numpy as np

        length = min(self.window_length or self.n_fft, self.n_fft)
        base = {"hann": 0.5, "hamming": 0.54, "none": 1.0}[self.window]
        window = base - (1 - base) * np.cos(2 * np.pi * np.arange(length) / length)
        before = (self.n_fft - length) // 2
        return np.pad(window, (before, self.n_fft - length - before))

    def _take_logarithm(self, values: NDArray[Any]) -> NDArray[Any]:
        import numpy as np

        raised = values + self.floor if self.floor_by == "add" else np.maximum(values, self.floor)
        if self.log == "ln":
            return np.asarray(np.log(raised))
        factor = {"log10": 1.0, "db": 20.0 / self.power}[self.log]
        return np.asarray(factor * np.log10(raised))


def _too_short(name: str, length: int, least: int) -> StepInputError:
    return StepInputError(
        f"{name}: has {length} samples, and {least} are needed for a frame",
        hint="set `seconds`, so that short sounds are filled up",
    )


def make_mel_filters(
    rate: int, n_fft: int, mels: int, span: tuple[float, float], *, formula: Formula, norm: Norm
) -> NDArray[Any]:
    """Return triangular filters [mels, n_fft // 2 + 1], of the height 1 or (Slaney's) the area 1.

    The area is in Hz.
    """
    import numpy as np

    low, high = (_to_mel(np.array(each), formula) for each in span)
    edges = _to_hertz(np.linspace(low, high, mels + 2), formula)
    frequencies = np.arange(n_fft // 2 + 1) * (rate / n_fft)
    widths = np.diff(edges)
    rising = (frequencies - edges[:-2, None]) / widths[:-1, None]
    falling = (edges[2:, None] - frequencies) / widths[1:, None]
    heights = np.maximum(0, np.minimum(rising, falling))
    if norm == "none":
        return np.asarray(heights)
    return np.asarray(heights * (2 / (edges[2:] - edges[:-2]))[:, None])


_LINEAR, _CORNER, _STEP = 3 / 200, 1000.0, 27 / 1.8562979903656263
"""Slaney's: mel per Hz below the corner; above it, mel per e-fold (27 for a factor of 6.4)."""


def _to_mel(hertz: NDArray[Any], formula: Formula) -> NDArray[Any]:
    import numpy as np

    if formula == "htk":
        return np.asarray(2595 * np.log10(1 + hertz / 700))
    above = _LINEAR * _CORNER + _STEP * np.log(np.maximum(hertz, _CORNER) / _CORNER)
    return np.where(hertz < _CORNER, _LINEAR * hertz, above)


def _to_hertz(mel: NDArray[Any], formula: Formula) -> NDArray[Any]:
    import numpy as np

    if formula == "htk":
        return np.asarray(700 * (10 ** (mel / 2595) - 1))
    above = _CORNER * np.exp((mel - _LINEAR * _CORNER) / _STEP)
    return np.where(mel < _LINEAR * _CORNER, mel / _LINEAR, above)
