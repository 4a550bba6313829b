// Functions of one number, activations with their derivatives, and arithmetic of two arrays with broadcasting.
#include "pool.h"
#include "vector-math.h"

#define EXPORT(name) __attribute__((export_name(#name)))
#define CHUNK 16384  // numbers of a job: enough to be worth a thread's while

INLINE int chunks(int size, int chunk) { return (size + chunk - 1) / chunk; }

// The numbers are those of src/backends/wasm/elementwise.ts.
enum Unary { TANH, EXP, ERF, SIGMOID, SQUARE, SQRT, RSQRT, NEG, RELU, GELU, GELU_TANH, SILU };

#define ROOT_HALF 0.70710678118f
#define ROOT_TWO_OVER_PI 0.79788456080f
#define INVERSE_ROOT_TWO_PI 0.39894228040f
#define CUBIC 0.044715f

typedef struct {
  v128_t value, slope;
} Activated;

// An activation and its derivative, which share their exponential.
INLINE Activated activation_of(int kind, v128_t x) {
  if (kind == GELU) {  // x·Φ(x), Φ by Abramowitz and Stegun 7.1.26: its e^(−x²/2) is the derivative's too
    const v128_t t = wasm_f32x4_div(F(1), vmadd(wasm_f32x4_abs(x), F(0.3275911f * ROOT_HALF), F(1)));
    const v128_t bell = vexp_falling(wasm_f32x4_mul(wasm_f32x4_mul(x, x), F(-0.5f)));
    v128_t p = F(0.5f * 1.061405429f);
    p = vmadd(p, t, F(0.5f * -1.453152027f));
    p = vmadd(p, t, F(0.5f * 1.421413741f));
    p = vmadd(p, t, F(0.5f * -0.284496736f));
    p = vmadd(p, t, F(0.5f * 0.254829592f));
    const v128_t tail = wasm_f32x4_mul(wasm_f32x4_mul(p, t), bell);  // 1 − Φ(|x|)
    const v128_t cumulative = wasm_v128_bitselect(tail, wasm_f32x4_sub(F(1), tail), wasm_f32x4_lt(x, F(0)));
    return (Activated){wasm_f32x4_mul(x, cumulative), vmadd(wasm_f32x4_mul(x, bell), F(INVERSE_ROOT_TWO_PI), cumulative)};
  }
  if (kind == GELU_TANH) {  // ½x(1 + tanh u) = x·σ(2u)
    const v128_t square = wasm_f32x4_mul(x, x);
    const v128_t twice = wasm_f32x4_mul(x, vmadd(square, F(2 * CUBIC * ROOT_TWO_OVER_PI), F(2 * ROOT_TWO_OVER_PI)));
    const v128_t s = vlogistic(twice), value = wasm_f32x4_mul(x, s);
    const v128_t steepness = vmadd(square, F(6 * CUBIC * ROOT_TWO_OVER_PI), F(2 * ROOT_TWO_OVER_PI));
    return (Activated){value, vmadd(wasm_f32x4_mul(value, wasm_f32x4_sub(F(1), s)), steepness, s)};
  }
  const v128_t s = vlogistic(x), value = wasm_f32x4_mul(x, s);  // SILU
  return (Activated){value, vmadd(value, wasm_f32x4_sub(F(1), s), s)};
}

INLINE v128_t value_of(int kind, v128_t x) {
  switch (kind) {
    case TANH: return vtanh(x);
    case EXP: return vexp(x);
    case ERF: return verf(x);
    case SIGMOID: return vlogistic(x);
    case SQUARE: return wasm_f32x4_mul(x, x);
    case SQRT: return wasm_f32x4_sqrt(x);
    case RSQRT: return wasm_f32x4_div(F(1), wasm_f32x4_sqrt(x));
    case NEG: return wasm_f32x4_neg(x);
    case RELU: return wasm_f32x4_max(x, F(0));
    default: return activation_of(kind, x).value;
  }
}

typedef struct {
  const float *x, *dy;
  float *y;
  int size, kind;
} Map;

INLINE void map_chunk(int kind, const float *x, const float *dy, float *y, int count) {
  for (int i = 0; i < count; i += 4) {
    const int left = count - i;
    const v128_t at = load_part(x + i, left, 0);
    store_part(y + i, dy ? wasm_f32x4_mul(load_part(dy + i, left, 0), activation_of(kind, at).slope) : value_of(kind, at), left);
  }
}

static void map_job(Pool *pool, int thread, int job, const void *arguments) {
  (void)pool, (void)thread;
  const Map *map = arguments;
  const int start = job * CHUNK;
  const int count = map->size - start < CHUNK ? map->size - start : CHUNK;
  const float *x = map->x + start;
  float *y = map->y + start;
  if (map->dy) {
    const float *dy = map->dy + start;
    switch (map->kind) {
      case GELU: return map_chunk(GELU, x, dy, y, count);
      case GELU_TANH: return map_chunk(GELU_TANH, x, dy, y, count);
      default: return map_chunk(SILU, x, dy, y, count);
    }
  }
  switch (map->kind) {
    case TANH: return map_chunk(TANH, x, 0, y, count);
    case EXP: return map_chunk(EXP, x, 0, y, count);
    case ERF: return map_chunk(ERF, x, 0, y, count);
    case SIGMOID: return map_chunk(SIGMOID, x, 0, y, count);
    case SQUARE: return map_chunk(SQUARE, x, 0, y, count);
    case SQRT: return map_chunk(SQRT, x, 0, y, count);
    case RSQRT: return map_chunk(RSQRT, x, 0, y, count);
    case NEG: return map_chunk(NEG, x, 0, y, count);
    case RELU: return map_chunk(RELU, x, 0, y, count);
    case GELU: return map_chunk(GELU, x, 0, y, count);
    case GELU_TANH: return map_chunk(GELU_TANH, x, 0, y, count);
    default: return map_chunk(SILU, x, 0, y, count);
  }
}

// y[i] = f(x[i]), or with dy: y[i] = dy[i] · f′(x[i]).
EXPORT(map) void map(Pool *pool, int kind, const float *x, const float *dy, float *y, int size) {
  Map arguments = {x, dy, y, size, kind};
  parallel(pool, map_job, chunks(size, CHUNK), &arguments);
}

typedef struct {
  const float *gate, *up, *dy;
  float *y, *d_gate, *d_up;
  int size, kind;
} Gated;

INLINE void gated_chunk(int kind, const Gated *x, int start, int end) {
  for (int i = start; i < end; i += 4) {
    const int left = end - i;
    const Activated a = activation_of(kind, load_part(x->gate + i, left, 0));
    const v128_t up = load_part(x->up + i, left, 0);
    if (x->dy) {
      const v128_t dy = load_part(x->dy + i, left, 0);
      store_part(x->d_gate + i, wasm_f32x4_mul(wasm_f32x4_mul(dy, up), a.slope), left);
      store_part(x->d_up + i, wasm_f32x4_mul(dy, a.value), left);
    } else {
      store_part(x->y + i, wasm_f32x4_mul(a.value, up), left);
    }
  }
}

static void gated_job(Pool *pool, int thread, int job, const void *arguments) {
  (void)pool, (void)thread;
  const Gated *x = arguments;
  const int start = job * CHUNK, end = start + CHUNK < x->size ? start + CHUNK : x->size;
  switch (x->kind) {
    case GELU: return gated_chunk(GELU, x, start, end);
    case GELU_TANH: return gated_chunk(GELU_TANH, x, start, end);
    default: return gated_chunk(SILU, x, start, end);
  }
}

// y = activation(gate) · up; or with dy the gradients of both.
EXPORT(gated)
void gated(Pool *pool, int kind, const float *gate, const float *up, const float *dy, float *y, float *d_gate,
           float *d_up, int size) {
  Gated x = {gate, up, dy, y, d_gate, d_up, size, kind};
  parallel(pool, gated_job, chunks(size, CHUNK), &x);
}

enum Binary { ADD, SUB, MULTIPLY, DIVIDE };

// Three nested axes, the innermost first. A step of 0 repeats: that is broadcasting.
typedef struct {
  const float *a, *b;
  float *y;
  int kind;
  int size[3];
  int step_a[3], step_b[3];
  int rows_per_job;
} Combine;

INLINE v128_t combined(int kind, v128_t a, v128_t b) {
  switch (kind) {
    case ADD: return wasm_f32x4_add(a, b);
    case SUB: return wasm_f32x4_sub(a, b);
    case MULTIPLY: return wasm_f32x4_mul(a, b);
    default: return wasm_f32x4_div(a, b);
  }
}

INLINE void combine_row(int kind, const float *a, int step_a, const float *b, int step_b, float *y, int count) {
  if (step_a && step_b) {
    for (int i = 0; i < count; i += 4)
      store_part(y + i, combined(kind, load_part(a + i, count - i, 1), load_part(b + i, count - i, 1)), count - i);
  } else if (step_a) {
    const v128_t fixed = wasm_v128_load32_splat(b);
    for (int i = 0; i < count; i += 4)
      store_part(y + i, combined(kind, load_part(a + i, count - i, 1), fixed), count - i);
  } else {
    const v128_t fixed = wasm_v128_load32_splat(a);
    for (int i = 0; i < count; i += 4)
      store_part(y + i, combined(kind, fixed, step_b ? load_part(b + i, count - i, 1) : wasm_v128_load32_splat(b)), count - i);
  }
}

INLINE void combine_rows(int kind, const Combine *x, int first, int last) {
  for (int row = first; row < last; row++) {
    const int middle = row % x->size[1], outer = row / x->size[1];
    const float *a = x->a + (intptr_t)outer * x->step_a[2] + (intptr_t)middle * x->step_a[1];
    const float *b = x->b + (intptr_t)outer * x->step_b[2] + (intptr_t)middle * x->step_b[1];
    combine_row(kind, a, x->step_a[0], b, x->step_b[0], x->y + (intptr_t)row * x->size[0], x->size[0]);
  }
}

static void combine_job(Pool *pool, int thread, int job, const void *arguments) {
  (void)pool, (void)thread;
  const Combine *x = arguments;
  const int rows = x->size[1] * x->size[2];
  if (rows == 1) {  // one long row: a job is a stretch of it
    const int start = job * CHUNK;
    const int count = x->size[0] - start < CHUNK ? x->size[0] - start : CHUNK;
    const float *a = x->a + (x->step_a[0] ? start : 0), *b = x->b + (x->step_b[0] ? start : 0);
    switch (x->kind) {
      case ADD: return combine_row(ADD, a, x->step_a[0], b, x->step_b[0], x->y + start, count);
      case SUB: return combine_row(SUB, a, x->step_a[0], b, x->step_b[0], x->y + start, count);
      case MULTIPLY: return combine_row(MULTIPLY, a, x->step_a[0], b, x->step_b[0], x->y + start, count);
      default: return combine_row(DIVIDE, a, x->step_a[0], b, x->step_b[0], x->y + start, count);
    }
  }
  const int first = job * x->rows_per_job;
  const int last = first + x->rows_per_job < rows ? first + x->rows_per_job : rows;
  switch (x->kind) {
    case ADD: return combine_rows(ADD, x, first, last);
    case SUB: return combine_rows(SUB, x, first, last);
    case MULTIPLY: return combine_rows(MULTIPLY, x, first, last);
    default: return combine_rows(DIVIDE, x, first, last);
  }
}

EXPORT(combine)
void combine(Pool *pool, int kind, const float *a, const float *b, float *y, int inner, int middle, int outer,
             int a_inner, int a_middle, int a_outer, int b_inner, int b_middle, int b_outer) {
  Combine x = {a, b, y, kind, {inner, middle, outer}, {a_inner, a_middle, a_outer}, {b_inner, b_middle, b_outer}, 1};
  const int rows = middle * outer;
  if (rows == 1) {
    parallel(pool, combine_job, chunks(inner, CHUNK), &x);
  } else {
    x.rows_per_job = inner < CHUNK ? CHUNK / inner : 1;
    parallel(pool, combine_job, chunks(rows, x.rows_per_job), &x);
  }
}
