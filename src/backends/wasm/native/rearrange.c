// What moves numbers without changing them, and rotary positions, which change them on the way.
#include "pool.h"
#include "vector-math.h"

#define EXPORT(name) __attribute__((export_name(#name)))
#define JOB_SIZE 16384  // numbers of a job, about

// Four nested axes, the innermost first, each with its distance in the source. The result is dense.
typedef struct {
  const float *x;
  float *y;
  int size[4], step[4];
  int rows_per_job;
} Strided;

INLINE void copy_row(const float *x, float *y, int count) {
  int i = 0;
  for (; i + 4 <= count; i += 4) wasm_v128_store(y + i, wasm_v128_load(x + i));
  for (; i < count; i++) y[i] = x[i];
}

static void strided_job(Pool *pool, int thread, int job, const void *arguments) {
  (void)pool, (void)thread;
  const Strided *s = arguments;
  const int rows = s->size[1] * s->size[2] * s->size[3];
  for (int row = job * s->rows_per_job; row < (job + 1) * s->rows_per_job && row < rows; row++) {
    const int second = row % s->size[1], third = row / s->size[1] % s->size[2], fourth = row / s->size[1] / s->size[2];
    const float *x = s->x + (intptr_t)second * s->step[1] + (intptr_t)third * s->step[2] + (intptr_t)fourth * s->step[3];
    float *y = s->y + (intptr_t)row * s->size[0];
    if (s->step[0] == 1) copy_row(x, y, s->size[0]);
    else for (int i = 0; i < s->size[0]; i++) y[i] = x[(intptr_t)i * s->step[0]];
  }
}

// y[d, c, b, a] = x[d·step3 + c·step2 + b·step1 + a·step0]: transposing and slicing. Numbers of 4 bytes, of any type.
EXPORT(copy_strided)
void copy_strided(Pool *pool, const float *x, float *y, int size0, int size1, int size2, int size3, int step0,
                  int step1, int step2, int step3) {
  Strided s = {x, y, {size0, size1, size2, size3}, {step0, step1, step2, step3}, 1};
  const int rows = size1 * size2 * size3;
  if (size0 < JOB_SIZE) s.rows_per_job = JOB_SIZE / size0;
  parallel(pool, strided_job, (rows + s.rows_per_job - 1) / s.rows_per_job, &s);
}

typedef struct {
  const float *table;
  const int32_t *ids;
  float *y;
  int count, width, rows, rows_per_job;
} Gather;

static void gather_job(Pool *pool, int thread, int job, const void *arguments) {
  (void)pool, (void)thread;
  const Gather *g = arguments;
  for (int i = job * g->rows_per_job; i < (job + 1) * g->rows_per_job && i < g->count; i++) {
    const int id = g->ids[i];
    float *y = g->y + (intptr_t)i * g->width;
    if (id >= 0 && id < g->rows) copy_row(g->table + (intptr_t)id * g->width, y, g->width);
    else for (int j = 0; j < g->width; j++) y[j] = 0;
  }
}

// y[i, :] = table[ids[i], :]; a row of zeros where there is no such row.
EXPORT(gather)
void gather(Pool *pool, const float *table, const int32_t *ids, float *y, int count, int width, int rows) {
  Gather g = {table, ids, y, count, width, rows, width < JOB_SIZE ? JOB_SIZE / width : 1};
  parallel(pool, gather_job, (count + g.rows_per_job - 1) / g.rows_per_job, &g);
}

// Copies `blocks` stretches of `count` numbers, each a step further in source and target.
EXPORT(copy_blocks)
void copy_blocks(Pool *pool, const float *from, float *to, int blocks, int count, int from_step, int to_step) {
  (void)pool;
  for (int block = 0; block < blocks; block++)
    copy_row(from + (intptr_t)block * from_step, to + (intptr_t)block * to_step, count);
}

typedef struct {
  const float *x, *cos, *sin;
  float *y;
  int rows, heads, length, width, tables, interleaved, rows_per_job;
  float sign;
} Rotary;

INLINE void rotate_row(const Rotary *r, const float *x, const float *cos, const float *sin, float *y) {
  const int half = r->width / 2;
  if (r->interleaved) {
    for (int i = 0; i < half; i++) {
      const float a = x[2 * i], b = x[2 * i + 1], s = sin[i] * r->sign;
      y[2 * i] = a * cos[i] - b * s;
      y[2 * i + 1] = b * cos[i] + a * s;
    }
    return;
  }
  for (int i = 0; i < half; i += 4) {
    const int left = half - i;
    const v128_t a = load_part(x + i, left, 0), b = load_part(x + half + i, left, 0);
    const v128_t c = load_part(cos + i, left, 0), s = wasm_f32x4_mul(load_part(sin + i, left, 0), F(r->sign));
    store_part(y + i, wasm_f32x4_sub(wasm_f32x4_mul(a, c), wasm_f32x4_mul(b, s)), left);
    store_part(y + half + i, wasm_f32x4_add(wasm_f32x4_mul(b, c), wasm_f32x4_mul(a, s)), left);
  }
}

static void rotary_job(Pool *pool, int thread, int job, const void *arguments) {
  (void)pool, (void)thread;
  const Rotary *r = arguments;
  for (int row = job * r->rows_per_job; row < (job + 1) * r->rows_per_job && row < r->rows; row++) {
    const int position = row % r->length, batch = row / r->length / r->heads;
    const intptr_t at = ((intptr_t)(r->tables > 1 ? batch : 0) * r->length + position) * (r->width / 2);
    rotate_row(r, r->x + (intptr_t)row * r->width, r->cos + at, r->sin + at, r->y + (intptr_t)row * r->width);
  }
}

// Turns the pairs of x [batch, heads, length, width] by the angles of the tables [tables, length, width/2]; sign −1 turns back.
EXPORT(rotary)
void rotary(Pool *pool, const float *x, const float *cos, const float *sin, float *y, int rows, int heads, int length,
            int width, int tables, int interleaved, float sign) {
  Rotary r = {x, cos, sin, y, rows, heads, length, width, tables, interleaved, width < JOB_SIZE ? JOB_SIZE / width : 1, sign};
  parallel(pool, rotary_job, (rows + r.rows_per_job - 1) / r.rows_per_job, &r);
}
