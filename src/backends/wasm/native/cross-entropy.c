// The loss of choosing among classes: −log softmax(logits)[label] of each row, and its gradient.
#include "pool.h"
#include "vector-math.h"

#define EXPORT(name) __attribute__((export_name(#name)))
#define JOB_SIZE 16384  // numbers of a job, about

typedef struct {
  const float *logits, *dy;
  const int32_t *labels;
  float *losses, *log_sums, *gradient;
  int rows, width, ignored, rows_per_job;
} Losses;

INLINE void loss_of_row(const Losses *x, int row) {
  const float *logits = x->logits + (intptr_t)row * x->width;
  v128_t top = F(-__builtin_inff()), sums = F(0);
  for (int i = 0; i < x->width; i += 4)
    top = wasm_f32x4_max(top, load_part(logits + i, x->width - i, -__builtin_inff()));
  const float largest = vlargest(top);
  for (int i = 0; i < x->width; i += 4) {
    const v128_t logit = load_part(logits + i, x->width - i, -__builtin_inff());
    sums = wasm_f32x4_add(sums, vexp_falling(wasm_f32x4_sub(logit, F(largest))));
  }
  const float log_sum = largest + natural_log(vsum(sums));
  const int label = x->labels[row];
  x->log_sums[row] = log_sum;
  x->losses[row] = label == x->ignored || label >= x->width ? 0 : log_sum - logits[label < 0 ? 0 : label];
}

// (softmax − one-hot) · dy
INLINE void gradient_of_row(const Losses *x, int row) {
  const float *logits = x->logits + (intptr_t)row * x->width;
  float *to = x->gradient + (intptr_t)row * x->width;
  const int label = x->labels[row];
  const float dy = label == x->ignored ? 0 : x->dy[row];
  for (int i = 0; i < x->width; i += 4) {
    const int left = x->width - i;
    const v128_t p = vexp_falling(wasm_f32x4_sub(load_part(logits + i, left, 0), F(x->log_sums[row])));
    store_part(to + i, dy == 0 ? F(0) : wasm_f32x4_mul(p, F(dy)), left);
  }
  if (dy != 0 && label < x->width) to[label < 0 ? 0 : label] -= dy;
}

static void losses_job(Pool *pool, int thread, int job, const void *arguments) {
  (void)pool, (void)thread;
  const Losses *x = arguments;
  for (int row = job * x->rows_per_job; row < (job + 1) * x->rows_per_job && row < x->rows; row++) {
    if (x->gradient) gradient_of_row(x, row);
    else loss_of_row(x, row);
  }
}

static void run(Pool *pool, Losses *x) {
  x->rows_per_job = x->width < JOB_SIZE ? JOB_SIZE / x->width : 1;
  parallel(pool, losses_job, (x->rows + x->rows_per_job - 1) / x->rows_per_job, x);
}

// losses [rows], 0 where the label is `ignored`, and the logarithms of the sums of powers [rows].
EXPORT(cross_entropy)
void cross_entropy(Pool *pool, const float *logits, const int32_t *labels, float *losses, float *log_sums, int rows,
                   int width, int ignored) {
  Losses x = {.logits = logits, .labels = labels, .losses = losses, .log_sums = log_sums, .rows = rows,
              .width = width, .ignored = ignored};
  run(pool, &x);
}

EXPORT(cross_entropy_gradient)
void cross_entropy_gradient(Pool *pool, const float *logits, const int32_t *labels, float *log_sums, const float *dy,
                            float *gradient, int rows, int width, int ignored) {
  Losses x = {.logits = logits, .labels = labels, .log_sums = log_sums, .dy = dy, .gradient = gradient, .rows = rows,
              .width = width, .ignored = ignored};
  run(pool, &x);
}
