"""Where ONNX Runtime computes: on a GPU only where it was seen to."""

from __future__ import annotations

import pytest

from trtbuild.core.errors import NoGpu
from trtbuild.core.needs import INFERENCE_BATCH, INFERENCE_DEVICE
from trtbuild.machine import facts, inference
from trtbuild.machine.facts import Gpu, InstalledPackages, list_doubts
from trtbuild.machine.inference import choose_inference_device

GPU = Gpu("NVIDIA H200", "9.0", 140 << 30, "0000:17:00.0")
FACT = "NVIDIA H200 (9.0), CUDAExecutionProvider"
CUDA_PACKAGE = "onnxruntime-gpu 1.31.1"


@pytest.fixture
def probed(monkeypatch, tmp_path):
    """Have sessions open, or not, as told; return the environments in which it was tried."""
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path))
    tried = []

    def set_up(*answers, free=None):
        left = list(answers)
        monkeypatch.setattr(inference, "count_free_bytes", lambda _: free)
        monkeypatch.setattr(inference, "probe", lambda each: tried.append(each) or left.pop(0))
        return tried

    return set_up


def test_a_gpu_is_taken_where_a_session_opened_on_it(probed):
    """Once: that it did is remembered as long as nothing of the machine changes."""
    tried = probed("")

    for _ in range(2):
        found = choose_inference_device("auto", CUDA_PACKAGE, GPU, environment={"A": "1"})

        assert FACT == found.fact
    assert [{"A": "1"}] == tried


def test_what_opened_with_another_version_is_tried_anew(probed):
    """Or on another GPU, or with other libraries beside it."""
    tried = probed("", "", "")
    choose_inference_device("auto", CUDA_PACKAGE, GPU)
    choose_inference_device("auto", "onnxruntime-gpu 1.32.0", GPU)
    choose_inference_device("auto", CUDA_PACKAGE, Gpu("NVIDIA L4", "8.9"))

    assert 3 == len(tried)


def test_a_provider_that_falls_back_is_found_out_each_time(probed):
    """It is said why, and what to do; what failed may be mended any time."""
    tried = probed(*["its CUDA provider does not open: libcudnn.so.9 is not found"] * 2)
    for _ in range(2):
        found = choose_inference_device("auto", CUDA_PACKAGE, GPU)

        assert "" == found.fact
        assert "libcudnn.so.9 is not found" in found.hindrance
        assert "onnxruntime-gpu[cuda,cudnn]" in found.hint
    assert 2 == len(tried)


@pytest.mark.parametrize(
    ("package", "gpu", "free", "answer", "told"),
    [
        ("1.32.0", GPU, None, "", "onnxruntime 1.32.0, which has no CUDA provider"),
        (None, GPU, None, "", "not installed"),
        (CUDA_PACKAGE, None, None, "", "no NVIDIA GPU with a driver"),
        (CUDA_PACKAGE, GPU, 200 << 20, "", "200 MiB are free, and it needs 1024"),
        (CUDA_PACKAGE, GPU, 9 << 30, "CUDA driver version is insufficient", "insufficient"),
    ],
)
def test_what_is_demanded_and_not_there_is_an_error(probed, package, gpu, free, answer, told):
    """With `cuda`, one clear line; `auto` takes the CPU for the same reason."""
    probed(answer, answer, free=free)

    with pytest.raises(NoGpu, match="cannot compute on a GPU here") as caught:
        choose_inference_device("cuda", package, gpu)

    assert told in caught.value.message
    assert caught.value.hint
    assert "" == choose_inference_device("auto", package, gpu).fact
    assert "" == choose_inference_device("cpu", package, gpu).hindrance


def test_a_session_is_really_tried():
    """This ONNX Runtime lacks the provider, or there is no GPU for it; a process finds that out."""
    if inference.count_free_bytes("") is not None or facts.list_gpus():
        pytest.skip("there is a GPU: tests/gpu tries it")

    assert "CUDAExecutionProvider" in inference.probe({})


@pytest.mark.parametrize(
    ("lines", "errors", "told"),
    [
        (['{"hindrance": ""}'], "", ""),
        (['{"hindrance": "x"}'], "a\nlibcublasLt.so.13: cannot open shared object file", "libcubl"),
        ([], "Segmentation fault", "ended the process that tried it (-11): Segmentation fault"),
    ],
)
def test_the_answer_names_the_library_that_is_missing(lines, errors, told):
    """ONNX Runtime's own words of it fill a screen."""
    assert told in inference._read_answer(lines, errors, -11)


@pytest.fixture
def cuda_installed(tmp_path, monkeypatch):
    """A folder where onnxruntime-gpu is installed, and a GPU."""
    metadata = tmp_path / "onnxruntime_gpu-1.31.1.dist-info"
    metadata.mkdir()
    (metadata / "RECORD").write_text("onnxruntime/__init__.py,,\n")
    (tmp_path / "onnxruntime").mkdir()
    monkeypatch.setattr(facts, "list_gpus", lambda: (GPU,))
    return [str(tmp_path)]


def test_the_device_is_a_fact_only_where_there_is_one(probed, cuda_installed):
    """Without it nothing is recomputed that was computed on a CPU."""
    probed("")
    found = InstalledPackages(cuda_installed, inference="auto")

    assert FACT == found[INFERENCE_DEVICE]
    assert INFERENCE_DEVICE not in InstalledPackages(cuda_installed, inference="cpu")
    assert INFERENCE_DEVICE not in InstalledPackages([], inference="auto")


def test_a_batch_is_a_fact_where_it_was_said_and_a_gpu_computes(probed, cuda_installed):
    """Elsewhere each sample runs alone anyway."""
    probed("")
    here, there = (
        InstalledPackages(cuda_installed, inference=each, batch=1) for each in ("auto", "cpu")
    )

    assert "1" == here[INFERENCE_BATCH]
    assert INFERENCE_BATCH not in there
    assert INFERENCE_BATCH not in InstalledPackages(cuda_installed, inference="auto")


def test_a_fallback_stands_among_the_doubts_once(probed, cuda_installed):
    """A run must not be half on the one and half on the other."""
    tried = probed("its CUDA provider does not open: no", "")
    found = InstalledPackages(cuda_installed, inference="auto")

    assert [False, False] == [INFERENCE_DEVICE in found for _ in range(2)]
    assert 1 == len(tried)
    (doubt,) = list_doubts(found)
    assert doubt.startswith("ONNX Runtime computes on the CPU: its CUDA provider does not open")
