"""Frames made ready on a real GPU are those that the CPU makes ready, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.core.errors import MissingDependency, StepInputError
from trtbuild.data.on_gpu.preprocess import GpuPreprocess
from trtbuild.data.preprocess import Preprocess
from trtbuild.machine.facts import list_gpus

pytestmark = pytest.mark.gpu
RNG = np.random.default_rng(3)
SIZES = [(720, 1280), (1080, 1920), (333, 500), (64, 64)]
HOWS = [
    Preprocess(resize=640, fit="letterbox", resize_like="opencv"),
    Preprocess(resize=640, fit="letterbox"),
    Preprocess(
        resize=(224, 224), resize_like="torchvision", interpolation="bicubic",
        mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), dtype="float16", color="bgr",
    ),
    Preprocess(resize=256, crop=(224, 224), interpolation="lanczos", layout="hwc"),
    Preprocess(resize=(96, 96), resize_like="opencv", interpolation="area", color="gray"),
]  # fmt: skip


@pytest.fixture(scope="module")
def torch():
    """PyTorch with a GPU, and cuda-core; skips where one is missing, and says which."""
    found = pytest.importorskip("torch")
    pytest.importorskip("cuda.core")
    if not list_gpus() or not found.cuda.is_available():
        pytest.skip("there is no GPU that PyTorch sees")
    return found


@pytest.mark.parametrize("how", HOWS, ids=range(len(HOWS)))
def test_batches_of_several_sizes_equal_the_cpu_s(torch, how):
    """One kernel for all of them, in the stream that is given."""
    frames = [RNG.integers(0, 256, (*size, 3), np.uint8) for size in SIZES]
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream), GpuPreprocess(how, stream=stream) as prepare:
        given = [torch.from_numpy(each).cuda() for each in frames]
        for _ in range(3):
            made = torch.from_dlpack(prepare(given))
    stream.synchronize()
    found = made.cpu().numpy()

    for mine, frame in zip(found, frames, strict=True):
        assert np.array_equal(how.apply(frame, "frame"), mine)


def test_memory_of_the_caller_is_written_to(torch):
    """And a frame may be part of another."""
    how = Preprocess(resize=(64, 64))
    whole = torch.from_numpy(RNG.integers(0, 256, (300, 400, 3), np.uint8)).cuda()
    part = whole[10:210, 20:320]
    out = torch.zeros(1, 3, 64, 64, device="cuda")
    with GpuPreprocess(how, stream=torch.cuda.current_stream()) as prepare:
        assert out is prepare([part], out)
        torch.cuda.synchronize()
        with pytest.raises(StepInputError, match="`out` is"):
            prepare([part], out[:, :2])
        with pytest.raises(StepInputError, match="ndarray lies in main memory"):
            prepare([part.cpu().numpy()])
    expected = how.apply(np.ascontiguousarray(part.cpu().numpy()), "part")

    assert np.array_equal(expected, out[0].cpu().numpy())


def test_without_a_gpu_it_is_said():
    """One clear error."""
    if list_gpus():
        pytest.skip("there is a GPU")
    with pytest.raises((MissingDependency, StepInputError)):
        GpuPreprocess(Preprocess(resize=(8, 8)))
