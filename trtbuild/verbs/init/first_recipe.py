"""From what a model shows and what data there is to a first recipe."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from trtbuild.verbs.init.data_section import explain_data, write_data
from trtbuild.verbs.init.draft import Draft
from trtbuild.verbs.init.entries import Entries, Entry
from trtbuild.verbs.init.feeding import FedInput
from trtbuild.verbs.init.model_look import ModelLook
from trtbuild.verbs.init.parts import GUESS, RecipeParts
from trtbuild.verbs.init.sizes import SizePlan

__all__ = ["draft_recipe"]

FEW = 32
"""Samples of calibration below which nothing is clipped."""
ENOUGH = 200
"""Samples with labels from which a drop of 1 % is more than one of them."""
_HEAD = Entry("protect", ["detection_head"], "where INT8 costs a detector too much", proposed=True)
_OURS = ("cosine", "sqnr_db", "max_abs")


def draft_recipe(parts: RecipeParts, name: str, targets: Entries) -> Draft:
    """Write down what follows from the parts, with what is a guess and what to change."""
    look, data = parts.look, parts.data
    quantized = look.has("QuantizeLinear", "DequantizeLinear")
    inputs = _write_inputs(parts)
    compared = data is None or data.second is not None
    return Draft(
        heading=_write_heading(parts, name),
        name=name,
        model=look.section,
        model_remark="\n".join(look.notes),
        fixes=_choose_fixes(look),
        inputs=inputs,
        inputs_remark="how inputs are fed, where shapes and samples leave that open"
        if inputs
        else "",
        data=write_data(parts),
        data_remark=explain_data(parts),
        quantization=() if quantized else _write_quantization(parts),
        quantization_remark="the model is quantized already, and stays as it is: engines compute "
        "in INT8 where it has Q/DQ pairs"
        if quantized
        else "",
        profiles=[profile] if (profile := _write_profile(parts)) else [],
        profiles_remark=_explain_profiles(parts),
        targets=targets,
        compare=_write_compare(parts, quantized=quantized) if compared else (),
        compare_remark=""
        if compared
        else "there is no second part of the data to compare FP32 with INT8 on: add a data set of "
        "other samples, and `compare: {data: NAME}`",
    )


def _write_heading(parts: RecipeParts, name: str) -> str:
    told = [
        f"{name}: INT8 engines, first written by `trtbuild init`. Read it before you rely on it."
    ]
    if parts.data is None:
        told.append(
            "Its data is RANDOM: the engines build, and their numbers say nothing. Name your own "
            "below."
        )
    return "\n".join(told)


def _choose_fixes(look: ModelLook) -> list[Entries]:
    names = ["fold_constants", "drop_identity"]
    return [
        (Entry("kind", each),)
        for each in (*names, *(["fold_batchnorm"] if look.has("BatchNormalization") else []))
    ]


def _write_inputs(parts: RecipeParts) -> Entries:
    """Write what has to be said of inputs: what fills them, and those that count no samples."""
    brings = parts.data.brings if parts.data else [f.spec.name for f in parts.fed if f.fill is None]
    entries = []
    for fed in parts.fed:
        options: dict[str, Any] = {}
        remark = ""
        if fed.whole or (fed.axis is None and fed.spec.shape):
            options["batch_axis"] = "none"
        elif fed.axis and fed.fill is None:
            options["batch_axis"], remark = fed.axis, "the axis that counts samples"
        if fed.spec.name not in brings:
            options["fill"], remark = _fill(fed, parts.plan)
            open_axes = [a for a, size in enumerate(fed.spec.shape) if isinstance(size, str)]
            if any(axis != fed.axis for axis in open_axes) or fed.role == "sizes":
                options["shape"] = [
                    1 if axis == fed.axis else size
                    for axis, size in enumerate(parts.plan.shape(fed, 1, batch=1))
                ]
        if options:
            entries.append(Entry(fed.spec.name, options, remark))
    return tuple(entries)


def _fill(fed: FedInput, plan: SizePlan) -> tuple[float, str]:
    if fed.role == "state":
        return 0, "a first state of zeros"
    if fed.role == "sizes":
        side = next((s[1] for n, s in plan.spans.items() if plan.kinds[n] == "height"), 16)
        return side, f"{GUESS}: its values decide sizes"
    if fed.role == "mask":
        return 1, f"{GUESS}: nothing is masked"
    value = fed.fill or 0
    return value, f"{GUESS}: no sample brings it"


def _write_profile(parts: RecipeParts) -> Entries:
    """Write sizes for every input that has open ones, and values for those that decide sizes."""
    entries = []
    for fed in parts.fed:
        if fed.role == "sizes" and fed.spec.dtype in ("int32", "int64"):
            count = parts.plan.shape(fed, 1)[0] if fed.spec.shape else 1
            value = int(_fill(fed, parts.plan)[0])
            ends = {"min": 1, "opt": value, "max": 2 * value}
            spans = {end: [size] * count for end, size in ends.items()}
            remark = f"{GUESS}: values, not sizes"
            entries.append(Entry(fed.spec.name, {"values": True, **spans}, remark))
        elif any(isinstance(size, str) for size in fed.spec.shape):
            shapes = [list(parts.plan.shape(fed, place)) for place in range(3)]
            entries.append(
                Entry(fed.spec.name, dict(zip(("min", "opt", "max"), shapes, strict=True)))
            )
    return tuple(entries)


def _explain_profiles(parts: RecipeParts) -> str:
    plan = parts.plan
    if not plan.spans:
        return (
            "every size is fixed in the model, so there is nothing to choose" if parts.fed else ""
        )
    told = "TensorRT builds for sizes from `min` to `max`, and is fastest at `opt`. "
    named = {kind: name for name, kind in plan.kinds.items()}
    if plan.problem:
        return f"{told}A guess, not tried: ONNX Runtime says: {plan.problem}"
    if "batch" in named and plan.spans[named["batch"]][2] == 1:
        told += "The model runs with a batch of 1 alone. "
    tried = "The model runs at all three; how" if parts.look.trial else "How"
    return f"{told}{tried} far they reach is a guess"


def _write_quantization(parts: RecipeParts) -> Entries:
    if not parts.fed:
        return ()
    kind, why = _choose_calibrator(parts)
    found = (Entry("data", "calib"), Entry("calibrator", {"kind": kind}, why))
    return (*found, _HEAD) if parts.purpose.task == "detection" else found


def _choose_calibrator(parts: RecipeParts) -> tuple[str, str]:
    if parts.data is None:
        return "minmax", "clips nothing; `auto` with data of your own"
    if parts.look.recurs:
        return "minmax", "for recurrent layers: their values are bounded"
    if 0 < parts.data.first.count < FEW:
        return "minmax", f"{parts.data.first.count} samples are few to clip by; `auto` with {FEW}"
    return "auto", "tries several on these samples, and takes the one that errs least"


def _write_compare(parts: RecipeParts, *, quantized: bool) -> Entries:
    if not parts.fed:
        return ()
    purpose, labelled = parts.purpose, parts.tells_classes
    chosen = purpose.task == "segmentation" and not purpose.floats  # numbers of classes: no noise
    metrics: list[Any] = [] if chosen else [*_OURS]
    if purpose.task == "classification":
        metrics.append("top1_agreement")
        if labelled:
            metrics += ["top1", {"kind": "classification", "top": [min(3, purpose.classes)]}]
    metrics += map(_without_labels, purpose.metrics)
    entries = [Entry("data", "eval"), Entry("metrics", metrics, purpose.remark)]
    gates, why = _choose_gates(parts, labelled=labelled)
    if gates and not quantized:
        entries.append(Entry("gates", gates, why))
    return tuple(entries)


def _without_labels(metric: dict[str, Any]) -> dict[str, Any]:
    """Leave mAP out where what counts it is not installed."""
    if metric["kind"] != "detection" or find_spec("pycocotools") is not None:
        return metric
    return {**metric, "against": "reference"}


def _choose_gates(parts: RecipeParts, *, labelled: bool) -> tuple[list[Entries], str]:
    """Demand what the data can tell, and so little that only what is broken fails."""
    data, gates = parts.data, []
    if data is None or data.second is None or not parts.purpose.floats:
        return [], ""
    gates.append((Entry("metric", "sqnr_db"), Entry("at_least", 10, "below that, look closer")))
    if labelled and parts.purpose.task == "classification" and data.second.count >= ENOUGH:
        gates.append((Entry("metric", "top1"), Entry("drop_at_most", "1%")))
    return list(gates), "raise them to what you need, once you know what it reaches"
