// What attention and its gradient share: their arguments, the pieces they work in, and which keys a row sees.
//
// q [batch, heads, queries, width], k [batch, groups, room, width], v [batch, groups, room, depth]; of the room the first
// `keys` count. Head h reads group h · groups / heads. The bias is [batch or 1, heads or 1, queries or 1, keys].
#pragma once

#include "pool.h"
#include "tile.h"
#include "vector-math.h"

#define EXPORT(name) __attribute__((export_name(#name)))

typedef struct {
  const float *q, *k, *v, *bias;
  float *y, *log_sums;
  int batch, heads, groups, queries, keys, room, width, depth;
  int bias_batch, bias_heads, bias_queries;
  float scale, threshold;
  int row_block, key_block, jobs_per_head;
  // Of the gradient only.
  const float *dy;
  float *dq, *dk, *dv, *d_scores;
} Attention;

INLINE int round_up(int n, int step) { return (n + step - 1) / step * step; }

INLINE int least(int a, int b) { return a < b ? a : b; }

// Where a query's bias begins.
INLINE const float *bias_of(const Attention *x, int batch, int head, int query) {
  const int at = ((x->bias_batch > 1 ? batch : 0) * x->bias_heads + (x->bias_heads > 1 ? head : 0)) * x->bias_queries +
                 (x->bias_queries > 1 ? query : 0);
  return x->bias + (intptr_t)at * x->keys;
}

// Whether a query sees any key of a panel of 8, of which `left` exist.
INLINE int sees(const Attention *x, const float *bias, int left) {
  const v128_t limit = F(x->threshold);
  const v128_t low = wasm_f32x4_gt(load_part(bias, left, x->threshold), limit);
  const v128_t high = left > 4 ? wasm_f32x4_gt(load_part(bias + 4, left - 4, x->threshold), limit) : low;
  return wasm_v128_any_true(wasm_v128_or(low, high));
}

// The keys of a block that any of up to 6 queries sees, in whole panels of 8: [*first, *last), counted in the block.
INLINE void seen_keys(const Attention *x, int batch, int head, int query, int rows, int key, int count, int *first,
                      int *last) {
  int from = round_up(count, COLUMNS), to = 0;
  for (int i = 0; i < (x->bias_queries > 1 ? rows : 1); i++) {
    const float *bias = bias_of(x, batch, head, query + i) + key;
    int end = round_up(count, COLUMNS);
    while (end > to && !sees(x, bias + end - COLUMNS, count - end + COLUMNS)) end -= COLUMNS;
    if (end > to) to = end;
    for (int start = 0; start < from && start < to; start += COLUMNS)
      if (sees(x, bias + start, count - start)) from = start;
  }
  *first = to == 0 ? 0 : from;
  *last = least(to, count);
}

// scale · score + bias, from `first` to `last`; what lies behind `last` in its panel becomes −∞.
INLINE void add_bias(float *scores, const float *bias, float scale, int first, int last) {
  for (int j = first; j < last; j += 4) {
    const v128_t s = vmadd(wasm_v128_load(scores + j), F(scale), load_part(bias + j, last - j, 0));
    store_part(scores + j, s, last - j);
  }
}
