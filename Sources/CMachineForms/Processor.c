/* What the processor has. */
#include "CMachineForms.h"

uint32_t machine_forms = 0;

#if defined(__x86_64__)
#include <cpuid.h>

/* The state that the operating system saves (XCR0). */
static uint64_t saved_state(void) {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t)high << 32 | low;
}

__attribute__((constructor)) static void find_machine_forms(void) {
  uint32_t a, b, c, d, features;
  if (!__get_cpuid(1, &a, &b, &features, &d) || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return;
  bool has_sse41 = features & bit_SSSE3 && features & bit_SSE4_1;
  /* SSE, AVX, and the three parts of AVX-512. */
  bool saves_avx512 = features & bit_OSXSAVE && (saved_state() & 0xE6) == 0xE6;
  if (b & bit_SHA && has_sse41) machine_forms |= MACHINE_SHA256;
  if (b & bit_BMI && b & bit_BMI2) machine_forms |= MACHINE_KECCAK_BMI;
  if (b & bit_AVX512F && b & bit_AVX512VL && saves_avx512) machine_forms |= MACHINE_KECCAK_AVX512;
}
#endif
