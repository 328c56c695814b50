"""CUDA kernels compiled for the CPU, one thread a block: their arithmetic, without a GPU.

A block of one thread needs no barrier, and atomics are plain additions: what remains is the source
as it is, with the same types and roundings.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess

import numpy as np
import pytest

from trtbuild.model.cuda_work import OutOfGpuMemory

SHIM = r"""
#include <cmath>
#include <cstring>
struct Place { unsigned x, y, z; };
static Place threadIdx = {0, 0, 0}, blockDim = {1, 1, 1}, blockIdx = {0, 0, 0}, gridDim = {1, 1, 1};
#define __device__
#define __global__
#define __shared__ static
#define __restrict__
#define __launch_bounds__(...)
static inline void __syncthreads() {}
static inline void __threadfence() {}
static inline float __uint_as_float(unsigned bits) { float f; memcpy(&f, &bits, 4); return f; }
static inline unsigned __float_as_uint(float f) { unsigned b; memcpy(&b, &f, 4); return b; }
static inline float __fmul_rn(float a, float b) { volatile float made = a * b; return made; }
static inline float __fadd_rn(float a, float b) { volatile float made = a + b; return made; }
static inline float __fdiv_rn(float a, float b) { volatile float made = a / b; return made; }
static inline float __fsub_rn(float a, float b) { volatile float made = a - b; return made; }
static inline int __float2int_rn(float f) { return (int)std::nearbyint(f); }
static inline int min(int a, int b) { return a < b ? a : b; }
static inline int max(int a, int b) { return a > b ? a : b; }
template <class T> static inline T __ldg(const T *at) { return *at; }
template <class T> static inline T atomicAdd(T *at, T more) {
    T old = *at; *at += more; return old;
}
template <class T> static inline T atomicMin(T *at, T other) {
    T old = *at; if (other < old) *at = other; return old;
}
template <class T> static inline T atomicMax(T *at, T other) {
    T old = *at; if (other > old) *at = other; return old;
}
"""


class HostWork:
    """Work on a GPU, done on the CPU, and at once: for what asks for it."""

    memory = "cpu"

    def __init__(self, kernels, most_bytes=None):
        self.kernels = kernels
        self.most_bytes = most_bytes
        """How much memory there is; None for as much as is wanted."""
        self.held = {}
        self.stream = self
        self.waited = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.held.clear()

    def use_here(self):
        pass

    def count_free_bytes(self):
        return 1 << 40 if self.most_bytes is None else self.most_bytes

    def compile(self, source, names):
        return {name: self.kernels[name] for name in names}

    def allow_shared(self, kernel, size_bytes):
        pass

    def launch(self, kernel, grid, block, *arguments, shared=0):
        kernel((grid,) if isinstance(grid, int) else grid, *map(int, arguments))

    def allocate(self, size_bytes):
        if self.most_bytes is not None and size_bytes > self.most_bytes:
            raise OutOfGpuMemory("there is not enough memory left on the GPU")
        # 16 bytes more, so that it can begin where a vector is loaded from.
        made = np.zeros(size_bytes + 32, np.uint8)
        address = made.ctypes.data + -made.ctypes.data % 16
        self.held[address] = made
        return address

    def free(self, address):
        del self.held[address]

    def pin(self, size_bytes):
        return np.zeros(max(1, size_bytes), np.uint8)

    def upload(self, address, array, *, beside=False):
        ctypes.memmove(address, array.ctypes.data, array.nbytes)

    def download(self, array, address):
        ctypes.memmove(array.ctypes.data, address, array.nbytes)

    def clear(self, address, size_bytes):
        ctypes.memset(address, 0, size_bytes)

    def record(self, *, beside=False):
        return self

    def wait(self, event=None):
        self.waited += 1

    sync = wait


def stand_in(monkeypatch, kernels):
    """Let the CPU stand in for a GPU that a step's facts name; return the streams made."""
    from trtbuild.calib import observe
    from trtbuild.model import gpu_feeding, session

    made = []

    class Work(HostWork):
        handle = 7

        def __init__(self, index=0):
            super().__init__(kernels)
            made.append(self)

    load = session._load
    monkeypatch.setattr(observe, "CudaWork", Work)
    monkeypatch.setattr(gpu_feeding, "CudaWork", Work)
    monkeypatch.setattr(
        session, "_load", lambda model, options, _: load(model, options, session.CPU)
    )
    return made


def compile_kernels(source, kernels, folder, shared=""):
    """Return functions that run kernels, given a grid and their arguments; skip without g++.

    `kernels` has the number of arguments of each, all of which are addresses or 64-bit integers;
    `shared` replaces the declaration of shared memory whose size a launch says.
    """
    if shutil.which("g++") is None:
        pytest.skip("there is no g++ to compile the kernels for the CPU: not run")
    for line in shared.splitlines():
        before, _, after = line.partition(" => ")
        assert before in source
        source = source.replace(before, after)
    lines = [SHIM, source]
    for name, count in kernels.items():
        given = ", ".join(f"unsigned long long a{i}" for i in range(count))
        lines.append(
            f'extern "C" void run_{name}(unsigned gx, unsigned gy, unsigned gz, {given}) {{'
            " for (unsigned z = 0; z < gz; z++) for (unsigned y = 0; y < gy; y++)"
            " for (unsigned x = 0; x < gx; x++) {"
            f" blockIdx = {{x, y, z}}; gridDim = {{gx, gy, gz}};"
            f" call({name}, {', '.join(f'a{i}' for i in range(count))}); }} }}"
        )
    lines.insert(1, CALL)
    path, library = folder / "kernels.cpp", folder / "kernels.so"
    path.write_text("\n".join(lines))
    command = ["g++", "-std=c++17", "-O1", "-ffp-contract=off", "-w", "-shared", "-fPIC"]
    subprocess.run([*command, "-o", library, path], check=True)
    loaded = ctypes.CDLL(str(library))

    def bind(name):
        function = getattr(loaded, f"run_{name}")
        function.argtypes = [ctypes.c_uint] * 3 + [ctypes.c_ulonglong] * kernels[name]
        function.restype = None
        return lambda grid, *given: function(*(*grid, 1, 1)[:3], *given)

    return {name: bind(name) for name in kernels}


CALL = r"""
template <class... P, class... A> static void call(void (*kernel)(P...), A... given) {
    kernel((P)given...);
}
"""
