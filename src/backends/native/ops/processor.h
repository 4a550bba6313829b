// Kernels are compiled for the processor of the machine that they are installed on. On another one, that shares its
// disk, they might use instructions that it has not.
#pragma once

// What the kernels were compiled for, as bits of `Feature`. Its own file is compiled like the kernels.
int compiled_for();

enum Feature { AVX = 1, AVX2 = 2, FMA = 4, BMI2 = 8, AVX512F = 16, AVX512VL = 32, AVX512DQ = 64, AVX512BW = 128 };

// Whether the processor has it all. Always true where the kernels ask for nothing beyond the architecture.
inline bool processor_fits() {
#if defined(__x86_64__)
  const int wanted = compiled_for();
  __builtin_cpu_init();
  return (!(wanted & AVX) || __builtin_cpu_supports("avx")) && (!(wanted & AVX2) || __builtin_cpu_supports("avx2")) &&
         (!(wanted & FMA) || __builtin_cpu_supports("fma")) && (!(wanted & BMI2) || __builtin_cpu_supports("bmi2")) &&
         (!(wanted & AVX512F) || __builtin_cpu_supports("avx512f")) &&
         (!(wanted & AVX512VL) || __builtin_cpu_supports("avx512vl")) &&
         (!(wanted & AVX512DQ) || __builtin_cpu_supports("avx512dq")) &&
         (!(wanted & AVX512BW) || __builtin_cpu_supports("avx512bw"));
#else
  return true;
#endif
}
