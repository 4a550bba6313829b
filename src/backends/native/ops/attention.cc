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

int64_t padded(int64_t columns) { return (columns + LANES - 1) / LANES * LANES; }

// The sizes of a call: queries [batch, heads, length, width], keys [batch, groups, capacity, width] of which the first
// `keys` count, values [batch, groups, capacity, value_width], and the bias' first three sizes, each 1 or the whole.
struct Sizes {
  int64_t batch, heads, length, width, groups, capacity, keys, value_width, bias_batch, bias_heads, bias_length;

  explicit Sizes(const int64_t *i)
      : batch(i[0]), heads(i[1]), length(i[2]), width(i[3]), groups(i[4]), capacity(i[5]), keys(i[6]),
        value_width(i[7]), bias_batch(i[8]), bias_heads(i[9]), bias_length(i[10]) {}

  int64_t heads_of_group() const { return heads / groups; }

  // Queries of a block: few enough that their scores stay in the second-level cache, and that a causal mask, which
  // hides the last keys from the first blocks, spares some work.
  int64_t block() const {
    const int64_t fit = std::max<int64_t>(1, 65536 / keys / TILE_ROWS), quarter = (length / 4 + 5) / TILE_ROWS;
    return std::min(length, TILE_ROWS * std::min<int64_t>(fit, std::min<int64_t>(16, std::max<int64_t>(1, quarter))));
  }

  // Which row of the bias is for a query.
  int64_t bias_row(int64_t entry, int64_t head, int64_t query) const {
    const int64_t b = bias_batch == 1 ? 0 : entry, h = bias_heads == 1 ? 0 : head, q = bias_length == 1 ? 0 : query;
    return (b * bias_heads + h) * bias_length + q;
  }

  const float *bias_of(const float *bias, int64_t entry, int64_t head, int64_t query) const {
    return bias ? bias + bias_row(entry, head, query) * keys : nullptr;
  }
};

// c [rows, columns] (+)= a · b, b [depth, columns] lying in rows. Where those are whole vectors it is read in place.
void multiply_rows(Matrix a, const float *b, int64_t rows, int64_t depth, int64_t columns, float *c, bool add,
                   float *panels) {
  if (columns % LANES == 0) {
    for (int64_t j = 0; j < columns; j += PANEL)
      multiply_panel(a, b + j, columns, rows, depth, std::min<int64_t>(PANEL, columns - j), c + j, columns, add, nullptr);
    return;
  }
  pack({b, columns, 1}, depth, columns, panels);
  multiply_packed(a, panels, columns, rows, depth, columns, c, columns, add, nullptr);
}

// The largest magnitude; infinity where a number is none.
float largest_magnitude(const float *x, int64_t size) {
  Integers most{};  // the bits of magnitudes are in the order of their numbers, NaN last
  for (int64_t i = 0; i < size; i += LANES) {
    const Integers bits = (Integers)magnitude(load_part(x + i, size - i));
    most = bits > most ? bits : most;
  }
  const Vector numbers = (Vector)most;
  float result = 0;
  for (int i = 0; i < LANES; i++) result = numbers[i] <= result ? result : (numbers[i] < INFINITY ? numbers[i] : INFINITY);
  return result;
}

// How many keys each row of a bias shows: none behind them counts.
const int32_t *shown_keys(const Sizes &s, const float *bias, float threshold) {
  if (bias == nullptr) return nullptr;
  const int64_t rows = s.bias_batch * s.bias_heads * s.bias_length;
  int32_t *shown = reinterpret_cast<int32_t *>(shared_scratch(rows));
  parallel_ranges(rows, std::max<int64_t>(1, 65536 / s.keys), [&](int64_t from, int64_t to) {
    for (int64_t row = from; row < to; row++) {
      int64_t end = s.keys;
      while (end > 1 && bias[row * s.keys + end - 1] <= threshold) end--;
      shown[row] = end;
    }
  });
  return shown;
}

// How many keys a block of queries looks at; all where the scores are so large that even masked ones might count.
int64_t visible_keys(const Sizes &s, const int32_t *shown, int64_t entry, int64_t head, int64_t first, int64_t rows,
                     bool bounded) {
  if (shown == nullptr || !bounded) return s.keys;
  int32_t visible = 1;
  for (int64_t r = first; r < first + rows; r++) visible = std::max(visible, shown[s.bias_row(entry, head, r)]);
  return std::min(s.keys, padded(visible));  // whole vectors are faster than their parts
}

constexpr float BOUND = 1e20f;  // scores below it vanish beside the bias of a mask

// One row of scores to exp(score − largest), in place. Gives their sum, and log Σ exp of the scores: 0 and infinity
// where the row sees nothing.
void exponentials_of(float *scores, const float *bias, int64_t keys, float scale, float threshold, float *sum,
                     float *log_sum) {
  Vector most = splat(-INFINITY);
  for (int64_t i = 0; i < keys; i += LANES) {
    Vector v = load_part(scores + i, keys - i) * scale;
    if (bias) v += load_part(bias + i, keys - i);
    store_part(scores + i, v, keys - i);
    if (keys - i < LANES) v = load_part(scores + i, keys - i, -INFINITY);
    most = larger(v, most);
  }
  float top = largest_of(most);
  // A score that is no number was passed over, but makes the sum below none.
  if (bias && top <= threshold && !std::any_of(scores, scores + keys, [](float x) { return x != x; })) {
    std::fill(scores, scores + keys, 0.0f);
    *sum = 0, *log_sum = INFINITY;
    return;
  }
  Vector sums{};
  for (int64_t i = 0; i < keys; i += LANES) {
    const Vector v = vexp_negative(load_part(scores + i, keys - i, -INFINITY) - top);
    sums += v;
    store_part(scores + i, v, keys - i);
  }
  *sum = sum_of(sums);
  *log_sum = top + std::log(*sum);
}

// A row of scores to probabilities with what the forward pass has kept.
void probabilities_of(float *scores, const float *bias, int64_t keys, float scale, float log_sum) {
  for (int64_t i = 0; i < keys; i += LANES) {
    Vector v = load_part(scores + i, keys - i) * scale;
    if (bias) v += load_part(bias + i, keys - i);
    store_part(scores + i, vexp_negative(v - log_sum), keys - i);
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
  const int32_t *shown = shown_keys(s, call.inputs[3], threshold);
  parallel(groups * parts, [&](int64_t job, int thread) {
    const int64_t group = job / parts, entry = group / s.groups;
    float *keys = scratch(thread, key_size + value_size + block * s.keys), *values = keys + key_size;
    float *scores = values + value_size;
    const float *k = call.inputs[1] + group * s.capacity * s.width;
    const float *v = call.inputs[2] + group * s.capacity * s.value_width;
    pack({k, 1, s.width}, s.width, s.keys, keys);
    // Infinite where a value is: then nothing may be left out.
    const bool finite = largest_magnitude(v, s.keys * s.value_width) < INFINITY;
    const float key_magnitude = finite ? largest_magnitude(k, s.keys * s.width) : INFINITY;
    for (int64_t i = shared * (job % parts) / parts; i < shared * (job % parts + 1) / parts; i++) {
      const int64_t head = group % s.groups * shared + i, row = (entry * s.heads + head) * s.length;
      const float *q = call.inputs[0] + row * s.width;
      const bool bounded = scale * largest_magnitude(q, s.length * s.width) * key_magnitude * s.width < BOUND;
      for (int64_t first = 0; first < s.length; first += block) {
        const int64_t rows = std::min(block, s.length - first);
        const int64_t seen = visible_keys(s, shown, entry, head, first, rows, bounded);
        multiply_packed({q + first * s.width, s.width, 1}, keys, s.keys, rows, s.width, seen, scores, s.keys, false,
                        nullptr);
        float sums[16 * TILE_ROWS];
        for (int64_t r = 0; r < rows; r++) {
          const float *bias = s.bias_of(call.inputs[3], entry, head, first + r);
          exponentials_of(scores + r * s.keys, bias, seen, scale, threshold, &sums[r], &call.outputs[1][row + first + r]);
        }
        float *y = call.outputs[0] + (row + first) * s.value_width;
        multiply_rows({scores, s.keys, 1}, v, rows, seen, s.value_width, y, false, values);
        for (int64_t r = 0; r < rows; r++) {
          const float share = sums[r] == 0 ? 0 : 1 / sums[r];
          for (int64_t i = r * s.value_width; i < (r + 1) * s.value_width; i += LANES) {
            const int64_t left = (r + 1) * s.value_width - i;
            store_part(y + i, load_part(y + i, left) * share, left);
          }
        }
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

  // Of the first `seen` keys. d gets dScores times the factor.
  void scores(int64_t entry, int64_t head, int64_t first, int64_t rows, int64_t seen, float factor, const float *keys,
              float *p, float *d) const {
    const int64_t row = (entry * s.heads + head) * s.length + first;
    const float *q = call.inputs[0] + row * s.width, *dy = call.inputs[6] + row * s.value_width;
    const float *y = call.inputs[4] + row * s.value_width;
    multiply_packed({q, s.width, 1}, keys, s.keys, rows, s.width, seen, p, s.keys, false, nullptr);
    multiply_packed({dy, s.value_width, 1}, keys + packed_size(s.width, s.keys), s.keys, rows, s.value_width, seen, d,
                    s.keys, false, nullptr);
    for (int64_t r = 0; r < rows; r++) {
      const float *bias = s.bias_of(call.inputs[3], entry, head, first + r);
      probabilities_of(p + r * s.keys, bias, seen, scale, call.inputs[5][row + r]);
      Vector sums{};
      for (int64_t i = 0; i < s.value_width; i += LANES) {
        const int64_t at = r * s.value_width + i, left = s.value_width - i;
        sums += load_part(dy + at, left) * load_part(y + at, left);
      }
      const float sum = sum_of(sums);
      for (int64_t i = 0; i < seen; i += LANES) {
        float *to = d + r * s.keys + i;
        const Vector weight = load_part(p + r * s.keys + i, seen - i) * factor;
        store_part(to, weight * (load_part(to, seen - i) - sum), seen - i);
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
  const int32_t *shown = shown_keys(s, call.inputs[3], call.numbers[1]);
  const int64_t panels_size = g.block * padded(std::max(s.width, s.value_width)) + s.keys * padded(s.width) + 64;
  parallel(s.batch * s.groups, [&](int64_t group, int thread) {
    const int64_t entry = group / s.groups;
    float *keys = scratch(thread, packed + 2 * tile + panels_size), *p = keys + packed, *d = p + tile;
    float *panels = d + tile;
    g.pack_group(group, keys);
    float *dk = call.outputs[1] + group * s.keys * s.width, *dv = call.outputs[2] + group * s.keys * s.value_width;
    std::fill(dk, dk + s.keys * s.width, 0.0f);
    std::fill(dv, dv + s.keys * s.value_width, 0.0f);
    const float *k = call.inputs[1] + group * s.keys * s.width, *v = call.inputs[2] + group * s.keys * s.value_width;
    const float value_magnitude = largest_magnitude(v, s.keys * s.value_width);
    const float key_magnitude = largest_magnitude(k, s.keys * s.width);
    for (int64_t i = 0; i < shared; i++) {
      const int64_t head = group % s.groups * shared + i, start = (entry * s.heads + head) * s.length;
      const float *q = call.inputs[0] + start * s.width, *dy = call.inputs[6] + start * s.value_width;
      const bool bounded = g.scale * largest_magnitude(q, s.length * s.width) * key_magnitude * s.width < BOUND &&
                           largest_magnitude(dy, s.length * s.value_width) * value_magnitude < BOUND;
      for (int64_t first = 0; first < s.length; first += g.block) {
        const int64_t rows = std::min(g.block, s.length - first);
        const int64_t seen = visible_keys(s, shown, entry, head, first, rows, bounded);
        g.scores(entry, head, first, rows, seen, g.scale, keys, p, d);
        multiply_rows({p, 1, s.keys}, dy + first * s.value_width, seen, rows, s.value_width, dv, true, panels);
        multiply_rows({d, 1, s.keys}, q + first * s.width, seen, rows, s.width, dk, true, panels);
        multiply_rows({d, s.keys, 1}, k, rows, seen, s.width, call.outputs[0] + (start + first) * s.width, false, panels);
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
        g.scores(entry, head, first, rows, s.keys, 1, keys, p, call.outputs[0] + row * s.keys);
      }
    }
  });
}
