"""trtbuild doctor, as its user meets it."""

from __future__ import annotations

from trtbuild.machine.facts import Gpu
from trtbuild.verbs import diagnose


def test_settings_that_are_wrong_are_told_by_doctor(trtbuild, tmp_path, monkeypatch):
    """At their line."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))
    (tmp_path / "trtbuild").mkdir()
    (tmp_path / "trtbuild/config.yaml").write_text("pythons: {tensorrt12: /p}\n")

    answer = trtbuild("doctor")

    assert 2 == answer.code
    assert "config.yaml:1:11: error: `tensorrt12` is no kind of target" in answer.err


def test_gpus_have_the_index_that_a_device_is_chosen_by(trtbuild, tmp_path, monkeypatch):
    """In CUDA's order, with what tells two of a name apart."""
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))
    found = (Gpu("NVIDIA L4", "8.9", 24 << 30, "31"), Gpu("NVIDIA H200", "9.0", 140 << 30, "17"))
    monkeypatch.setattr(diagnose, "list_gpus", lambda: found)

    told = trtbuild("doctor").out

    assert "GPU 0: NVIDIA L4 (8.9), 24.0 GiB" in told
    assert "GPU 1: NVIDIA H200 (9.0), 140.0 GiB" in told


def test_what_is_missing_for_a_gpu_is_said_with_what_installs_it(trtbuild, tmp_path, monkeypatch):
    """There is a GPU, and ONNX Runtime is the one without CUDA."""
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))
    monkeypatch.setattr(diagnose, "list_gpus", lambda: (Gpu("NVIDIA L4", "8.9", 24 << 30, "31"),))

    told = trtbuild("doctor").out

    assert "ONNX Runtime computes on the CPU: onnxruntime " in told
    assert "hint: pip install 'trtbuild[cuda]'" in told
