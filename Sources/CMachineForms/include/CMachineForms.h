/* Functions of the core in the host processor's own instructions.
 *
 * Each stands beside a portable form in Sources/EVM, which is the reference; tests compare the two.
 * A function may be called where its `machine_has_` function says so: the processor is asked once,
 * when the program starts. The bare builds of the core do not have this module. */
#ifndef NEEDLETAIL_CMACHINEFORMS_H
#define NEEDLETAIL_CMACHINEFORMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the processor has: a bit for each form below. Written before `main`, constant afterwards. */
extern uint32_t machine_forms;

#define MACHINE_SHA256 1u
#define MACHINE_KECCAK_BMI 2u
#define MACHINE_KECCAK_AVX512 4u

/* SHA-256's compression with the SHA extensions. */
static inline bool machine_has_sha256(void) { return machine_forms & MACHINE_SHA256; }

/* Takes `blocks` blocks of 64 bytes, at any alignment, into the eight words a to h of `state`. */
void machine_sha256_compress(uint32_t *state, const void *bytes, size_t blocks);

/* Keccak-f[1600] with AVX-512 (VL) or with BMI2. */
static inline bool machine_has_keccak_avx512(void) { return machine_forms & MACHINE_KECCAK_AVX512; }
static inline bool machine_has_keccak_bmi(void) { return machine_forms & MACHINE_KECCAK_BMI; }

/* The permutation of 25 lanes; lane x + 5 y is at (x, y). */
void machine_keccak_permute_avx512(uint64_t *lanes);
void machine_keccak_permute_bmi(uint64_t *lanes);

/* Keccak-256 with AVX-512 of up to eight messages side by side, `number` of them: 32 bytes of digest each.
 * The time is that of the longest. */
void machine_keccak256_eight_avx512(
    const void *const *messages, const size_t *counts, int number, uint8_t *digests);

/* Tells the processor that this thread waits in a loop: what shares the core with it goes on sooner. */
static inline void machine_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/* Begins to load the cache line of this address, which may be any. */
static inline void machine_prefetch(const void *address) { __builtin_prefetch(address); }

#endif
