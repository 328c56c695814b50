"""Show some samples as the model is fed them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from trtbuild.core.preview import ChannelCounts, DataPreview, FirstLayerDistance, ShownInput
from trtbuild.core.sensitivity import PickedSamples
from trtbuild.data import AnyDataSource
from trtbuild.data.appearance import (
    find_layout_doubts,
    find_picture_doubts,
    find_same_samples,
    find_sound_doubts,
    find_token_doubts,
    split_channels,
    vary,
)
from trtbuild.data.contact_sheet import draw_sample, find_look, write_sheet
from trtbuild.data.preprocess import Preprocess
from trtbuild.steps.base import Context, Pinned, Ref, Step

if TYPE_CHECKING:
    import numpy as np
    import onnx
    from numpy.typing import NDArray

    from trtbuild.data.base import Sample

__all__ = ["PreviewData"]

BINS = 48
MOST_WORDS = 40
MOST_FIRST = 12
"""Values of a sample that is no picture that are written out."""
CLEARLY = 0.5
"""A change that brings the first layer so much closer to its training is worth a word."""
_FAR = 0.25
"""Deviations by which samples differ from all that a model was trained on anyway."""
_FOLDED = "no batch normalization is left behind it, whose statistics would tell"


class PreviewData(Step):
    """Describe picked samples in numbers and words, and draw them on a contact sheet."""

    version: ClassVar[int] = 3

    outputs: ClassVar[Mapping[str, str]] = {"preview": "preview.json", "sheet": "sheet.png"}

    kind: Literal["preview_data"] = "preview_data"
    data: str
    """What the recipe calls the data."""
    source: AnyDataSource
    picked: Ref
    samples: Ref
    tokenizer: Pinned | None = None
    """What texts were made tokens by: it says what they were."""
    model: Ref | None = None
    """The model as imported, whose first layer is asked what it expects."""

    def fact_names(self) -> tuple[str, ...]:
        """Name what draws, and what runs the first layer."""
        tokens = ("tokenizers",) if self.tokenizer is not None else ()
        return ("numpy", "onnx", "onnxruntime", "pillow", *tokens)

    def run(self, context: Context) -> None:
        """Write preview.json (core.preview.DataPreview) and sheet.png.

        Raises:
            MissingDependency: Pillow is not installed.
        """
        from trtbuild.data.archive import read_samples
        from trtbuild.model.onnx_file import load_onnx

        picked = context.read(self.picked, PickedSamples)
        names = iter(picked.names)
        samples = list(
            read_samples(context.path(self.samples), labels=None, name_of=lambda _: next(names))
        )
        model = None if self.model is None else load_onnx(context.path(self.model))
        inputs = tuple(self._describe(name, samples) for name in samples[0].arrays)
        first, unknown, doubts = self._judge(inputs, samples, model)
        words, told = self._read_tokens(context, samples)
        if words:
            inputs = tuple(
                each.model_copy(update={"first": words}) if each.name == self._ids else each
                for each in sorted(inputs, key=lambda each: each.name != self._ids)
            )
        preview = DataPreview(
            data=self.data,
            source=self.source.kind,
            of=picked.of,
            names=picked.names,
            labels=picked.labels,
            inputs=inputs,
            first_layer=first,
            unknown=unknown,
            doubts=(*doubts, *told),
        )
        self.write(context, "preview", preview, indent=1)
        write_sheet(self.out(context, "sheet"), list(self._draw(inputs, samples)))

    def _judge(
        self, inputs: Sequence[ShownInput], samples: Sequence[Sample], model: onnx.ModelProto | None
    ) -> tuple[FirstLayerDistance | None, str, list[str]]:
        """Return how far the first layer is from its training, or why not known; and doubts."""
        first, unknown = None, ""
        doubts: list[str] = []
        same: list[list[str]] = []
        for shown in inputs:
            arrays = [each.arrays[shown.name] for each in samples]
            same.append(list(find_same_samples([each.name for each in samples], arrays)))
            if shown.look == "picture":
                first, unknown, told = _judge_pictures(shown.name, arrays, model)
                doubts += told
            elif shown.look == "wave" and self.source.kind == "audio":
                doubts += find_sound_doubts(arrays)
        # Masks may well be equal, where tokens are not.
        return first, unknown, [*doubts, *(same[0] if same and all(same) else [])]

    @property
    def _ids(self) -> str:
        """The input that takes token ids, of a source that makes them; empty else."""
        inputs = getattr(self.source, "inputs", {})
        if self.tokenizer is None:
            return ""
        return next((name for name, part in inputs.items() if part == "input_ids"), "")

    def _read_tokens(
        self, context: Context, samples: Sequence[Sample]
    ) -> tuple[tuple[str, ...], list[str]]:
        """Return each sample's tokens as words, and what looks wrong in them."""
        if self.tokenizer is None or not self._ids:
            return (), []
        from trtbuild.data.tokens import USUAL_PADDING, USUAL_UNKNOWN, load_tokenizer

        tokenizer = load_tokenizer(context.path(self.tokenizer))
        ids = [sample.arrays[self._ids].reshape(-1) for sample in samples]
        found = [[tokenizer.id_to_token(int(each)) or str(each) for each in one] for one in ids]
        unknown, padding = (
            next((n for each in names if (n := tokenizer.token_to_id(each)) is not None), None)
            for names in (USUAL_UNKNOWN, USUAL_PADDING)
        )
        words = tuple(
            " ".join(one[:MOST_WORDS]) + (" ..." if len(one) > MOST_WORDS else "") for one in found
        )
        return words, list(find_token_doubts(ids, unknown, padding))

    @property
    def _how(self) -> Preprocess | None:
        """How pictures are made what the model takes; None where that is not the source's."""
        found = getattr(self.source, "preprocess", None)
        return found if isinstance(found, Preprocess) else None

    def _how_of(self, array: NDArray[Any]) -> Preprocess | None:
        """Return how an array was made of a picture, if it was."""
        how = self._how
        rank = array.ndim - (array.ndim == 4)  # noqa: PLR2004  # a batch axis of 1
        channels = None if how is None or rank != 3 else array.shape[_channel_axis(how, array)]  # noqa: PLR2004
        return how if how is not None and channels == how.channels else None

    def _describe(self, name: str, samples: Sequence[Sample]) -> ShownInput:
        import numpy as np

        arrays = [each.arrays[name] for each in samples]
        how, first = self._how_of(arrays[0]), arrays[0]
        finite = [each[np.isfinite(each)] if each.dtype.kind == "f" else each for each in arrays]
        finite = [each for each in finite if each.size] or [np.zeros(1)]
        ends = float(min(map(np.min, finite))), float(max(map(np.max, finite)))
        look = find_look(first, how)
        return ShownInput(
            name=name,
            dtype=first.dtype.name,
            shapes=tuple(dict.fromkeys(each.shape for each in arrays)),
            look=look,
            ends=ends,
            channels=tuple(_count_channels(arrays, look, how, ends)),
            first=() if look in ("picture", "map") else tuple(map(_write_out, arrays)),
        )

    def _draw(
        self, inputs: Sequence[ShownInput], samples: Sequence[Sample]
    ) -> Iterator[tuple[str, NDArray[np.uint8]]]:
        seen = [shown.name for shown in inputs if shown.look != "numbers"]
        for sample in samples:
            for name in seen:
                array = sample.arrays[name]
                told = f"{sample.name} {name}" if len(seen) > 1 else sample.name
                label = "" if sample.label is None else f" [{sample.label}]"
                yield told + label, draw_sample(array, self._how_of(array))


def _channel_axis(how: Preprocess, array: NDArray[Any]) -> int:
    return array.ndim - 3 if how.layout == "chw" else array.ndim - 1


def _count_channels(
    arrays: Sequence[NDArray[Any]],
    look: str,
    how: Preprocess | None,
    ends: tuple[float, float],
) -> Iterator[ChannelCounts]:
    import numpy as np

    split = split_channels(arrays[0]) if look == "picture" else None
    if how is not None:
        split = _channel_axis(how, arrays[0]), how.channels
    for channel in range(split[1] if split else 1):
        parts = [np.take(each, channel, split[0]) if split else each for each in arrays]
        values = np.concatenate([np.ravel(each).astype(np.float64) for each in parts])
        values = values[np.isfinite(values)]
        low, high = ends if ends[0] < ends[1] else (ends[0] - 1, ends[1] + 1)
        yield ChannelCounts(
            name=_name_channel(channel, split[1] if split else 0, how),
            low=float(values.min(initial=0.0 if not values.size else np.inf)),
            high=float(values.max(initial=0.0 if not values.size else -np.inf)),
            mean=float(values.mean()) if values.size else 0.0,
            deviation=float(values.std()) if values.size else 0.0,
            counts=tuple(map(int, np.histogram(values, BINS, (low, high))[0])),
        )


def _name_channel(channel: int, total: int, how: Preprocess | None) -> str:
    if total == 1:
        return "gray"
    if how is None or not total:
        return str(channel) if total else ""
    return {"rgb": "RGB", "bgr": "BGR", "gray": " "}[how.color][channel]


def _write_out(array: NDArray[Any]) -> str:
    values = array.reshape(-1)[:MOST_FIRST]
    more = ", ..." if array.size > len(values) else ""
    return ", ".join(f"{each:.5g}" for each in values) + more


def _find_shape(model: onnx.ModelProto, name: str) -> list[int | str | None]:
    found = next((each for each in model.graph.input if each.name == name), None)
    dims = found.type.tensor_type.shape.dim if found is not None else ()
    return [dim.dim_value or dim.dim_param or None for dim in dims]


def _judge_pictures(
    name: str, arrays: Sequence[NDArray[Any]], model: onnx.ModelProto | None
) -> tuple[FirstLayerDistance | None, str, list[str]]:
    """Return how far the first layer is from its training, or why not known; and doubts."""
    from trtbuild.model.first_layer import find_first_normalization, find_own_scaling

    scaling = find_own_scaling(model, name) if model is not None else ""
    doubts = list(find_picture_doubts(arrays, scales_itself=scaling))
    if model is None:
        return None, "the model was not asked", doubts
    if arrays[0].dtype.kind == "f":  # bytes go to a part that a fix puts before the model
        doubts += find_layout_doubts(arrays[0], _find_shape(model, name))
    found = find_first_normalization(model, name)
    if found is None or arrays[0].dtype.name != "float32":
        return None, _FOLDED, doubts
    from trtbuild.model.session import open_session

    session = open_session(found.model.SerializeToString(), threads=1)
    made: dict[str, list[NDArray[Any]]] = {}
    for array in arrays:
        for words, changed in vary(array if array.ndim == 4 else array[None]).items():  # noqa: PLR2004
            ran = session.run({name: changed}, [found.tensor])
            made.setdefault(words, []).append(ran[found.tensor])
    distances = {
        words: _measure_distance(each, found.mean, found.deviation) for words, each in made.items()
    }
    first = FirstLayerDistance(layer=found.layer, normalization=found.name, distances=distances)
    own, best = distances["as they are"], min(distances, key=lambda words: distances[words])
    if own > _FAR and distances[best] < CLEARLY * own:
        doubts.append(
            f"the first layer (`{found.layer}`) would be closer to what it was trained on with the "
            f"samples {best}: {distances[best]:.2f} deviations from it instead of {own:.2f}"
        )
    return first, "", doubts


def _measure_distance(
    made: Sequence[NDArray[Any]], mean: NDArray[Any], deviation: NDArray[Any]
) -> float:
    """Return how far channels are from their mean and deviation in training; see FirstLayer."""
    import numpy as np

    flat = np.concatenate(
        [np.moveaxis(each, 1, 0).reshape(each.shape[1], -1) for each in made], axis=1
    ).astype(np.float64)
    off = np.abs(flat.mean(axis=1) - mean) / deviation
    spread = np.abs(np.log(np.maximum(flat.std(axis=1), 1e-12) / deviation))
    return float((off + spread).mean() / 2)
