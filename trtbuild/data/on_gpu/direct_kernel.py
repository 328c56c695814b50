"""The source of the kernels for frames of which a pixel takes two of an axis at most.

That is what OpenCV's bilinear resizing does, torchvision's without antialiasing, `nearest`, and
frames that keep their size. Each thread then reads what its pixels take, and nothing else: nothing
is shared, and nobody waits. Of three-byte pixels two neighbours are read as words.
"""

from __future__ import annotations

__all__ = [
    "BATCH_SOURCE",
    "DIRECT",
    "DIRECT_HEIGHT",
    "DIRECT_SOURCE",
    "DIRECT_WIDTH",
    "MOST_TAPS",
    "ONE",
    "ONE_SOURCE",
]

DIRECT, ONE = "prepare_directly", "prepare_one"
"""A batch, whose tables lie on the device; one frame, whose table comes with the launch."""
DIRECT_WIDTH, DIRECT_HEIGHT = 32, 16
"""Two pixels a thread, whose reads are all on their way before the first is needed."""
MOST_TAPS = 2

DIRECT_SOURCE = r"""
/* Two neighbouring pixels of three bytes each, or one, as words that each hold a byte of them: so
   nothing is read from where no memory may be. All words of a thread are asked for first. */
struct Pair {
    u32 words[3], skip;

    __device__ void fetch(const Frame &frame, int row, int left, bool two) {
        u64 at = frame.pixels + (u64)row * frame.pitch + (u64)left * 3;
        skip = (u32)at & 3u;
        u32 last = skip + (two ? 5u : 2u), second = last > 3 ? 1u : 0u;
        const u32 *from = (const u32 *)(at - skip);
        words[0] = __ldg(from);
        words[1] = __ldg(from + second);
        words[2] = __ldg(from + (last > 7 ? 2u : second));
    }

    template <int channels>
    __device__ void read(bool bgr, bool two, int (*made)[channels]) const {
        u64 bytes = (words[0] | (u64)words[1] << 32) >> 8 * skip;
        if (skip == 3) bytes |= (u64)words[2] << 40;
        for (int i = 0; i < 2; i++) {
            u64 own = i && two ? bytes >> 24 : bytes;
            order<channels>((int)(own & 255), (int)(own >> 8 & 255), (int)(own >> 16 & 255), bgr,
                            made[i]);
        }
    }
};

template <int channels, bool floats>
__device__ inline void weigh_pixels(
    const Frame &frame, int (*pixels)[2][channels], const int *across, const int *down, int *made)
{
    for (int c = 0; c < channels; c++) {
        Sum<floats> whole;
        for (int tap = 0; tap < 2; tap++) {
            if (tap >= frame.row_taps) continue;
            Sum<floats> sum;
            sum.add(pixels[tap][0][c], across[0]);
            if (frame.column_taps > 1) sum.add(pixels[tap][1][c], across[1]);
            whole.add_between(sum.between(frame.arithmetic), down[tap]);
        }
        made[c] = min(max(whole.end(frame.arithmetic), 0), 255);
    }
}

/* A tile: each thread makes pixels that lie below each other. */
template <int channels, bool floats, bool words>
__device__ inline void make_pixels(
    const Params &params, const Frame &frame, const int *inside, const int *weights,
    const u32 *table, u8 *out, int number)
{
    const int at_once = 2;
    int x0 = blockIdx.x * DIRECT_WIDTH, y0 = blockIdx.y * DIRECT_HEIGHT;
    bool shows = x0 + frame.left < frame.width && x0 + DIRECT_WIDTH + frame.left > 0
        && y0 + frame.top < frame.height && y0 + DIRECT_HEIGHT + frame.top > 0;
    int taps = frame.column_taps, count = frame.row_taps;
    const int items = DIRECT_WIDTH * DIRECT_HEIGHT / at_once;
    for (int item = threadIdx.x; item < items; item += blockDim.x) {
        int x = x0 + item % DIRECT_WIDTH, y = y0 + item / DIRECT_WIDTH * at_once;
        int column = min(max(x + frame.left, 0), frame.width - 1);
        int pixels[at_once][2][2][channels], across[2] = {0, 0}, down[at_once][2];
        if (shows) { /* what lies beside the frame reads at its edge, and is not taken */
            int first = frame.columns + column * taps;
            int left = __ldg(inside + first), right = __ldg(inside + first + taps - 1);
            across[0] = __ldg(weights + first), across[1] = __ldg(weights + first + taps - 1);
            Pair pairs[at_once][2];
#pragma unroll
            for (int k = 0; k < at_once; k++) {
                int row = min(max(y + k + frame.top, 0), frame.height - 1);
#pragma unroll
                for (int tap = 0; tap < 2; tap++) {
                    int at = frame.rows + row * count + min(tap, count - 1);
                    int from = __ldg(inside + at);
                    down[k][tap] = __ldg(weights + at);
                    if (words) {
                        pairs[k][tap].fetch(frame, from, left, right > left);
                    } else {
                        load<channels>(frame, params.bgr_frames, from, left, pixels[k][tap][0]);
                        load<channels>(frame, params.bgr_frames, from, right, pixels[k][tap][1]);
                    }
                }
            }
            if (words)
                for (int k = 0; k < at_once; k++)
                    for (int tap = 0; tap < 2; tap++)
                        pairs[k][tap].template read<channels>(
                            params.bgr_frames, right > left, pixels[k][tap]);
        }
#pragma unroll
        for (int k = 0; k < at_once; k++) {
            if (x >= params.width || y + k >= params.height) continue;
            int row = y + k + frame.top, made[channels];
            for (int c = 0; c < channels; c++) made[c] = params.pad;
            if (shows && column == x + frame.left && row >= 0 && row < frame.height)
                weigh_pixels<channels, floats>(frame, pixels[k], across, down[k], made);
            write<channels>(params, table, out, number, x, y + k, made);
        }
    }
}

__device__ inline void make_frame(
    const Params &params, const Frame &frame, const int *inside, const int *weights,
    const u32 *table, u8 *out, int number)
{
    bool floats = frame.arithmetic == FLOATS;
#define MAKE(floats, words) \
    make_pixels<CHANNELS, floats, words>(params, frame, inside, weights, table, out, number)
    if (CHANNELS == 3 && frame.near) {
        if (floats) MAKE(true, CHANNELS == 3);
        else MAKE(false, CHANNELS == 3);
    } else {
        if (floats) MAKE(true, false);
        else MAKE(false, false);
    }
}
"""

BATCH_SOURCE = r"""
extern "C" __global__ void __launch_bounds__(THREADS, 4) prepare_directly(
    const Params *given, const Frame *frames, const int *inside, const int *weights,
    const u32 *table, u8 *out)
{
    const Params params = *given;
    const Frame frame = frames[blockIdx.z];
    make_frame(params, frame, inside, weights, table, out, blockIdx.z);
}
"""

ONE_SOURCE = r"""
/* The words of Params and of Frame are arguments: a launch brings them, and no copy goes before. */
extern "C" __global__ void __launch_bounds__(THREADS, 4) prepare_one(
    u64 a, u64 b, u64 c, u64 d, u64 e, u64 f, u64 g, u64 h, u64 i, u64 j, u64 k, u64 l, u64 m,
    u64 n, const int *inside, const int *weights, const u32 *table, u8 *out)
{
    struct Given { Params params; Frame frame; };
    union { u64 words[14]; Given given; } as = {{a, b, c, d, e, f, g, h, i, j, k, l, m, n}};
    static_assert(sizeof(Given) == 14 * 8, "as many words as are given");
    make_frame(as.given.params, as.given.frame, inside, weights, table, out, 0);
}
"""
