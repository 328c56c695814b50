"""The runtime and pipelines on a real GPU: in ONNX Runtime, fed from there and from main memory."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from trtbuild.core.needs import INFERENCE_DEVICE
from trtbuild.data.on_gpu.pictures import GpuPictures
from trtbuild.data.preprocess import Preprocess
from trtbuild.machine.facts import InstalledPackages
from trtbuild.runtime import Engine

pytestmark = pytest.mark.gpu
MODEL = "net (float[n, 3, h, w] x) => (float[n, 3, h, w] y) { y = Add(x, x) }"
HOW = Preprocess(resize=(320, 320), resize_like="opencv")


@pytest.fixture
def engine(tmp_path):
    """A model that doubles what it is given; skips, with the reason, where no GPU computes."""
    found = InstalledPackages(inference="auto")
    if INFERENCE_DEVICE not in found:
        pytest.skip(f"ONNX Runtime computes on no GPU here: {found.doubts or 'no onnxruntime-gpu'}")
    onnx.save(model_of(MODEL), tmp_path / "m.onnx")
    with Engine(tmp_path / "m.onnx", device="cuda") as made:
        yield made


def test_torch_s_tensors_go_in_and_come_out_without_a_copy_to_main_memory(engine):
    """Made in a stream of its own, which is waited for; outputs outlive the runs behind them."""
    torch = pytest.importorskip("torch")
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        big = torch.rand(4096, 4096, device="cuda")
        for _ in range(20):
            big = big @ big / 4096  # so that it is late
        x = (big[:96, :64].reshape(2, 3, 32, 32) * 0 + 3).contiguous()
    kept = [engine.run({"x": x + n}, keep_on_gpu=True)["y"] for n in range(3)]
    for n, each in enumerate(kept):
        made = torch.from_dlpack(each)
        assert made.is_cuda
        assert (2 * (3 + n) == made).all()
        assert (2 * (3 + n) == torch.as_tensor(each, device="cuda")).all()
    np.testing.assert_array_equal(engine.run({"x": x})["y"], 2 * x.cpu().numpy())


def test_threads_take_turns(engine):
    """From main memory and from the GPU, of several shapes."""
    wrong = []

    def ask(number):
        for size in (32, 64, 16):
            x = np.full((2, 3, size, size), number, np.float32)
            if not np.array_equal(2 * x, engine.run({"x": x})["y"]):
                wrong.append(number)

    threads = [threading.Thread(target=ask, args=(each,)) for each in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert [] == wrong


def test_pictures_copied_there_are_what_the_cpu_makes(engine):
    """By one thread, and made ready and run by another; bit for bit."""
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, (h, w, 3), np.uint8) for h, w in [(2160, 3840), (400, 300)]]
    prepare = GpuPictures(HOW)
    with ThreadPoolExecutor(1) as other:
        for _ in range(20):
            copied = list(other.map(prepare.copy, pictures))
            found = engine.run({"x": prepare.make_ready(copied)})["y"]
    for each, mine in zip(pictures, found, strict=True):
        np.testing.assert_array_equal(2 * HOW.apply(each, "it"), mine)
    prepare.close()
