"""Recipe and its sections; the kinds come from the unions of the parts."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from trtbuild.backends import Target
from trtbuild.calib.kinds import Calibrator, RangeSource
from trtbuild.core.late_options import LATER
from trtbuild.core.options import Location, NonEmpty, Options
from trtbuild.core.quantized_types import QuantizedName
from trtbuild.data import AnyDataSource
from trtbuild.fixes import Fix
from trtbuild.measure.gates import Gate
from trtbuild.measure.kinds import NameOrKind
from trtbuild.measure.parts import parse_part
from trtbuild.model.input_feeding import InputFeeding
from trtbuild.quant import AnyEqualization, AnyWeightScaling
from trtbuild.quant.protecting import PROTECT, Policy
from trtbuild.quant.requests import BlockSize, PrecisionName
from trtbuild.quant.writing.weights import WeightsAbsmax
from trtbuild.sources import ModelSource
from trtbuild.timing.kinds import BenchSection

__all__ = [
    "NAME_PATTERN",
    "Bounds",
    "Checks",
    "Compare",
    "LayerMeasurement",
    "Precision",
    "ProfileShapes",
    "Quantization",
    "Recipe",
]

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
Name = Annotated[str, Field(pattern=NAME_PATTERN, max_length=80)]
Pattern = NonEmpty
FloatName = Literal["fp32", "fp16", "bf16"]
Bounds = float | tuple[float, float]
"""A limit (6.0 means -6 to 6) or [low, high]."""
_MAKES_INT8 = (
    "INT8 is made by the section `quantization`: write `quantization: {data: NAME, "
    "calibrator: {kind: auto}}` in its place, NAME being a data set of the section `data`"
)
Shape = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)]


def _demand_part(text: str) -> str:
    parse_part(text)
    return text


PartName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$", max_length=80)]
PartText = Annotated[str, AfterValidator(_demand_part)]


def _exactly_one(value: Any) -> Any:
    # To Python, and so to a Literal, 1.0 and True are equal to 1.
    if value != 1 or not isinstance(value, int) or isinstance(value, bool):
        newer = isinstance(value, int) and value > 1
        move = "install a newer one" if newer else "write `version: 1`"
        raise ValueError(f"this trtbuild reads recipes of version 1; {move}")
    return value


class Quantization(Options):
    """How the model becomes INT8, or FP8."""

    instead: ClassVar[Mapping[str, str]] = {
        "int8": "leave it out: it is for what does not become INT8, and `quantization` makes INT8",
        "fp16": "`high_precision: fp16` has all that is not INT8 in 16 bits",
        "bf16": "`high_precision: bf16` has all that is not INT8 in 16 bits",
    }

    type: Annotated[QuantizedName, LATER] = "int8"
    """What weights and activations become: `int8`, or `fp8` (E4M3, of which 448 is the largest),
    which GPUs multiply from compute capability 8.9 on. The same ranges serve both. `int4` is for
    the weights of Gemm and MatMul alone, and wants none."""
    block_size: Annotated[BlockSize, LATER] = 128
    """Of `int4`: how many inputs of an output channel share a scale (32, 64 or 128), or `channel`
    for all of them. Smaller blocks err less, and a scale more takes room."""
    mode: Literal["explicit", "implicit"] = "explicit"
    """How it is written down: `explicit` puts Q/DQ nodes into the model, which every TensorRT
    takes; `implicit` gives the ranges to TensorRT 10, which chooses what to compute in INT8."""
    data: str | None = None
    """The data set, one of those under `data`, that calibration measures activations on; every
    calibrator but `cache` needs it."""
    calibrator: RangeSource | None = None
    """How a tensor's range is found from its values on the calibration data, or the file that knows
    it; without one, every range is given by hand."""
    calibrators: dict[Pattern, Calibrator] = {}
    """Another calibrator for some tensors, by name or pattern (`"*/Softmax*": {kind: minmax}`);
    the most specific counts."""
    calibrate_with: Literal["trtbuild", "tensorrt"] = "trtbuild"
    """Who calibrates: trtbuild anywhere, or TensorRT 10 itself, on the GPU of a machine that has
    it, with its own class for the calibrator (entropy2, entropy, minmax or legacy)."""
    ranges: dict[Pattern, Bounds] = {}
    """Ranges by hand, as a limit (6.0 means -6 to 6) or [low, high]. Keys are tensor names or
    patterns (`*`, `?`, `[...]`); they win over the calibrator. The most specific counts; two that
    merely overlap are an error."""
    ranges_file: Location | None = None
    """A file of more ranges by hand, relative to the recipe: `name: limit` lines, or JSON as in
    `ranges` or `ranges.json`, of names alone. They win over patterns; names in `ranges` win over
    them."""
    allow_missing: bool = False
    """Let layers stay in floating point where a tensor that they read has no range. By default that
    is an error, unless calibration looked for one."""
    weights: AnyWeightScaling = WeightsAbsmax(kind="absmax")
    """How the limit of each output channel of a weight is found: `absmax` clips nothing."""
    equalize: tuple[AnyEqualization, ...] = ()
    """Channels of activations to bring to one size before calibration, by constants on both sides
    of them: the float model computes what it did. Costs nothing in the engine. To be tried and
    measured: `cross_layer` between convolutions, `smooth` in front of a transformer's products."""
    rounding: Literal["nearest", "reconstructed"] = "nearest"
    """How weights become integers: each the `nearest` one, or the one above or below with which the
    layer makes most nearly what it makes in FP32 on `data` (as AdaRound does). Costs time when the
    model is quantized, and none in the engine."""
    bias_correction: bool = False
    """Whether the mean of what INT8 adds to each output channel of a layer, on `data`, is taken off
    its bias, front to back. Costs nothing in the engine."""
    high_precision: FloatName = "fp32"
    """What the rest computes in, written into the model: fp32, fp16 or bf16. Nodes whose values (on
    `data`) or constants fp16 cannot hold stay in fp32, and the report says why; inputs and outputs
    keep their types (see `keep_io_types`). What is 16-bit in the model itself stays so, whatever is
    written here."""
    keep_io_types: bool = True
    """Whether fp32 inputs and outputs of the model stay fp32 beside `high_precision`; `false` makes
    them fp16 or bf16 too, in the model and so in every engine. Kept by default: what feeds the FP32
    engine then feeds this one."""
    skip: tuple[Pattern, ...] = ()
    """Names or patterns of the nodes that stay in floating point; `op:` and an operator (`op:Gemm`)
    means all nodes of that sort."""
    protect: tuple[Policy, ...] = ()
    """Policies by name, which keep layers in floating point as `skip` does; the report says which
    lines each stands for. `detection_head`: the layers that no other stands behind, one for each
    branch. `first_and_last`: these, and those that no other stands in front of."""
    precision: dict[Pattern, PrecisionName] = {}
    """The same patterns, each with a type (int8, fp8) or fp32: layers of one model may be of two
    types. The most specific counts, and exceptions stand below what they are exceptions of; `skip`
    wins over all of them. The recipe's `type` is the default where TensorRT-RTX delivers it and it
    loses no input; asking for it adds layers of few channels in FP8, ConvTranspose, which TensorRT
    10 and 11 can run in INT8, and layers that read a Concat of unlike values. fp32 keeps a node out
    of `high_precision` as well, which `skip` does not."""
    allow_float: tuple[Pattern, ...] = ()
    """The same patterns: layers that may come out in floating point where INT8 was asked for. By
    default an engine that delivers less than was asked for fails the build."""

    @property
    def floats(self) -> tuple[str, ...]:
        """What stays in floating point: the patterns of `skip`, and policies."""
        return (*self.skip, *(f"{PROTECT}{policy}" for policy in self.protect))


class Checks(Options):
    """Which static checks of the model do not count (`trtbuild check` makes them)."""

    off: dict[NonEmpty, NonEmpty] = {}
    """Rules to turn off, by code, each with the reason (`TB303: "the branch is tiny"`), which the
    report repeats."""


class Precision(Options):
    """What a model computes in that does not become INT8."""

    instead: ClassVar[Mapping[str, str]] = {"int8": _MAKES_INT8}

    type: FloatName
    """fp32, fp16 or bf16; inputs and outputs of the model keep theirs (see `keep_io_types`)."""
    data: str | None = None
    """The data set, one of those under `data`, that shows how large values get: nodes that could
    overflow fp16 stay in fp32. Without it only constants tell. bf16 needs none."""
    fp32: tuple[Pattern, ...] = ()
    """Names or patterns of nodes that stay in fp32; `op:` and an operator (`op:Softmax`) means all
    nodes of that sort."""
    keep_io_types: bool = True
    """Whether fp32 inputs and outputs of the model stay fp32; `false` makes them fp16 or bf16 too,
    in the model and so in every engine. Kept by default: what feeds the FP32 engine feeds this one.
    """


class ProfileShapes(Options):
    """The shapes of one input in an optimization profile, or its values."""

    min: Shape
    """The smallest shape the engine must take."""
    opt: Shape
    """The shape that the engine is tuned for: the one used most."""
    max: Shape
    """The largest shape the engine must take; memory is planned for it."""
    values: bool = False
    """Whether the three are the input's values, and not its shape: for an integer input that
    decides shapes (the sizes of a Resize or Reshape), which TensorRT wants to know the values of,
    from 0 on; a single number is a list of one."""


class LayerMeasurement(Options):
    """What INT8 costs, layer by layer, as `trtbuild sensitivity` measures it."""

    samples: Annotated[int, Field(ge=1)] = 32
    """How many samples of the comparison's data each layer is run on, spread evenly over it. The
    cost is about that of a forward pass a layer and sample."""
    layers: tuple[Pattern, ...] = ()
    """Names or patterns of the layers to measure; `op:` and an operator (`op:Gemm`) means all
    layers of that sort. Without any, all that are quantized."""
    others: bool = True
    """Whether the model is run with all layers but one in INT8 too; `false` halves the cost."""


class Compare(Options):
    """What is built against the model that it is made from, or another, on the same samples."""

    data: str
    """The data set, one of those under `data`, that both models are run on; never the one that
    calibration saw."""
    outputs: dict[PartName, PartText] = {}
    """Parts of outputs, by names of your own, as NumPy slices them (`scores: "output0[:, 4:]"`):
    measured and judged as outputs are. The first slice is `:`, the batch."""
    metrics: Annotated[tuple[NameOrKind, ...], Field(min_length=1)] = (
        "cosine",
        "sqnr_db",
        "max_abs",
        "top1_agreement",
    )
    """What is measured for each output and part, by name (`top1` and `top5` need data with labels);
    and metrics with options, `{kind: ...}`, which look at what the model is for."""
    gates: tuple[Gate, ...] = ()
    """Rules that must hold; where one fails, or cannot be judged, `apply` ends with exit code 1."""
    reference: ModelSource | None = None
    """The model that is taken as right, with the same inputs and outputs. By default the one that
    is quantized or made 16-bit, after the fixes; where neither is done, the source before them. A
    source that came quantized is no judge of itself: without a float model here, gates that hold
    against the reference are not judged, and do not pass."""
    sensitivity: LayerMeasurement | None = None
    """Measure each quantized layer too, for the report: `{}` for all of them on 32 samples. That
    takes many times as long as the comparison, so `trtbuild sensitivity` does it when asked."""


EXTENDS, WITHOUT, VARIANTS = "extends", "without", "variants"
"""What `recipe.extending` and `recipe.variants` take in before a recipe is read."""
VARIANT_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_-]*"
VariantName = Annotated[str, Field(pattern=f"^{VARIANT_PATTERN}$", max_length=40)]


class Recipe(Options):
    """A recipe: what to build, from what, and how to tell that it is good."""

    instead: ClassVar[Mapping[str, str]] = {"int8": _MAKES_INT8}

    version: Annotated[Literal[1], BeforeValidator(_exactly_one)]
    """The version of the recipe format: 1."""
    name: Name
    """The recipe's name; results are placed in `build/<name>/`."""
    extends: NonEmpty | None = None
    """Another recipe beside this one, which this one is like, but for what it says itself: mappings
    are merged key by key (of another `kind` they take the other's place), other values replaced."""
    without: tuple[str, ...] = ()
    """Sections of the extended recipe that are left out. None by default."""
    variants: dict[VariantName, dict[str, Any]] = {}
    """Several recipes in this file, by name: each is what the file says but for the sections that
    it has itself, merged as those of a recipe that `extends` another; `without` leaves some out."""
    model: ModelSource
    """The model to start from."""
    fixes: tuple[Fix, ...] = ()
    """Changes to the model's graph, made in this order before anything is measured."""
    inputs: dict[NonEmpty, InputFeeding] = {}
    """How model inputs are fed, by name, where their shapes and the samples leave that open."""
    data: dict[Name, AnyDataSource] = {}
    """Data sets by name, for `quantization` and `compare` to refer to."""
    quantization: Quantization | None = None
    """How the model becomes INT8; without it, the engines compute in what `precision` says."""
    precision: FloatName | Precision = "fp32"
    """Without `quantization`: what the engines compute in, as a word (`precision: fp16`) or with
    options."""
    checks: Checks = Checks()
    """Static checks of the model before it is built: which of them do not count, and why."""
    profiles: tuple[dict[str, ProfileShapes], ...] = ()
    """Optimization profiles: the shapes, by input, that engines with dynamic inputs must take, and
    the values of inputs that decide shapes."""
    targets: Annotated[dict[Name, Target], Field(min_length=1)]
    """What to build, by name: one engine each, all from the same model."""
    compare: Compare | None = None
    """How what is built is compared with a reference, and what it must reach."""
    bench: BenchSection | None = None
    """How `trtbuild bench` measures how fast what is built is, and what it must reach."""

    @property
    def quantized(self) -> str:
        """The type that weights and activations become; nothing where they stay float."""
        return "" if self.quantization is None else self.quantization.type
