/// The integers modulo the order of P-256's base point.
///
/// Source: SEC 2, version 2.0, section 2.4.2 (secp256r1); FIPS 186-5.
typealias P256Scalar = MontgomeryField256<P256ScalarParameters>

/// P-256's scalars in Montgomery form.
enum P256ScalarParameters: MontgomeryParameters256 {
  @inline(__always)
  static var modulus: UInt256 {
    UInt256(
      0xf3b9_cac2_fc63_2551, 0xbce6_faad_a717_9e84, 0xffff_ffff_ffff_ffff,
      0xffff_ffff_0000_0000)
  }

  @inline(__always)
  static var montgomeryOne: UInt256 {
    UInt256(
      0x0c46_353d_039c_daaf, 0x4319_0552_58e8_617b, 0x0000_0000_0000_0000,
      0x0000_0000_ffff_ffff)
  }

  @inline(__always)
  static var rSquared: UInt256 {
    UInt256(
      0x8324_4c95_be79_eea2, 0x4699_799c_49bd_6fa6, 0x2845_b239_2b6b_ec59,
      0x66e1_2d94_f3d9_5620)
  }

  @inline(__always)
  static var rCubed: UInt256 {
    UInt256(
      0xac8e_bec9_0b65_a624, 0x111f_28ae_0c05_55c9, 0x2543_b924_6ba5_e93f,
      0x503a_54e7_6407_be65)
  }

  @inline(__always)
  static var negatedInverse: UInt64 { 0xccd1_c8aa_ee00_bc4f }
}
