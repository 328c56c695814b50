"""What others get back on the models of `recovery.py`, beside what `trtbuild tune` does.

    python -m tests.bench.recovery --kept FOLDER
    python -m tests.bench.recovery_peers --kept FOLDER [--modelopt "env PYTHONPATH=... python"]

Theirs: ModelOpt's ONNX PTQ by both of its methods, as it places INT8; onnxruntime.quantization set
up for TensorRT (Q/DQ, symmetric, by channel) with `MinMax` (1.32 finds the same limits with
`Entropy` on these models); and that as its `qdq_loss_debug` is meant to be used: the layers whose
activation or weight errs most by itself stay in float, as many as leave the share of the
multiply-accumulates that tune's best has in INT8. All start from one FP32 model, see the same 256
or 128 samples and are compared by one step on the same data, with their Q/DQ pairs computed as they
stand. Ours is the best of what tune compared on all samples with at least as much in INT8: the
recipe as it is, where tune took no other. `unseen` is data that nobody was judged by.
"""

from __future__ import annotations

import argparse
import importlib
import os
import tempfile
from pathlib import Path

import numpy as np
import onnx
import yaml

from tests.bench.accuracy import WEIGHTED, Subject, say, theirs
from tests.bench.auto import METHODS, modelopt
from tests.bench.auto_rows import share_of
from tests.bench.recovery import HERE, NAMES, open_workshop
from trtbuild import api
from trtbuild.core.tuning import Trial, Tuning
from trtbuild.verbs.tuning.candidates import Candidate

SETS = ("eval", "unseen")
DEBUGGED = 32
"""Samples on which `qdq_loss_debug` compares activations: it keeps all of them in memory."""
EQUAL = 0.002


def read_subject(recipe, model):
    """Return the FP32 model of a recipe, and the samples that it calibrates on."""
    source = recipe["data"]["calib"]
    module = Path(source["entrypoint"].split(":")[0]).stem
    make = getattr(importlib.import_module(f"calib_data.{module}"), module)
    pictures = [one["input"] for one in make(**source["options"])]
    feeds = [{"input": (x.transpose(2, 0, 1) / 255).astype(np.float32)} for x in pictures]
    return Subject(model.read_bytes(), feeds, {}, lambda _: 0.0)


def measure(name, recipe, model, reference, folder):
    """Return how far a Q/DQ model of theirs drops, on each set."""
    found = []
    for data in SETS:
        own = {**recipe, "name": f"{name}_{data}", "data": {data: recipe["data"][data]}}
        own["data"][data]["entrypoint"] = (
            str((HERE / recipe["data"][data]["entrypoint"].split(":")[0]).resolve())
            + ":"
            + recipe["data"][data]["entrypoint"].split(":")[1]
        )
        own["model"] = {"kind": "onnx", "path": str(model)}
        own["compare"] = {**recipe["compare"], "data": data}
        own["compare"]["reference"] = {"kind": "onnx", "path": str(reference)}
        del own["quantization"], own["fixes"]
        path = folder / f"{name}_{data}.yaml"
        path.write_text(yaml.safe_dump(own))
        report = api.apply(path, build_dir=folder, executor="inline", jobs=1, no_gates=True)
        gate = recipe["compare"]["gates"][0]["metric"]
        (drop,) = (m.drop for m in report.record.comparison.measures if m.metric == gate)
        found.append(100 * drop)
    return found


def list_worst(subject, quantized):
    """Return the weighted nodes, those first whose activation or weight errs most by itself."""
    from onnxruntime.quantization import CalibrationDataReader
    from onnxruntime.quantization import qdq_loss_debug as debug

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.left = iter(subject.calibration[:DEBUGGED])

        def get_next(self):
            feed = next(self.left, None)
            return feed and {name: value[None] for name, value in feed.items()}

    with tempfile.TemporaryDirectory() as scratch:
        paths = [Path(scratch, name) for name in ("float.onnx", "int8.onnx")]
        seen = []
        for path, model in zip(paths, (subject.model, quantized), strict=True):
            path.write_bytes(model)
            wider = path.with_suffix(".wide.onnx")
            debug.modify_model_output_intermediate_tensors(path, wider)
            seen.append(debug.collect_activations(str(wider), Reader()))
        matched = debug.create_activation_matching(seen[1], seen[0])
        activations = debug.compute_activation_error(matched)
        weights = debug.compute_weight_error(debug.create_weight_matching(*map(str, paths)))
    nodes = onnx.ModelProto.FromString(subject.model).graph.node

    def errs(node):
        own = [activations[x]["qdq_err"] for x in node.input if x in activations]
        return min([*own, *(weights[x] for x in node.input if x in weights)], default=np.inf)

    return [n.name for n in sorted((n for n in nodes if n.op_type in WEIGHTED), key=errs)]


def debugged(subject, share):
    """Quantize with onnxruntime, with the worst layers in float down to a share in INT8."""
    whole = theirs(subject, "MinMax", WEIGHTED)
    worst, left = list_worst(subject, whole), []
    found = whole
    while worst and share_of(subject, found) > share + EQUAL:
        left.append(worst.pop(0))
        found = theirs(subject, "MinMax", WEIGHTED, leave=left)
    return found


def table(name, kept, command):
    """Print the rows of a model."""
    recipe = yaml.safe_load((HERE / f"{name}.yaml").read_text())
    source = (kept / name / "model.fp32.onnx").resolve()
    tuning = Tuning.model_validate_json((kept / name / "tune.json").read_text())
    subject, workshop = read_subject(recipe, source), open_workshop(name)
    best = tuning.trials[tuning.best]
    makes = {f"ModelOpt {m}": lambda m=m: modelopt(subject, m, command) for m in METHODS if command}
    makes["onnxruntime MinMax"] = lambda: theirs(subject, "MinMax", WEIGHTED)
    if best.int8_share < 1:
        makes["onnxruntime, qdq_loss_debug"] = lambda: debugged(subject, best.int8_share)
    say(f"{name}: {recipe['compare']['gates'][0]['metric']}, points below FP32")
    say(f"{'':<32} {'in INT8':>8} {'theirs':>8} {'unseen':>8} {'ours':>8} {'unseen':>8}")
    for how, make in makes.items():
        try:
            made = make()
        except Exception as error:  # noqa: BLE001  # whatever stops them, the table goes on
            say(f"{how:<32} {error}")
            continue
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch, "theirs.onnx")
            path.write_bytes(made)
            found = measure(name, recipe, path, source, Path(scratch))
        share = share_of(subject, made)
        own = ours(workshop, tuning, share)
        told = " ".join(f"{drop:8.2f}" for drop in (*found, *own))
        say(f"{how:<32} {100 * share:7.1f} % {told}")


def ours(workshop, tuning, share):
    """Return the drops of what tune found, with at least as much in INT8."""
    whole = tuning.trials[0].samples
    fit = [t for t in tuning.trials if t.samples == whole and t.int8_share >= share - EQUAL]
    best = min(fit, key=lambda t: (t.problem != "", t.shortfall, -(t.sqnr_db or 0)))
    found = []
    for data in SETS:
        candidate = Candidate(best.options, best.floats)
        _, compared = workshop.compare(candidate, Trial(what=""), data=data)
        gate = workshop.loaded.recipe.compare.gates[0].metric
        (drop,) = (m.drop for m in compared.measures if m.metric == gate)
        found.append(100 * drop)
    return found


def main():
    """Print a table for each model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []])
    parser.add_argument("--kept", type=Path, required=True, help="the folder that recovery kept")
    parser.add_argument("--modelopt", default="", help="the command of a Python that has it")
    asked = parser.parse_args()
    os.environ["TRTBUILD_STORE"] = str(asked.kept / "store")
    for name in asked.names or NAMES:
        table(name, asked.kept, asked.modelopt)


if __name__ == "__main__":
    main()
