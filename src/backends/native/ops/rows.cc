// What works on rows: norms, softmax, cross entropy and sums, with their gradients.
#include <algorithm>
#include <cmath>

#include "kernels.h"
#include "pool.h"
#include "vector.h"

namespace {

int64_t rows_at_least(int64_t width) { return std::max<int64_t>(1, 8192 / std::max<int64_t>(1, width)); }

template <typename Body>
void for_rows(int64_t rows, int64_t width, Body body) {
  parallel_ranges(rows, rows_at_least(width), [&](int64_t from, int64_t to) {
    for (int64_t row = from; row < to; row++) body(row);
  });
}

// The mean (0 unless centred) and 1 / √(variance + eps) of a row.
INLINE void moments(const float *x, int64_t width, bool centred, float eps, float *mean, float *scale) {
  *mean = 0;
  if (centred) {
    Vector sums{};
    for (int64_t i = 0; i < width; i += LANES) sums += load_part(x + i, width - i);
    *mean = sum_of(sums) / width;
  }
  Vector squares{};
  for (int64_t i = 0; i < width; i += LANES) {
    const Vector d = load_part(x + i, width - i, *mean) - *mean;
    squares += d * d;
  }
  *scale = 1 / std::sqrt(sum_of(squares) / width + eps);
}

// The largest number of x + bias, NaN if one is NaN.
INLINE float row_largest(const float *x, const float *bias, int64_t width) {
  Vector most = splat(-INFINITY);
  for (int64_t i = 0; i < width; i += LANES) {
    Vector v = load_part(x + i, width - i, -INFINITY);
    if (bias) v += load_part(bias + i, width - i);
    most = most != most ? most : (v <= most ? most : v);
  }
  return largest_of(most);
}

}  // namespace

// inputs x, weight, bias or null; integers rows, width
void kernel_norm(const Call &call) {
  const int64_t width = call.integers[1];
  const float *weight = call.inputs[1], *bias = call.inputs[2];
  const float eps = call.numbers[0];
  for_rows(call.integers[0], width, [&](int64_t row) {
    const float *x = call.inputs[0] + row * width;
    float *y = call.outputs[0] + row * width, mean, scale;
    moments(x, width, bias != nullptr, eps, &mean, &scale);
    for (int64_t i = 0; i < width; i += LANES) {
      const int64_t left = width - i;
      const Vector normed = (load_part(x + i, left) - mean) * scale * load_part(weight + i, left);
      store_part(y + i, bias ? normed + load_part(bias + i, left) : normed, left);
    }
  });
}

// With n = (x − mean) · scale and g = dy · weight: dx = scale · (g − mean(g) − n · mean(g·n)), and in the second output
// [2, width] Σ dy·n and Σ dy. Each job leaves its share of the two sums apart; they are added in the order of the jobs.
void kernel_norm_gradient(const Call &call) {
  const int64_t rows = call.integers[0], width = call.integers[1];
  const bool centred = call.integers[2];
  const float eps = call.numbers[0];
  const float *weight = call.inputs[1];
  const int64_t jobs = std::min<int64_t>(4 * pool_threads(), (rows + rows_at_least(width) - 1) / rows_at_least(width));
  float *shares = shared_scratch(jobs * 2 * width);
  parallel(jobs, [&](int64_t job, int) {
    float *gain = shares + job * 2 * width, *shift = gain + width;
    std::fill(gain, gain + 2 * width, 0.0f);
    for (int64_t row = rows * job / jobs; row < rows * (job + 1) / jobs; row++) {
      const float *x = call.inputs[0] + row * width, *dy = call.inputs[2] + row * width;
      float *dx = call.outputs[0] + row * width, mean, scale;
      moments(x, width, centred, eps, &mean, &scale);
      Vector sums{}, products{};
      for (int64_t i = 0; i < width; i += LANES) {
        const int64_t left = width - i;
        const Vector d = load_part(dy + i, left);
        const Vector n = (load_part(x + i, left, mean) - mean) * scale;
        const Vector g = d * load_part(weight + i, left);
        sums += g;
        products += g * n;
        store_part(gain + i, load_part(gain + i, left) + d * n, left);
        store_part(shift + i, load_part(shift + i, left) + d, left);
      }
      const float mean_g = centred ? sum_of(sums) / width : 0, mean_gn = sum_of(products) / width;
      for (int64_t i = 0; i < width; i += LANES) {
        const int64_t left = width - i;
        const Vector n = (load_part(x + i, left, mean) - mean) * scale;
        const Vector g = load_part(dy + i, left) * load_part(weight + i, left);
        store_part(dx + i, (g - mean_g - n * mean_gn) * scale, left);
      }
    }
  });
  float *total = call.outputs[1];
  std::copy(shares, shares + 2 * width, total);
  for (int64_t job = 1; job < jobs; job++)
    for (int64_t i = 0; i < 2 * width; i++) total[i] += shares[job * 2 * width + i];
}

// Softmax of x + bias. With a bias, a row whose largest number is not above the threshold is 0.
// integers rows, width, heads, queries, and which of the bias' first three axes are repeated
void kernel_softmax(const Call &call) {
  const int64_t *n = call.integers;
  const int64_t width = n[1], heads = n[2], queries = n[3];
  const float threshold = call.numbers[0];
  for_rows(n[0], width, [&](int64_t row) {
    const float *x = call.inputs[0] + row * width, *bias = call.inputs[1];
    float *y = call.outputs[0] + row * width;
    if (bias) {
      const int64_t query = n[6] == 1 ? 0 : row % queries, head = n[5] == 1 ? 0 : row / queries % heads;
      const int64_t batch = n[4] == 1 ? 0 : row / queries / heads;
      bias += ((batch * n[5] + head) * n[6] + query) * width;
    }
    const float most = row_largest(x, bias, width);
    if (bias && most <= threshold) {
      std::fill(y, y + width, 0.0f);
      return;
    }
    Vector sums{};
    for (int64_t i = 0; i < width; i += LANES) {
      Vector v = load_part(x + i, width - i, -INFINITY);
      if (bias) v += load_part(bias + i, width - i);
      v = vexp_negative(v - most);
      sums += v;
      store_part(y + i, v, width - i);
    }
    const float scale = 1 / sum_of(sums);
    for (int64_t i = 0; i < width; i += LANES) store_part(y + i, load_part(y + i, width - i) * scale, width - i);
  });
}

// dx = p · (dy − Σ dy·p)
void kernel_softmax_gradient(const Call &call) {
  const int64_t width = call.integers[1];
  for_rows(call.integers[0], width, [&](int64_t row) {
    const float *p = call.inputs[0] + row * width, *dy = call.inputs[1] + row * width;
    float *dx = call.outputs[0] + row * width;
    Vector sums{};
    for (int64_t i = 0; i < width; i += LANES) sums += load_part(p + i, width - i) * load_part(dy + i, width - i);
    const float sum = sum_of(sums);
    for (int64_t i = 0; i < width; i += LANES)
      store_part(dx + i, load_part(p + i, width - i) * (load_part(dy + i, width - i) - sum), width - i);
  });
}

// outputs: log Σ exp(logits) − logits[label] of each row, 0 where the label is ignored, and log Σ exp(logits)
void kernel_cross_entropy(const Call &call) {
  const int64_t width = call.integers[1], ignored = call.integers[2];
  const int32_t *labels = reinterpret_cast<const int32_t *>(call.inputs[1]);
  for_rows(call.integers[0], width, [&](int64_t row) {
    const float *x = call.inputs[0] + row * width;
    const float most = row_largest(x, nullptr, width);
    Vector sums{};
    for (int64_t i = 0; i < width; i += LANES) sums += vexp_negative(load_part(x + i, width - i, -INFINITY) - most);
    const float log_sum = most + std::log(sum_of(sums));
    const int64_t label = labels[row];
    // A label that no class has takes nothing off, as a one-hot row of zeros would.
    const float chosen = label >= 0 && label < width ? log_sum - x[label] : 0;
    call.outputs[0][row] = label == ignored ? 0 : chosen;
    call.outputs[1][row] = log_sum;
  });
}

// (softmax − one-hot) · dy, rows of 0 where the label is ignored; inputs logits, labels, log sums, dy
void kernel_cross_entropy_gradient(const Call &call) {
  const int64_t width = call.integers[1], ignored = call.integers[2];
  const int32_t *labels = reinterpret_cast<const int32_t *>(call.inputs[1]);
  for_rows(call.integers[0], width, [&](int64_t row) {
    const float *x = call.inputs[0] + row * width;
    float *dx = call.outputs[0] + row * width;
    const int64_t label = labels[row];
    if (label == ignored) {
      std::fill(dx, dx + width, 0.0f);
      return;
    }
    const float log_sum = call.inputs[2][row], dy = call.inputs[3][row];
    for (int64_t i = 0; i < width; i += LANES)
      store_part(dx + i, vexp_negative(load_part(x + i, width - i) - log_sum) * dy, width - i);
    if (label >= 0 && label < width) dx[label] -= dy;
  });
}

// y[row] = scale · Σ x[row, :]
void kernel_sum_rows(const Call &call) {
  const int64_t width = call.integers[1];
  const float scale = call.numbers[0];
  for_rows(call.integers[0], width, [&](int64_t row) {
    const float *x = call.inputs[0] + row * width;
    Vector sums{};
    for (int64_t i = 0; i < width; i += LANES) sums += load_part(x + i, width - i);
    call.outputs[0][row] = sum_of(sums) * scale;
  });
}

// y[column] = scale · Σ x[:, column]. Jobs add some rows each, and their shares are added in order.
void kernel_sum_columns(const Call &call) {
  const int64_t rows = call.integers[0], width = call.integers[1];
  const float scale = call.numbers[0];
  const int64_t jobs = std::min<int64_t>(4 * pool_threads(), (rows + rows_at_least(width) - 1) / rows_at_least(width));
  float *shares = shared_scratch(jobs * width);
  parallel(jobs, [&](int64_t job, int) {
    float *share = shares + job * width;
    std::fill(share, share + width, 0.0f);
    for (int64_t row = rows * job / jobs; row < rows * (job + 1) / jobs; row++) {
      const float *x = call.inputs[0] + row * width;
      for (int64_t i = 0; i < width; i += LANES)
        store_part(share + i, load_part(share + i, width - i) + load_part(x + i, width - i), width - i);
    }
  });
  for (int64_t i = 0; i < width; i++) {
    float sum = 0;
    for (int64_t job = 0; job < jobs; job++) sum += shares[job * width + i];
    call.outputs[0][i] = sum * scale;
  }
}

// y[segment, :] += x[row, :]; rows of a negative segment are left out. Jobs have some columns each.
void kernel_segment_sum(const Call &call) {
  const int64_t rows = call.integers[0], width = call.integers[1], count = call.integers[2];
  const int32_t *segments = reinterpret_cast<const int32_t *>(call.inputs[1]);
  for (int64_t row = 0; row < rows; row++) {
    if (segments[row] < count) continue;
    call.problem = "UnsortedSegmentSum: a segment is not below their number";
    return;
  }
  std::fill(call.outputs[0], call.outputs[0] + count * width, 0.0f);
  const int64_t vectors = (width + LANES - 1) / LANES;
  parallel_ranges(vectors, std::max<int64_t>(1, 8192 / rows / LANES), [&](int64_t from, int64_t to) {
    for (int64_t row = 0; row < rows; row++) {
      if (segments[row] < 0) continue;
      const float *x = call.inputs[0] + row * width;
      float *y = call.outputs[0] + segments[row] * width;
      for (int64_t i = from * LANES; i < std::min(width, to * LANES); i += LANES)
        store_part(y + i, load_part(y + i, width - i) + load_part(x + i, width - i), width - i);
    }
  });
}
