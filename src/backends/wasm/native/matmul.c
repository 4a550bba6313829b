// Matrix products C = A·B (+ bias), batched, with either factor transposed, at one speed.
//
// A job is a block of rows and columns of one product of the batch. It copies its columns of B, transposed or not, into
// panels of 8 columns (so that the inner loop reads B in order) and multiplies 6 rows of A at a time with a panel. A is
// read where it lies, or, transposed, 6 rows at a time are laid side by side.
#include "pool.h"
#include "tile.h"
#include "vector-math.h"

#define EXPORT(name) __attribute__((export_name(#name)))

#define DEPTH 256        // of a panel, so that 6 rows of A and a panel of B stay in the first-level cache
#define FEW_ROWS 4       // up to here a product is bound by reading B once, and copying B would double that
#define MAX_COLUMNS 512  // columns of a job; DEPTH × (MAX_COLUMNS + ROWS) floats fit into the scratch memory

typedef struct {
  const float *a, *b, *bias;
  float *c;
  int batch_a, batch_b;  // 1, or the whole batch
  int m, n, k;
  int transpose_a, transpose_b;
  int m_block, n_block, m_jobs, n_jobs;
} Product;

// Up to 6 rows of a transposed A, which lie across memory, side by side: [depth][6].
static const float *gather_rows(const float *a, int m, int rows, int depth, float *block) {
  for (int p = 0; p < depth; p++) {
    const float *from = a + (intptr_t)p * m;
    float *to = block + p * ROWS;
    if (rows == ROWS) {
      wasm_v128_store(to, wasm_v128_load(from));
      wasm_v128_store64_lane(to + 4, wasm_v128_load64_zero(from + 4), 0);
    } else {
      for (int i = 0; i < ROWS; i++) to[i] = i < rows ? from[i] : 0;
    }
  }
  return block;
}

// A few rows times rows of B (B is transposed): 4 dot products at a time.
static void few_rows(const Product *x, const float *a, const float *b, float *c, int j0, int columns) {
  const int k = x->k;
  for (int i = 0; i < x->m; i++) {
    const float *row = a + (intptr_t)i * k;
    for (int j = j0; j < j0 + columns; j += 4) {
      const int width = j0 + columns - j < 4 ? j0 + columns - j : 4;
      const float *from[4];
      v128_t sums[4];
      for (int q = 0; q < 4; q++) {
        from[q] = b + (intptr_t)(j + (q < width ? q : 0)) * k;
        sums[q] = wasm_f32x4_splat(0);
      }
      int p = 0;
      for (; p + 4 <= k; p += 4) {
        const v128_t y = wasm_v128_load(row + p);
        for (int q = 0; q < 4; q++) sums[q] = vmadd(y, wasm_v128_load(from[q] + p), sums[q]);
      }
      for (int q = 0; q < width; q++) {
        float sum = vsum(sums[q]) + (x->bias ? x->bias[j + q] : 0);
        for (int r = p; r < k; r++) sum += row[r] * from[q][r];
        c[(intptr_t)i * x->n + j + q] = sum;
      }
    }
  }
}

static void multiply_block(Pool *pool, int thread, int job, const void *arguments) {
  const Product *x = arguments;
  const int i0 = (job % x->m_jobs) * x->m_block;
  const int j0 = (job / x->m_jobs % x->n_jobs) * x->n_block;
  const int index = job / x->m_jobs / x->n_jobs;
  const int rows = x->m - i0 < x->m_block ? x->m - i0 : x->m_block;
  const int columns = x->n - j0 < x->n_block ? x->n - j0 : x->n_block;
  const float *a = x->a + (intptr_t)(index % x->batch_a) * x->m * x->k;
  const float *b = x->b + (intptr_t)(index % x->batch_b) * x->k * x->n;
  float *c = x->c + (intptr_t)index * x->m * x->n;
  if (x->m <= FEW_ROWS && x->transpose_b && !x->transpose_a) {
    few_rows(x, a, b, c, j0, columns);
    return;
  }
  float *panels = scratch_of(pool, thread);
  float *gathered = panels + DEPTH * MAX_COLUMNS;
  const float *bias = x->bias ? x->bias + j0 : 0;
  for (int p0 = 0; p0 < x->k; p0 += DEPTH) {
    const int depth = x->k - p0 < DEPTH ? x->k - p0 : DEPTH;
    if (x->transpose_b) pack_transposed(b + (intptr_t)j0 * x->k + p0, x->k, depth, columns, panels);
    else pack(b + (intptr_t)p0 * x->n + j0, x->n, depth, columns, panels);
    for (int i = i0; i < i0 + rows; i += ROWS) {
      const int height = i0 + rows - i < ROWS ? i0 + rows - i : ROWS;
      float *to = c + (intptr_t)i * x->n + j0;
      if (x->transpose_a) {
        const float *block = gather_rows(a + (intptr_t)p0 * x->m + i, x->m, height, depth, gathered);
        multiply_transposed_rows(height, block, ROWS, panels, depth, depth, to, x->n, columns, bias, p0 > 0);
      } else {
        const float *block = a + (intptr_t)i * x->k + p0;
        multiply_rows(height, block, x->k, panels, depth, depth, to, x->n, columns, bias, p0 > 0);
      }
    }
  }
}

INLINE int blocks(int size, int block) { return (size + block - 1) / block; }

// c[batch, m, n] = a · b + bias, each factor with its own batch (1, or `batch`). k > 0.
EXPORT(matmul)
void matmul(Pool *pool, const float *a, const float *b, const float *bias, float *c, int batch, int batch_a,
            int batch_b, int m, int n, int k, int transpose_a, int transpose_b) {
  Product x = {a, b, bias, c, batch_a, batch_b, m, n, k, transpose_a, transpose_b, m, n, 1, 1};
  // Several jobs a thread even out a slow one. Columns are divided first: then no column of B is copied twice.
  const int wanted = pool->threads == 1 ? 1 : 4 * pool->threads;
  const int n_jobs = batch >= wanted ? 1 : blocks(wanted, batch);
  const int share = blocks(blocks(n, n_jobs), COLUMNS) * COLUMNS;
  x.n_block = share < 64 ? 64 : share > MAX_COLUMNS ? MAX_COLUMNS : share;
  x.n_jobs = blocks(n, x.n_block);
  if (batch * x.n_jobs < wanted) {
    const int m_share = blocks(blocks(m, blocks(wanted, batch * x.n_jobs)), ROWS) * ROWS;
    x.m_block = m_share < 48 ? 48 : m_share;
  }
  x.m_jobs = blocks(m, x.m_block);
  if (m <= FEW_ROWS) x.m_block = m, x.m_jobs = 1;
  parallel(pool, multiply_block, batch * x.m_jobs * x.n_jobs, &x);
}
