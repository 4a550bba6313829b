// What works on rows: sums, softmax, norms, and the gradient of a table look-up.
#include "pool.h"
#include "vector-math.h"

#define EXPORT(name) __attribute__((export_name(#name)))
#define JOB_SIZE 16384  // numbers of a job, about

typedef struct {
  const float *x, *other, *weight, *bias;
  float *y, *partial;
  int rows, width, rows_per_job;
  float eps, threshold;
  int bias_heads, bias_queries, heads, queries, bias_batch;
} Rows;

INLINE int jobs_of(Rows *x) {
  x->rows_per_job = x->width < JOB_SIZE ? JOB_SIZE / x->width : 1;
  return (x->rows + x->rows_per_job - 1) / x->rows_per_job;
}

#define FOR_ROWS_OF(job) \
  for (int row = (job) * x->rows_per_job; row < ((job) + 1) * x->rows_per_job && row < x->rows; row++)

static void sum_rows_job(Pool *pool, int thread, int job, const void *arguments) {
  (void)pool, (void)thread;
  const Rows *x = arguments;
  FOR_ROWS_OF(job) {
    const float *from = x->x + (intptr_t)row * x->width;
    // Four sums side by side: shorter chains of additions, and smaller rounding errors.
    v128_t sums[4] = {F(0), F(0), F(0), F(0)};
    int i = 0;
    for (; i + 16 <= x->width; i += 16)
      for (int q = 0; q < 4; q++) sums[q] = wasm_f32x4_add(sums[q], wasm_v128_load(from + i + 4 * q));
    for (; i < x->width; i += 4) sums[0] = wasm_f32x4_add(sums[0], load_part(from + i, x->width - i, 0));
    x->y[row] = x->eps * vsum(wasm_f32x4_add(wasm_f32x4_add(sums[0], sums[1]), wasm_f32x4_add(sums[2], sums[3])));
  }
}

// y[row] = scale · Σ x[row, :]
EXPORT(sum_rows) void sum_rows(Pool *pool, const float *x, float *y, int rows, int width, float scale) {
  Rows arguments = {.x = x, .y = y, .rows = rows, .width = width, .eps = scale};
  parallel(pool, sum_rows_job, jobs_of(&arguments), &arguments);
}

#define STRIPE 64  // columns of a job

static void sum_columns_job(Pool *pool, int thread, int job, const void *arguments) {
  (void)pool, (void)thread;
  const Rows *x = arguments;
  const int start = job * STRIPE;
  const int count = x->width - start < STRIPE ? x->width - start : STRIPE;
  v128_t sums[STRIPE / 4];
  for (int i = 0; i < STRIPE / 4; i++) sums[i] = F(0);
  // Rows are added in blocks, and the blocks then: a long chain of additions would lose digits.
  for (int block = 0; block < x->rows; block += 256) {
    v128_t part[STRIPE / 4];
    for (int i = 0; i < STRIPE / 4; i++) part[i] = F(0);
    for (int row = block; row < block + 256 && row < x->rows; row++) {
      const float *from = x->x + (intptr_t)row * x->width + start;
      for (int i = 0; i < count; i += 4) part[i / 4] = wasm_f32x4_add(part[i / 4], load_part(from + i, count - i, 0));
    }
    for (int i = 0; i < STRIPE / 4; i++) sums[i] = wasm_f32x4_add(sums[i], part[i]);
  }
  for (int i = 0; i < count; i += 4)
    store_part(x->y + start + i, wasm_f32x4_mul(sums[i / 4], F(x->eps)), count - i);
}

// y[column] = scale · Σ x[:, column]
EXPORT(sum_columns) void sum_columns(Pool *pool, const float *x, float *y, int rows, int width, float scale) {
  Rows arguments = {.x = x, .y = y, .rows = rows, .width = width, .eps = scale};
  parallel(pool, sum_columns_job, (width + STRIPE - 1) / STRIPE, &arguments);
}

// Where the bias of a row begins: the bias is [batch or 1, heads or 1, queries or 1, width].
INLINE const float *bias_of(const Rows *x, int row) {
  const int query = row % x->queries, head = row / x->queries % x->heads, batch = row / x->queries / x->heads;
  const int at = ((x->bias_batch > 1 ? batch : 0) * x->bias_heads + (x->bias_heads > 1 ? head : 0)) * x->bias_queries +
                 (x->bias_queries > 1 ? query : 0);
  return x->bias + (intptr_t)at * x->width;
}

static void softmax_job(Pool *pool, int thread, int job, const void *arguments) {
  (void)pool, (void)thread;
  const Rows *x = arguments;
  FOR_ROWS_OF(job) {
    const float *from = x->x + (intptr_t)row * x->width;
    const float *bias = x->bias ? bias_of(x, row) : 0;
    float *to = x->y + (intptr_t)row * x->width;
    v128_t highest = F(-__builtin_inff());
    for (int i = 0; i < x->width; i += 4) {
      const int left = x->width - i;
      v128_t score = load_part(from + i, left, -__builtin_inff());
      if (bias) {
        score = wasm_f32x4_add(score, load_part(bias + i, left, 0));
        store_part(to + i, score, left);
      }
      highest = wasm_f32x4_max(highest, score);
    }
    const float largest = vlargest(highest);
    if (bias && largest <= x->threshold) {  // everything is masked: attend to nothing
      for (int i = 0; i < x->width; i++) to[i] = 0;
      continue;
    }
    const float *scores = bias ? to : from;
    v128_t sums = F(0);
    for (int i = 0; i < x->width; i += 4) {
      const int left = x->width - i;
      const v128_t e = vexp_falling(wasm_f32x4_sub(load_part(scores + i, left, -__builtin_inff()), F(largest)));
      sums = wasm_f32x4_add(sums, e);
      store_part(to + i, e, left);
    }
    const v128_t scale = F(1 / vsum(sums));
    for (int i = 0; i < x->width; i += 4)
      store_part(to + i, wasm_f32x4_mul(load_part(to + i, x->width - i, 0), scale), x->width - i);
  }
}

// Softmax of each row of x (+ bias). Rows whose largest biased score is not above the threshold become 0.
EXPORT(softmax)
void softmax(Pool *pool, const float *x, const float *bias, float *y, int rows, int width, int heads, int queries,
             int bias_batch, int bias_heads, int bias_queries, float threshold) {
  Rows arguments = {.x = x, .bias = bias, .y = y, .rows = rows, .width = width, .threshold = threshold,
                    .heads = heads, .queries = queries, .bias_batch = bias_batch, .bias_heads = bias_heads,
                    .bias_queries = bias_queries};
  parallel(pool, softmax_job, jobs_of(&arguments), &arguments);
}

static void softmax_gradient_job(Pool *pool, int thread, int job, const void *arguments) {
  (void)pool, (void)thread;
  const Rows *x = arguments;
  FOR_ROWS_OF(job) {
    const float *p = x->x + (intptr_t)row * x->width, *dy = x->other + (intptr_t)row * x->width;
    float *to = x->y + (intptr_t)row * x->width;
    v128_t sums = F(0);
    for (int i = 0; i < x->width; i += 4)
      sums = vmadd(load_part(p + i, x->width - i, 0), load_part(dy + i, x->width - i, 0), sums);
    const v128_t mean = F(vsum(sums));
    for (int i = 0; i < x->width; i += 4) {
      const int left = x->width - i;
      const v128_t centred = wasm_f32x4_sub(load_part(dy + i, left, 0), mean);
      store_part(to + i, wasm_f32x4_mul(load_part(p + i, left, 0), centred), left);
    }
  }
}

// y = p · (dy − Σ p·dy), for each row of probabilities.
EXPORT(softmax_gradient)
void softmax_gradient(Pool *pool, const float *p, const float *dy, float *y, int rows, int width) {
  Rows arguments = {.x = p, .other = dy, .y = y, .rows = rows, .width = width};
  parallel(pool, softmax_gradient_job, jobs_of(&arguments), &arguments);
}

// The mean (0 where it is not subtracted) and 1/√(variance + eps) of a row.
INLINE void moments(const Rows *x, const float *from, int centre, float *mean, float *scale) {
  v128_t sums = F(0);
  if (centre)
    for (int i = 0; i < x->width; i += 4) sums = wasm_f32x4_add(sums, load_part(from + i, x->width - i, 0));
  *mean = vsum(sums) / x->width;
  v128_t squares = F(0);
  for (int i = 0; i < x->width; i += 4) {
    const v128_t d = wasm_f32x4_sub(load_part(from + i, x->width - i, *mean), F(*mean));
    squares = vmadd(d, d, squares);
  }
  *scale = 1 / __builtin_sqrtf(vsum(squares) / x->width + x->eps);
}

// A layer norm has a bias, a root-mean-square norm has none and subtracts no mean.
static void norm_job(Pool *pool, int thread, int job, const void *arguments) {
  (void)pool, (void)thread;
  const Rows *x = arguments;
  FOR_ROWS_OF(job) {
    const float *from = x->x + (intptr_t)row * x->width;
    float *to = x->y + (intptr_t)row * x->width;
    float mean, scale;
    moments(x, from, x->bias != 0, &mean, &scale);
    for (int i = 0; i < x->width; i += 4) {
      const int left = x->width - i;
      const v128_t normed = wasm_f32x4_mul(wasm_f32x4_sub(load_part(from + i, left, 0), F(mean)), F(scale));
      const v128_t shift = x->bias ? load_part(x->bias + i, left, 0) : F(0);
      store_part(to + i, vmadd(normed, load_part(x->weight + i, left, 0), shift), left);
    }
  }
}

EXPORT(norm)
void norm(Pool *pool, const float *x, const float *weight, const float *bias, float *y, int rows, int width, float eps) {
  Rows arguments = {.x = x, .weight = weight, .bias = bias, .y = y, .rows = rows, .width = width, .eps = eps};
  parallel(pool, norm_job, jobs_of(&arguments), &arguments);
}

// With n = (x − mean) · scale and g = dy · weight: dx = scale · (g − mean(g) − n · mean(g·n)), dweight = Σ dy·n,
// dbias = Σ dy. Each job leaves its share of the two sums in `partial`.
static void norm_gradient_job(Pool *pool, int thread, int job, const void *arguments) {
  (void)pool, (void)thread;
  const Rows *x = arguments;
  const int centre = x->bias_batch;
  float *gain = x->partial + (intptr_t)job * 2 * x->width, *shift = gain + x->width;
  for (int i = 0; i < 2 * x->width; i++) gain[i] = 0;
  FOR_ROWS_OF(job) {
    const float *from = x->x + (intptr_t)row * x->width, *dy = x->other + (intptr_t)row * x->width;
    float *to = x->y + (intptr_t)row * x->width;
    float mean, scale;
    moments(x, from, centre, &mean, &scale);
    v128_t sums = F(0), products = F(0);
    for (int i = 0; i < x->width; i += 4) {
      const int left = x->width - i;
      const v128_t d = load_part(dy + i, left, 0);
      const v128_t n = wasm_f32x4_mul(wasm_f32x4_sub(load_part(from + i, left, mean), F(mean)), F(scale));
      const v128_t g = wasm_f32x4_mul(d, load_part(x->weight + i, left, 0));
      sums = wasm_f32x4_add(sums, g);
      products = vmadd(g, n, products);
      store_part(gain + i, vmadd(d, n, load_part(gain + i, left, 0)), left);
      store_part(shift + i, wasm_f32x4_add(d, load_part(shift + i, left, 0)), left);
    }
    const v128_t mean_g = F(centre ? vsum(sums) / x->width : 0), mean_gn = F(vsum(products) / x->width);
    for (int i = 0; i < x->width; i += 4) {
      const int left = x->width - i;
      const v128_t n = wasm_f32x4_mul(wasm_f32x4_sub(load_part(from + i, left, mean), F(mean)), F(scale));
      const v128_t g = wasm_f32x4_mul(load_part(dy + i, left, 0), load_part(x->weight + i, left, 0));
      const v128_t inner = wasm_f32x4_sub(wasm_f32x4_sub(g, mean_g), wasm_f32x4_mul(n, mean_gn));
      store_part(to + i, wasm_f32x4_mul(inner, F(scale)), left);
    }
  }
}

// How many numbers `norm_gradient` needs in `partial`.
EXPORT(norm_gradient_partial) int norm_gradient_partial(Pool *pool, int rows, int width) {
  (void)pool;
  Rows x = {.rows = rows, .width = width};
  return jobs_of(&x) * 2 * width;
}

// dx [rows, width] and sums [2, width]: of the gain, then of the shift.
EXPORT(norm_gradient)
void norm_gradient(Pool *pool, const float *x, const float *weight, const float *dy, float *dx, float *sums,
                   float *partial, int rows, int width, float eps, int centre) {
  Rows arguments = {.x = x, .other = dy, .weight = weight, .y = dx, .partial = partial,
                    .rows = rows, .width = width, .eps = eps, .bias_batch = centre};
  const int jobs = jobs_of(&arguments);
  parallel(pool, norm_gradient_job, jobs, &arguments);
  sum_columns(pool, partial, sums, jobs, 2 * width, 1);
}

// y[segment, :] += x[row, :] for each row; segments out of range are left out. y has no values before.
EXPORT(segment_sum)
void segment_sum(Pool *pool, const float *x, const int32_t *segments, float *y, int rows, int width, int count) {
  (void)pool;
  for (intptr_t i = 0; i < (intptr_t)count * width; i++) y[i] = 0;
  for (int row = 0; row < rows; row++) {
    const int segment = segments[row];
    if (segment < 0 || segment >= count) continue;
    const float *from = x + (intptr_t)row * width;
    float *to = y + (intptr_t)segment * width;
    for (int i = 0; i < width; i += 4)
      store_part(to + i, wasm_f32x4_add(load_part(to + i, width - i, 0), load_part(from + i, width - i, 0)), width - i);
  }
}
