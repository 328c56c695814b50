"""The source of the kernels that make frames ready, in CUDA C++.

A block makes a tile of what the model takes of one frame: it weighs along one axis what the tile
needs, into shared memory, and then along the other. What a byte becomes as a number, scaled and
normalized, is looked up in a table that the CPU's own arithmetic has filled: nothing is rounded
otherwise than there.
"""

from __future__ import annotations

from collections.abc import Sequence

from trtbuild.data.on_gpu.direct_kernel import (
    BATCH_SOURCE,
    DIRECT,
    DIRECT_HEIGHT,
    DIRECT_SOURCE,
    DIRECT_WIDTH,
    ONE,
    ONE_SOURCE,
)
from trtbuild.data.on_gpu.taps import ARITHMETICS, PILLOW_BITS

__all__ = ["FRAME", "PARAMS", "PREPARE", "THREADS", "TILE_HEIGHT", "TILE_WIDTH", "write_source"]

PREPARE = "prepare_frames"
THREADS = 256
TILE_WIDTH, TILE_HEIGHT = 32, 8
FRAME = [
    ("pixels", "<u8"),
    ("pitch", "<u8"),
    *((name, "<i4") for name in ("channels", "width", "height", "left", "top", "columns", "rows")),
    *((name, "<i4") for name in ("column_taps", "row_taps", "rows_first", "arithmetic", "near")),
]
PARAMS = [
    *((name, "<i4") for name in ("width", "height", "channels", "item_bytes", "pad")),
    *((name, "<i4") for name in ("bgr_frames", "bgr_model", "channel_step", "row_step")),
    *((name, "<i4") for name in ("pixel_step", "frame_step", "unused")),
]

_SOURCE = r"""
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

struct Frame {
    u64 pixels, pitch;                 /* where it is, and bytes from row to row */
    int channels, width, height;       /* of the frame; width and height once it is resized */
    int left, top;                     /* where the model's first pixel is in that */
    int columns, rows;                 /* where its taps are in the tables */
    int column_taps, row_taps, rows_first, arithmetic;
    int near;                          /* whether its taps are neighbours, of three bytes each */
};

struct Params {
    int width, height, channels, item_bytes, pad, bgr_frames, bgr_model;
    int channel_step, row_step, pixel_step, frame_step, unused;
};

template <bool floats> struct Sum;
template <> struct Sum<true> {
    float total = 0;
    __device__ void add(int value, int weight) { take((float)value, weight); }
    __device__ void add_between(int bits, int weight) { take(__uint_as_float((u32)bits), weight); }
    __device__ void take(float value, int weight) {
        total = __fadd_rn(total, __fmul_rn(value, __uint_as_float((u32)weight)));
    }
    __device__ int between(int) { return (int)__float_as_uint(total); }
    __device__ int end(int) { return __float2int_rn(total); }
};
template <> struct Sum<false> {
    int total = 0, high = 0;
    __device__ void add(int value, int weight) { total += value * weight; }
    __device__ void add_between(int value, int weight) {
        total += value * weight;
        high += (value * weight) >> 16;
    }
    __device__ int between(int arithmetic) {
        if (arithmetic == TWO_TAPS) return total >> 4;
        if (arithmetic == FOUR_TAPS) return total;
        return clip((total + PILLOW_HALF) >> PILLOW_BITS);
    }
    __device__ int end(int arithmetic) {
        if (arithmetic == TWO_TAPS) return (high + 2) >> 2;
        if (arithmetic == FOUR_TAPS) return (total + (1 << 21)) >> 22;
        return (total + PILLOW_HALF) >> PILLOW_BITS;
    }
    static __device__ int clip(int value) { return min(max(value, 0), 255); }
};

/* The channels of a pixel that the model has: RGB, or gray as ITU-R BT.601 in 1/65536. */
template <int channels>
__device__ inline void order(int first, int green, int last, bool bgr, int *made) {
    int red = bgr ? last : first, blue = bgr ? first : last;
    if (channels == 1) {
        made[0] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
    } else {
        made[0] = red;
        made[channels - 2] = green;
        made[channels - 1] = blue;
    }
}

template <int channels>
__device__ inline void load(const Frame &frame, bool bgr, int row, int column, int *made) {
    const u8 *at = (const u8 *)(frame.pixels + (u64)row * frame.pitch);
    at += (u64)column * frame.channels;
    if (frame.channels == 1)
        for (int c = 0; c < channels; c++) made[c] = __ldg(at);
    else order<channels>(__ldg(at), __ldg(at + 1), __ldg(at + 2), bgr, made);
}

/* What the bytes of a pixel become, to where the model has that pixel. */
template <int channels>
__device__ inline void write(
    const Params &params, const u32 *table, u8 *out, int number, int x, int y, const int *made)
{
    u64 at = (u64)number * params.frame_step + (u64)y * params.row_step
        + (u64)x * params.pixel_step;
    for (int c = 0; c < channels; c++) {
        u32 bits = __ldg(&table[c * 256 + made[params.bgr_model ? channels - 1 - c : c]]);
        u64 place = at + (u64)c * params.channel_step;
        if (params.item_bytes == 4) ((u32 *)out)[place] = bits;
        else if (params.item_bytes == 2) ((u16 *)out)[place] = (u16)bits;
        else out[place] = (u8)bits;
    }
}
"""

_TILE_SOURCE = r"""
struct Axis {
    const int *inside, *weights; /* of the first pixel */
    int taps, begin, end;        /* pixels of the tile, once resized */
    int first, slots;            /* what they need: so many from `first`, or listed one by one */
    bool listed;

    __device__ void look(const int *in, const int *by, int at, int count, int from, int to) {
        inside = in + at, weights = by + at, taps = count, begin = from, end = to;
        first = inside[begin * taps];
        int span = inside[end * taps - 1] - first + 1, each = (end - begin) * taps;
        listed = span > each;
        slots = listed ? each : span;
    }
    __device__ int source(int slot) const {
        return listed ? inside[begin * taps + slot] : first + slot;
    }
    __device__ int slot(int pixel, int tap) const {
        return listed ? (pixel - begin) * taps + tap : inside[pixel * taps + tap] - first;
    }
};

template <int channels, bool floats>
__device__ inline void weigh_first(
    const Params &params, const Frame &frame, const Axis &columns, const Axis &rows, int *between)
{
    /* Along columns for each row that is needed, or along rows for each column that is. */
    const Axis &along = frame.rows_first ? rows : columns;
    const Axis &across = frame.rows_first ? columns : rows;
    int length = along.end - along.begin, work = length * across.slots;
    for (int item = threadIdx.x; item < work; item += blockDim.x) {
        /* Neighbouring threads read neighbouring columns. */
        int inner = frame.rows_first ? across.slots : length;
        int outer = item / inner, rest = item - outer * inner;
        int slot = frame.rows_first ? rest : outer, step = frame.rows_first ? outer : rest;
        int pixel = along.begin + step, other = across.source(slot);
        Sum<floats> sums[channels];
        for (int tap = 0; tap < along.taps; tap++) {
            int at = along.inside[pixel * along.taps + tap], made[channels];
            int weight = along.weights[pixel * along.taps + tap];
            load<channels>(frame, params.bgr_frames, frame.rows_first ? at : other,
                           frame.rows_first ? other : at, made);
            for (int c = 0; c < channels; c++) sums[c].add(made[c], weight);
        }
        for (int c = 0; c < channels; c++)
            between[(c * across.slots + slot) * length + step] = sums[c].between(frame.arithmetic);
    }
}

template <int channels, bool floats>
__device__ inline void make_tile(
    const Params &params, const Frame &frame, const int *inside, const int *weights,
    const u32 *table, u8 *out, int *between)
{
    int x0 = blockIdx.x * TILE_WIDTH, y0 = blockIdx.y * TILE_HEIGHT;
    int left = max(x0 + frame.left, 0), top = max(y0 + frame.top, 0);
    int right = min(min(x0 + TILE_WIDTH, params.width) + frame.left, frame.width);
    int bottom = min(min(y0 + TILE_HEIGHT, params.height) + frame.top, frame.height);
    bool shows = left < right && top < bottom;
    Axis columns, rows;
    if (shows) {
        columns.look(inside, weights, frame.columns, frame.column_taps, left, right);
        rows.look(inside, weights, frame.rows, frame.row_taps, top, bottom);
        weigh_first<channels, floats>(params, frame, columns, rows, between);
    }
    __syncthreads();
    for (int item = threadIdx.x; item < TILE_WIDTH * TILE_HEIGHT; item += blockDim.x) {
        int x = x0 + item % TILE_WIDTH, y = y0 + item / TILE_WIDTH;
        if (x >= params.width || y >= params.height) continue;
        int column = x + frame.left, row = y + frame.top, made[channels];
        for (int c = 0; c < channels; c++) made[c] = params.pad;
        if (shows && column >= left && column < right && row >= top && row < bottom) {
            const Axis &along = frame.rows_first ? columns : rows;
            int pixel = frame.rows_first ? column : row;
            int step = frame.rows_first ? row - top : column - left;
            int length = frame.rows_first ? bottom - top : right - left;
            Sum<floats> sums[channels];
            for (int tap = 0; tap < along.taps; tap++) {
                int slot = along.slot(pixel, tap), weight = along.weights[pixel * along.taps + tap];
                for (int c = 0; c < channels; c++)
                    sums[c].add_between(between[(c * along.slots + slot) * length + step], weight);
            }
            for (int c = 0; c < channels; c++)
                made[c] = min(max(sums[c].end(frame.arithmetic), 0), 255);
        }
        write<channels>(params, table, out, blockIdx.z, x, y, made);
    }
}

extern "C" __global__ void prepare_frames(
    const Params *given, const Frame *frames, const int *inside, const int *weights,
    const u32 *table, u8 *out)
{
    extern __shared__ int between[];
    const Params params = *given;
    const Frame frame = frames[blockIdx.z];
    if (frame.arithmetic == FLOATS)
        make_tile<CHANNELS, true>(params, frame, inside, weights, table, out, between);
    else make_tile<CHANNELS, false>(params, frame, inside, weights, table, out, between);
}
"""


def write_source(names: Sequence[str], channels: int) -> str:
    """Return the source of kernels, for a model that takes pictures of 3 channels, or of 1.

    Each is compiled once it is needed: that takes a second or so.
    """
    constants = {
        **{name.upper(): index for index, name in enumerate(ARITHMETICS)},
        "PILLOW_BITS": PILLOW_BITS,
        "PILLOW_HALF": f"1 << {PILLOW_BITS - 1}",
        "TILE_WIDTH": TILE_WIDTH,
        "TILE_HEIGHT": TILE_HEIGHT,
        "DIRECT_WIDTH": DIRECT_WIDTH,
        "DIRECT_HEIGHT": DIRECT_HEIGHT,
        "THREADS": THREADS,
        "CHANNELS": channels,
    }
    parts = {
        PREPARE: [_TILE_SOURCE],
        DIRECT: [DIRECT_SOURCE, BATCH_SOURCE],
        ONE: [DIRECT_SOURCE, ONE_SOURCE],
    }
    chosen = dict.fromkeys(part for name in names for part in parts[name])
    lines = [f"#define {name} ({value})" for name, value in constants.items()]
    return "\n".join([*lines, _SOURCE, *chosen])
