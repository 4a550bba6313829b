#include "processor.h"

int compiled_for() {
  int features = 0;
#if defined(__AVX__)
  features |= AVX;
#endif
#if defined(__AVX2__)
  features |= AVX2;
#endif
#if defined(__FMA__)
  features |= FMA;
#endif
#if defined(__BMI2__)
  features |= BMI2;
#endif
#if defined(__AVX512F__)
  features |= AVX512F;
#endif
#if defined(__AVX512VL__)
  features |= AVX512VL;
#endif
#if defined(__AVX512DQ__)
  features |= AVX512DQ;
#endif
#if defined(__AVX512BW__)
  features |= AVX512BW;
#endif
  return features;
}
