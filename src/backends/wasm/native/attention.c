// Attention in one piece: scores, bias, softmax and values of 6 queries at a time, over blocks of keys, so that scores
// never leave the first-level cache. The softmax is kept up over the blocks as in Dao et al., 2022, "FlashAttention",
// algorithm 1. Keys that a whole block of queries does not see are not computed: causal attention costs half.
#include "attention.h"

#define KEY_BLOCK 256
#define ROW_BLOCK 192
#define FEW_QUERIES 4  // up to here keys are read where they lie: packing them would cost more than it saves

// One block of scores of a row into the running softmax. Returns the factor of what was summed before.
INLINE float softmax_block(float *scores, int first, int last, float threshold, float *largest, float *sum) {
  v128_t top = F(-__builtin_inff());
  for (int j = first; j < last; j += 4)
    top = wasm_f32x4_max(top, load_part(scores + j, last - j, -__builtin_inff()));
  const float found = vlargest(top);
  const float before = *largest;
  const float now = found <= before ? before : found;
  if (now <= threshold) {  // nothing seen yet
    for (int j = first; j < last; j += 4) store_part(scores + j, F(0), last - j);
    return 1;
  }
  v128_t sums = F(0);
  for (int j = first; j < last; j += 4) {
    const int left = last - j;
    const v128_t e = vexp_falling(wasm_f32x4_sub(load_part(scores + j, left, -__builtin_inff()), F(now)));
    sums = wasm_f32x4_add(sums, e);
    store_part(scores + j, e, left);
  }
  const float factor = before <= threshold ? 0 : wasm_f32x4_extract_lane(vexp_falling(F(before - now)), 0);
  *largest = now;
  *sum = *sum * factor + vsum(sums);
  return factor;
}

INLINE void clear_row(float *y, int count) {
  for (int j = 0; j < count; j++) y[j] = 0;
}

// y ← y · factor
INLINE void scale_row(float *y, int count, float factor) {
  for (int j = 0; j < count; j += 4)
    store_part(y + j, wasm_f32x4_mul(load_part(y + j, count - j, 0), F(factor)), count - j);
}

// Divides by the sum and notes its logarithm; a row that saw nothing is 0.
INLINE void finish_row(const Attention *x, intptr_t row, float largest, float sum) {
  const int seen = largest > x->threshold || largest != largest;
  if (seen) scale_row(x->y + row * x->depth, x->depth, 1 / sum);
  else clear_row(x->y + row * x->depth, x->depth);
  x->log_sums[row] = seen ? largest + natural_log(sum) : __builtin_inff();
}

static void many_queries(const Attention *x, float *scratch, int batch, int head, int first_row, int last_row) {
  const int group = head * x->groups / x->heads;
  const float *k = x->k + ((intptr_t)batch * x->groups + group) * x->room * x->width;
  const float *v = x->v + ((intptr_t)batch * x->groups + group) * x->room * x->depth;
  const intptr_t start = ((intptr_t)batch * x->heads + head) * x->queries;
  const int block = x->key_block;
  float *key_panels = scratch;
  float *value_panels = key_panels + block * x->width;
  float *scores = value_panels + block * round_up(x->depth, COLUMNS);
  float largest[ROW_BLOCK], sum[ROW_BLOCK];
  for (int i = 0; i < last_row - first_row; i++) largest[i] = -__builtin_inff(), sum[i] = 0;
  for (int key = 0; key < x->keys; key += block) {
    const int count = least(block, x->keys - key);
    int packed = 0;
    for (int row = first_row; row < last_row; row += ROWS) {
      const int rows = least(ROWS, last_row - row);
      float *y = x->y + (start + row) * x->depth;
      int first, last;
      seen_keys(x, batch, head, row, rows, key, count, &first, &last);
      if (last == 0) {
        if (key == 0) for (int i = 0; i < rows; i++) clear_row(y + i * x->depth, x->depth);
        continue;
      }
      if (!packed) {
        pack_transposed(k + (intptr_t)key * x->width, x->width, x->width, count, key_panels);
        pack(v + (intptr_t)key * x->depth, x->depth, count, x->depth, value_panels);
        packed = 1;
      }
      multiply_rows(rows, x->q + (start + row) * x->width, x->width, key_panels + (intptr_t)first * x->width, x->width,
                    x->width, scores + first, block, last - first, 0, 0);
      for (int i = 0; i < rows; i++) {
        float *s = scores + i * block;
        add_bias(s, bias_of(x, batch, head, row + i) + key, x->scale, first, last);
        const int at = row - first_row + i;
        const float factor = softmax_block(s, first, last, x->threshold, &largest[at], &sum[at]);
        if (key > 0 && factor != 1) scale_row(y + i * x->depth, x->depth, factor);
      }
      multiply_rows(rows, scores + first, block, value_panels + (intptr_t)first * COLUMNS, count, last - first, y,
                    x->depth, x->depth, 0, key > 0);
    }
  }
  for (int row = first_row; row < last_row; row++)
    finish_row(x, start + row, largest[row - first_row], sum[row - first_row]);
}

// y += p · v[keys, depth], 4 keys at a time.
INLINE void add_values(const float *p, const float *v, int keys, int depth, float *y) {
  for (int j = 0; j < depth; j += 4) {
    const int left = depth - j;
    v128_t sums[4] = {load_part(y + j, left, 0), F(0), F(0), F(0)};
    int key = 0;
    for (; key + 4 <= keys && left >= 4; key += 4)
      for (int i = 0; i < 4; i++)
        sums[i] = vmadd(F(p[key + i]), wasm_v128_load(v + (intptr_t)(key + i) * depth + j), sums[i]);
    for (; key < keys; key++) sums[0] = vmadd(F(p[key]), load_part(v + (intptr_t)key * depth + j, left, 0), sums[0]);
    store_part(y + j, wasm_f32x4_add(wasm_f32x4_add(sums[0], sums[1]), wasm_f32x4_add(sums[2], sums[3])), left);
  }
}

INLINE float dot(const float *a, const float *b, int count) {
  v128_t sums[2] = {F(0), F(0)};
  int i = 0;
  for (; i + 8 <= count; i += 8)
    for (int q = 0; q < 2; q++) sums[q] = vmadd(wasm_v128_load(a + i + 4 * q), wasm_v128_load(b + i + 4 * q), sums[q]);
  for (; i < count; i += 4) sums[0] = vmadd(load_part(a + i, count - i, 0), load_part(b + i, count - i, 0), sums[0]);
  return vsum(wasm_f32x4_add(sums[0], sums[1]));
}

static void few_queries(const Attention *x, float *scores, int batch, int head, int first_row, int last_row) {
  const int group = head * x->groups / x->heads;
  const float *k = x->k + ((intptr_t)batch * x->groups + group) * x->room * x->width;
  const float *v = x->v + ((intptr_t)batch * x->groups + group) * x->room * x->depth;
  const intptr_t start = ((intptr_t)batch * x->heads + head) * x->queries;
  for (int row = first_row; row < last_row; row++) {
    const float *q = x->q + (start + row) * x->width;
    float *y = x->y + (start + row) * x->depth;
    float largest = -__builtin_inff(), sum = 0;
    clear_row(y, x->depth);
    for (int key = 0; key < x->keys; key += x->key_block) {
      const int count = least(x->key_block, x->keys - key);
      int first, last;
      seen_keys(x, batch, head, row, 1, key, count, &first, &last);
      if (last == 0) continue;
      for (int j = first; j < last; j++) scores[j] = dot(q, k + (intptr_t)(key + j) * x->width, x->width);
      add_bias(scores, bias_of(x, batch, head, row) + key, x->scale, first, last);
      const float factor = softmax_block(scores, first, last, x->threshold, &largest, &sum);
      if (factor != 1) scale_row(y, x->depth, factor);
      add_values(scores + first, v + (intptr_t)(key + first) * x->depth, last - first, x->depth, y);
    }
    finish_row(x, start + row, largest, sum);
  }
}

static void attention_job(Pool *pool, int thread, int job, const void *arguments) {
  const Attention *x = arguments;
  const int head = job / x->jobs_per_head % x->heads, batch = job / x->jobs_per_head / x->heads;
  const int first = job % x->jobs_per_head * x->row_block;
  const int last = least(first + x->row_block, x->queries);
  float *scratch = scratch_of(pool, thread);
  if (x->queries <= FEW_QUERIES) few_queries(x, scratch, batch, head, first, last);
  else many_queries(x, scratch, batch, head, first, last);
}

// y [batch, heads, queries, depth] = softmax(scale · q·kᵀ + bias) · v, and the logarithm of each row's sum of powers.
EXPORT(attention)
void attention(Pool *pool, const float *q, const float *k, const float *v, const float *bias, float *y,
               float *log_sums, int batch, int heads, int groups, int queries, int keys, int room, int width, int depth,
               int bias_batch, int bias_heads, int bias_queries, float scale, float threshold) {
  Attention x = {.q = q, .k = k, .v = v, .bias = bias, .y = y, .log_sums = log_sums, .batch = batch, .heads = heads,
                 .groups = groups, .queries = queries, .keys = keys, .room = room, .width = width, .depth = depth,
                 .bias_batch = bias_batch, .bias_heads = bias_heads, .bias_queries = bias_queries, .scale = scale,
                 .threshold = threshold, .row_block = ROW_BLOCK, .key_block = KEY_BLOCK};
  while (x.key_block > COLUMNS && x.key_block * (width + round_up(depth, COLUMNS) + ROWS) > SCRATCH_FLOATS)
    x.key_block /= 2;
  x.jobs_per_head = (queries + x.row_block - 1) / x.row_block;
  // Equal shares: 200 queries are 102 and 98, not 192 and 8.
  x.row_block = round_up((queries + x.jobs_per_head - 1) / x.jobs_per_head, ROWS);
  x.jobs_per_head = (queries + x.row_block - 1) / x.row_block;
  parallel(pool, attention_job, batch * heads * x.jobs_per_head, &x);
}
