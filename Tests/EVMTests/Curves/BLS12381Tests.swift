import Testing

@testable import EVM

/// The fields, the groups and the pairing of BLS12-381.
@Suite struct BLS12381Tests {
  private typealias Fp = BLS12381.Fp
  private typealias Fp2 = BLS12381.Fp2
  private typealias Fp6 = BLS12381.Fp6
  private typealias Fp12 = BLS12381.Fp12

  /// The same random elements in each test.
  private struct Random {
    var generator = SplitMixGenerator(seed: 381)
    mutating func fp() -> Fp {
      while true {
        let limbs = Fp(
          generator.next(), generator.next(), generator.next(), generator.next(),
          generator.next(), generator.next() >> 3)
        if let value = Fp(canonical: limbs) { return value }
      }
    }
    mutating func fp2() -> Fp2 { Fp2(fp(), fp()) }
    mutating func fp6() -> Fp6 { Fp6(fp2(), fp2(), fp2()) }
    mutating func fp12() -> Fp12 { Fp12(fp6(), fp6()) }
    mutating func scalar() -> UInt256 {
      UInt256(generator.next(), generator.next(), generator.next(), generator.next() >> 2)
    }
  }

  /// The element that hexadecimal digits write; `nil` for `p` and above.
  private static func number(_ text: some StringProtocol) -> Fp? {
    let digits = String(repeating: "0", count: 128 - text.count) + text
    return bytes(hexadecimal: digits)!.withUnsafeBufferPointer {
      Fp(bigEndian64: $0.baseAddress!)
    }
  }

  /// Elements whose limbs in Montgomery form are at edges.
  private static let edges: [Fp] = {
    var result: [Fp] = [.zero, .one, -Fp.one, Fp.one.doubled, Fp.one.halved, -Fp.one.halved]
    result += [Fp(1, 0, 0, 0, 0, 0), Fp(0, 0, 0, 0, 0, 1), Fp(~0, ~0, ~0, ~0, ~0, 0)]
    result += [Fp(0, ~0, 0, ~0, 0, ~0 >> 4), Fp(~0, 0, ~0, 0, ~0, 0), -Fp(1, 0, 0, 0, 0, 0)]
    result += [Fp(~0, ~0, ~0, ~0, ~0, Fp.Modulus.limb5 - 1), Fp(0, 0, 0, 0, 0, Fp.Modulus.limb5)]
    return result
  }()

  private static func power(_ base: Fp12, _ exponent: UInt256) -> Fp12 {
    var result = Fp12.one
    for place in (0..<256).reversed() {
      result = result.squared
      if exponent.bit(place) { result = result * base }
    }
    return result
  }

  private static func multiply<Field: FiniteField>(
    _ point: AffinePoint<Field>, by scalar: UInt256
  ) -> AffinePoint<Field> {
    var sum = JacobianPoint<Field>.infinity
    for place in (0..<256).reversed() {
      sum = sum.doubled
      if scalar.bit(place) { sum = sum.adding(point) }
    }
    return sum.affine
  }

  private static func pairing(_ p: BLS12381.G1Affine, _ q: BLS12381.G2Affine) -> Fp12 {
    var pair = BLS12381MillerPair(p: p, q: q)
    return BLS12381.finalExponentiation(BLS12381.millerLoop(&pair, count: 1))
  }

  @Test func fpAgreesWithPython() throws {
    let lines = vectorLines(file: "bls12381.txt").filter { $0.hasPrefix("fp ") }
    #expect(lines.count >= 300)
    for line in lines {
      let parts = line.split(separator: " ")
      let inputs = try parts[1].split(separator: ",").map { try #require(Self.number($0)) }
      let fields = parts[2].split(separator: ",")
      let expected = try fields[..<4].map { try #require(Self.number($0)) }
      let (a, b) = (inputs[0], inputs[1])
      #expect(a + b == expected[0], "\(line)")
      #expect(a - b == expected[1], "\(line)")
      #expect(a * b == expected[2], "\(line)")
      #expect(a.inverse == expected[3], "\(line)")
      #expect((a.squareRoot != nil) == (fields[4] == "1"), "\(line)")
    }
  }

  @Test func fpIsAField() {
    var random = Random()
    var values = Self.edges
    for _ in 0..<12 { values.append(random.fp()) }
    for a in values {
      #expect(a.squared == a * a)
      #expect(a.doubled == a + a)
      #expect(a.halved.doubled == a)
      #expect(a - a == .zero)
      #expect(a + -a == .zero)
      #expect(a.isZero ? a.inverse == .zero : a.inverse * a == .one)
      #expect(Fp(canonical: a.canonical) == a)
      let root = a.squared.squareRoot
      #expect(root == a || root == -a)
      for b in values {
        #expect(a * b == b * a)
        #expect(a - b == -(b - a))
        #expect((a + b) * (a - b) == a.squared - b.squared)
        for c in [values[7], values[9], values[13]] {
          #expect(a * (b + c) == a * b + a * c)
          #expect((a * b) * c == a * (b * c))
        }
      }
    }
  }

  @Test func readsOnlyCanonicalBytes() throws {
    let p = """
      1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaa
      """
    #expect(Self.number(p + "b") == nil)
    #expect(Self.number(p + "c") == nil)
    #expect(Self.number(String(repeating: "f", count: 96)) == nil)
    #expect(Self.number("1" + String(repeating: "0", count: 96)) == nil)
    let last = try #require(Self.number(p + "a"))
    #expect(last == -Fp.one)
    var text = [UInt8](repeating: 0xff, count: 64)
    text.withUnsafeMutableBufferPointer { last.store(bigEndian64: $0.baseAddress!) }
    #expect(hexadecimal(text) == String(repeating: "0", count: 32) + p + "a")
  }

  @Test func fp2IsAField() {
    var random = Random()
    let u = Fp2(.zero, .one)
    #expect(u * u == -Fp2.one)
    var values = Self.edges.map { Fp2($0, Self.edges[2] - $0) }
    for _ in 0..<12 { values.append(random.fp2()) }
    for a in values {
      #expect(a.squared == a * a)
      #expect(a.halved.doubled == a)
      #expect(a.isZero ? a.inverse == .zero : a.inverse * a == .one)
      #expect(a.timesNonResidue == a * Fp2(.one, .one))
      #expect(a * a.conjugate == Fp2(a.norm, .zero))
      for b in values {
        let schoolbook = Fp2(a.c0 * b.c0 - a.c1 * b.c1, a.c0 * b.c1 + a.c1 * b.c0)
        #expect(a * b == schoolbook)
        #expect(a - b == -(b - a))
        #expect(a * b.c0 == a * Fp2(b.c0, .zero))
        #expect((a + b).squared == a.squared + b.squared + (a * b).doubled)
      }
    }
  }

  @Test func towerIsAField() {
    var random = Random()
    for _ in 0..<10 {
      let (a, b, c) = (random.fp12(), random.fp12(), random.fp12())
      #expect(a * b == b * a)
      #expect((a * b) * c == a * (b * c))
      #expect(a.squared == a * a)
      #expect(a.inverse * a == .one)
      #expect(a.c0 * a.c0.inverse == .one)
      let (l0, l2, l3) = (random.fp2(), random.fp2(), random.fp2())
      let line = Fp12(Fp6(l0, l2, .zero), Fp6(.zero, l3, .zero))
      #expect(a.timesTwistedLine(l0, l2, l3) == a * line)
      #expect(a.frobenius(1).frobenius(1) == a.frobenius(2))
      #expect(a.frobenius(2).frobenius(1) == a.frobenius(3))
      #expect(a.frobenius(3).frobenius(3) == a.conjugate)
      #expect((a * b).frobenius(1) == a.frobenius(1) * b.frobenius(1))
    }
  }

  @Test func frobeniusIsThePowerP() {
    var random = Random()
    let a = random.fp12()
    let p = Fp.modulus
    var result = Fp12.one
    for limb in [p.limb5, p.limb4, p.limb3, p.limb2, p.limb1, p.limb0] {
      for bit in (0..<64).reversed() {
        result = result.squared
        if limb >> UInt64(bit) & 1 != 0 { result = result * a }
      }
    }
    #expect(result == a.frobenius(1))
  }

  @Test func generatorsAreInTheirGroups() {
    let g1 = BLS12381.g1Generator
    let g2 = BLS12381.g2Generator
    #expect(g1.isOnCurve(b: Fp.curveB) && BLS12381.isInSubgroup(g1))
    #expect(g2.isOnCurve(b: Fp2.curveB) && BLS12381.isInSubgroup(g2))
    #expect(Self.multiply(g1, by: BLS12381.order).isInfinity)
    #expect(Self.multiply(g2, by: BLS12381.order).isInfinity)
    let ceremony = KZG.ceremonyPoint
    #expect(ceremony.isOnCurve(b: Fp2.curveB) && BLS12381.isInSubgroup(ceremony))
  }

  /// The membership tests against multiplication by the order, on points of the whole curves.
  @Test func tellsMembersFromOthers() throws {
    var random = Random()
    var members = 0
    for _ in 0..<12 {
      let x = random.fp()
      if let y = (x.squared * x + Fp.curveB).squareRoot {
        let point = BLS12381.G1Affine(x: x, y: y)
        let isMember = Self.multiply(point, by: BLS12381.order).isInfinity
        #expect(BLS12381.isInSubgroup(point) == isMember)
        let cleared = BLS12381.clearCofactor(BLS12381.G1(point)).affine
        #expect(BLS12381.isInSubgroup(cleared))
        #expect(Self.multiply(cleared, by: BLS12381.order).isInfinity)
        // The part outside the group alone.
        let rest = Self.multiply(point, by: BLS12381.order)
        #expect(rest.isInfinity || !BLS12381.isInSubgroup(rest))
        members += 1
      }
    }
    #expect(members > 2)
    #expect(BLS12381.isInSubgroup(BLS12381.G1Affine.infinity))
    #expect(BLS12381.isInSubgroup(BLS12381.G2Affine.infinity))
  }

  @Test func endomorphismsAreMultiplications() {
    var random = Random()
    let x = UInt256(BLS12381.parameter)
    for _ in 0..<4 {
      let p = Self.multiply(BLS12381.g1Generator, by: random.scalar())
      #expect(BLS12381.endomorphism(p) == -Self.multiply(p, by: x &* x))
      let q = Self.multiply(BLS12381.g2Generator, by: random.scalar())
      #expect(BLS12381.endomorphism(q) == -Self.multiply(q, by: x))
    }
  }

  @Test func scalarDigitsAddUp() {
    var random = Random()
    let x = UInt256(BLS12381.parameter)
    var scalars = [UInt256.zero, .one, .max, BLS12381.order, BLS12381.order &- .one]
    scalars += [x, x &* x, x &* x &* x, BLS12381.order &+ BLS12381.order]
    for _ in 0..<50 { scalars.append(random.scalar()) }
    for scalar in scalars {
      let digits = BLS12381.parameterDigits(scalar)
      for digit in [digits.0, digits.1, digits.2, digits.3] {
        #expect(digit < BLS12381.parameter)
      }
      var value = UInt256(digits.3)
      for digit in [digits.2, digits.1, digits.0] { value = value &* x &+ UInt256(digit) }
      #expect(value == UInt256.remainder(scalar, BLS12381.order))
    }
  }

  /// Tables and buckets against each other, and against multiplication one by one.
  private func checkSums<Field: BLS12381GroupField>(of base: AffinePoint<Field>, seed: UInt64)
    throws
  {
    var generator = SplitMixGenerator(seed: seed)
    let memory = UnsafeMutableRawPointer.allocate(byteCount: 1 << 24, alignment: 16)
    defer { memory.deallocate() }
    for count in [1, 2, 3, 20, 63, 64, 65, 130] {
      var arena = Arena(base: memory, capacity: 1 << 24)
      var sum = try #require(
        BLS12381MultiScalarSum<Field>(capacity: count, scratch: &arena))
      var point = base
      var expected = JacobianPoint<Field>.infinity
      for index in 0..<count {
        let scalar =
          index % 7 == 3
          ? UInt256(UInt64(index))
          : UInt256(generator.next(), generator.next(), generator.next(), generator.next())
        sum.append(point, times: scalar)
        expected = expected.adding(Self.multiply(point, by: scalar))
        point = index % 5 == 4 ? -point : point + base
      }
      let used = arena.used
      #expect(sum.windowedSum(scratch: &arena)?.affine == expected.affine)
      arena.used = used
      #expect(sum.bucketSum(scratch: &arena)?.affine == expected.affine)
      arena.used = used
      #expect(sum.result(scratch: &arena)?.affine == expected.affine)
      #expect(arena.used == used)
    }
  }

  @Test func sumsAreTheSameByTablesAndByBuckets() throws {
    try checkSums(of: BLS12381.g1Generator, seed: 1)
    try checkSums(of: BLS12381.g2Generator, seed: 2)
  }

  @Test func pairingIsBilinear() {
    var random = Random()
    let p = BLS12381.g1Generator
    let q = BLS12381.g2Generator
    let e = Self.pairing(p, q)
    #expect(e != .one)
    #expect(Self.power(e, BLS12381.order) == .one)
    for _ in 0..<2 {
      let (a, b) = (random.scalar(), random.scalar())
      let both = Self.pairing(Self.multiply(p, by: a), Self.multiply(q, by: b))
      #expect(both == Self.power(Self.power(e, a), b))
      #expect(both == Self.pairing(Self.multiply(p, by: b), Self.multiply(q, by: a)))
    }
    #expect(Self.pairing(-p, q) * e == .one)
    #expect(Self.pairing(p, -q) * e == .one)
  }

  @Test func cyclotomicSquareIsASquare() {
    var random = Random()
    let f = random.fp12()
    let unitary = f.conjugate * f.inverse
    let element = unitary.frobenius(2) * unitary
    #expect(element.cyclotomicSquared == element.squared)
  }

  @Test func compressedPowersArePowers() {
    var random = Random()
    for _ in 0..<4 {
      let f = random.fp12()
      let unitary = f.conjugate * f.inverse
      let element = unitary.frobenius(2) * unitary
      let power = BLS12381.powerParameter(element)
      #expect(power == Self.power(element, UInt256(BLS12381.parameter)))
      #expect(power == BLS12381.plainPowerParameter(element))
    }
    // One has no compressed form.
    #expect(BLS12381.powerParameter(.one) == .one)
  }
}
