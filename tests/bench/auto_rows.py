"""Rows of `tests/bench/auto.py`: what is measured of a quantized model, kept, and compared."""

from __future__ import annotations

import pickle
from typing import NamedTuple

import numpy as np
import onnx

from tests.bench.accuracy import say
from trtbuild.measure.scales import ScaleSurvey
from trtbuild.model.session import open_session
from trtbuild.quant.rules.macs import count_macs

__all__ = ["THREADS", "Rows", "Told", "find_behind", "summarize"]

WIDER, THREADS = 0.06, 2
BAR = -0.1
"""In dB: `auto` may be so far behind a kind by itself."""
SATURATED_DB = 60
"""Above it a classifier's probabilities are 0 and 1 but for chance."""


def widen(model, draw):
    """Return a Q/DQ model with every activation's scale a little wider, but the inputs'."""
    model = onnx.ModelProto.FromString(model)
    held = {each.name: each for each in model.graph.initializer}
    left_out = {each.name for each in model.graph.input} | set(held)
    chance = np.random.default_rng(draw)
    scales = {
        node.input[1]
        for node in model.graph.node
        if node.op_type == "QuantizeLinear" and node.input[0] not in left_out
    }
    for name in sorted(scales & set(held)):
        scale = onnx.numpy_helper.to_array(held[name])
        wider = np.asarray(scale * (1 + WIDER * chance.random()), scale.dtype)
        held[name].CopyFrom(onnx.numpy_helper.from_array(wider, name))
    return model.SerializeToString()


def run(model, subject):
    """Return a model's first output for all that is measured."""
    session = open_session(model, threads=THREADS)
    count = len(next(iter(subject.measured.values())))
    parts = [
        {name: rows[i : i + subject.batch] for name, rows in subject.measured.items()}
        for i in range(0, count, subject.batch)
    ]
    return np.concatenate([next(iter(session.run(part).values())) for part in parts])


def share_of(subject, model):
    """Return the share of multiply-accumulates whose operands are both made of INT8."""
    return find_int8(subject, model)[0]


def find_int8(subject, model):
    """Return the share of multiply-accumulates in INT8, and the layers that make them."""
    own = onnx.ModelProto.FromString(subject.model)
    sizes = {name: [1, *value.shape] for name, value in subject.calibration[0].items()}
    for each in own.graph.input:
        for dim, size in zip(
            each.type.tensor_type.shape.dim, sizes.get(each.name, ()), strict=False
        ):
            dim.Clear()
            dim.dim_value = size
    known = onnx.shape_inference.infer_shapes(own).graph
    shapes = {
        each.name: [dim.dim_value for dim in each.type.tensor_type.shape.dim]
        for each in (*known.value_info, *known.input, *known.output)
    } | {each.name: list(each.dims) for each in known.initializer}
    macs = count_macs(own, shapes)
    nodes = onnx.ModelProto.FromString(model).graph.node
    int8 = {name for one in nodes if one.op_type == "DequantizeLinear" for name in one.output}
    done = [one.name for one in nodes if len(one.input) > 1 and int8.issuperset(one.input[:2])]
    layers = {name for name in done if macs.get(name)}
    return sum(macs[name] for name in layers) / max(1, sum(macs.values())), layers


def find_parts(reference):
    """Return the parts of an output that are of unlike scale, or the whole."""
    survey = ScaleSurvey("output", [reference.shape[1:]])
    survey.add(reference)
    return [part.index for part in survey.find_parts().values()] or [()]


def power_of(values, parts):
    """Return the sum of squares, by part and sample."""
    rows = [values[part].astype(np.float64) for part in parts]
    return np.stack([np.square(row).reshape(len(row), -1).sum(1) for row in rows])


def decibels(signal, errors):
    """Return signal over error: the mean over draws and parts."""
    return float(np.mean(10 * np.log10(signal.sum(-1) / errors.sum(-1))))


class Rows:
    """Measures rows of a subject's table, and keeps them."""

    def __init__(self, name, folder, draws):
        """Read what was kept."""
        self.path, self.draws = folder / f"{name}.rows", draws
        self.kept = pickle.loads(self.path.read_bytes()) if self.path.exists() else {}  # noqa: S301
        self.reference = self.parts = None

    def keep(self, label, found):
        """Keep and return what was found."""
        self.kept[label] = found
        self.path.write_bytes(pickle.dumps(self.kept))
        return found

    def measure(self, label, subject, make):
        """Print and return a row's dB: mean over the draws; None where there is no model."""
        if label not in self.kept:
            try:
                model = make()
                if self.reference is None:
                    self.reference = run(subject.model, subject)
                    self.parts = find_parts(self.reference)
                    self.keep("signal", power_of(self.reference, self.parts))
                drawn = [run(widen(model, number), subject) for number in range(self.draws)]
                errors = [power_of(self.reference - each, self.parts) for each in drawn]
                share, layers = find_int8(subject, model)
                self.keep(label, {"errors": np.stack(errors), "share": share, "layers": layers})
            except Exception as error:  # noqa: BLE001  # of foreign tools, whatever they raise
                self.keep(label, {"error": " ".join(str(error).split())[:100]})
        found = self.kept[label]
        if "error" in found:
            say(f"  {label:28} -        {found['error']}")
            return None
        if not found["share"]:
            say(f"  {label:28} -        nothing is in INT8")
            return None
        mean = decibels(self.kept["signal"], found["errors"])
        say(f"  {label:28} {mean:6.2f} dB   INT8 {found['share']:.2%}")
        return mean

    def compare(self, one, other):
        """Return by how many dB a row is better than another, and the standard error of that.

        Chance is in the samples, and in the draws: both are paired.
        """
        signal = self.kept["signal"]
        sides = [self.kept[label]["errors"] for label in (one, other)]
        count, draws = signal.shape[-1], len(sides[0])

        def gain(signal, sides):
            return decibels(signal, sides[0]) - decibels(signal, sides[1])

        without = np.array(
            [
                gain(np.delete(signal, i, -1), [np.delete(side, i, -1) for side in sides])
                for i in range(count)
            ]
        )
        spread = np.square(without - without.mean()).sum() * (count - 1) / count
        if draws > 1:
            of_draws = [gain(signal, [side[i : i + 1] for side in sides]) for i in range(draws)]
            spread += np.var(of_draws, ddof=1) / draws
        return gain(signal, sides), float(np.sqrt(spread))


class Told(NamedTuple):
    """What the summary says of a subject."""

    name: str
    auto: float
    against: list
    ratios: list


def find_behind(rows, group):
    """Return the row of a side that is best against ours, and how far ours is from it.

    The group gives each label's dB, and the label of the row of ours to compare with it.
    """
    known = {label: ours for label, (found, ours) in group.items() if found is not None}
    if not known:
        return "none", np.nan, np.nan
    gaps = {label: rows.compare(ours, label) for label, ours in known.items()}
    best = min(gaps, key=lambda label: gaps[label][0])
    return best, *gaps[best]


def summarize(told):
    """Print the summary of some subjects."""
    say("subject        less best kind              less best of theirs              time   memory")
    for each in told:
        sides = "   ".join(
            f"{gap:+6.2f} ±{spread:4.2f} {label:16}" for label, gap, spread in each.against
        )
        say(f"{each.name:14} {sides} {each.ratios[0]:6.2f} {each.ratios[1]:6.2f}")
    counted = [each for each in told if each.auto < SATURATED_DB]
    for place, side in enumerate(("every kind", "the best of theirs")):
        gaps = [(each.name, *each.against[place][1:]) for each in counted]
        gaps = [each for each in gaps if np.isfinite(each[1])]
        if not gaps:
            continue
        behind = [name for name, gap, _ in gaps if gap < BAR]
        sure = [name for name, gap, spread in gaps if gap + 2 * spread < BAR]
        say(
            f"of {len(gaps)}, {len(gaps) - len(behind)} are not more than {-BAR} dB behind {side}; "
            f"mean {np.mean([gap for _, gap, _ in gaps]):+.2f} dB, worst "
            f"{min(gap for _, gap, _ in gaps):+.2f}; behind: {', '.join(behind) or 'none'}; by "
            f"more than twice the standard error: {', '.join(sure) or 'none'}"
        )
