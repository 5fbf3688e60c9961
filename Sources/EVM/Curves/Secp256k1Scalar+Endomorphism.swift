extension Secp256k1Scalar {
  /// Two short integers with `low + high * lambda = self` modulo n.
  ///
  /// lambda is the cube root of unity modulo n that multiplies a point as beta multiplies its x
  /// coordinate. Each part is a sign and a magnitude below 2^128. For public scalars only.
  ///
  /// Source: Gallant, Lambert, Vanstone, "Faster point multiplication on elliptic curves with
  /// efficient endomorphisms", CRYPTO 2001. The lattice basis is (a1, b1) = (0x3086d221...,
  /// -0xe4437ed6...), (a2, b2) = (0x114ca50f7..., a1); each satisfies a + b * lambda = 0.
  var endomorphismParts: (low: SignedMagnitude128, high: SignedMagnitude128) {
    let parts = endomorphismWords
    return (SignedMagnitude128(parts.low), SignedMagnitude128(parts.high))
  }

  /// The same two integers in two's complement.
  package var endomorphismWords: (low: UInt256, high: UInt256) {
    let a1 = UInt256(0xe86c_90e4_9284_eb15, 0x3086_d221_a7d4_6bcd, 0, 0)
    let minusB1 = UInt256(0x6f54_7fa9_0abf_e4c3, 0xe443_7ed6_010e_8828, 0, 0)
    let a2 = UInt256(0x57c1_108d_9d44_cfd8, 0x14ca_50f7_a8e2_f3f6, 1, 0)
    // round(2^384 * b2 / n) and round(2^384 * -b1 / n).
    let g1 = UInt256(
      0xe893_209a_45db_b031, 0x3daa_8a14_71e8_ca7f, 0xe86c_90e4_9284_eb15, 0x3086_d221_a7d4_6bcd)
    let g2 = UInt256(
      0x1571_b4ae_8ac4_7f71, 0x2212_08ac_9df5_06c6, 0x6f54_7fa9_0abf_e4c4, 0xe443_7ed6_010e_8828)
    // The closest lattice point is c1 (a1, b1) + c2 (a2, b2).
    let c1 = Self.roundedQuotient(value, g1)
    let c2 = Self.roundedQuotient(value, g2)
    // The differences are below 2^128 in magnitude, so arithmetic modulo 2^256 is exact.
    let low = value &- c1 &* a1 &- c2 &* a2
    let high = c1 &* minusB1 &- c2 &* a1
    return (low, high)
  }

  /// `a * g / 2^384` to the nearest integer: below 2^128.
  @inline(__always)
  private static func roundedQuotient(_ a: UInt256, _ g: UInt256) -> UInt256 {
    let product = UInt256.multiplyFullWidth(a, g).high
    let (low, carry) = addWithCarry(product.limb2, product.limb1 >> 63, 0)
    return UInt256(low, product.limb3 &+ carry, 0, 0)
  }
}
