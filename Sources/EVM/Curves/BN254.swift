/// The pairing-friendly curve bn254 (alt_bn128) of EIP-196 and EIP-197: y^2 = x^3 + 3 over Fp.
///
/// A Barreto-Naehrig curve with x = 4965661367192848881, p = 36x^4 + 36x^3 + 24x^2 + 6x + 1 and
/// prime order r = 36x^4 + 36x^3 + 18x^2 + 6x + 1. Tower: Fp2 = Fp[u]/(u^2 + 1),
/// Fp6 = Fp2[v]/(v^3 - (9 + u)), Fp12 = Fp6[w]/(w^2 - v).
/// The points of order r on the sextic twist y^2 = x^3 + 3/(9 + u) over Fp2 are the group G2.
enum BN254 {
  /// The base field.
  typealias Fp = MontgomeryField256<BN254BaseParameters>
  /// The field of the group order.
  typealias Fr = MontgomeryField256<BN254ScalarParameters>
  /// The quadratic extension.
  typealias Fp2 = BN254Fp2
  /// The field of the pairing's values.
  typealias Fp12 = DodecicExtension<BN254Fp2>
  /// A point over Fp.
  typealias G1Affine = AffinePoint<Fp>
  /// A point over Fp2, on the twist.
  typealias G2Affine = AffinePoint<Fp2>
}

/// The base field of bn254.
struct BN254BaseParameters: MontgomeryParameters256 {
  @inline(__always)
  static var modulus: UInt256 {
    UInt256(
      0x3c20_8c16_d87c_fd47, 0x9781_6a91_6871_ca8d, 0xb850_45b6_8181_585d, 0x3064_4e72_e131_a029)
  }

  @inline(__always)
  static var montgomeryOne: UInt256 {
    UInt256(
      0xd35d_438d_c58f_0d9d, 0x0a78_eb28_f5c7_0b3d, 0x666e_a36f_7879_462c, 0x0e0a_77c1_9a07_df2f)
  }

  @inline(__always)
  static var rSquared: UInt256 {
    UInt256(
      0xf32c_fc5b_538a_fa89, 0xb5e7_1911_d445_01fb, 0x47ab_1eff_0a41_7ff6, 0x06d8_9f71_cab8_351f)
  }

  @inline(__always)
  static var rCubed: UInt256 {
    UInt256(
      0xb1cd_6daf_da15_30df, 0x62f2_10e6_a728_3db6, 0xef7f_0b0c_0ada_0afb, 0x20fd_6e90_2d59_2544)
  }

  @inline(__always)
  static var negatedInverse: UInt64 { 0x87d2_0782_e486_6389 }
}

/// The field of integers modulo the order of bn254.
struct BN254ScalarParameters: MontgomeryParameters256 {
  @inline(__always)
  static var modulus: UInt256 {
    UInt256(
      0x43e1_f593_f000_0001, 0x2833_e848_79b9_7091, 0xb850_45b6_8181_585d, 0x3064_4e72_e131_a029)
  }

  @inline(__always)
  static var montgomeryOne: UInt256 {
    UInt256(
      0xac96_341c_4fff_fffb, 0x36fc_7695_9f60_cd29, 0x666e_a36f_7879_462e, 0x0e0a_77c1_9a07_df2f)
  }

  @inline(__always)
  static var rSquared: UInt256 {
    UInt256(
      0x1bb8_e645_ae21_6da7, 0x53fe_3ab1_e35c_59e3, 0x8c49_833d_53bb_8085, 0x0216_d0b1_7f4e_44a5)
  }

  @inline(__always)
  static var rCubed: UInt256 {
    UInt256(
      0x5e94_d8e1_b4bf_0040, 0x2a48_9cbe_1cfb_b6b8, 0x893c_c664_a19f_cfed, 0x0cf8_594b_7fcc_657c)
  }

  @inline(__always)
  static var negatedInverse: UInt64 { 0xc2e1_f593_efff_ffff }
}
