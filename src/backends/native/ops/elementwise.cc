// Functions of single numbers, activations with their derivatives, arithmetic with broadcasting, and AdamW.
#include <algorithm>

#include "kernels.h"
#include "pool.h"
#include "vector.h"

namespace {

constexpr int64_t LEAST = 8192;  // numbers of a job: enough to be worth a thread's while

// The numbers are those of elementwise.ts.
enum Unary { TANH, EXP, ERF, SIGMOID, SQUARE, SQRT, RSQRT, NEG, RELU, GELU, GELU_TANH, SILU };

constexpr float ROOT_HALF = 0.70710678118f, ROOT_TWO_OVER_PI = 0.79788456080f;
constexpr float INVERSE_ROOT_TWO_PI = 0.39894228040f, CUBIC = 0.044715f;

INLINE Vector value_of(int kind, Vector x) {
  switch (kind) {
    case TANH: return vtanh(x);
    case EXP: return vexp(x);
    case ERF: return verf(x);
    case SIGMOID: return vlogistic(x);
    case SQUARE: return x * x;
    case SQRT: return root(x);
    case RSQRT: return 1.0f / root(x);
    case NEG: return -x;
    case RELU: return x < 0 ? Vector{} : x;
    case GELU: return x * (verf(x * ROOT_HALF) * 0.5f + 0.5f);
    case GELU_TANH: {
      const Vector inner = x * (x * x * (CUBIC * ROOT_TWO_OVER_PI) + ROOT_TWO_OVER_PI);
      return x * vlogistic(inner + inner);  // ½(1 + tanh u) = σ(2u)
    }
    default: return x * vlogistic(x);
  }
}

// The derivative at x, of the activations only.
INLINE Vector slope_of(int kind, Vector x) {
  switch (kind) {
    case GELU: {
      const Vector density = vexp_negative(x * x * -0.5f) * INVERSE_ROOT_TWO_PI;
      return x * density + (verf(x * ROOT_HALF) * 0.5f + 0.5f);
    }
    case GELU_TANH: {
      const Vector square = x * x;
      const Vector inner = x * (square * (CUBIC * ROOT_TWO_OVER_PI) + ROOT_TWO_OVER_PI);
      const Vector s = vlogistic(inner + inner);
      const Vector inner_slope = square * (3 * CUBIC * ROOT_TWO_OVER_PI) + ROOT_TWO_OVER_PI;
      return s + x * (2.0f * s * (1.0f - s)) * inner_slope;
    }
    default: {  // SILU
      const Vector s = vlogistic(x);
      return x * s * (1.0f - s) + s;
    }
  }
}

// Calls body with the kind as a constant, so that each kind has a loop of its own.
template <typename Body>
void for_activation(int kind, Body body) {
  switch (kind) {
    case GELU: return body(std::integral_constant<int, GELU>());
    case GELU_TANH: return body(std::integral_constant<int, GELU_TANH>());
    default: return body(std::integral_constant<int, SILU>());
  }
}

template <typename Body>
void for_kind(int kind, Body body) {
  switch (kind) {
    case TANH: return body(std::integral_constant<int, TANH>());
    case EXP: return body(std::integral_constant<int, EXP>());
    case ERF: return body(std::integral_constant<int, ERF>());
    case SIGMOID: return body(std::integral_constant<int, SIGMOID>());
    case SQUARE: return body(std::integral_constant<int, SQUARE>());
    case SQRT: return body(std::integral_constant<int, SQRT>());
    case RSQRT: return body(std::integral_constant<int, RSQRT>());
    case NEG: return body(std::integral_constant<int, NEG>());
    case RELU: return body(std::integral_constant<int, RELU>());
    default: return for_activation(kind, body);
  }
}

enum Binary { ADD, SUBTRACT, MULTIPLY, DIVIDE };

template <int kind, typename T>
INLINE T combined(T a, T b) {
  switch (kind) {
    case ADD: return a + b;
    case SUBTRACT: return a - b;
    case MULTIPLY: return a * b;
    default: return a / b;
  }
}

// A step is 1, or 0 where the operand is one number repeated.
template <int kind>
void combine_row(const float *a, int64_t step_a, const float *b, int64_t step_b, float *y, int64_t count) {
  const auto at = [&](const float *from, int64_t step, int64_t i, int64_t left) {
    return step ? load_part(from + i, left) : splat(*from);
  };
  if (step_a && step_b) {
    for (int64_t i = 0; i < count; i += LANES)
      store_part(y + i, combined<kind>(load_part(a + i, count - i), load_part(b + i, count - i)), count - i);
  } else {
    for (int64_t i = 0; i < count; i += LANES)
      store_part(y + i, combined<kind>(at(a, step_a, i, count - i), at(b, step_b, i, count - i)), count - i);
  }
}

// Three nested axes, the innermost first, with each operand's steps.
template <int kind>
void combine(const Call &call) {
  const int64_t *sizes = call.integers + 1, *a_steps = call.integers + 4, *b_steps = call.integers + 7;
  const float *a = call.inputs[0], *b = call.inputs[1];
  float *y = call.outputs[0];
  const int64_t rows = sizes[1] * sizes[2];
  if (rows == 1) {
    parallel_ranges(sizes[0], LEAST, [&](int64_t from, int64_t to) {
      combine_row<kind>(a + from * a_steps[0], a_steps[0], b + from * b_steps[0], b_steps[0], y + from, to - from);
    });
    return;
  }
  parallel_ranges(rows, std::max<int64_t>(1, LEAST / sizes[0]), [&](int64_t from, int64_t to) {
    for (int64_t row = from; row < to; row++) {
      const int64_t middle = row % sizes[1], outer = row / sizes[1];
      combine_row<kind>(a + outer * a_steps[2] + middle * a_steps[1], a_steps[0],
                        b + outer * b_steps[2] + middle * b_steps[1], b_steps[0], y + row * sizes[0], sizes[0]);
    }
  });
}

}  // namespace

// y = f(x)
void kernel_map(const Call &call) {
  const float *x = call.inputs[0];
  float *y = call.outputs[0];
  for_kind(call.integers[0], [&](auto kind) {
    parallel_ranges(call.integers[1], LEAST, [&](int64_t from, int64_t to) {
      for (int64_t i = from; i < to; i += LANES) store_part(y + i, value_of(kind, load_part(x + i, to - i)), to - i);
    });
  });
}

// dx = dy · f′(x)
void kernel_map_gradient(const Call &call) {
  const float *x = call.inputs[0], *dy = call.inputs[1];
  float *dx = call.outputs[0];
  for_activation(call.integers[0], [&](auto kind) {
    parallel_ranges(call.integers[1], LEAST, [&](int64_t from, int64_t to) {
      for (int64_t i = from; i < to; i += LANES)
        store_part(dx + i, load_part(dy + i, to - i) * slope_of(kind, load_part(x + i, to - i)), to - i);
    });
  });
}

// y = f(gate) · up
void kernel_gated(const Call &call) {
  const float *gate = call.inputs[0], *up = call.inputs[1];
  float *y = call.outputs[0];
  for_activation(call.integers[0], [&](auto kind) {
    parallel_ranges(call.integers[1], LEAST, [&](int64_t from, int64_t to) {
      for (int64_t i = from; i < to; i += LANES)
        store_part(y + i, value_of(kind, load_part(gate + i, to - i)) * load_part(up + i, to - i), to - i);
    });
  });
}

void kernel_gated_gradient(const Call &call) {
  const float *gate = call.inputs[0], *up = call.inputs[1], *dy = call.inputs[2];
  float *d_gate = call.outputs[0], *d_up = call.outputs[1];
  for_activation(call.integers[0], [&](auto kind) {
    parallel_ranges(call.integers[1], LEAST, [&](int64_t from, int64_t to) {
      for (int64_t i = from; i < to; i += LANES) {
        const Vector x = load_part(gate + i, to - i), d = load_part(dy + i, to - i);
        store_part(d_gate + i, d * load_part(up + i, to - i) * slope_of(kind, x), to - i);
        store_part(d_up + i, d * value_of(kind, x), to - i);
      }
    });
  });
}

void kernel_combine(const Call &call) {
  switch (call.integers[0]) {
    case ADD: return combine<ADD>(call);
    case SUBTRACT: return combine<SUBTRACT>(call);
    case MULTIPLY: return combine<MULTIPLY>(call);
    default: return combine<DIVIDE>(call);
  }
}

// One step of AdamW: weight · keep − rate · m / (√v + epsilon); the corrections of the moments are in the two numbers.
void kernel_adamw(const Call &call) {
  const float beta1 = call.numbers[0], beta2 = call.numbers[1], rate = call.numbers[2];
  const float epsilon = call.numbers[3], keep = call.numbers[4];
  const float rest1 = 1 - call.numbers[0], rest2 = 1 - call.numbers[1];
  const float *weight = call.inputs[0], *gradient = call.inputs[1], *first = call.inputs[2], *second = call.inputs[3];
  parallel_ranges(call.integers[0], LEAST, [&](int64_t from, int64_t to) {
    for (int64_t i = from; i < to; i += LANES) {
      const int64_t left = to - i;
      const Vector g = load_part(gradient + i, left);
      const Vector m = load_part(first + i, left) * beta1 + g * rest1;
      const Vector v = load_part(second + i, left) * beta2 + g * g * rest2;
      const Vector change = m * rate / (root(v) + epsilon);
      store_part(call.outputs[0] + i, load_part(weight + i, left) * keep - change, left);
      store_part(call.outputs[1] + i, m, left);
      store_part(call.outputs[2] + i, v, left);
    }
  });
}
