import Testing

@testable import EVM

/// A modulus without a spare bit: the order of secp256k1 (SEC 2, section 2.4.1).
private struct FullWidthParameters: MontgomeryParameters256 {
  static var modulus: UInt256 {
    UInt256(
      0xbfd2_5e8c_d036_4141, 0xbaae_dce6_af48_a03b, 0xffff_ffff_ffff_fffe, 0xffff_ffff_ffff_ffff)
  }
  static var montgomeryOne: UInt256 { .zero &- modulus }
  static var rSquared: UInt256 {
    UInt256(
      0x896c_f214_67d7_d140, 0x7414_96c2_0e7c_f878, 0xe697_f5e4_5bcd_07c6, 0x9d67_1cd5_81c6_9bc5)
  }
  static var rCubed: UInt256 {
    UInt256(
      0x7bc0_cfe0_e9ff_41ed, 0x0017_6484_44d4_322c, 0xb1b3_1347_f1d0_b2da, 0x555d_800c_18ef_116d)
  }
  static var negatedInverse: UInt64 { 0x4b0d_ff66_5588_b13f }
}

/// The field of P-256 (SEC 2, section 2.4.2), p = 3 modulo 4, with a limb of zero and one of ones.
private struct SparseParameters: MontgomeryParameters256 {
  static var modulus: UInt256 {
    UInt256(
      0xffff_ffff_ffff_ffff, 0x0000_0000_ffff_ffff, 0x0000_0000_0000_0000, 0xffff_ffff_0000_0001)
  }
  static var montgomeryOne: UInt256 { .zero &- modulus }
  static var rSquared: UInt256 {
    UInt256(
      0x0000_0000_0000_0003, 0xffff_fffb_ffff_ffff, 0xffff_ffff_ffff_fffe, 0x0000_0004_ffff_fffd)
  }
  static var rCubed: UInt256 {
    UInt256(
      0xffff_fffd_0000_000a, 0xffff_ffed_ffff_fff7, 0x0000_0005_ffff_fffc, 0x0000_0018_0000_0001)
  }
  static var negatedInverse: UInt64 { 1 }
}

/// Montgomery fields against the word's own modular arithmetic, on edge and random numbers.
@Suite struct MontgomeryField256Tests {
  /// Numbers around 0, p and 2^256, numbers with limbs of zeros and ones, and random ones.
  private static func numbers<P: MontgomeryParameters256>(_ parameters: P.Type) -> [UInt256] {
    let p = P.modulus
    var numbers: [UInt256] = [
      .zero, .one, UInt256(2), UInt256(3), p &- .one, p &- UInt256(2), p, p &+ .one, p >> 1,
      (p >> 1) &+ .one, .max, .max &- .one, P.montgomeryOne, P.rSquared,
      UInt256(0, 0, 0, 1 << 63), UInt256(~0, 0, ~0, 0), UInt256(0, ~0, 0, ~0 >> 1),
      UInt256(~0, ~0, ~0, 0), UInt256(1) << 128,
    ]
    var generator = SplitMixGenerator(seed: p.limb0)
    for _ in 0..<30 {
      numbers.append(
        UInt256(generator.next(), generator.next(), generator.next(), generator.next()))
    }
    return numbers
  }

  private static func checkLaws<P: MontgomeryParameters256>(_ parameters: P.Type) {
    typealias Element = MontgomeryField256<P>
    let p = P.modulus
    let numbers = numbers(parameters)
    #expect(Element.one.canonical == .one)
    #expect(Element.zero.canonical == .zero)
    #expect(p.limb0 &* P.negatedInverse == ~0)
    for number in numbers {
      let reduced = UInt256.addModulo(number, .zero, p)
      let a = Element(reducing: number)
      #expect(a.canonical == reduced)
      #expect((Element(number) == nil) == !(number < p))
      #expect((-a).canonical == UInt256.addModulo(p &- reduced, .zero, p))
      #expect(a.doubled.canonical == UInt256.addModulo(reduced, reduced, p))
      #expect(a.halved + a.halved == a)
      #expect(a.squared.canonical == UInt256.multiplyModulo(reduced, reduced, p))
      #expect(a.isOdd == (reduced.limb0 & 1 == 1))
      #expect(a.inverse * a == (a.isZero ? .zero : .one))
      #expect(a.power(UInt256(5)) == a * a * a * a * a)
      #expect(a.power(.zero) == .one)
      if p.limb0 & 3 == 3 {
        let root = a.squared.squareRoot
        #expect(root == a || root == -a)
        // -1 is no square here, so exactly one of a and -a is.
        #expect(a.isZero || (a.squareRoot == nil) != ((-a).squareRoot == nil))
      }
      for other in numbers {
        let b = Element(reducing: other)
        let reducedOther = b.canonical
        #expect((a + b).canonical == UInt256.addModulo(reduced, reducedOther, p))
        #expect((a * b).canonical == UInt256.multiplyModulo(reduced, reducedOther, p))
        #expect(a - b == a + (-b))
        #expect(Element.sumOfProducts(a, b, -b, a) == .zero)
        #expect(Element.sumOfProducts(a, b, b, b) == (a + b) * b)
      }
    }
    for number in [UInt256(2), UInt256(0, 0, 5, 1), p &- UInt256(2)] {
      let a = Element(reducing: number)
      #expect(a.inverseByPower == a.inverse)
    }
    #expect(Element.zero.inverseByPower == .zero)
    #expect(Element.zero.inverse == .zero)
  }

  @Test func bn254Base() { Self.checkLaws(BN254BaseParameters.self) }
  @Test func bn254Scalar() { Self.checkLaws(BN254ScalarParameters.self) }
  @Test func fullWidth() { Self.checkLaws(FullWidthParameters.self) }
  @Test func sparse() { Self.checkLaws(SparseParameters.self) }
}
