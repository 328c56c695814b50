"""Plans over files that are never read: for tests of planning and of the walk."""

from __future__ import annotations

from pathlib import Path

from trtbuild.backends.tensorrt_rtx import TensorrtRtx
from trtbuild.calib.minmax import Minmax
from trtbuild.calib.percentile import Percentile
from trtbuild.data.arrays import Arrays
from trtbuild.plan.plan import Plan, plan_steps
from trtbuild.sources.kinds import Onnx
from trtbuild.steps.base import Pinned, Ref
from trtbuild.steps.build_engine import BuildEngine
from trtbuild.steps.calibrate import Calibrate
from trtbuild.steps.capture_data import CaptureData, DataInput
from trtbuild.steps.fix_graph import FixGraph
from trtbuild.steps.import_model import ImportModel
from trtbuild.steps.quantize import Quantize

FACTS = {
    "onnx": "1.0",
    "numpy": "2.0",
    "onnxruntime": "1.0",
    "polygraphy": "0.53",
    "tensorrt_rtx_cu13_libs": "1.7",
    "tensorrt_rtx_cu13_bindings": "1.7",
    "onnx-graphsurgeon": "0.6",
}


def plan_with(
    *, percentile=99.9, model="sha256:aa", base="/recipes", facts=FACTS, manual=None, deferred=None
) -> Plan:
    files = (Pinned(path=f"{base}/data.npy", digest="sha256:dd"),)
    source = Arrays(kind="arrays", path="data.npy")
    calibrator = (
        Minmax(kind="minmax")
        if percentile is None
        else Percentile(kind="percentile", percentile=percentile)
    )
    fixed = Ref(step="fix_graph", output="model")
    steps = {
        "import_model": ImportModel(
            model=Onnx(kind="onnx", path="m.onnx"),
            files=(Pinned(path=f"{base}/m.onnx", digest=model),),
            base=base,
        ),
        "fix_graph": FixGraph(model=Ref(step="import_model", output="model")),
        "capture_data(calib)": CaptureData(source=source, files=files),
        "calibrate": Calibrate(
            model=fixed,
            data=DataInput(
                source=source,
                files=files,
                manifest=Ref(step="capture_data(calib)", output="manifest"),
                stored=Ref(step="capture_data(calib)", output="samples"),
            ),
            calibrator=calibrator,
        ),
        "quantize": Quantize(
            model=fixed, ranges=Ref(step="calibrate", output="ranges"), manual=manual or {}
        ),
        "build_engine(rtx)": BuildEngine(
            target="rtx",
            backend=TensorrtRtx(kind="tensorrt_rtx"),
            model=Ref(step="quantize", output="model"),
            account=Ref(step="quantize", output="account"),
        ),
    }
    return plan_steps("face", steps, facts=facts, deferred=deferred or {})


def placed(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path
