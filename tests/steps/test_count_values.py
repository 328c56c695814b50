"""A calibration in shares: the same bytes, for any number of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.helpers.projects import edit, small_project
from trtbuild import api
from trtbuild.core.errors import CorruptObject
from trtbuild.run.cluster.sharing import share_out
from trtbuild.run.executor import CallResult
from trtbuild.run.inline import Inline
from trtbuild.steps.count_values import read_shares

OUTPUTS = ("ranges.json", "tails.json", "histograms.json")


class Keeping(Inline):
    """Runs steps here, and keeps the call of the calibration, with what it wrote."""

    def start(self, call):
        super().start(call)
        if call.step.kind == "calibrate":
            self.call = call
            self.made = [(Path(call.out) / name).read_bytes() for name in OUTPUTS]


@pytest.fixture(scope="module", params=["percentile", "minmax"])
def calibrated(request, tmp_path_factory):
    """A calibration on six samples that was run, and its call."""
    place = tmp_path_factory.mktemp("shares")
    recipe = small_project(place / "project")
    edit(recipe, "kind: minmax", f"kind: {request.param}")
    rtx = "rtx: {kind: tensorrt_rtx, compute_capabilities: [8.9], workspace: 256MiB}"
    edit(recipe, rtx, "ort: {kind: onnxruntime}")
    executor = Keeping()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRTBUILD_STORE", str(place / "store"))
        api.apply(recipe, build_dir=place / "build", executor=executor, no_gates=True)
    return executor


def run(call):
    executor = Inline()
    executor.start(call)
    while not isinstance(told := executor.wait(1.0), CallResult):
        pass
    assert "" == told.message
    return told


@pytest.mark.parametrize("shares", [1, 2, 4, 7])
def test_any_number_of_shares_makes_the_same_bytes(calibrated, tmp_path, shares):
    """One may even have nothing to do: there are six samples."""
    call = calibrated.call.model_copy(
        update={"out": str(tmp_path / "out"), "log": str(tmp_path / "log")}
    )
    (tmp_path / "out").mkdir()
    shared = share_out(call, 6, shares)
    for part in shared.parts:
        left = shared.end(run(part))

    told = run(left)
    assert calibrated.made == [(tmp_path / "out" / name).read_bytes() for name in OUTPUTS]
    assert ("calibrate", ()) == (told.name, told.warnings)


def test_what_is_no_share_is_refused(tmp_path):
    """It is said which file."""
    (tmp_path / "a").write_bytes(b"not arrays")
    with pytest.raises(CorruptObject, match="no share of a calibration"):
        read_shares([tmp_path / "a"])
    for name, tensor in (("b", "x"), ("c", "y")):
        np.savez(
            tmp_path / f"{name}.npz", samples=1, names=np.array([tensor]), range0=[0.0, 1.0],
            sizes0=[1, 1], counts0=np.zeros(0, np.int64),
        )  # fmt: skip
    with pytest.raises(CorruptObject, match="of another calibration"):
        read_shares([tmp_path / "b.npz", tmp_path / "c.npz"])
