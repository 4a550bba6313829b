// The gradient of attention. Probabilities are computed again from the scores and the noted logarithms of their sums, a
// block of queries and keys at a time (Dao et al., 2022, "FlashAttention", algorithm 4):
//   p = exp(scores − logSum), dS = p ∘ (dy·vᵀ − Σ dy∘y), dv = pᵀ·dy, dq = scale · dS·k, dk = scale · dSᵀ·q.
#include "attention.h"

#define KEY_BLOCK 128
#define ROW_BLOCK 96

// Where the pieces of a job lie in the scratch memory.
typedef struct {
  float *keys_across, *keys, *values_across;  // panels of a block of keys and values
  float *queries, *dy;                        // panels of a block of queries
  float *p, *ds;                              // [row_block][key_block]
  int seen[ROW_BLOCK / ROWS][2];              // the keys that each 6 queries see
} Pieces;

static int floats_of(const Attention *x, int rows, int keys) {
  const int width = round_up(x->width, COLUMNS), depth = round_up(x->depth, COLUMNS);
  return keys * (2 * width + depth) + rows * (width + depth) + 2 * rows * keys;
}

static void lay_out(const Attention *x, float *scratch, Pieces *pieces) {
  const int width = round_up(x->width, COLUMNS), depth = round_up(x->depth, COLUMNS);
  pieces->keys_across = scratch;
  pieces->keys = pieces->keys_across + x->key_block * width;
  pieces->values_across = pieces->keys + x->key_block * width;
  pieces->queries = pieces->values_across + x->key_block * depth;
  pieces->dy = pieces->queries + x->row_block * width;
  pieces->p = pieces->dy + x->row_block * depth;
  pieces->ds = pieces->p + x->row_block * x->key_block;
}

// p and dS (times the scale) of one query, from the raw scores and dy·vᵀ; what nobody sees becomes 0.
INLINE void row_gradient(const Attention *x, intptr_t row, const float *bias, float *p, float *ds, int first, int last,
                         int count, float factor) {
  const float *y = x->y + row * x->depth, *dy = x->dy + row * x->depth;
  v128_t products = F(0);
  for (int j = 0; j < x->depth; j += 4)
    products = vmadd(load_part(y + j, x->depth - j, 0), load_part(dy + j, x->depth - j, 0), products);
  const v128_t mean = F(vsum(products)), log_sum = F(x->log_sums[row]);
  for (int j = 0; j < first; j++) p[j] = ds[j] = 0;
  for (int j = first; j < last; j += 4) {
    const int left = last - j;
    const v128_t score = vmadd(load_part(p + j, left, 0), F(x->scale), load_part(bias + j, left, 0));
    const v128_t e = vexp_falling(wasm_f32x4_sub(score, log_sum));
    const v128_t d = wasm_f32x4_mul(e, wasm_f32x4_sub(load_part(ds + j, left, 0), mean));
    store_part(p + j, e, left);
    store_part(ds + j, wasm_f32x4_mul(d, F(factor)), left);
  }
  for (int j = last; j < count; j++) p[j] = ds[j] = 0;
}

// p and dS of a block of queries and keys. Returns whether any query sees any key of it.
static int block_gradient(const Attention *x, Pieces *pieces, int batch, int head, int row, int rows, int key,
                          int count, float factor) {
  const intptr_t start = ((intptr_t)batch * x->heads + head) * x->queries + row;
  int any = 0;
  for (int i = 0; i < rows; i += ROWS) {
    const int height = least(ROWS, rows - i);
    int first, last;
    seen_keys(x, batch, head, row + i, height, key, count, &first, &last);
    pieces->seen[i / ROWS][0] = first;
    pieces->seen[i / ROWS][1] = last;
    any |= last > 0;
    float *p = pieces->p + i * x->key_block, *ds = pieces->ds + i * x->key_block;
    if (last > 0) {
      multiply_rows(height, x->q + (start + i) * x->width, x->width, pieces->keys_across + (intptr_t)first * x->width,
                    x->width, x->width, p + first, x->key_block, last - first, 0, 0);
      multiply_rows(height, x->dy + (start + i) * x->depth, x->depth,
                    pieces->values_across + (intptr_t)first * x->depth, x->depth, x->depth, ds + first, x->key_block,
                    last - first, 0, 0);
    }
    for (int r = 0; r < height; r++)
      row_gradient(x, start + i + r, bias_of(x, batch, head, row + i + r) + key, p + r * x->key_block,
                   ds + r * x->key_block, first, last, count, factor);
  }
  return any;
}

// The queries of a block that see any of the keys [key, key + 6), in whole groups of 6.
static void seeing_rows(const Pieces *pieces, int rows, int key, int *first, int *last) {
  *first = *last = 0;
  for (int i = 0; i < rows; i += ROWS) {
    const int *seen = pieces->seen[i / ROWS];
    if (seen[1] <= key || seen[0] >= key + ROWS) continue;
    if (*last == 0) *first = i;
    *last = least(i + ROWS, rows);
  }
}

// dk and dv of one group of key heads, and dq of the heads that read it.
static void gradient_job(Pool *pool, int thread, int job, const void *arguments) {
  const Attention *x = arguments;
  const int group = job % x->groups, batch = job / x->groups, shared = x->heads / x->groups;
  const intptr_t of_group = ((intptr_t)batch * x->groups + group) * x->keys;
  Pieces pieces;
  lay_out(x, scratch_of(pool, thread), &pieces);
  for (int key = 0; key < x->keys; key += x->key_block) {
    const int count = least(x->key_block, x->keys - key);
    const float *k = x->k + (of_group + key) * x->width, *v = x->v + (of_group + key) * x->depth;
    float *dk = x->dk + (of_group + key) * x->width, *dv = x->dv + (of_group + key) * x->depth;
    for (intptr_t i = 0; i < (intptr_t)count * x->width; i++) dk[i] = 0;
    for (intptr_t i = 0; i < (intptr_t)count * x->depth; i++) dv[i] = 0;
    pack_transposed(k, x->width, x->width, count, pieces.keys_across);
    pack(k, x->width, count, x->width, pieces.keys);
    pack_transposed(v, x->depth, x->depth, count, pieces.values_across);
    for (int head = group * shared; head < (group + 1) * shared; head++) {
      for (int row = 0; row < x->queries; row += x->row_block) {
        const int rows = least(x->row_block, x->queries - row);
        const intptr_t start = ((intptr_t)batch * x->heads + head) * x->queries + row;
        float *dq = x->dq + start * x->width;
        const int seen = block_gradient(x, &pieces, batch, head, row, rows, key, count, x->scale);
        for (int i = 0; i < rows; i += ROWS) {
          const int first = pieces.seen[i / ROWS][0], last = pieces.seen[i / ROWS][1];
          multiply_rows(least(ROWS, rows - i), pieces.ds + i * x->key_block + first, x->key_block,
                        pieces.keys + first * COLUMNS, count, last - first, dq + i * x->width, x->width, x->width, 0,
                        key > 0);
        }
        if (!seen) continue;
        pack(x->q + start * x->width, x->width, rows, x->width, pieces.queries);
        pack(x->dy + start * x->depth, x->depth, rows, x->depth, pieces.dy);
        for (int j = 0; j < count; j += ROWS) {
          const int height = least(ROWS, count - j);
          int first, last;
          seeing_rows(&pieces, rows, j, &first, &last);
          multiply_transposed_rows(height, pieces.p + first * x->key_block + j, x->key_block,
                                   pieces.dy + first * COLUMNS, rows, last - first, dv + j * x->depth, x->depth,
                                   x->depth, 0, 1);
          multiply_transposed_rows(height, pieces.ds + first * x->key_block + j, x->key_block,
                                   pieces.queries + first * COLUMNS, rows, last - first, dk + j * x->width, x->width,
                                   x->width, 0, 1);
        }
      }
    }
  }
}

// p ∘ (dy·vᵀ − Σ dy∘y), the gradient of the scores themselves, for one head.
static void scores_job(Pool *pool, int thread, int job, const void *arguments) {
  const Attention *x = arguments;
  const int head = job % x->heads, batch = job / x->heads, group = head * x->groups / x->heads;
  const intptr_t of_group = ((intptr_t)batch * x->groups + group) * x->keys;
  Pieces pieces;
  lay_out(x, scratch_of(pool, thread), &pieces);
  for (int key = 0; key < x->keys; key += x->key_block) {
    const int count = least(x->key_block, x->keys - key);
    pack_transposed(x->k + (of_group + key) * x->width, x->width, x->width, count, pieces.keys_across);
    pack_transposed(x->v + (of_group + key) * x->depth, x->depth, x->depth, count, pieces.values_across);
    for (int row = 0; row < x->queries; row += x->row_block) {
      const int rows = least(x->row_block, x->queries - row);
      block_gradient(x, &pieces, batch, head, row, rows, key, count, 1);
      for (int i = 0; i < rows; i++) {
        float *to = x->d_scores + ((intptr_t)job * x->queries + row + i) * x->keys + key;
        for (int j = 0; j < count; j++) to[j] = pieces.ds[i * x->key_block + j];
      }
    }
  }
}

// dq, dk and dv; or, where d_scores is given, the gradient of the scores [batch, heads, queries, keys] alone.
EXPORT(attention_gradient)
void attention_gradient(Pool *pool, const float *q, const float *k, const float *v, const float *bias, float *y,
                        float *log_sums, const float *dy, float *dq, float *dk, float *dv, float *d_scores, int batch,
                        int heads, int groups, int queries, int keys, int width, int depth, int bias_batch,
                        int bias_heads, int bias_queries, float scale, float threshold) {
  Attention x = {.q = q, .k = k, .v = v, .bias = bias, .y = y, .log_sums = log_sums, .dy = dy, .dq = dq, .dk = dk,
                 .dv = dv, .d_scores = d_scores, .batch = batch, .heads = heads, .groups = groups,
                 .queries = queries, .keys = keys, .room = keys, .width = width, .depth = depth,
                 .bias_batch = bias_batch, .bias_heads = bias_heads, .bias_queries = bias_queries, .scale = scale,
                 .threshold = threshold, .row_block = ROW_BLOCK, .key_block = KEY_BLOCK};
  while (x.key_block > COLUMNS && floats_of(&x, x.row_block, x.key_block) > SCRATCH_FLOATS) {
    x.key_block /= 2;
    if (x.row_block > 2 * ROWS) x.row_block /= 2;
  }
  if (d_scores) parallel(pool, scores_job, batch * heads, &x);
  else parallel(pool, gradient_job, batch * groups, &x);
}
