"""image: PSNR and SSIM against the reference, and against what should have come out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from trtbuild.measure.base import (
    CannotMeasure,
    Figure,
    Measurement,
    MetricKind,
    PairedSample,
    Subject,
    Value,
)
from trtbuild.measure.choose_output import choose_output, refuse_shape
from trtbuild.measure.draws import Drawn, sum_draws, take_only_draw, take_ratio
from trtbuild.measure.likeness import WINDOW, find_psnr, find_ssim
from trtbuild.measure.truths import Against, Sides, choose_figures, choose_sides, list_axes

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Image"]

_PLANE = 2


class Image(MetricKind):
    """Pictures that a model makes: PSNR and SSIM (Wang et al., 2004) of each, as mean over them.

    Figures: `psnr_db` and `ssim` against the reference's pictures; `target_psnr_db` and
    `target_ssim` of both sides against the data's, where it has some.
    """

    kind: Literal["image"]
    output: str | None = None
    """The output of pictures, [channels, height, width] or [height, width]; the only one by
    default."""
    channels_last: bool = False
    """Whether pictures are [height, width, channels]."""
    data_range: Annotated[float, Field(gt=0)] = 1.0
    """How far apart the least and the largest value of a picture can be: 1 for 0..1, 2 for -1..1,
    255 for bytes. Both figures rest on it."""
    crop_border: Annotated[int, Field(ge=0)] = 0
    """How many pixels at each edge do not count, as is usual for super-resolution (its factor)."""
    against: Against | None = None
    """`labels` or `reference` alone; by default both, labels where the data has them."""

    @property
    def needs_labels(self) -> bool:
        """Where it is held against them alone."""
        return self.against == "labels"

    def figures(self) -> tuple[Figure, ...]:
        """Return those against the data's pictures, then those against the reference's."""
        psnr = "10·log10(range² / mean square difference) of a picture, as mean over the pictures"
        ssim = "the structural similarity of a picture, as mean over the pictures; 1 is equal"
        by_labels = (
            Figure("target_psnr_db", f"{psnr}, from the target", unit="dB", own=True),
            Figure("target_ssim", f"{ssim} to the target", own=True),
        )
        by_reference = (
            Figure("psnr_db", f"{psnr}, from the reference", unit="dB"),
            Figure("ssim", f"{ssim} to the reference"),
        )
        return choose_figures(self.against, by_labels=by_labels, by_reference=by_reference)

    def begin(self, subject: Subject) -> Measurement:
        """Return a measurement of pictures.

        Raises:
            StepInputError: there is no such output, it is no picture, or labels are asked for and
                there are none.
        """
        output = choose_output(self.output, subject, self.kind)
        if len(subject.outputs[output].shape) < _PLANE:
            wanted = "[channels, height, width] or [height, width]"
            raise refuse_shape(subject.outputs[output], self.kind, wanted)
        sides = choose_sides(
            self.against,
            subject,
            kind=self.kind,
            labels="`kind: pictures`, or an array of them",
            fits=lambda labels: len(list_axes(labels)) == len(list_axes(subject.outputs[output])),
        )
        return _Pictures(self, output, sides)


class _Pictures:
    """Of each sample and pair of pictures: PSNR, whether it is finite, and SSIM."""

    def __init__(self, told: Image, output: str, sides: Sides) -> None:
        self.outputs = (output,)
        self._told = told
        self._sides = sides
        self._pairs: dict[str, list[tuple[float, float, float]]] = {
            "pair": [],
            "reference": [],
            "candidate": [],
        }
        self._span = 0.0

    def add(self, sample: PairedSample) -> None:
        """Keep how alike the pictures are."""
        (output,) = self.outputs
        reference, candidate = (
            self._planes(side[output]) for side in (sample.reference, sample.candidate)
        )
        self._span = max(self._span, float(reference.max() - reference.min()))
        if self._sides.reference:
            self._pairs["pair"].append(self._compare(reference, candidate))
        if self._sides.labels:
            if sample.truth is None:
                raise CannotMeasure("it has no picture to be held against")
            target = self._planes(sample.truth)
            self._pairs["reference"].append(self._compare(target, reference))
            self._pairs["candidate"].append(self._compare(target, candidate))

    def _planes(self, picture: np.ndarray) -> np.ndarray:
        """Return a picture as float64 [planes, height, width], without its border."""
        import numpy as np

        wide = np.asarray(picture, np.float64)
        if self._told.channels_last and wide.ndim > _PLANE:
            wide = np.moveaxis(wide, -1, -3)
        planes = wide.reshape(-1, *wide.shape[-2:])
        border = self._told.crop_border
        planes = planes[:, border : planes.shape[1] - border, border : planes.shape[2] - border]
        if 0 in planes.shape:
            raise CannotMeasure(f"of shape {list(picture.shape)}, nothing of it is left to compare")
        return planes

    def _compare(self, one: np.ndarray, other: np.ndarray) -> tuple[float, float, float]:
        import numpy as np

        if one.shape != other.shape:
            raise CannotMeasure(f"its pictures are {list(one.shape)} and {list(other.shape)}")
        told = self._told.data_range
        psnr = find_psnr(float(np.square(one - other).mean()), told)
        small = min(one.shape[1:]) < WINDOW
        ssim = math.nan if small else find_ssim(one, other, told)
        return (psnr, 1.0, ssim) if math.isfinite(psnr) else (0.0, 0.0, ssim)

    def fold(self, samples: np.ndarray) -> dict[str, Value]:
        """Return every figure over some samples."""
        import numpy as np

        drawn, remarks = self.fold_draws(samples[None]), dict(self._remarks(samples))
        found = take_only_draw(self._told.figures(), drawn, remarks, without=self._sides.why)
        if self._sides.reference and not np.array(self._pairs["pair"])[samples, 1].any():
            found["psnr_db"] = Value(None, remark="identical", identical=True)
        return found

    def fold_draws(self, draws: np.ndarray) -> Drawn:
        """Do the same for each draw."""
        import numpy as np

        means = {}
        for pair, rows in self._pairs.items():
            if rows:
                psnr, finite, ssim = sum_draws(np.array(rows), draws).T
                means[pair] = (take_ratio(psnr, finite), ssim / draws.shape[1])
        found: dict[str, tuple[np.ndarray, np.ndarray | None]] = {}
        if self._sides.labels:
            for place, name in enumerate(("target_psnr_db", "target_ssim")):
                found[name] = (means["candidate"][place], means["reference"][place])
        if self._sides.reference:
            found["psnr_db"], found["ssim"] = ((each, None) for each in means["pair"])
        return found

    def _remarks(self, samples: np.ndarray) -> Iterator[tuple[str, str]]:
        import numpy as np

        told, names = self._told.data_range, [each.name for each in self._told.figures()]
        pairs = next(np.array(rows)[samples] for rows in self._pairs.values() if rows)
        equal = len(samples) - int(pairs[:, 1].sum())
        for name in names:
            if self._span > told:
                yield (
                    name,
                    f"the reference's values are {self._span:.3g} apart, `data_range` is {told:g}",
                )
            elif name.endswith("ssim") and np.isnan(pairs[:, 2]).any():
                yield name, f"a picture is smaller than the window of {WINDOW} x {WINDOW}"
            elif name == "psnr_db" and equal:
                yield name, f"{equal} of {len(samples)} pictures are identical, and not in the mean"
