// What a kernel is: a function of the numbers in some tensors to those of others. addon.cc lists them by name.
#pragma once

#include <cstdint>

struct Call {
  const float *const *inputs;  // null where one was left out
  float *const *outputs;
  const int64_t *integers;
  const double *numbers;
  mutable const char *problem;  // set where the numbers are such that there is no result
};

typedef void Kernel(const Call &call);

Kernel kernel_matmul, kernel_attention, kernel_attention_gradient, kernel_attention_bias_gradient;
Kernel kernel_map, kernel_map_gradient, kernel_gated, kernel_gated_gradient, kernel_combine, kernel_adamw;
Kernel kernel_norm, kernel_norm_gradient, kernel_softmax, kernel_softmax_gradient;
Kernel kernel_cross_entropy, kernel_cross_entropy_gradient;
Kernel kernel_sum_rows, kernel_sum_columns, kernel_segment_sum, kernel_gather;
Kernel kernel_permute, kernel_write, kernel_rotary;
