"""What is installed, and on which GPU."""

from __future__ import annotations

import ctypes
import importlib.metadata
import shutil
import subprocess
import sys

import pytest

from trtbuild.backends import onnxruntime, tensorrt_rtx
from trtbuild.backends.tensorrt11 import Tensorrt11
from trtbuild.core.errors import NoGpu
from trtbuild.core.watch import Watch, describe_devices
from trtbuild.machine import facts
from trtbuild.machine.facts import (
    Gpu,
    InstalledPackages,
    demand_device,
    find_missing_packages,
    judge_readiness,
    list_gpus,
    list_target_kinds,
    show_device,
)
from trtbuild.machine.places import find_lack

FAKE_DRIVER = """
#include <string.h>
int cuInit(unsigned flags) { return 0; }
int cuDeviceGetCount(int *count) { *count = 2; return 0; }
int cuDeviceGetName(char *name, int size, int device) {
    strncpy(name, device ? "NVIDIA L4" : "NVIDIA H200", size); return 0;
}
int cuDeviceTotalMem_v2(unsigned long *bytes, int device) {
    *bytes = (device ? 24ul : 140ul) << 30; return 0;
}
int cuDeviceGetPCIBusId(char *bus, int size, int device) {
    strncpy(bus, device ? "0000:31:00.0" : "0000:17:00.0", size); return 0;
}
int cuDeviceGetAttribute(int *value, int attribute, int device) {
    *value = attribute == 75 ? (device ? 8 : 9) : attribute == 76 ? (device ? 9 : 0) : -1;
    return 0;
}
"""


@pytest.mark.parametrize("name", ["onnx-graphsurgeon", "onnx_graphsurgeon", "PyYAML", "numpy"])
def test_a_version_is_what_the_metadata_says(name):
    """The short cut through folder names agrees with importlib, however a name is spelled."""
    assert importlib.metadata.version(name) == InstalledPackages()[name]


def test_python_is_a_fact():
    """The interpreter's own version stands beside its packages."""
    assert sys.version.startswith(InstalledPackages()["python"])


def test_only_what_was_asked_for_is_a_fact_of_the_run(tmp_path):
    """Another package beside it does not show in the facts of a plan."""
    for folder in ("a-1.0.dist-info", "b_c-2.0+cpu.dist-info", "d-3-py3.11.egg-info", "e.py"):
        (tmp_path / folder).mkdir()
    found = InstalledPackages([str(tmp_path), str(tmp_path / "nowhere")])

    assert "2.0+cpu" == found["B.c"]
    assert "3" == found["d"]
    assert "x" not in found
    assert {"B.c": "2.0+cpu", "d": "3"} == dict(found)


def test_the_first_on_the_path_wins(tmp_path):
    """As for an import, what stands earlier hides what stands later."""
    for place, version in (("first", "1"), ("second", "2")):
        (tmp_path / place / f"a-{version}.dist-info").mkdir(parents=True)

    assert "1" == InstalledPackages([str(tmp_path / "first"), str(tmp_path / "second")])["a"]


def test_a_backend_says_which_packages_it_lacks():
    """What is missing is named, in words that can stand in a report."""
    needed = tensorrt_rtx.TensorrtRtx.capabilities
    versions = dict.fromkeys(needed.packages, "1")

    assert "" == find_missing_packages(needed, versions)
    del versions["polygraphy"]
    assert "polygraphy is not installed" == find_missing_packages(needed, versions)
    assert find_missing_packages(needed, {}).endswith("polygraphy are not installed")


def test_readiness_covers_every_kind_of_target():
    """For each kind: whether it builds here, with which versions, or what installs it."""
    here = {"onnxruntime": "1.31.1", "polygraphy": "0.53.6"}
    rtx, eleven, ten, ort = (judge_readiness(kind, here) for kind in list_target_kinds())

    assert [("tensorrt11", False), ("tensorrt10", False)] == [
        (each.kind, each.builds) for each in (eleven, ten)
    ]
    assert ("tensorrt_rtx", False) == (rtx.kind, rtx.builds)
    assert "tensorrt_rtx_cu13_libs" in rtx.reason
    assert "pip install 'trtbuild[rtx-aot]'" == rtx.install
    assert ("onnxruntime", True, "") == (ort.kind, ort.builds, ort.reason)
    assert "1.31.1" == ort.packages["onnxruntime"]


def test_a_backend_that_needs_a_gpu_is_not_ready_without_one(monkeypatch):
    """Packages alone do not make a builder that times kernels on a GPU."""
    needs = onnxruntime.Onnxruntime.capabilities.__class__(
        modes=("explicit",), native_calibrators=(), typing=(), runs_without_gpu=False,
        packages=(), install="",
    )  # fmt: skip
    monkeypatch.setattr(onnxruntime.Onnxruntime, "capabilities", needs)
    monkeypatch.setattr(facts, "_driver", lambda: None)

    assert "there is no NVIDIA GPU with a driver here" == judge_readiness("onnxruntime", {}).reason


def test_another_version_of_tensorrt_is_not_taken_for_it(monkeypatch):
    """A target for 10 is not built by 11, and says which is here."""
    here = {"tensorrt": "11.4.0.106", "polygraphy": "0.53.6"}

    eleven, ten = (judge_readiness(kind, here) for kind in ("tensorrt11", "tensorrt10"))

    assert "tensorrt 11.4.0.106 is installed; version 10 is needed" == ten.reason
    assert "there is no NVIDIA GPU with a driver here" == eleven.reason


def test_a_target_is_for_the_gpu_that_it_names(monkeypatch, tmp_path):
    """On another it is deferred, with both named; and the GPU is a fact of what is built."""
    monkeypatch.setattr(facts, "list_gpus", lambda: (Gpu("NVIDIA L4", "8.9"),))
    for folder in ("tensorrt-11.4.0.106.dist-info", "polygraphy-0.53.6.dist-info"):
        (tmp_path / folder).mkdir()
    installed = InstalledPackages([str(tmp_path)])
    here, there = (Tensorrt11(kind="tensorrt11", gpu=gpu) for gpu in ("sm_89", "sm_90"))

    assert "" == find_lack(here.needs(), installed)
    assert "it is for a GPU of compute capability 9.0, and here is NVIDIA L4 (8.9)" == find_lack(
        there.needs(), installed
    )
    assert "NVIDIA L4 (8.9)" == installed["gpu"]


def test_a_tensorrt_by_another_name_is_held_to_its_version():
    """`pip install tensorrt-cu12` brings the same module."""
    here = {"tensorrt": "tensorrt-cu12 11.4.0.106", "polygraphy": "0.53.6"}

    eleven, ten = (judge_readiness(kind, here) for kind in ("tensorrt11", "tensorrt10"))

    assert "tensorrt-cu12 11.4.0.106 is installed; version 10 is needed" == ten.reason
    assert "there is no NVIDIA GPU with a driver here" == eleven.reason


def test_gpus_are_read_from_the_driver(monkeypatch, tmp_path):
    """Name and compute capability come through the driver's C interface; here, one we compile."""
    if not shutil.which("cc"):
        pytest.skip("needs a C compiler")
    (tmp_path / "driver.c").write_text(FAKE_DRIVER)
    library = tmp_path / "libcuda.so.1"
    command = ["cc", "-shared", "-fPIC", "-o", str(library), str(tmp_path / "driver.c")]
    subprocess.run(command, check=True)
    monkeypatch.setattr(facts, "_driver", lambda: ctypes.CDLL(str(library)))

    assert (
        Gpu("NVIDIA H200", "9.0", 140 << 30, "0000:17:00.0"),
        Gpu("NVIDIA L4", "8.9", 24 << 30, "0000:31:00.0"),
    ) == list_gpus()


TWO = (Gpu("NVIDIA L4", "8.9", 24 << 30, "31"), Gpu("NVIDIA H200", "9.0", 140 << 30, "17"))


def test_facts_are_those_of_the_gpu_that_is_meant(monkeypatch):
    """Its name and memory count, and its index does not; one that is not there is no fact."""
    monkeypatch.setattr(facts, "list_gpus", lambda: TWO)
    first, second, third = (InstalledPackages([], device=index) for index in range(3))

    assert ("NVIDIA L4 (8.9)", str(24 << 30)) == (first["gpu"], first["gpu_memory"])
    assert ("NVIDIA H200 (9.0)", str(140 << 30)) == (second["gpu"], second["gpu_memory"])
    assert "gpu" not in third


def test_a_gpu_that_is_not_there_is_asked_for_in_vain(monkeypatch):
    """With those that are."""
    monkeypatch.setattr(facts, "list_gpus", lambda: TWO)
    demand_device(1)

    with pytest.raises(NoGpu, match=r"no GPU 2 here: there is 0 \(NVIDIA L4\), 1 \(NVIDIA H200\)"):
        demand_device(2)


@pytest.mark.parametrize(
    ("visible", "device", "told"),
    [("", 1, "1"), ("4,5", 1, "5"), ("GPU-a, MIG-b", 1, "MIG-b"), ("4", 1, "1")],
)
def test_a_process_is_shown_one_gpu_of_those_that_are_visible(visible, device, told, monkeypatch):
    """CUDA counts those that it is let see."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)

    assert {"CUDA_VISIBLE_DEVICES": told} == show_device(device)


def test_no_driver_means_no_gpu(monkeypatch):
    """Where the driver's library is not installed, there is no GPU, and no error."""
    monkeypatch.setattr(facts, "_PLACES", ("libnosuchdriver.so",))

    assert () == list_gpus()


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
def test_whoever_asks_for_a_gpu_is_seen_to_ask(monkeypatch, tmp_path):
    """With the driver's own file, though it was loaded before: another one may show another GPU."""
    (tmp_path / "driver.c").write_text(FAKE_DRIVER)
    library = tmp_path / "libcuda.so.1"
    command = ["cc", "-shared", "-fPIC", "-o", str(library), str(tmp_path / "driver.c")]
    subprocess.run(command, check=True)
    monkeypatch.setattr(facts, "_PLACES", (str(library),))

    with Watch() as watch:
        assert "NVIDIA H200 (9.0)" == InstalledPackages([])["gpu"]

    assert describe_devices() == watch.devices
    assert str(library) in watch.looks
    assert "" == watch.doubt


def test_whoever_finds_no_gpu_is_seen_to_ask(monkeypatch):
    """That there is none is an answer too."""
    monkeypatch.setattr(facts, "_PLACES", ("libnosuchdriver.so",))

    with Watch() as watch:
        assert "gpu" not in InstalledPackages([])

    assert describe_devices() == watch.devices
