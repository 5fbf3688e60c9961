/* A round of Keccak-f[1600] with AVX-512, on 25 registers that have a lane of each state. Included for
 * each width, with REGISTER, INTRINSIC, XOR, ALL and ROUND defined for it. */
__attribute__((always_inline, target("avx512f,avx512vl"))) static inline void ROUND(
    REGISTER lanes[25], int round, uint64_t constant) {
  REGISTER parity[5], effect[5];
  UNROLLED(int x = 0; x < 5; x++) {
    parity[x] = INTRINSIC(ternarylogic_epi64)(
      lanes[place(round, x, 0)], lanes[place(round, x, 1)], lanes[place(round, x, 2)], 0x96);
    parity[x] = INTRINSIC(ternarylogic_epi64)(
      parity[x], lanes[place(round, x, 3)], lanes[place(round, x, 4)], 0x96);
  }
  UNROLLED(int x = 0; x < 5; x++) {
    effect[x] = XOR(parity[(x + 4) % 5], INTRINSIC(rol_epi64)(parity[(x + 1) % 5], 1));
  }
  UNROLLED(int Y = 0; Y < 5; Y++) {
    REGISTER row[5];
    UNROLLED(int X = 0; X < 5; X++) {
      const int x = column(X, Y);
      row[X] = INTRINSIC(rolv_epi64)(
        XOR(lanes[place(round, x, X)], effect[x]), ALL(rotations[X][x]));
    }
    UNROLLED(int X = 0; X < 5; X++) {
      /* 0xD2: a ^ (~b & c) */
      lanes[place(round + 1, X, Y)] = INTRINSIC(ternarylogic_epi64)(
        row[X], row[(X + 1) % 5], row[(X + 2) % 5], 0xD2);
    }
  }
  const int first = place(round + 1, 0, 0);
  lanes[first] = XOR(lanes[first], ALL((long long)constant));
}

#undef REGISTER
#undef INTRINSIC
#undef XOR
#undef ALL
#undef ROUND
