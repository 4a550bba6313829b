// A step of AdamW.
#include "pool.h"
#include "vector-math.h"

#define EXPORT(name) __attribute__((export_name(#name)))
#define CHUNK 16384  // numbers of a job

typedef struct {
  const float *weight, *gradient, *first, *second;
  float *new_weight, *new_first, *new_second;
  int size;
  float beta1, beta2, rate, epsilon, keep;
} AdamW;

static void adamw_job(Pool *pool, int thread, int job, const void *arguments) {
  (void)pool, (void)thread;
  const AdamW *x = arguments;
  const int end = (job + 1) * CHUNK < x->size ? (job + 1) * CHUNK : x->size;
  for (int i = job * CHUNK; i < end; i += 4) {
    const int left = end - i;
    const v128_t g = load_part(x->gradient + i, left, 0);
    const v128_t m = vmadd(load_part(x->first + i, left, 0), F(x->beta1), wasm_f32x4_mul(g, F(1 - x->beta1)));
    const v128_t v = vmadd(load_part(x->second + i, left, 0), F(x->beta2),
                           wasm_f32x4_mul(wasm_f32x4_mul(g, g), F(1 - x->beta2)));
    const v128_t change = wasm_f32x4_div(wasm_f32x4_mul(m, F(x->rate)), wasm_f32x4_add(wasm_f32x4_sqrt(v), F(x->epsilon)));
    store_part(x->new_first + i, m, left);
    store_part(x->new_second + i, v, left);
    store_part(x->new_weight + i, wasm_f32x4_sub(wasm_f32x4_mul(load_part(x->weight + i, left, 0), F(x->keep)), change), left);
  }
}

// One step of AdamW: weight · keep − rate · m / (√v + epsilon), the corrections of the moments being in the two scalars.
EXPORT(adamw)
void adamw(Pool *pool, const float *weight, const float *gradient, const float *first, const float *second,
           float *new_weight, float *new_first, float *new_second, int size, float beta1, float beta2, float rate,
           float epsilon, float keep) {
  AdamW x = {weight, gradient, first, second, new_weight, new_first, new_second, size,
             beta1, beta2, rate, epsilon, keep};
  parallel(pool, adamw_job, (size + CHUNK - 1) / CHUNK, &x);
}
