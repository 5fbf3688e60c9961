/* Keccak-f[1600] (FIPS 202, section 3) with instructions that a plain x86-64 lacks.
 *
 * BMI has and-not and a rotation that does not overwrite, which saves the complements and a part of
 * the moves. AVX-512 has 32 registers, which hold the whole state, one lane in each, a rotation, and
 * any function of three bits: 95 instructions of work a round instead of 135. With registers of 512
 * bits the same instructions do eight states. */
#include "CMachineForms.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

#define UNROLLED _Pragma("clang loop unroll(full)") for

static const uint64_t round_constants[24] = {
  0x0000000000000001, 0x0000000000008082, 0x800000000000808A, 0x8000000080008000,
  0x000000000000808B, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
  0x000000000000008A, 0x0000000000000088, 0x0000000080008009, 0x000000008000000A,
  0x000000008000808B, 0x800000000000008B, 0x8000000000008089, 0x8000000000008003,
  0x8000000000008002, 0x8000000000000080, 0x000000000000800A, 0x800000008000000A,
  0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};

/* The rotation of lane (x, y) at [y][x]. */
static const uint8_t rotations[5][5] = {
  {0, 1, 62, 28, 27}, {36, 44, 6, 55, 20}, {3, 10, 43, 25, 39}, {41, 45, 15, 21, 8},
  {18, 2, 61, 56, 14},
};

/* Where lane (x, y) is kept before round `round`. A round's steps rho and pi move no lane: a row's
 * results go where its operands were, and after four rounds each lane is in its place again
 * ("Keccak implementation overview", section 2.5). */
__attribute__((always_inline)) static inline int place(int round, int x, int y) {
  const int power = (round & 3) == 0 ? 1 : (round & 3) == 1 ? 2 : (round & 3) == 2 ? 4 : 3;
  return x + 5 * ((power * y + (power + 4) * x) % 5);
}

/* The column that lane (X, Y) has before step pi; its row is X. */
__attribute__((always_inline)) static inline int column(int X, int Y) { return (3 * Y + X) % 5; }

/* The rounds for registers of one state, and of eight side by side. */
#define REGISTER __m128i
#define INTRINSIC(name) _mm_##name
#define XOR _mm_xor_si128
#define ALL _mm_set1_epi64x
#define ROUND round_avx512
#include "KeccakRound.h"

#define REGISTER __m512i
#define INTRINSIC(name) _mm512_##name
#define XOR _mm512_xor_si512
#define ALL _mm512_set1_epi64
#define ROUND round_of_eight
#include "KeccakRound.h"

__attribute__((target("avx512f,avx512vl"))) void machine_keccak_permute_avx512(uint64_t *state) {
  __m128i lanes[25];
  UNROLLED(int i = 0; i < 25; i++) {
    lanes[i] = _mm_loadl_epi64((const __m128i *)(state + i));
  }
  for (int round = 0; round < 24; round += 4) {
    round_avx512(lanes, 0, round_constants[round]);
    round_avx512(lanes, 1, round_constants[round + 1]);
    round_avx512(lanes, 2, round_constants[round + 2]);
    round_avx512(lanes, 3, round_constants[round + 3]);
  }
  UNROLLED(int i = 0; i < 25; i++) {
    _mm_storel_epi64((__m128i *)(state + i), lanes[i]);
  }
}

/* Bytes of a block (rate). */
enum { rate = 136 };

/* Adds 17 lanes of a block to one of the eight states. */
__attribute__((always_inline)) static inline void absorb(
    uint64_t states[25][8], int number, const uint8_t *block) {
  UNROLLED(int i = 0; i < rate / 8; i++) {
    uint64_t lane;
    memcpy(&lane, block + 8 * i, 8);
    states[i][number] ^= lane;
  }
}

__attribute__((target("avx512f,avx512vl"))) void machine_keccak256_eight_avx512(
    const void *const *messages, const size_t *counts, int number, uint8_t *digests) {
  _Alignas(64) uint64_t states[25][8] = {{0}};
  size_t blocks[8], most = 0;
  for (int j = 0; j < number; j++) {
    blocks[j] = counts[j] / rate + 1;
    if (blocks[j] > most) { most = blocks[j]; }
  }
  for (size_t block = 0; block < most; block++) {
    for (int j = 0; j < number; j++) {
      const uint8_t *bytes = (const uint8_t *)messages[j] + block * rate;
      if (block + 1 < blocks[j]) {
        absorb(states, j, bytes);
      } else if (block + 1 == blocks[j]) {
        uint8_t last[rate] = {0};
        const size_t left = counts[j] % rate;
        if (left > 0) { memcpy(last, bytes, left); }
        last[left] = 1;
        last[rate - 1] |= 0x80;
        absorb(states, j, last);
      }
    }
    __m512i lanes[25];
    UNROLLED(int i = 0; i < 25; i++) { lanes[i] = _mm512_load_si512(states[i]); }
    for (int round = 0; round < 24; round += 4) {
      round_of_eight(lanes, 0, round_constants[round]);
      round_of_eight(lanes, 1, round_constants[round + 1]);
      round_of_eight(lanes, 2, round_constants[round + 2]);
      round_of_eight(lanes, 3, round_constants[round + 3]);
    }
    UNROLLED(int i = 0; i < 25; i++) { _mm512_store_si512(states[i], lanes[i]); }
    /* A state whose message has ended is permuted on, for nothing. */
    for (int j = 0; j < number; j++) {
      if (block + 1 != blocks[j]) { continue; }
      for (int i = 0; i < 4; i++) { memcpy(digests + 32 * j + 8 * i, &states[i][j], 8); }
    }
  }
}

__attribute__((always_inline)) static inline uint64_t rotated(uint64_t lane, int count) {
  return count == 0 ? lane : lane << count | lane >> (64 - count);
}

__attribute__((always_inline, target("bmi,bmi2"))) static inline void round_bmi(
    uint64_t to[25], const uint64_t from[25], uint64_t constant) {
  uint64_t parity[5], effect[5];
  UNROLLED(int x = 0; x < 5; x++) {
    parity[x] = from[x] ^ from[x + 5] ^ from[x + 10] ^ from[x + 15] ^ from[x + 20];
  }
  UNROLLED(int x = 0; x < 5; x++) {
    effect[x] = parity[(x + 4) % 5] ^ rotated(parity[(x + 1) % 5], 1);
  }
  UNROLLED(int Y = 0; Y < 5; Y++) {
    uint64_t row[5];
    UNROLLED(int X = 0; X < 5; X++) {
      const int x = column(X, Y);
      row[X] = rotated(from[x + 5 * X] ^ effect[x], rotations[X][x]);
    }
    UNROLLED(int X = 0; X < 5; X++) {
      to[X + 5 * Y] = row[X] ^ (~row[(X + 1) % 5] & row[(X + 2) % 5]);
    }
  }
  to[0] ^= constant;
}

__attribute__((target("bmi,bmi2"))) void machine_keccak_permute_bmi(uint64_t *state) {
  uint64_t lanes[25], others[25];
  UNROLLED(int i = 0; i < 25; i++) { lanes[i] = state[i]; }
  for (int round = 0; round < 24; round += 2) {
    round_bmi(others, lanes, round_constants[round]);
    round_bmi(lanes, others, round_constants[round + 1]);
  }
  UNROLLED(int i = 0; i < 25; i++) { state[i] = lanes[i]; }
}
#else
void machine_keccak_permute_avx512(uint64_t *lanes) { __builtin_trap(); }
void machine_keccak256_eight_avx512(
    const void *const *messages, const size_t *counts, int number, uint8_t *digests) {
  __builtin_trap();
}
void machine_keccak_permute_bmi(uint64_t *lanes) { __builtin_trap(); }
#endif
