"""Put the preprocessing of pictures into the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from trtbuild.core.errors import StepInputError
from trtbuild.core.options import NonEmpty
from trtbuild.core.values import TensorSpec
from trtbuild.fixes.base import FixKind, FixLog
from trtbuild.fixes.pictures import write_gray, write_numbers, write_resized, write_window
from trtbuild.fixes.rewriting import rewrite, splice
from trtbuild.fixes.taps import Resampling
from trtbuild.fixes.tensors import (
    Names,
    describe_shape,
    iterate_all_nodes,
    refuse_absent,
    require_opset,
    tell_ends,
)
from trtbuild.model.nodes import iterate_nodes

if TYPE_CHECKING:
    import onnx
    import onnx_graphsurgeon as gs

__all__ = ["EmbedPreprocess"]

Pixels = Annotated[int, Field(gt=0, le=65536)]
Size = tuple[Pixels, Pixels]
PREFIX = "embed_preprocess"
NEEDED = 13
AXES, COLORS = 4, 3
_UINT8 = 2
_SET = ("color", "scale", "mean", "std", "layout", "resize", "window", "corner")


class EmbedPreprocess(FixKind):
    """Put the preprocessing of pictures into the model: bytes [batch, height, width, channels] in.

    With `data`, that data set's `preprocess` moves: every data set that is preprocessed alike then
    gives bytes, so calibration, comparison and `run` need no other line. Colours, scale, mean, std
    and layout come out bit for bit as from data. With `picture`, resizing, letterbox and crop move
    too, for pictures of that one size: bit for bit as Pillow and OpenCV do it, and of torchvision's
    tensors a byte may be one off.

    The input keeps its name and becomes uint8; the tensor inside is called `NAME_float32`.
    """

    kind: Literal["embed_preprocess"]
    input: NonEmpty | None = None
    """The model's input; by default the only one with four axes."""
    data: NonEmpty | None = None
    """The data set, one of those under `data`, whose `preprocess` moves into the model. The options
    below then come from there."""
    picture: Size | None = None
    """[height, width] of all pictures that come in, where they are to be resized or cropped in the
    model. Without it, that stays with whoever feeds the model, and bytes of the model's own size
    come in."""
    color: Literal["rgb", "bgr", "gray"] = "rgb"
    """Channels that the model takes. RGB comes in; `gray` is made of it where there is a `picture`,
    and comes in as one channel where there is none."""
    scale: Annotated[float, Field(gt=0)] = 1 / 255
    """What bytes are multiplied by, as `preprocess` has it."""
    mean: tuple[float, ...] = ()
    """Subtracted after scaling: one number for each channel in the order of `color`, or one for
    all; nothing by default."""
    std: tuple[Annotated[float, Field(gt=0)], ...] = ()
    """Divided by after the mean: one number for each channel in the order of `color`, or one for
    all; nothing by default."""
    layout: Literal["chw", "hwc"] = "chw"
    """Order of the axes that the model takes; channels come in last."""
    resize: Size | None = None
    """[height, width] that a `picture` is resized to; by default it is not."""
    interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos"] = "bilinear"
    """How to resize."""
    resize_like: Literal["pillow", "opencv", "torchvision"] = "pillow"
    """Whose pixels come out, as `preprocess` has it."""
    antialias: bool | None = None
    """Whether to average over the pixels that are shrunk; by default as that library does."""
    window: Size | None = None
    """[height, width] of what the model sees of the resized picture; by default all of it."""
    corner: tuple[int, int] = (0, 0)
    """[top, left] of that window in the resized picture; below 0 where it is padded there."""
    pad: Annotated[int, Field(ge=0, le=255)] = 114
    """The byte that stands where the window is beyond the picture."""

    @model_validator(mode="after")
    def _fit(self) -> Self:
        """Refuse options that do not go together."""
        channels = 1 if self.color == "gray" else COLORS
        for name in ("mean", "std"):
            if len(getattr(self, name)) not in {0, 1, channels}:
                raise ValueError(
                    f"`{name}` has {len(getattr(self, name))} numbers; write {channels}"
                )
        if self.data is not None and (named := set(_SET) & self.model_fields_set):
            raise ValueError(f"`{min(named)}` comes from `data`; leave out one of the two")
        if self.picture is None and (self.resize or self.window):
            raise ValueError("`resize` and `window` need `picture`: the size of what comes in")
        return self

    def apply(self, graph: gs.Graph) -> FixLog:
        """Change the graph in place and say what was done.

        Raises:
            StepInputError: there is no such input, or it does not take such pictures.
        """
        log = FixLog()
        if self.data is not None:
            raise StepInputError(
                f"embed_preprocess: there is no `preprocess` of data `{self.data}` to move",
                hint="give the data set a `preprocess`, or write its options here",
            )
        if any(node.name.startswith(f"{PREFIX}/") for node in iterate_all_nodes(graph)):
            log.remark("embed_preprocess: the model has it already")
            return log
        require_opset(graph, NEEDED, self.kind)
        tensor = self._find(graph)
        shape = self._find_shape(tensor)
        inner = Names(graph).fresh(f"{tensor.name}_float32")
        name = tensor.name
        rewrite(graph, lambda model: self._write(model, name, inner, shape))
        log.changed(name, f"{describe_shape(tensor)} → uint8 {list(shape)}")
        return log

    def foresee(self, inputs: tuple[TensorSpec, ...]) -> tuple[TensorSpec, ...]:
        """Return the inputs with bytes in the place of the one that is meant."""
        named = [each for each in inputs if self.input in {None, each.name}]
        named = [each for each in named if len(each.shape) == AXES]
        if len(named) != 1 or self.data is not None:
            return ()
        size, _ = self._split(named[0].shape)
        shape = (named[0].shape[0], *(self.picture or size), self._channels)
        made = named[0].model_copy(update={"dtype": "uint8", "shape": shape})
        return tuple(made if each is named[0] else each for each in inputs)

    @property
    def _channels(self) -> int:
        return 1 if self.color == "gray" and self.picture is None else COLORS

    def _split(self, shape: Sequence[int | str | None]) -> tuple[list[int | str | None], object]:
        """Return the sizes of the picture, and the channels, in a shape of the model's layout."""
        chw = self.layout == "chw"
        return list(shape[2:] if chw else shape[1:3]), shape[1 if chw else 3]

    def _find(self, graph: gs.Graph) -> gs.Variable:
        if self.input is not None:
            found = [each for each in graph.inputs if each.name == self.input]
            if not found:
                known = [each.name for each in graph.inputs]
                raise refuse_absent(self.kind, self.input, known, "input")
        else:
            found = [each for each in graph.inputs if each.shape and len(each.shape) == AXES]
        if len(found) != 1 or found[0].shape is None or len(found[0].shape) != AXES:
            raise StepInputError(
                "embed_preprocess: which input takes pictures, of four axes, is not clear",
                hint=f"say `input`; inputs: {tell_ends(graph.inputs)}",
            )
        return found[0]

    def _find_shape(self, tensor: gs.Variable) -> tuple[int | str | None, ...]:
        """Return the new input's shape, held against the old one's."""
        size, channels = self._split(tensor.shape)
        wanted = 1 if self.color == "gray" else COLORS
        if isinstance(channels, int) and channels != wanted:
            raise StepInputError(
                f"embed_preprocess: `{tensor.name}` {describe_shape(tensor)} takes {channels} "
                f"channels, and `color: {self.color}` makes {wanted}",
                hint="is `layout` the model's, chw or hwc?",
            )
        seen = self.window or self.resize or self.picture
        for have, made in zip(size, seen or size, strict=True):
            if isinstance(have, int) and have != made:
                raise StepInputError(
                    f"embed_preprocess: `{tensor.name}` {describe_shape(tensor)} takes other sizes "
                    f"than {list(seen or ())}, which pictures come to have",
                    hint="`resize` and `crop` to what the model takes",
                )
        return (tensor.shape[0], *(self.picture or size), self._channels)

    def _write(
        self,
        model: onnx.ModelProto,
        name: str,
        inner: str,
        shape: Sequence[int | str | None],
    ) -> onnx.ModelProto:
        import onnx

        (place,) = (i for i, value in enumerate(model.graph.input) if value.name == name)
        element = model.graph.input[place].type.tensor_type.elem_type
        text, source = "f = Cast<to = 1>(image) ", "f"
        for more, made in self._write_steps(source):
            text, source = text + more, made
        text += f"made = Cast<to = {element}>({source}) "
        for node in iterate_nodes(model.graph.node):
            for slot, read in enumerate(node.input):
                if read == name:
                    node.input[slot] = inner
        splice(model, text, {"image": name, "made": inner}, PREFIX, front=True)
        value = onnx.helper.make_tensor_value_info(name, _UINT8, list(shape))
        model.graph.input[place].CopyFrom(value)
        return model

    def _write_steps(self, source: str) -> Iterator[tuple[str, str]]:
        """Yield each step's text and the name of what it makes."""
        if self.picture is not None:
            if self.color == "gray":
                text, source = write_gray(source)
                yield text, source
            size = self.resize or self.picture
            smooth = self.antialias if self.antialias is not None else self.resize_like != "opencv"
            how = Resampling(self.interpolation, self.resize_like, antialias=smooth)
            text, source = write_resized(source, self.picture, size, how)
            yield text, source
            text, source = write_window(source, size, self.corner, self.window or size, self.pad)
            yield text, source
        yield write_numbers(
            source,
            bgr=self.color == "bgr",
            scale=self.scale,
            mean=self.mean,
            std=self.std,
            channels_first=self.layout == "chw",
        )
