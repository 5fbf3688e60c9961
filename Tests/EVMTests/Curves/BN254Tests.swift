import Testing

@testable import EVM

/// The tower, the groups and the pairing of bn254.
@Suite struct BN254Tests {
  private typealias Fp = BN254.Fp
  private typealias Fp2 = BN254.Fp2
  private typealias Fp6 = CubicExtension<BN254.Fp2>
  private typealias Fp12 = BN254.Fp12

  /// The same random elements in each test.
  private struct Random {
    var generator = SplitMixGenerator(seed: 254)
    mutating func fp() -> Fp {
      Fp(reducing: UInt256(generator.next(), generator.next(), generator.next(), generator.next()))
    }
    mutating func fp2() -> Fp2 { Fp2(fp(), fp()) }
    mutating func fp6() -> Fp6 { Fp6(fp2(), fp2(), fp2()) }
    mutating func fp12() -> Fp12 { Fp12(fp6(), fp6()) }
    mutating func scalar() -> UInt256 { fp().canonical }
  }

  private static let g1 = BN254.G1Affine(x: .one, y: Fp(reducing: UInt256(2)))

  /// The generator of EIP-197.
  private static let g2 = BN254.G2Affine(
    x: Fp2(
      number("1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"),
      number("198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2")),
    y: Fp2(
      number("12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa"),
      number("090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b")))

  private static func number(_ text: String) -> Fp {
    Fp(reducing: UInt256(bigEndian: bytes(hexadecimal: text)!))
  }

  private static func multiply(_ point: BN254.G2Affine, by scalar: UInt256) -> BN254.G2Affine {
    var sum = JacobianPoint<Fp2>.infinity
    for place in (0..<256).reversed() {
      sum = sum.doubled
      if scalar.bit(place) { sum = sum.adding(point) }
    }
    return sum.affine
  }

  private static func pairing(_ p: BN254.G1Affine, _ q: BN254.G2Affine) -> Fp12 {
    var pairs = [BN254MillerPair(p: p, q: q)]
    return pairs.withUnsafeMutableBufferPointer {
      BN254.finalExponentiation(BN254.millerLoop($0))
    }
  }

  private static func power(_ base: Fp12, _ exponent: UInt256) -> Fp12 {
    var result = Fp12.one
    for place in (0..<256).reversed() {
      result = result.squared
      if exponent.bit(place) { result = result * base }
    }
    return result
  }

  @Test func fp2IsAField() {
    var random = Random()
    let u = Fp2(.zero, .one)
    #expect(u * u == -Fp2.one)
    let xi = Fp2(Fp(reducing: UInt256(9)), .one)
    for _ in 0..<20 {
      let (a, b, c) = (random.fp2(), random.fp2(), random.fp2())
      #expect(a * (b + c) == a * b + a * c)
      #expect((a * b) * c == a * (b * c))
      #expect(a.squared == a * a)
      #expect(a.inverse * a == .one)
      #expect(a.timesNonResidue == a * xi)
      #expect(a - b == -(b - a))
      #expect(a.halved.doubled == a)
      #expect(a * a.conjugate == Fp2(.sumOfProducts(a.c0, a.c0, a.c1, a.c1), .zero))
      #expect(a * b.c0 == a * Fp2(b.c0, .zero))
    }
    #expect(Fp2.zero.inverse == .zero)
  }

  @Test func fp6IsAField() {
    var random = Random()
    let v = Fp6(.zero, .one, .zero)
    #expect(v * v * v == Fp6(Fp2.one.timesNonResidue, .zero, .zero))
    for _ in 0..<10 {
      let (a, b, c) = (random.fp6(), random.fp6(), random.fp6())
      #expect(a * (b + c) == a * b + a * c)
      #expect((a * b) * c == a * (b * c))
      #expect(a.inverse * a == .one)
      #expect(a.timesV == a * v)
      #expect(a.times(b.c0, b.c1) == a * Fp6(b.c0, b.c1, .zero))
      #expect(a.times(b.c0) == a * Fp6(b.c0, .zero, .zero))
    }
  }

  @Test func fp12IsAField() {
    var random = Random()
    let w = Fp12(.zero, .one)
    #expect(w * w == Fp12(Fp6(.zero, .one, .zero), .zero))
    for _ in 0..<5 {
      let (a, b, c) = (random.fp12(), random.fp12(), random.fp12())
      #expect((a * b) * c == a * (b * c))
      #expect(a * b == b * a)
      #expect(a.squared == a * a)
      #expect(a.inverse * a == .one)
      let (x, y, z) = (random.fp2(), random.fp2(), random.fp2())
      #expect(
        a.timesLine(x, y, z) == a * Fp12(Fp6(x, .zero, .zero), Fp6(y, z, .zero)))
      #expect(
        a.timesTwistedLine(x, y, z) == a * Fp12(Fp6(x, y, .zero), Fp6(.zero, z, .zero)))
    }
  }

  @Test func frobeniusIsThePowerOfP() {
    var random = Random()
    let a = random.fp12()
    let once = Self.power(a, BN254BaseParameters.modulus)
    #expect(a.frobenius(1) == once)
    #expect(a.frobenius(2) == once.frobenius(1))
    #expect(a.frobenius(3) == once.frobenius(1).frobenius(1))
    #expect(a.conjugate == a.frobenius(3).frobenius(3))
  }

  @Test func cyclotomicSquareIsTheSquare() {
    var random = Random()
    let a = random.fp12()
    let unitary = a.conjugate * a.inverse
    let cyclotomic = unitary.frobenius(2) * unitary
    #expect(cyclotomic.cyclotomicSquared == cyclotomic.squared)
    #expect(cyclotomic.conjugate * cyclotomic == .one)
  }

  @Test func scalarsSplit() {
    var random = Random()
    let lambda = UInt256(
      0x8b17_ea66_b99c_90dd, 0x5bfc_4108_8d8d_aaa7, 0xb3c4_d79d_41a9_1758, 0)
    let r = BN254ScalarParameters.modulus
    for number in [.zero, .one, r &- .one, r >> 1, lambda] + (0..<200).map({ _ in random.scalar() })
    {
      let scalar = BN254.reducedModuloOrder(number)
      let (low, high) = BN254.split(scalar)
      #expect(low.magnitude >> 127 == 0 && high.magnitude >> 127 == 0)
      func element(_ part: SignedMagnitude128) -> BN254.Fr {
        let value = BN254.Fr(
          reducing: UInt256(
            UInt64(truncatingIfNeeded: part.magnitude),
            UInt64(truncatingIfNeeded: part.magnitude >> 64), 0, 0))
        return part.isNegative ? -value : value
      }
      #expect(
        element(low) + element(high) * BN254.Fr(reducing: lambda) == BN254.Fr(reducing: scalar))
    }
  }

  @Test func multiplicationIsRepeatedAddition() {
    var random = Random()
    var sum = BN254.G1Affine.infinity
    for count in 0..<70 {
      #expect(BN254.multiply(Self.g1, by: UInt256(UInt64(count))) == sum)
      sum = sum + Self.g1
      #expect(sum.isOnCurve(b: BN254.g1B))
    }
    let r = BN254ScalarParameters.modulus
    #expect(BN254.multiply(Self.g1, by: r) == .infinity)
    #expect(BN254.multiply(Self.g1, by: r &- .one) == -Self.g1)
    #expect(BN254.multiply(.infinity, by: .max) == .infinity)
    let (a, b) = (BN254.Fr(reducing: random.scalar()), BN254.Fr(reducing: random.scalar()))
    #expect(
      BN254.multiply(Self.g1, by: a.canonical) + BN254.multiply(Self.g1, by: b.canonical)
        == BN254.multiply(Self.g1, by: (a + b).canonical))
  }

  @Test func jacobianPointsAddWithAllSpecialCases() {
    var random = Random()
    let p = JacobianPoint(Self.g1)
    // The same point with another z.
    let scale = random.fp()
    let q = JacobianPoint<Fp>(
      x: p.x * scale.squared, y: p.y * scale.squared * scale, z: scale)
    #expect(p == q)
    #expect(p + q == p.doubled)
    #expect(q.adding(Self.g1) == p.doubled)
    #expect((p + -q).isInfinity)
    #expect(q.adding(-Self.g1).isInfinity)
    #expect(p + .infinity == p)
    #expect(.infinity + q == p)
    #expect(q.adding(.infinity) == p)
    #expect(JacobianPoint<Fp>.infinity.adding(Self.g1) == p)
    #expect(JacobianPoint<Fp>.infinity.doubled.isInfinity)
    #expect(!(p == .infinity) && !(p == p.doubled))
    #expect((p.doubled + q).affine == Self.g1 + Self.g1 + Self.g1)
    #expect(JacobianPoint<Fp>.infinity.affine == .infinity)
  }

  @Test func subgroupIsThatOfTheOrder() {
    var random = Random()
    #expect(Self.g2.isOnCurve(b: BN254.g2B))
    #expect(BN254.isInSubgroup(Self.g2))
    #expect(BN254.isInSubgroup(.infinity))
    #expect(Self.multiply(Self.g2, by: BN254ScalarParameters.modulus) == .infinity)
    // On G2 the Frobenius multiplies by p.
    #expect(
      BN254.frobenius(Self.g2) == Self.multiply(Self.g2, by: BN254BaseParameters.modulus))
    #expect(BN254.isInSubgroup(Self.multiply(Self.g2, by: random.scalar())))
  }

  @Test func pairingIsBilinear() {
    var random = Random()
    let base = Self.pairing(Self.g1, Self.g2)
    #expect(base != .one)
    #expect(Self.power(base, BN254ScalarParameters.modulus) == .one)
    for _ in 0..<2 {
      let (a, b) = (BN254.Fr(reducing: random.scalar()), BN254.Fr(reducing: random.scalar()))
      let p = BN254.multiply(Self.g1, by: a.canonical)
      let q = Self.multiply(Self.g2, by: b.canonical)
      let expected = Self.power(base, (a * b).canonical)
      #expect(Self.pairing(p, q) == expected)
      #expect(Self.pairing(-p, q) == expected.conjugate)
      #expect(Self.pairing(p, -q) == expected.conjugate)
      let twice = Self.pairing(p + p, q)
      #expect(twice == expected.squared)
    }
  }
}
