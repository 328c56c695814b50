"""Rounding by AdaRound's own optimizer against ours, layer by layer and as a whole, in one run.

    python -m tests.bench.adaround [cnn mlp vit depthwise]

The models are those of `tests/bench/fitting.py`, all with the same calibrator, scales and layers in
INT8. AdaRound is written from its paper (Nagel et al. 2020, arXiv:2004.10568), in NumPy: of each
weight the part above its floor is h(V) = clip(1.2·sigmoid(V) - 0.1, 0, 1), and Adam lessens what is
wrong with the layer's output plus λ·Σ (1 - |2·h(V) - 1|^β), with λ = 0.01, β from 20 down to 2, the
first fifth without it, 10000 steps. Three things differ. A step sees the second moments of all the
rows that ours sees, where the paper draws batches; the gradient is the mean of theirs. Outputs are
in units of their own power, since the paper's λ is for networks whose outputs have a power of about
1. And a layer ends before its activation. What a layer is to make is for AdaRound what it makes in
the float model, as the paper's asymmetric reconstruction has it; `same aim` gives it ours. So that
both see the same, each takes the place of `round_jointly` in one and the same walk.

Gains are in dB of what a layer makes, the median and the least over layers.
"""

from __future__ import annotations

import argparse
import statistics
import time
from unittest import mock

import numpy as np
import onnx
from scipy.special import expit, logit

from tests.bench.accuracy import histograms_of, ours, run, say
from tests.bench.fitting import CALIBRATOR, subject_of
from tests.helpers.quant import sqnr_db
from trtbuild.quant.adjusting import reconstruct
from trtbuild.quant.adjusting.adjust import AdjustRequest, adjust_model
from trtbuild.quant.adjusting.rounding import TRUST, round_jointly
from trtbuild.quant.adjusting.table import write_adjustments

STEPS, RATE, LAMBDA, HIGH, LOW, WARM = 10000, 1e-2, 0.01, 20.0, 2.0, 0.2
STRETCH, SHIFT = 1.2, -0.1
ONE, TWO = 0.9, 0.999
"""Adam's decay of the means of slopes, and of their squares."""
MODELS = ("cnn", "mlp", "vit", "depthwise")


def round_by_adam(exact, means, *, trust=1.0):
    """Return integers [group, out, k] next to the exact ones, as AdaRound's optimizer chooses."""
    aim = trust * means.products + (1 - trust) * exact @ means.squares
    power = np.maximum(means.powers.mean(axis=1), 1e-12)[:, None, None]
    moments, aim, exact = (
        each.astype(np.float32) for each in (means.squares / power, aim / power, exact)
    )
    whole = np.clip(np.floor(exact), -127, 126)
    soft = logit(np.clip((exact - whole - SHIFT) / STRETCH, 1e-4, 1 - 1e-4))
    first, second = np.zeros_like(soft), np.zeros_like(soft)
    warm = int(WARM * STEPS)
    for step in range(STEPS):
        sigmoid = expit(soft)
        up = np.clip(sigmoid * STRETCH + SHIFT, 0, 1)
        slope = 2 * ((whole + up) @ moments - aim)
        if step >= warm:
            beta = LOW + (HIGH - LOW) * (1 - (step - warm) / (STEPS - warm))
            side = 2 * up - 1
            slope -= LAMBDA * 2 * beta * np.sign(side) * np.abs(side) ** (beta - 1)
        slope *= ((up > 0) & (up < 1)) * (STRETCH * sigmoid * (1 - sigmoid))
        first += (1 - ONE) * (slope - first)
        second += (1 - TWO) * (slope * slope - second)
        unbiased = np.sqrt(second / (1 - TWO ** (step + 1))) + 1e-8
        soft -= RATE * first / (1 - ONE ** (step + 1)) / unbiased
    return (whole + (soft >= 0)).astype(np.float64)


WAYS = {
    "ours": round_jointly,
    "AdaRound": round_by_adam,
    "AdaRound, same aim": lambda exact, means: round_by_adam(exact, means, trust=TRUST),
}


def fitted(subject, plain, way, *, bias):
    """Return the model with rounding fitted in a way, the gains of its layers, and seconds."""
    feeds = [{name: row[None] for name, row in feed.items()} for feed in subject.calibration]
    begin = time.process_time()
    with mock.patch.object(reconstruct, "round_jointly", way):
        found, account = adjust_model(
            onnx.ModelProto.FromString(subject.model),
            onnx.ModelProto.FromString(plain),
            feeds,
            AdjustRequest(rounding=True, bias=bias),
            progress=lambda *_: None,
        )
    seconds = time.process_time() - begin
    made = onnx.ModelProto.FromString(plain)
    write_adjustments(made, found)
    gains = [gain for gain, _ in account.list_gains()]
    return made.SerializeToString(), gains, seconds


def table(name):
    """Print a model's rows."""
    subject = subject_of(name)
    exact = run(subject.model, subject.measured)
    say(f"\n{name:28} SQNR      task     gain of a layer   (FP32 {subject.score(exact):.2%})")
    plain = ours(subject, CALIBRATOR, histograms_of(subject))

    def show(label, model, told=""):
        found = run(model, subject.measured)
        say(f"{label:28} {sqnr_db(exact, found):6.2f} dB {subject.score(found):.2%}  {told}")

    show("to the nearest", plain)
    for bias in (False, True):
        for way, rounding in WAYS.items():
            model, gains, seconds = fitted(subject, plain, rounding, bias=bias)
            told = f"{statistics.median(gains):+.2f} dB, {min(gains):+.2f}   CPU {seconds:.0f} s"
            show(f"{way}{', bias' if bias else ''}", model, told)


def main():
    """Print a table for each model."""
    parser = argparse.ArgumentParser(description="AdaRound's optimizer against ours.")
    parser.add_argument("models", nargs="*", choices=[*MODELS, []], help="all without any")
    for name in parser.parse_args().models or MODELS:
        table(name)


if __name__ == "__main__":
    main()
