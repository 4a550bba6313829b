// softmax(scale · q·kᵀ + bias)·v and its gradients, a block of queries at a time: the scores of a block stay in the
// cache and never become a tensor. What the gradients need of them is log Σ exp(scores) of each row.
//
// A job is a batch entry and a group of heads that share keys and values, or, forward, some of its blocks.
#include <algorithm>
#include <cmath>

#include "kernels.h"
#include "matmul.h"
#include "pool.h"

namespace {

// The sizes of a call: queries [batch, heads, length, width], keys [batch, groups, capacity, width] of which the first
// `keys` count, values [batch, groups, capacity, value_width], and the bias' first three sizes, each 1 or the whole.
struct Sizes {
  int64_t batch, heads, length, width, groups, capacity, keys, value_width, bias_batch, bias_heads, bias_length;

  explicit Sizes(const int64_t *i)
      : batch(i[0]), heads(i[1]), length(i[2]), width(i[3]), groups(i[4]), capacity(i[5]), keys(i[6]),
        value_width(i[7]), bias_batch(i[8]), bias_heads(i[9]), bias_length(i[10]) {}

  int64_t heads_of_group() const { return heads / groups; }

  // Queries of a block: few enough that their scores stay in the second-level cache.
  int64_t block() const {
    const int64_t rows = std::max<int64_t>(1, 65536 / keys / TILE_ROWS) * TILE_ROWS;
    return std::min(length, std::min<int64_t>(rows, 16 * TILE_ROWS));
  }

  const float *bias_row(const float *bias, int64_t entry, int64_t head, int64_t query) const {
    const int64_t b = bias_batch == 1 ? 0 : entry, h = bias_heads == 1 ? 0 : head, q = bias_length == 1 ? 0 : query;
    return bias + ((b * bias_heads + h) * bias_length + q) * keys;
  }
};

int64_t padded(int64_t columns) { return (columns + LANES - 1) / LANES * LANES; }

// c [rows, columns] (+)= a · b, b [depth, columns] lying in rows. Where those are whole vectors it is read in place.
void multiply_rows(Matrix a, const float *b, int64_t rows, int64_t depth, int64_t columns, float *c, bool add,
                   float *panels) {
  if (columns % LANES == 0) {
    for (int64_t j = 0; j < columns; j += PANEL)
      multiply_panel(a, b + j, columns, rows, depth, std::min<int64_t>(PANEL, columns - j), c + j, columns, add, nullptr);
    return;
  }
  pack({b, columns, 1}, depth, columns, panels);
  multiply_packed(a, panels, rows, depth, columns, c, columns, add, nullptr);
}

// One row of scores to probabilities, in place. Returns log Σ exp, infinity where the row sees nothing.
float softmax_row(float *scores, const float *bias, int64_t keys, float scale, float threshold) {
  Vector most = splat(-INFINITY);
  for (int64_t i = 0; i < keys; i += LANES) {
    Vector v = load_part(scores + i, keys - i) * scale;
    if (bias) v += load_part(bias + i, keys - i);
    store_part(scores + i, v, keys - i);
    v = load_part(scores + i, keys - i, -INFINITY);
    most = most != most ? most : (v <= most ? most : v);
  }
  const float top = largest_of(most);
  if (bias && top <= threshold) {
    std::fill(scores, scores + keys, 0.0f);
    return INFINITY;
  }
  Vector sums{};
  for (int64_t i = 0; i < keys; i += LANES) {
    const Vector v = vexp(load_part(scores + i, keys - i, -INFINITY) - top);
    sums += v;
    store_part(scores + i, v, keys - i);
  }
  const float sum = sum_of(sums), share = 1 / sum;
  for (int64_t i = 0; i < keys; i += LANES) store_part(scores + i, load_part(scores + i, keys - i) * share, keys - i);
  return top + std::log(sum);
}

// A row of scores to probabilities with what the forward pass has kept.
void probabilities_of(float *scores, const float *bias, int64_t keys, float scale, float log_sum) {
  for (int64_t i = 0; i < keys; i += LANES) {
    Vector v = load_part(scores + i, keys - i) * scale;
    if (bias) v += load_part(bias + i, keys - i);
    store_part(scores + i, vexp(v - log_sum), keys - i);
  }
}

}  // namespace

// inputs q, k, v, bias or null; outputs y, log sums
void kernel_attention(const Call &call) {
  const Sizes s(call.integers);
  const float scale = call.numbers[0], threshold = call.numbers[1];
  const int64_t block = s.block(), shared = s.heads_of_group();
  const int64_t groups = s.batch * s.groups;
  // Few groups of heads, as in decoding: the heads of a group are divided too.
  const int64_t parts = groups >= pool_threads() ? 1 : shared;
  const int64_t key_size = packed_size(s.width, s.keys), value_size = packed_size(s.keys, s.value_width);
  parallel(groups * parts, [&](int64_t job, int thread) {
    const int64_t group = job / parts, entry = group / s.groups;
    float *keys = scratch(thread, key_size + value_size + block * s.keys), *values = keys + key_size;
    float *scores = values + value_size;
    const float *k = call.inputs[1] + group * s.capacity * s.width;
    const float *v = call.inputs[2] + group * s.capacity * s.value_width;
    pack({k, 1, s.width}, s.width, s.keys, keys);
    for (int64_t i = shared * (job % parts) / parts; i < shared * (job % parts + 1) / parts; i++) {
      const int64_t head = group % s.groups * shared + i, row = (entry * s.heads + head) * s.length;
      const float *q = call.inputs[0] + row * s.width;
      for (int64_t first = 0; first < s.length; first += block) {
        const int64_t rows = std::min(block, s.length - first);
        multiply_packed({q + first * s.width, s.width, 1}, keys, rows, s.width, s.keys, scores, s.keys, false, nullptr);
        for (int64_t r = 0; r < rows; r++) {
          const float *bias = call.inputs[3] ? s.bias_row(call.inputs[3], entry, head, first + r) : nullptr;
          call.outputs[1][row + first + r] = softmax_row(scores + r * s.keys, bias, s.keys, scale, threshold);
        }
        multiply_rows({scores, s.keys, 1}, v, rows, s.keys, s.value_width,
                      call.outputs[0] + (row + first) * s.value_width, false, values);
      }
    }
  });
}

namespace {

// What both gradients begin with: of a block of queries the probabilities p and dScores = p · (dy·vᵀ − Σ dy·y).
struct Gradient {
  const Call &call;
  const Sizes s;
  float scale;
  int64_t block;

  explicit Gradient(const Call &c) : call(c), s(c.integers), scale(c.numbers[0]), block(s.block()) {}

  int64_t packed() const { return packed_size(s.width, s.keys) + packed_size(s.value_width, s.keys); }

  void pack_group(int64_t group, float *keys) const {
    pack({call.inputs[1] + group * s.keys * s.width, 1, s.width}, s.width, s.keys, keys);
    pack({call.inputs[2] + group * s.keys * s.value_width, 1, s.value_width}, s.value_width, s.keys,
         keys + packed_size(s.width, s.keys));
  }

  // row is that of the first query among all of its tensor.
  void scores(int64_t entry, int64_t head, int64_t first, int64_t rows, const float *keys, float *p, float *d) const {
    const int64_t row = (entry * s.heads + head) * s.length + first;
    const float *q = call.inputs[0] + row * s.width, *dy = call.inputs[6] + row * s.value_width;
    const float *y = call.inputs[4] + row * s.value_width;
    multiply_packed({q, s.width, 1}, keys, rows, s.width, s.keys, p, s.keys, false, nullptr);
    multiply_packed({dy, s.value_width, 1}, keys + packed_size(s.width, s.keys), rows, s.value_width, s.keys, d, s.keys,
                    false, nullptr);
    for (int64_t r = 0; r < rows; r++) {
      const float *bias = call.inputs[3] ? s.bias_row(call.inputs[3], entry, head, first + r) : nullptr;
      probabilities_of(p + r * s.keys, bias, s.keys, scale, call.inputs[5][row + r]);
      Vector sums{};
      for (int64_t i = 0; i < s.value_width; i += LANES) {
        const int64_t at = r * s.value_width + i, left = s.value_width - i;
        sums += load_part(dy + at, left) * load_part(y + at, left);
      }
      const float sum = sum_of(sums);
      for (int64_t i = 0; i < s.keys; i += LANES) {
        float *to = d + r * s.keys + i;
        store_part(to, load_part(p + r * s.keys + i, s.keys - i) * (load_part(to, s.keys - i) - sum), s.keys - i);
      }
    }
  }
};

}  // namespace

// inputs q, k, v, bias or null, y, log sums, dy; outputs dq, dk, dv
void kernel_attention_gradient(const Call &call) {
  const Gradient g(call);
  const Sizes &s = g.s;
  const int64_t packed = g.packed(), tile = g.block * s.keys, shared = s.heads_of_group();
  const int64_t panels_size = g.block * padded(std::max(s.width, s.value_width)) + s.keys * padded(s.width) + 64;
  parallel(s.batch * s.groups, [&](int64_t group, int thread) {
    const int64_t entry = group / s.groups;
    float *keys = scratch(thread, packed + 2 * tile + panels_size), *p = keys + packed, *d = p + tile;
    float *panels = d + tile;
    g.pack_group(group, keys);
    float *dk = call.outputs[1] + group * s.keys * s.width, *dv = call.outputs[2] + group * s.keys * s.value_width;
    bool add = false;
    for (int64_t i = 0; i < shared; i++) {
      const int64_t head = group % s.groups * shared + i;
      for (int64_t first = 0; first < s.length; first += g.block) {
        const int64_t rows = std::min(g.block, s.length - first);
        const int64_t row = (entry * s.heads + head) * s.length + first;
        g.scores(entry, head, first, rows, keys, p, d);
        multiply_rows({p, 1, s.keys}, call.inputs[6] + row * s.value_width, s.keys, rows, s.value_width, dv, add, panels);
        for (int64_t at = 0; at < rows * s.keys; at += LANES)
          store_part(d + at, load_part(d + at, rows * s.keys - at) * g.scale, rows * s.keys - at);
        multiply_rows({d, 1, s.keys}, call.inputs[0] + row * s.width, s.keys, rows, s.width, dk, add, panels);
        multiply_rows({d, s.keys, 1}, call.inputs[1] + group * s.keys * s.width, rows, s.keys, s.width,
                      call.outputs[0] + row * s.width, false, panels);
        add = true;
      }
    }
  });
}

// The same inputs; output dScores [batch, heads, length, keys]
void kernel_attention_bias_gradient(const Call &call) {
  const Gradient g(call);
  const Sizes &s = g.s;
  const int64_t packed = g.packed(), tile = g.block * s.keys, shared = s.heads_of_group();
  parallel(s.batch * s.groups, [&](int64_t group, int thread) {
    const int64_t entry = group / s.groups;
    float *keys = scratch(thread, packed + tile), *p = keys + packed;
    g.pack_group(group, keys);
    for (int64_t i = 0; i < shared; i++) {
      const int64_t head = group % s.groups * shared + i;
      for (int64_t first = 0; first < s.length; first += g.block) {
        const int64_t rows = std::min(g.block, s.length - first);
        const int64_t row = (entry * s.heads + head) * s.length + first;
        g.scores(entry, head, first, rows, keys, p, call.outputs[0] + row * s.keys);
      }
    }
  });
}
