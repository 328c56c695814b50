"""Preprocessing of frames on a GPU, against PyTorch's operations and against a copy of their bytes.

    python -m tests.bench.gpu_frames

Needs `trtbuild[cuda,torch]`. The bytes that must be read are the sectors of 32 bytes, as memory
hands them out, that hold a byte of any pixel which the resizing takes; those that must be written
are the result's.
"""

from __future__ import annotations

import sys
import time

import numpy as np

HEIGHT, WIDTH, FRAMES = 2160, 3840, 32
SECTOR = 32


def say(*words):
    """Write a line, at once."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def compare_preprocessing():
    """Measure 4K frames to 640 x 640 letterboxed float32, and print ratios."""
    import torch

    from trtbuild.data.on_gpu.preprocess import GpuPreprocess
    from trtbuild.data.preprocess import Preprocess

    generator = torch.Generator("cuda").manual_seed(0)
    shape = (FRAMES, HEIGHT, WIDTH, 3)
    frames = torch.randint(0, 256, shape, dtype=torch.uint8, device="cuda", generator=generator)
    say("4K uint8 frames to 640 x 640 letterboxed float32, on the device")
    for like in ("opencv", "pillow"):
        how = Preprocess(resize=640, fit="letterbox", resize_like=like)
        with GpuPreprocess(how, stream=torch.cuda.current_stream()) as prepare:
            for batch in (1, 8, 32):
                # Of one frame: another one each time, since the cache holds it.
                groups = [frames[i : i + batch] for i in range(0, FRAMES, batch)]
                told = compare_batches(prepare, groups, antialias=like == "pillow")
                say(f"  {like:7} batch {batch:2}:", told)


def compare_batches(prepare, groups, *, antialias):
    """Measure what makes batches of frames ready, and what else does; say how it did."""
    import torch

    from trtbuild.data.on_gpu.frames import FrameOnGpu

    batch, count = len(groups[0]), len(groups)
    out = torch.empty(batch, 3, 640, 640, device="cuda")
    kernel = prepare._kernel
    given = [
        [FrameOnGpu(each.data_ptr(), HEIGHT, WIDTH, 3, WIDTH * 3) for each in group]
        for group in groups
    ]
    listed = [list(group) for group in groups]
    ours = time_gpu(lambda i: kernel.run(given[i % count], out.data_ptr()), 20)
    theirs = time_gpu(lambda i: use_torch(groups[i % count], antialias=antialias), 20)
    moved = batch * count_moved(prepare, given[0][0])
    copied = time_copy(moved)
    call = time_wall(lambda i: prepare(listed[i % count], out), 50)
    torch_call = time_wall(lambda i: use_torch(groups[i % count], antialias=antialias), 20)
    return (
        f"{theirs / ours:6.1f} times as fast as torch's operations ({1e6 * ours:.0f} to "
        f"{1e6 * theirs:.0f} us on the GPU; a call, waited for, {1e6 * call:.0f} to "
        f"{1e6 * torch_call:.0f} us), {100 * copied / ours:.0f} % of copying {moved >> 20} MiB "
        f"({1e6 * copied:.0f} us)"
    )


def use_torch(frames, *, antialias):
    """Do what people write: the sequence of operations, a batch of frames of one size at once.

    Pillow's resizing is antialiased, OpenCV's is not.
    """
    import torch
    from torch.nn import functional

    x = frames.flip(-1).permute(0, 3, 1, 2).float()
    x = functional.interpolate(
        x, (360, 640), mode="bilinear", align_corners=False, antialias=antialias
    )
    x = (x / 255 - torch.zeros(1, 3, 1, 1, device="cuda")) / torch.ones(1, 3, 1, 1, device="cuda")
    return functional.pad(x, (0, 0, 140, 140), value=114 / 255)


def count_moved(prepare, frame):
    """Return the bytes that must be read and written for a frame, whose rows begin on sectors."""
    taps = prepare._kernel._plan(frame).taps
    read = 3 * np.unique(taps.columns)[:, None] + np.arange(3)
    sectors = len(np.unique(read // SECTOR)) * len(np.unique(taps.rows))
    return sectors * SECTOR + 640 * 640 * 3 * 4


def time_gpu(work, count):
    """Return the seconds on the GPU of a call, all of them asked for before the first is begun."""
    import torch

    for i in range(3):
        work(i)
    torch.cuda.synchronize()
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda._sleep(60_000_000)
    start.record()
    for i in range(count):
        work(i)
    end.record()
    torch.cuda.synchronize()
    return start.elapsed_time(end) / 1e3 / count


def time_copy(moved):
    """Return the seconds that a copy takes which reads and writes so many bytes in all."""
    import torch

    many = max(2, (1 << 30) // moved)
    source = torch.empty(many, moved // 2, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    return time_gpu(lambda i: target[i % many].copy_(source[i % many]), 20)


def time_wall(work, count):
    """Return the seconds that a call takes, waited for."""
    import torch

    work(0)
    torch.cuda.synchronize()
    begin = time.perf_counter()
    for i in range(count):
        work(i)
        torch.cuda.synchronize()
    return (time.perf_counter() - begin) / count


if __name__ == "__main__":
    from trtbuild.machine.facts import list_gpus

    say(list_gpus()[0].in_words())
    compare_preprocessing()
