// Matrix products C = A·B (+ bias), batched, with either factor transposed.
//
// B is copied into panels first, by all threads; then a job is some rows of C with some panels. Products of a large
// batch are a job each, with a copy of their own. With few rows a product is bound by reading B, which is not copied.
#include "matmul.h"

#include <algorithm>

#include "kernels.h"
#include "pool.h"

namespace {

constexpr int64_t DEPTH = 256;        // of a panel, so that it stays in the first-level cache
constexpr int64_t COLUMNS = 4096;     // of the copy of B, so that it stays in the second-level cache
constexpr int64_t JOB_ROWS = 96;      // rows of a job: a multiple of TILE_ROWS whose part of A stays in the cache
constexpr int64_t FEW_ROWS = 4;       // up to here B is read where it lies

struct Product {
  Matrix a, b;
  float *c;
  const float *bias;
  int64_t m, n, k;
};

float dot(const float *a, const float *b, int64_t size) {
  Vector sums[4] = {};
  int64_t i = 0;
  for (; i + 4 * LANES <= size; i += 4 * LANES)
    for (int j = 0; j < 4; j++) sums[j] += load(a + i + j * LANES) * load(b + i + j * LANES);
  for (; i < size; i += LANES) sums[0] += load_part(a + i, size - i) * load_part(b + i, size - i);
  return sum_of((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

// Columns [from, to) of a product with few rows.
void few_rows(const Product &x, int64_t from, int64_t to) {
  if (x.b.row_step == 1) {  // B transposed: its columns lie in one piece, and so must the rows of A
    for (int64_t j = from; j < to; j++)
      for (int64_t i = 0; i < x.m; i++)
        x.c[i * x.n + j] = dot(x.a.at + i * x.a.row_step, x.b.at + j * x.b.column_step, x.k) + (x.bias ? x.bias[j] : 0);
    return;
  }
  int64_t j = from;
  for (; j + LANES <= to; j += PANEL) {
    const int64_t columns = std::min<int64_t>(PANEL, (to - j) / LANES * LANES);
    multiply_panel(x.a, x.b.at + j, x.b.row_step, x.m, x.k, columns, x.c + j, x.n, false, x.bias ? x.bias + j : nullptr);
  }
  for (j = from + (to - from) / LANES * LANES; j < to; j++) {  // the last ones would read beyond the end of B
    for (int64_t i = 0; i < x.m; i++) {
      float sum = x.bias ? x.bias[j] : 0;
      for (int64_t p = 0; p < x.k; p++)
        sum += x.a.at[i * x.a.row_step + p * x.a.column_step] * x.b.at[p * x.b.row_step + j];
      x.c[i * x.n + j] = sum;
    }
  }
}

// A whole product on one thread.
void multiply_alone(const Product &x, float *panels) {
  for (int64_t j = 0; j < x.n; j += COLUMNS) {
    const int64_t columns = std::min(COLUMNS, x.n - j);
    for (int64_t p = 0; p < x.k; p += DEPTH) {
      const int64_t depth = std::min(DEPTH, x.k - p);
      pack(x.b.part(p, j), depth, columns, panels);
      multiply_packed(x.a.part(0, p), panels, columns, x.m, depth, columns, x.c + j, x.n, p > 0,
                      x.bias ? x.bias + j : nullptr);
    }
  }
}

void multiply_together(const Product &x) {
  const int64_t width = std::min(COLUMNS, x.n), threads = pool_threads();
  float *panels = shared_scratch(packed_size(std::min(DEPTH, x.k), width));
  for (int64_t j = 0; j < x.n; j += COLUMNS) {
    const int64_t columns = std::min(COLUMNS, x.n - j);
    const int64_t panel_count = (columns + PANEL - 1) / PANEL;
    for (int64_t p = 0; p < x.k; p += DEPTH) {
      const int64_t depth = std::min(DEPTH, x.k - p);
      const int64_t packing = std::min<int64_t>(panel_count, depth * columns < 32768 ? 1 : 2 * threads);
      parallel(packing, [&](int64_t job, int) {
        const int64_t from = panel_count * job / packing * PANEL;
        const int64_t to = std::min(columns, panel_count * (job + 1) / packing * PANEL);
        pack(x.b.part(p, j + from), depth, to - from, panels + from * depth);
      });
      // As many jobs as keep all threads busy to the end: rows are divided first, then panels.
      const int64_t tiles = (x.m + TILE_ROWS - 1) / TILE_ROWS;
      int64_t row_jobs = std::min(tiles, std::max<int64_t>((x.m + JOB_ROWS - 1) / JOB_ROWS, 2 * threads));
      int64_t panel_jobs = std::min(panel_count, std::max<int64_t>(1, 4 * threads / row_jobs));
      if (x.m * columns * depth < 65536) row_jobs = panel_jobs = 1;
      parallel(row_jobs * panel_jobs, [&](int64_t job, int) {
        const int64_t row_job = job / panel_jobs, panel_job = job % panel_jobs;
        const int64_t top = tiles * row_job / row_jobs * TILE_ROWS;
        const int64_t bottom = std::min(x.m, tiles * (row_job + 1) / row_jobs * TILE_ROWS);
        const int64_t from = panel_count * panel_job / panel_jobs * PANEL;
        const int64_t to = std::min(columns, panel_count * (panel_job + 1) / panel_jobs * PANEL);
        multiply_packed(x.a.part(top, p), panels + from * depth, to - from, bottom - top, depth, to - from,
                        x.c + top * x.n + j + from, x.n, p > 0, x.bias ? x.bias + j + from : nullptr);
      });
    }
  }
}

void multiply(const Product &x) {
  const bool fits = x.b.row_step != 1 || x.a.column_step == 1;
  if (x.m <= FEW_ROWS && fits) {
    // A stretch of columns reads whole cache lines of B.
    parallel_ranges((x.n + LANES - 1) / LANES, std::max<int64_t>(1, 16384 / (x.k * LANES)),
                    [&](int64_t from, int64_t to) { few_rows(x, from * LANES, std::min(x.n, to * LANES)); });
    return;
  }
  multiply_together(x);
}

}  // namespace

void kernel_matmul(const Call &call) {
  const int64_t *i = call.integers;
  const int64_t batch = i[0], batch_a = i[1], batch_b = i[2], m = i[3], n = i[4], k = i[5];
  const bool transpose_a = i[6], transpose_b = i[7];
  const auto product = [&](int64_t index) -> Product {
    const float *a = call.inputs[0] + (batch_a == 1 ? 0 : index * m * k);
    const float *b = call.inputs[1] + (batch_b == 1 ? 0 : index * k * n);
    const Matrix left = transpose_a ? Matrix{a, 1, m} : Matrix{a, k, 1};
    const Matrix right = transpose_b ? Matrix{b, 1, k} : Matrix{b, n, 1};
    return {left, right, call.outputs[0] + index * m * n, call.inputs[2], m, n, k};
  };
  if (batch >= 2 * pool_threads() && m > FEW_ROWS) {
    const int64_t size = packed_size(std::min(DEPTH, k), std::min(COLUMNS, n));
    parallel(batch, [&](int64_t job, int thread) { multiply_alone(product(job), scratch(thread, size)); });
    return;
  }
  for (int64_t index = 0; index < batch; index++) multiply(product(index));
}
