"""Records written by hand: one of each sort that a report must tell."""

from __future__ import annotations

import math

from trtbuild.core.comparison import Interval
from trtbuild.core.histograms import BINS, ValueCounts
from trtbuild.core.model_checks import Coverage
from trtbuild.core.records import (
    Comparison,
    DataUse,
    FixAccount,
    GateVerdict,
    LayerPrecision,
    LeftAlone,
    Measure,
    Outcome,
    PlacedFile,
    Record,
    RequestedLayer,
    TargetResult,
    UnbuiltTarget,
)
from trtbuild.core.sensitivity import LayerSensitivity, OperandUse, Sensitivity
from trtbuild.core.tuning import Trial, TunedFigure, Tuning
from trtbuild.core.values import Range
from trtbuild.report.blocks import Aside, InlineText, Span

LAYERS = ("/conv1/Conv", "/layer1/conv/Conv", "/layer2/conv/Conv", "/fc/Gemm")
STEPS = (
    ("import_model", 4.2),
    ("fix_graph", 0.8),
    ("capture_data(calib)", 1.1),
    ("capture_data(eval)", 1.4),
    ("calibrate", 9.7),
    ("quantize", 0.6),
    ("build_engine(rtx)", 21.3),
    ("infer(reference)", 3.0),
    ("infer(candidate)", 3.6),
    ("compare", 0.2),
)


def words(text: InlineText) -> str:
    """The words of a run of text, without what they look like."""
    return "".join(map(_word, text))


def _word(span: Span) -> str:
    if isinstance(span, str):
        return span
    return f" ({span.text})" if isinstance(span, Aside) else span.text


def digest(text: str) -> str:
    """A digest that a reader can tell from the others."""
    return "sha256:" + text.encode().hex().ljust(64, "0")[:64]


def outcomes(**changes) -> tuple[Outcome, ...]:
    """Every step, run; `changes` are by step name without brackets."""
    return tuple(
        Outcome(
            **{
                "step": name,
                "digest": digest(name),
                "status": "ran",
                "seconds": seconds,
                **changes.get(name.replace("(", "_").rstrip(")"), {}),
            }
        )
        for name, seconds in STEPS
    )


def layer(name: str, delivered: str = "int8", cause: str = "") -> LayerPrecision:
    """A layer that was asked for in INT8."""
    op = "Gemm" if name.endswith("Gemm") else "Conv"
    return LayerPrecision(name=name, op=op, asked="int8", delivered=delivered, cause=cause)


def target(layers: tuple[LayerPrecision, ...] = tuple(map(layer, LAYERS)), **more) -> TargetResult:
    """An engine for three GPU generations."""
    return TargetResult(
        target="rtx",
        backend="tensorrt_rtx",
        versions={"tensorrt_rtx_cu13_libs": "1.7.1.116", "tensorrt_rtx_cu13_bindings": "1.7.1.116"},
        engine_digest=digest("engine"),
        engine_size_bytes=27_262_976,
        model_digest=digest("model"),
        built_for=("8.6", "8.9", "12.0"),
        inputs=({"name": "input", "dtype": "float32", "shape": ["batch", 3, 224, 224]},),
        outputs=({"name": "logits", "dtype": "float32", "shape": ["batch", 1000]},),
        profiles=(
            {"input": {"min": [1, 3, 224, 224], "opt": [8, 3, 224, 224], "max": [32, 3, 224, 224]}},
        ),
        options={"workspace": "4294967296 bytes", "flags": "STRONGLY_TYPED"},
        layers=layers,
        asked_int8=len(layers),
        delivered_int8=sum(each.delivered == "int8" for each in layers),
        **more,
    )


MEASURES = (
    Measure(metric="cosine", output="logits", value=0.999412, worst=0.997023, worst_sample=17),
    Measure(
        metric="sqnr_db",
        output="logits",
        value=29.318,
        unit="dB",
        worst=22.04,
        worst_sample=17,
    ),
    Measure(metric="max_abs", output="logits", value=0.8125, worst=0.8125, worst_sample=301),
    Measure(
        metric="top1_agreement",
        output="logits",
        value=0.9875,
        unit="share",
        remark="first differs in sample 12",
    ),
    Measure(metric="top1", output="logits", value=0.9736, reference=0.975, unit="share"),
)
VERDICTS = (
    GateVerdict(gate="sqnr_db ≥ 20", passed=True, value=29.318, output="logits", found="29.32 dB"),
    GateVerdict(
        gate="top1 drop ≤ 0.5 points",
        passed=True,
        value=0.0014,
        output="logits",
        found="drop 0.14 points",
    ),
)


def comparison(measures=MEASURES, verdicts=VERDICTS, **more) -> Comparison:
    """INT8 against FP32 over 720 labelled samples."""
    return Comparison(
        reference="FP32 model",
        candidate="INT8 model (Q/DQ)",
        runner="ONNX Runtime on the CPU",
        samples=720,
        labelled=True,
        measures=measures,
        verdicts=verdicts,
        **more,
    )


def good(**changes) -> Record:
    """Everything went well."""
    fields = {
        "recipe": "digits-int8",
        "file": "recipes/digits_int8.yaml",
        "facts": {"onnxruntime": "1.31.1", "numpy": "2.4.6"},
        "outcomes": outcomes(),
        "targets": (target(),),
        "comparison": comparison(),
        "model": "torch `models/digits.py:digits`, opset 20",
        "data": (
            DataUse(name="calib", kind="arrays", used_for="calibration", samples=256),
            DataUse(name="eval", kind="arrays", used_for="comparison", samples=720, labelled=True),
        ),
        "calibrator": "entropy2 (2048 bins)",
        "ranges": {
            "input": Range(low=-2.5, high=2.54, origin="manual"),
            "/conv1/Relu_output_0": Range(
                low=0.0, high=6.35, origin="calibrated", calibrator="entropy2"
            ),
            "logits": Range(low=-12.0, high=12.7, origin="calibrated", calibrator="entropy2"),
        },
        "asked": tuple(RequestedLayer(name=n, op="Conv", precision="int8") for n in LAYERS),
        "coverage": (
            Coverage(
                target="rtx",
                layers=4,
                macs=4_089_184_256,
                asked_macs=4_087_136_256,
                delivered_macs=4_087_136_256,
                islands=2,
                float_edges=("/layer1/Resize_output_0",),
            ),
        ),
        "fixes": (
            FixAccount(fix="fold_constants", changed=("/Shape", "/Reshape: a constant shape")),
            FixAccount(
                fix="drop_identity",
                changed=(),
                left=(LeftAlone(name="/out/Identity", reason="its output is a graph output"),),
            ),
        ),
        "files": (
            PlacedFile(path="model.int8.onnx", size_bytes=1_048_576, what="the model with Q/DQ"),
            PlacedFile(path="rtx/model.engine", size_bytes=27_262_976, what="engine of `rtx`"),
        ),
    }
    return Record(**(fields | changes))


def failing_gate() -> Record:
    """One gate of two fails."""
    lost = VERDICTS[1].model_copy(
        update={"passed": False, "value": 0.0223, "found": "drop 2.23 points"}
    )
    return good(comparison=comparison(verdicts=(VERDICTS[0], lost)))


def fallback() -> Record:
    """One layer fell back, one is unknown, and one was left in float on request."""
    cause = "depthwise: no INT8 kernel for `8.6`"
    found = (
        layer(LAYERS[0]),
        layer(LAYERS[1], "fp32", cause),
        layer(LAYERS[2], "unknown", "plan version not known"),
    )
    skipped = LayerPrecision(name=LAYERS[3], op="Gemm", asked="fp32", delivered="fp32")
    asked = (
        *(RequestedLayer(name=name, op="Conv", precision="int8") for name in LAYERS[:3]),
        RequestedLayer(name=LAYERS[3], op="Gemm", precision="fp32", reason="skipped by the recipe"),
    )
    result = target((*found, skipped))
    result = result.model_copy(update={"asked_int8": 3})
    return good(targets=(result,), asked=asked)


def seeded() -> Record:
    """The weights could not be fetched."""
    caveats = ("seeded weights",)
    note = "the weights could not be fetched (name resolution failed); seeded ones stand in"
    return good(
        caveats=caveats,
        comparison=comparison(caveats=caveats),
        targets=(target(caveats=caveats),),
        notes=(note,),
    )


def deferred() -> Record:
    """One target is built here, another has to be built elsewhere."""
    missing = UnbuiltTarget(
        target="h200",
        backend="tensorrt11",
        status="deferred",
        reason="TensorRT 11 is not installed, and no NVIDIA GPU is here",
        hint="on a machine with that GPU: `trtbuild apply recipes/digits_int8.yaml --target h200`",
    )
    return good(unbuilt=(missing,))


def engines() -> Record:
    """The engine could run, and was compared itself."""
    worse = MEASURES[1].model_copy(update={"value": 28.9, "worst": 21.7})
    ran = comparison(measures=(MEASURES[0], worse), verdicts=VERDICTS[:1])
    words = {
        "reference": "FP32 model (ONNX Runtime on the CPU)",
        "candidate": "engine of rtx",
        "runner": "TensorRT-RTX 1.7.1.116 on NVIDIA L4 (8.9)",
    }
    return good(engine_comparisons=(ran.model_copy(update=words),))


def failed() -> Record:
    """A step failed, and what stands on it was not reached."""
    lost = {"status": "not_reached", "seconds": 0.0}
    return good(
        outcomes=outcomes(
            quantize={
                "status": "failed",
                "message": "`/fc/Gemm`: its weight holds NaN\nfirst at [3, 7]",
                "hint": "look at the checkpoint: `python -m models.check`",
                "code": 3,
            },
            build_engine_rtx=lost,
            infer_candidate=lost,
            compare=lost,
        ),
        targets=(),
        unbuilt=(
            UnbuiltTarget(
                target="rtx",
                backend="tensorrt_rtx",
                status="not_reached",
                reason="step `quantize` failed",
            ),
        ),
        comparison=None,
        coverage=(),
        ranges={},
        asked=(),
        files=(),
    )


def counts(largest: float = 22.1, *, around: float = 0.05) -> ValueCounts:
    """Values of a tensor most of which are far smaller than the largest."""
    places = [2.0 ** ((k - BINS) / 4) for k in range(BINS)]
    bell = tuple(int(1e6 * math.exp(-(math.log(p / around) ** 2))) + 1 for p in places)
    return ValueCounts(largest=largest, below=1_000_000, counts=bell)


def sensitivity() -> Sensitivity:
    """Ten layers, of which the first costs most by far."""
    costs = (17.6, 25.3, 29.0, 29.9, 31.2, 33.0, 36.5, 38.1, 41.0, None)
    names = (*LAYERS, *(f"/layer{3 + k}/conv/Conv" for k in range(6)))
    return Sensitivity(
        runner="ONNX Runtime on the CPU",
        reference="FP32 model",
        samples=32,
        of=720,
        labelled=True,
        whole=_costs(14.6, 0.9531),
        layers=tuple(
            LayerSensitivity(
                name=name,
                op=name.rpartition("/")[2],
                own_db=None if cost is None else cost + 4,
                operands=(
                    OperandUse(
                        tensor="/conv1/Relu_output_0" if place else "input",
                        limit=6.35,
                        largest=22.1,
                        clipped=0.0003 / (1 + place),
                        levels=127,
                        bits=6.99,
                    ),
                ),
                alone=_costs(cost, 0.9688),
                others=_costs(21.4 - place if place else 17.0, 0.9688),
            )
            for place, (name, cost) in enumerate(zip(names, costs, strict=True))
        ),
        remarks=("2 operands in INT8 stand and fall with no layer: they are INT8 throughout",),
    )


def _costs(sqnr_db: float | None, top1: float) -> tuple[Measure, ...]:
    signal = Measure(
        metric="sqnr_db", output="logits", value=sqnr_db, unit="dB", identical=sqnr_db is None
    )
    return (
        signal,
        Measure(
            metric="top1",
            output="logits",
            value=top1,
            unit="share",
            own=True,
            reference=0.9844,
            intervals=(Interval(confidence=0.95, method="score", value=(0.8426, 0.9945)),),
        ),
    )


def tuning() -> Tuning:
    """Four recipes were tried, of which the last passes."""
    trials = (
        Trial(what="as the recipe is", int8_share=1.0, sqnr_db=14.6, shortfall=1.7, frontier=True),
        Trial(
            what="calibrator: mse",
            of=0,
            int8_share=1.0,
            sqnr_db=14.1,
            shortfall=1.9,
            options={"calibrator": {"kind": "mse"}},
        ),
        Trial(
            what="1 layer in float",
            floats=("/conv1/Conv",),
            of=0,
            int8_share=0.981,
            sqnr_db=18.9,
            shortfall=0.4,
            frontier=True,
        ),
        Trial(
            what="2 layers in float",
            floats=("/conv1/Conv", "/layer1/conv/Conv"),
            of=2,
            int8_share=0.943,
            sqnr_db=22.4,
            passed=True,
            frontier=True,
        ),
        Trial(what="`weights: {rounding: adaround}`", of=0, problem="it cannot be built"),
    )
    sure = "-0.41 to 4.32 points"
    drops = ("2.23 points", "2.41 points", "0.9 points", "0.14 points", "-")
    trials = tuple(
        trial.model_copy(
            update={
                "figures": (TunedFigure(name="top1 drop", found=drop, interval=sure),),
                "size_bytes": 1_048_576 + 90_000 * place,
            }
        )
        for place, (trial, drop) in enumerate(zip(trials, drops, strict=True))
    )
    return Tuning(
        recipe="digits-int8",
        file="recipes/digits_int8.yaml",
        passed=True,
        best=3,
        trials=trials,
        searched_on="eval",
        verified_on="eval",
        before=trials[0].figures,
        after=trials[3].figures,
        patch="--- a/digits_int8.yaml\n+++ b/digits_int8.yaml\n@@ -1 +1,2 @@\n quantization:\n"
        "+  skip: [/conv1/Conv, /layer1/conv/Conv]\n",
        remarks=("the search was judged by `eval`, which so is no proof any more",),
    )


def costly() -> Record:
    """INT8 costs much: a gate fails, one output hides another, layers were measured, and tuned."""
    lost = VERDICTS[1].model_copy(
        update={
            "passed": False,
            "value": 0.0223,
            "found": "drop 2.23 points",
            "interval": "1.21 to 3.56 points (95 %)",
            "missed_by": "1.73 points",
        }
    )
    sure = Interval(
        confidence=0.95,
        method="score",
        value=(0.9371, 0.9655),
        reference=(0.9609, 0.9841),
        drop=(0.0121, 0.0356),
    )
    fallen = MEASURES[4].model_copy(
        update={"value": 0.9527, "own": True, "intervals": (sure,), "reference": 0.975}
    )
    parts = tuple(
        Measure(metric="sqnr_db", output=f"boxes[{cut}]", value=v, unit="dB", part_of="boxes")
        for cut, v in ((":, :4", 32.6), (":, 4:", 14.6))
    )
    whole = Measure(metric="sqnr_db", output="boxes", value=32.5, unit="dB")
    gone = Measure(
        metric="cosine", output="masks", value=None, remark="NaN in sample 3", broken=True
    )
    clipping = Range(low=-6.35, high=6.35, origin="calibrated", calibrator="entropy2")
    measures = (*MEASURES[:4], fallen, whole, gone, *parts)
    return good(
        comparison=comparison(measures=measures, verdicts=(VERDICTS[0], lost)),
        ranges={"input": clipping, "/conv1/Relu_output_0": clipping},
        histograms={"input": counts(), "/conv1/Relu_output_0": counts(6.35, around=0.2)},
        sensitivity=sensitivity(),
        tuning=tuning(),
        refused=True,
        kept=("rtx/model.engine",),
    )


RECORDS = {
    "good": good,
    "failing_gate": failing_gate,
    "fallback": fallback,
    "seeded": seeded,
    "deferred": deferred,
    "engines": engines,
    "failed": failed,
    "costly": costly,
}
