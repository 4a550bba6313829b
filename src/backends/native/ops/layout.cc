// What moves numbers: permuted axes, rows of a table, and pairs that are turned by an angle.
#include <algorithm>

#include "kernels.h"
#include "pool.h"
#include "vector.h"

// y [sizes of 4 axes], its axes lying `steps` apart in x, from an offset on.
void kernel_permute(const Call &call) {
  const int64_t *sizes = call.integers, *steps = call.integers + 4;
  const float *x = call.inputs[0] + call.integers[8];
  float *y = call.outputs[0];
  const int64_t width = sizes[3], step = steps[3], rows = sizes[0] * sizes[1] * sizes[2];
  const auto row_of = [&](int64_t row) {
    const int64_t third = row % sizes[2], second = row / sizes[2] % sizes[1], first = row / sizes[2] / sizes[1];
    return x + first * steps[0] + second * steps[1] + third * steps[2];
  };
  if (step == 1) {
    parallel_ranges(rows, std::max<int64_t>(1, 16384 / width), [&](int64_t from, int64_t to) {
      for (int64_t row = from; row < to; row++) {
        const float *source = row_of(row);
        float *target = y + row * width;
        for (int64_t i = 0; i < width; i += LANES) store_part(target + i, load_part(source + i, width - i), width - i);
      }
    });
    return;
  }
  // The rows of a stretch are gone through in parallel, so that what is read together lies together where it can.
  constexpr int64_t BLOCK = 16;
  parallel_ranges((rows + BLOCK - 1) / BLOCK, std::max<int64_t>(1, 1024 / width), [&](int64_t from, int64_t to) {
    for (int64_t block = from; block < to; block++) {
      const int64_t first = block * BLOCK, count = std::min(BLOCK, rows - first);
      const float *sources[BLOCK];
      for (int64_t i = 0; i < count; i++) sources[i] = row_of(first + i);
      for (int64_t column = 0; column < width; column++)
        for (int64_t i = 0; i < count; i++) y[(first + i) * width + column] = sources[i][column * step];
    }
  });
}

// Rows of a table [count, width] by their numbers.
void kernel_gather(const Call &call) {
  const int64_t rows = call.integers[0], width = call.integers[1], count = call.integers[2];
  const int32_t *chosen = reinterpret_cast<const int32_t *>(call.inputs[1]);
  for (int64_t row = 0; row < rows; row++) {
    if (chosen[row] >= 0 && chosen[row] < count) continue;
    call.problem = "GatherV2: an index is outside of the table";
    return;
  }
  parallel_ranges(rows, std::max<int64_t>(1, 16384 / width), [&](int64_t from, int64_t to) {
    for (int64_t row = from; row < to; row++)
      memcpy(call.outputs[0] + row * width, call.inputs[0] + chosen[row] * width, sizeof(float) * width);
  });
}

// Copies pieces of the second input into the first, in place.
// integers: how many pieces, their size, where the first is to go and how far apart they go, the same of where from
void kernel_write(const Call &call) {
  const int64_t *i = call.integers;
  float *target = const_cast<float *>(call.inputs[0]) + i[2];
  const float *source = call.inputs[1] + i[4];
  for (int64_t piece = 0; piece < i[0]; piece++)
    memcpy(target + piece * i[3], source + piece * i[5], sizeof(float) * i[1]);
}

// Pairs of x [batch, heads, length, width] turned by the angles of cos and sin [batch or 1, 1, length, width / 2].
void kernel_rotary(const Call &call) {
  const int64_t *i = call.integers;
  const int64_t batch = i[0], heads = i[1], length = i[2], half = i[3] / 2, table_batch = i[4];
  const bool interleaved = i[5];
  const float sign = i[6] ? -1 : 1;
  parallel_ranges(batch * heads * length, std::max<int64_t>(1, 4096 / half), [&](int64_t from, int64_t to) {
    for (int64_t row = from; row < to; row++) {
      const int64_t table = (table_batch == 1 ? 0 : row / (heads * length) * length) + row % length;
      const float *x = call.inputs[0] + row * 2 * half;
      const float *cos = call.inputs[1] + table * half, *sin = call.inputs[2] + table * half;
      float *y = call.outputs[0] + row * 2 * half;
      if (interleaved) {
        for (int64_t p = 0; p < half; p++) {
          const float a = x[2 * p], b = x[2 * p + 1], s = sign * sin[p];
          y[2 * p] = a * cos[p] - b * s;
          y[2 * p + 1] = b * cos[p] + a * s;
        }
        continue;
      }
      for (int64_t p = 0; p < half; p += LANES) {
        const int64_t left = half - p;
        const Vector a = load_part(x + p, left), b = load_part(x + half + p, left);
        const Vector c = load_part(cos + p, left), s = load_part(sin + p, left) * sign;
        store_part(y + p, a * c - b * s, left);
        store_part(y + half + p, b * c + a * s, left);
      }
    }
  });
}
