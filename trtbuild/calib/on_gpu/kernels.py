"""The source of the two kernels that reduce all tensors of a run, in CUDA C++.

Nothing in it is rounded but the product that chooses a bin, which is exact (`calib.count`): so what
it counts equals what the CPU counts, bit for bit, in any order of blocks and threads.
"""

from __future__ import annotations

from trtbuild.calib.count import BINS

__all__ = ["CHUNK", "COUNT", "EXTREMES", "NOTHING_YET", "SHARED_BYTES", "THREADS", "write_source"]

EXTREMES, COUNT = "find_extremes", "count_bins"
THREADS = 512
CHUNK = 1 << 18
"""Values that a block reads: of a whole batch, a few blocks a multiprocessor."""
SHARED_BYTES = 4 * BINS
"""Of a block of `count_bins`: a counter of 32 bits a bin, which CHUNK does not overflow."""
NOTHING_YET = -(1 << 20)
"""The exponent of a tensor of which nothing was seen."""
LOWEST_EXPONENT = -96

_SOURCE = r"""
typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned short u16;

struct alignas(16) Four { u32 a, b, c, d; };

/* One tensor of a run. */
struct Tensor {
    u64 address;   /* of its values, on the device */
    u64 size;      /* how many */
    int half;      /* whether they are float16, else float32 */
    int row;       /* of its counts; -1 where none are kept */
    u32 blocks;    /* how many blocks read it */
    u32 unused;
};

/* What is remembered of one tensor from run to run. */
struct State {
    u32 low, high; /* the least and the largest value, as `ordered` */
    int exponent;  /* all |x| seen lie below 2^exponent */
    u32 done;      /* blocks of this run that are through */
};

struct Part { u32 tensor, chunk; };

/* Whole numbers in the order of the floats: NaNs lie beyond the infinities, on both sides. */
__device__ inline u32 ordered(u32 bits) {
    return bits ^ (u32)(((int)bits >> 31) | (int)0x80000000);
}

__device__ inline u32 size_of_ordered(u32 key) {
    u32 bits = (key & 0x80000000u) ? key ^ 0x80000000u : ~key;
    return bits & 0x7fffffffu;
}

/* The least e with |x| < 2^e, as frexp gives it. */
__device__ inline int exponent_of(u32 size) {
    int e = (int)(size >> 23) - 126;
    return e < LOWEST_EXPONENT ? LOWEST_EXPONENT : e;
}

__device__ inline u32 widen_half(u16 h) {
    u32 sign = (u32)(h & 0x8000) << 16, e = (h >> 10) & 31, m = h & 0x3ff;
    if (e == 31) return sign | 0x7f800000u | (m << 13);
    if (e) return sign | ((e + 112) << 23) | (m << 13);
    return sign | __float_as_uint((float)m * 5.9604644775390625e-8f); /* m * 2^-24, exactly */
}

/* The bin of |x|: scaling by a power of two is exact. */
__device__ inline u32 bin_of(u32 bits, float scale) {
    return (u32)(int)__fmul_rn(__uint_as_float(bits & 0x7fffffffu), scale);
}

__device__ inline float scale_of(int exponent) {
    return __uint_as_float((u32)(127 + BIN_BITS - exponent) << 23);
}

template <class Visit>
__device__ inline void visit_chunk(const Tensor &tensor, u32 chunk, Visit visit) {
    u64 start = (u64)chunk * CHUNK, end = start + CHUNK;
    if (end > tensor.size) end = tensor.size;
    bool aligned = (tensor.address & 15) == 0;
    if (tensor.half) {
        const u16 *values = (const u16 *)tensor.address;
        if (aligned) {
            const Four *eights = (const Four *)tensor.address;
            u64 last = end / 8;
            for (u64 i = start / 8 + threadIdx.x; i < last; i += blockDim.x) {
                Four v = eights[i];
                visit(widen_half(v.a)); visit(widen_half(v.a >> 16));
                visit(widen_half(v.b)); visit(widen_half(v.b >> 16));
                visit(widen_half(v.c)); visit(widen_half(v.c >> 16));
                visit(widen_half(v.d)); visit(widen_half(v.d >> 16));
            }
            start = last * 8;
        }
        for (u64 i = start + threadIdx.x; i < end; i += blockDim.x) visit(widen_half(values[i]));
        return;
    }
    const u32 *values = (const u32 *)tensor.address;
    if (aligned) {
        const Four *fours = (const Four *)tensor.address;
        u64 last = end / 4, i = start / 4 + threadIdx.x, step = blockDim.x;
        for (; i + 3 * step < last; i += 4 * step) { /* four loads on their way at a time */
            Four v = fours[i], w = fours[i + step];
            Four x = fours[i + 2 * step], y = fours[i + 3 * step];
            visit(v.a); visit(v.b); visit(v.c); visit(v.d);
            visit(w.a); visit(w.b); visit(w.c); visit(w.d);
            visit(x.a); visit(x.b); visit(x.c); visit(x.d);
            visit(y.a); visit(y.b); visit(y.c); visit(y.d);
        }
        for (; i < last; i += step) {
            Four v = fours[i];
            visit(v.a); visit(v.b); visit(v.c); visit(v.d);
        }
        start = last * 4;
    }
    for (u64 i = start + threadIdx.x; i < end; i += blockDim.x) visit(values[i]);
}

/* Merge 2^octaves neighbours into one, in place: a tile is read whole before it is written. */
__device__ inline void merge_bins(u64 *counts, int octaves) {
    int shift = octaves > BIN_BITS ? BIN_BITS : octaves;
    for (u32 tile = 0; tile < BINS; tile += blockDim.x) {
        u32 bin = tile + threadIdx.x;
        u64 total = 0;
        if (bin < BINS >> shift)
            for (u32 i = 0; i < 1u << shift; i++) total += counts[((u64)bin << shift) + i];
        __syncthreads();
        if (bin < BINS) counts[bin] = total;
        __syncthreads();
    }
}

extern "C" __global__ void find_extremes(
    const Part *parts, const Tensor *tensors, State *states, u64 *counts)
{
    __shared__ u32 low, high, is_last, octaves;
    const Part part = parts[blockIdx.x];
    const Tensor tensor = tensors[part.tensor];
    State *state = &states[part.tensor];
    if (threadIdx.x == 0) { low = 0xffffffffu; high = 0; }
    __syncthreads();
    u32 least = 0xffffffffu, most = 0;
    visit_chunk(tensor, part.chunk, [&](u32 bits) {
        u32 key = ordered(bits);
        least = key < least ? key : least;
        most = key > most ? key : most;
    });
    atomicMin(&low, least);
    atomicMax(&high, most);
    __syncthreads();
    if (threadIdx.x == 0) {
        atomicMin(&state->low, low);
        atomicMax(&state->high, high);
        __threadfence();
        is_last = atomicAdd(&state->done, 1u) == tensor.blocks - 1;
    }
    __syncthreads();
    if (!is_last) return;
    /* All blocks of this tensor are through: its span may have to grow. */
    if (threadIdx.x == 0) {
        u32 below = size_of_ordered(atomicMin(&state->low, 0xffffffffu));
        u32 above = size_of_ordered(atomicMax(&state->high, 0u));
        int before = state->exponent, now = exponent_of(above > below ? above : below);
        octaves = before == NOTHING_YET || now <= before ? 0 : now - before;
        if (now > before) state->exponent = now;
        state->done = 0;
    }
    __syncthreads();
    if (octaves && tensor.row >= 0) merge_bins(counts + (u64)tensor.row * BINS, (int)octaves);
}

extern "C" __global__ void count_bins(
    const Part *parts, const Tensor *tensors, const State *states, u64 *counts)
{
    extern __shared__ u32 bins[];
    const Part part = parts[blockIdx.x];
    const Tensor tensor = tensors[part.tensor];
    if (tensor.row < 0) return;
    for (u32 i = threadIdx.x; i < BINS; i += blockDim.x) bins[i] = 0;
    __syncthreads();
    const float scale = scale_of(states[part.tensor].exponent);
    u32 zeros = 0; /* half of what comes from a ReLU: they would all wait for one counter */
    visit_chunk(tensor, part.chunk, [&](u32 bits) {
        u32 bin = bin_of(bits, scale);
        if (bin == 0) zeros++;
        else if (bin < BINS) atomicAdd(&bins[bin], 1u); /* beyond: not finite, which is told */
    });
    atomicAdd(&bins[0], zeros);
    __syncthreads();
    u64 *row = counts + (u64)tensor.row * BINS;
    for (u32 i = threadIdx.x; i < BINS; i += blockDim.x)
        if (bins[i]) atomicAdd(&row[i], (u64)bins[i]);
}
"""


def write_source() -> str:
    """Return the source of both kernels."""
    constants = {
        "BINS": f"{BINS}u",
        "BIN_BITS": BINS.bit_length() - 1,
        "CHUNK": f"{CHUNK}ull",
        "LOWEST_EXPONENT": LOWEST_EXPONENT,
        "NOTHING_YET": NOTHING_YET,
    }
    head = "\n".join(f"#define {name} ({value})" for name, value in constants.items())
    return f"{head}\n{_SOURCE}"
