// Vectors of the widest registers that the compiler was told of, and exp, tanh, erf and the logistic function on them,
// to a few units in the last place of float32. NaN stays NaN, infinities give the limits.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX__)
#define LANES 8
#else
#define LANES 4
#endif

#define INLINE static inline __attribute__((always_inline))

typedef float Vector __attribute__((vector_size(4 * LANES)));
typedef int32_t Integers __attribute__((vector_size(4 * LANES)));

INLINE Vector splat(float x) { return x - Vector{}; }

INLINE Vector load(const float *from) {
  Vector v;
  memcpy(&v, from, sizeof v);
  return v;
}

INLINE void store(float *to, Vector v) { memcpy(to, &v, sizeof v); }

// Up to a whole vector of numbers, the missing ones `fill`.
INLINE Vector load_part(const float *from, int64_t count, float fill = 0) {
  if (count >= LANES) return load(from);
  Vector v = splat(fill);
  for (int64_t i = 0; i < count; i++) v[i] = from[i];
  return v;
}

INLINE void store_part(float *to, Vector v, int64_t count) {
  if (count >= LANES) return store(to, v);
  for (int64_t i = 0; i < count; i++) to[i] = v[i];
}

INLINE Vector larger(Vector a, Vector b) { return a > b ? a : b; }
INLINE Vector magnitude(Vector x) { return (Vector)((Integers)x & 0x7fffffff); }

INLINE Vector root(Vector x) {
  Vector y;
  for (int i = 0; i < LANES; i++) y[i] = __builtin_sqrtf(x[i]);
  return y;
}

INLINE float sum_of(Vector v) {
  float parts[LANES];
  store(parts, v);
  for (int half = LANES / 2; half > 0; half /= 2)
    for (int i = 0; i < half; i++) parts[i] += parts[i + half];
  return parts[0];
}

// The largest, and NaN where there is one.
INLINE float largest_of(Vector v) {
  float parts[LANES];
  store(parts, v);
  for (int half = LANES / 2; half > 0; half /= 2)
    for (int i = 0; i < half; i++)
      parts[i] = parts[i + half] > parts[i] || parts[i + half] != parts[i + half] ? parts[i + half] : parts[i];
  return parts[0];
}

// e^x for x from -87.33 to 88.37, and for NaN. e^x = 2^n · e^r with n = round(x / ln 2) and |r| ≤ ½ ln 2. ln 2 is taken
// in two parts so that the product with n is exact. e^r by its Taylor series to the 7th power, whose last term is
// written as its best polynomial of lower power (Chebyshev): |error| < 3e-9.
INLINE Vector vexp_between(Vector x) {
  const Vector magic = splat(12582912.0f);  // 1.5 · 2²³: adding it rounds to a whole number, in the lowest bits
  const Vector shifted = x * 1.44269504089f + magic;
  const Vector n = shifted - magic;
  Vector r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  Vector p = splat(1.0f / 720);
  p = p * r + 0.00837504007f;
  p = p * r + 1.0f / 24;
  p = p * r + 0.166664162f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  return (Vector)((Integers)p + ((Integers)shifted << 23));  // · 2^n
}

// e^x for x up to 0 (and a little above), for -∞ and for NaN.
INLINE Vector vexp_negative(Vector x) {
  const Vector low = splat(-87.33f);
  const Vector y = vexp_between(x < low ? low : x);
  return x < low ? Vector{} : y;
}

// e^x of any number. Above 88 as the square of e^(x/2), because 2^128 has no float32.
INLINE Vector vexp(Vector x) {
  const Vector low = splat(-87.33f), high = splat(88.72f);
  const Vector clamped = x < low ? low : (x > high ? high : x);
  const Vector large = clamped > 88.0f ? splat(0.5f) : splat(1.0f);
  Vector y = vexp_between(clamped * large);
  y = clamped > 88.0f ? y * y : y;
  y = x < low ? Vector{} : y;
  return x > high ? splat(__builtin_inff()) : y;
}

INLINE Vector vlogistic(Vector x) {
  const Vector low = splat(-87.33f), high = splat(88.0f);
  const Vector clamped = x < low ? low : (x > high ? high : x);
  const Vector y = 1.0f / (1.0f + vexp_between(-clamped));
  return x < low ? Vector{} : y;
}

// Near 0, where 1 − 2/(e^2x + 1) loses digits, the series x − x³/3 + 2x⁵/15 − 17x⁷/315 + 62x⁹/2835.
INLINE Vector vtanh(Vector x) {
  const Vector within = x < -43.0f ? splat(-43.0f) : (x > 43.0f ? splat(43.0f) : x);
  const Vector far = 1.0f - 2.0f / (vexp_between(within + within) + 1.0f);
  const Vector s = x * x;
  Vector p = splat(62.0f / 2835);
  p = p * s - 17.0f / 315;
  p = p * s + 2.0f / 15;
  p = p * s - 1.0f / 3;
  const Vector near = p * s * x + x;
  return magnitude(x) < 0.3f ? near : far;
}

// Abramowitz and Stegun 7.1.26: |error| ≤ 1.5e-7; near 0 the series 2/√π (x − x³/3 + x⁵/10 − x⁷/42 + x⁹/216).
INLINE Vector verf(Vector x) {
  const Vector a = magnitude(x);
  const Vector t = 1.0f / (a * 0.3275911f + 1.0f);
  Vector p = splat(1.061405429f);
  p = p * t - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  const Vector tail = 1.0f - p * t * vexp_negative(-(a * a));
  const Vector far = x < 0 ? -tail : tail;
  const Vector s = x * x;
  Vector q = splat(1.0f / 216);
  q = q * s - 1.0f / 42;
  q = q * s + 0.1f;
  q = q * s - 1.0f / 3;
  q = q * s + 1.0f;
  const Vector near = q * x * 1.12837916710f;
  return a < 0.5f ? near : far;
}

// Transposes LANES vectors in place: in each round, pairs of vectors exchange blocks of 1, 2, 4, … numbers.
INLINE void transpose(Vector rows[LANES]) {
#pragma GCC unroll 4
  for (int block = 1; block < LANES; block *= 2) {
    Integers first{}, second{};
    for (int i = 0; i < LANES; i++) {
      const bool odd = i & block;
      first[i] = odd ? LANES + i - block : i;
      second[i] = odd ? LANES + i : i + block;
    }
#pragma GCC unroll 16
    for (int i = 0; i < LANES; i++) {
      if (i & block) continue;
      const Vector a = rows[i], b = rows[i + block];
      rows[i] = __builtin_shuffle(a, b, first);
      rows[i + block] = __builtin_shuffle(a, b, second);
    }
  }
}
