// exp, tanh, logistic and erf on 4 numbers at once, to a few units in the last place of float32.
#pragma once

#include <stdint.h>
#include <wasm_simd128.h>

#define INLINE static inline __attribute__((always_inline))
#define F(x) wasm_f32x4_splat(x)

INLINE v128_t vmadd(v128_t x, v128_t y, v128_t sum) { return wasm_f32x4_relaxed_madd(x, y, sum); }

// e^x = 2^n · e^r with n = round(x / ln 2) and |r| ≤ ½ ln 2, e^r by its Taylor series to the 7th power.
INLINE v128_t vexp(v128_t x) {
  const v128_t clamped = wasm_f32x4_min(wasm_f32x4_max(x, F(-87.33f)), F(88.72f));
  const v128_t n = wasm_f32x4_nearest(wasm_f32x4_mul(clamped, F(1.44269504089f)));
  // ln 2 in two parts, so that the product with n is exact.
  v128_t r = vmadd(n, F(-0.693359375f), clamped);
  r = vmadd(n, F(2.12194440e-4f), r);
  v128_t p = F(1.0f / 5040);
  p = vmadd(p, r, F(1.0f / 720));
  p = vmadd(p, r, F(1.0f / 120));
  p = vmadd(p, r, F(1.0f / 24));
  p = vmadd(p, r, F(1.0f / 6));
  p = vmadd(p, r, F(0.5f));
  p = vmadd(p, r, F(1.0f));
  p = vmadd(p, r, F(1.0f));
  // 2^n in two factors: 2^128 itself has no float32.
  const v128_t whole = wasm_i32x4_trunc_sat_f32x4(n);
  const v128_t half = wasm_i32x4_shr(whole, 1);
  const v128_t bias = wasm_i32x4_splat(127);
  const v128_t first = wasm_i32x4_shl(wasm_i32x4_add(half, bias), 23);
  const v128_t second = wasm_i32x4_shl(wasm_i32x4_add(wasm_i32x4_sub(whole, half), bias), 23);
  v128_t y = wasm_f32x4_mul(wasm_f32x4_mul(p, first), second);
  y = wasm_v128_bitselect(F(0), y, wasm_f32x4_lt(x, F(-87.33f)));
  y = wasm_v128_bitselect(F(__builtin_inff()), y, wasm_f32x4_gt(x, F(88.72f)));
  return wasm_v128_bitselect(x, y, wasm_f32x4_ne(x, x));  // NaN stays NaN
}

// e^x for −87 ≤ x ≤ 87 and for NaN, without the guards of vexp.
INLINE v128_t vexp_bounded(v128_t x) {
  const v128_t n = wasm_f32x4_nearest(wasm_f32x4_mul(x, F(1.44269504089f)));
  v128_t r = vmadd(n, F(-0.693359375f), x);
  r = vmadd(n, F(2.12194440e-4f), r);
  v128_t p = F(1.0f / 5040);
  p = vmadd(p, r, F(1.0f / 720));
  p = vmadd(p, r, F(1.0f / 120));
  p = vmadd(p, r, F(1.0f / 24));
  p = vmadd(p, r, F(1.0f / 6));
  p = vmadd(p, r, F(0.5f));
  p = vmadd(p, r, F(1.0f));
  p = vmadd(p, r, F(1.0f));
  return wasm_i32x4_add(p, wasm_i32x4_shl(wasm_i32x4_relaxed_trunc_f32x4(n), 23));  // times 2^n, in the exponent's bits
}

// e^x for x ≤ 87 and for NaN; 0 below −87, as for masked scores.
INLINE v128_t vexp_falling(v128_t x) {
  const v128_t y = vexp_bounded(wasm_f32x4_pmax(x, F(-87)));
  return wasm_v128_andnot(y, wasm_f32x4_lt(x, F(-87)));
}

INLINE v128_t vlogistic(v128_t x) {
  const v128_t bounded = wasm_f32x4_pmin(wasm_f32x4_pmax(wasm_f32x4_neg(x), F(-87)), F(87));
  const v128_t y = wasm_f32x4_div(F(1), wasm_f32x4_add(F(1), vexp_bounded(bounded)));
  return wasm_v128_andnot(y, wasm_f32x4_lt(x, F(-87)));
}

// Near 0, where 1 − 2/(e^2x + 1) loses digits, the series x − x³/3 + 2x⁵/15 − 17x⁷/315 + 62x⁹/2835.
INLINE v128_t vtanh(v128_t x) {
  const v128_t e = vexp(wasm_f32x4_add(x, x));
  const v128_t far = wasm_f32x4_sub(F(1), wasm_f32x4_div(F(2), wasm_f32x4_add(e, F(1))));
  const v128_t s = wasm_f32x4_mul(x, x);
  v128_t p = F(62.0f / 2835);
  p = vmadd(p, s, F(-17.0f / 315));
  p = vmadd(p, s, F(2.0f / 15));
  p = vmadd(p, s, F(-1.0f / 3));
  const v128_t near = vmadd(wasm_f32x4_mul(p, s), x, x);
  return wasm_v128_bitselect(near, far, wasm_f32x4_lt(wasm_f32x4_abs(x), F(0.3f)));
}

// Abramowitz and Stegun 7.1.26: |error| ≤ 1.5e-7; near 0 the series 2/√π (x − x³/3 + x⁵/10 − x⁷/42 + x⁹/216).
INLINE v128_t verf(v128_t x) {
  const v128_t a = wasm_f32x4_abs(x);
  const v128_t t = wasm_f32x4_div(F(1), vmadd(a, F(0.3275911f), F(1)));
  v128_t p = F(1.061405429f);
  p = vmadd(p, t, F(-1.453152027f));
  p = vmadd(p, t, F(1.421413741f));
  p = vmadd(p, t, F(-0.284496736f));
  p = vmadd(p, t, F(0.254829592f));
  const v128_t tail = wasm_f32x4_mul(wasm_f32x4_mul(p, t), vexp(wasm_f32x4_neg(wasm_f32x4_mul(a, a))));
  const v128_t sign = wasm_v128_and(x, F(-0.0f));
  const v128_t far = wasm_v128_or(wasm_f32x4_sub(F(1), tail), sign);
  const v128_t s = wasm_f32x4_mul(x, x);
  v128_t q = F(1.0f / 216);
  q = vmadd(q, s, F(-1.0f / 42));
  q = vmadd(q, s, F(0.1f));
  q = vmadd(q, s, F(-1.0f / 3));
  q = vmadd(q, s, F(1));
  const v128_t near = wasm_f32x4_mul(wasm_f32x4_mul(q, x), F(1.12837916710f));
  return wasm_v128_bitselect(near, far, wasm_f32x4_lt(a, F(0.5f)));
}

// ln x for x > 0: x = m · 2^e with m in [√½, √2], and 2 artanh((m − 1)/(m + 1)) by its series.
INLINE float natural_log(float x) {
  union { float f; int32_t i; } bits = {x};
  int e = ((bits.i >> 23) & 255) - 127;
  bits.i = (bits.i & 0x7fffff) | (127 << 23);
  if (bits.f > 1.41421356f) bits.f *= 0.5f, e++;
  const float s = (bits.f - 1) / (bits.f + 1), z = s * s;
  const float series = s * (2 + z * (2.0f / 3 + z * (2.0f / 5 + z * (2.0f / 7 + z * (2.0f / 9)))));
  return e * 0.693147180560f + series;
}

INLINE float vsum(v128_t v) {
  return (wasm_f32x4_extract_lane(v, 0) + wasm_f32x4_extract_lane(v, 1)) +
         (wasm_f32x4_extract_lane(v, 2) + wasm_f32x4_extract_lane(v, 3));
}

INLINE float vlargest(v128_t v) {
  const v128_t pairs = wasm_f32x4_max(v, wasm_i32x4_shuffle(v, v, 2, 3, 0, 1));
  return wasm_f32x4_extract_lane(wasm_f32x4_max(pairs, wasm_i32x4_shuffle(pairs, pairs, 1, 0, 3, 2)), 0);
}

// Up to 4 numbers, the missing ones `fill`.
INLINE v128_t load_part(const float *from, int count, float fill) {
  if (count >= 4) return wasm_v128_load(from);
  float part[4] = {fill, fill, fill, fill};
  for (int i = 0; i < count; i++) part[i] = from[i];
  return wasm_v128_load(part);
}

INLINE void store_part(float *to, v128_t v, int count) {
  if (count >= 4) {
    wasm_v128_store(to, v);
    return;
  }
  float part[4];
  wasm_v128_store(part, v);
  for (int i = 0; i < count; i++) to[i] = part[i];
}
