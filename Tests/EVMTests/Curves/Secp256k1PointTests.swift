import Testing

@testable import EVM

/// Laws of the group, where the special cases of additions are.
@Suite struct Secp256k1PointTests {
  private func multiple(_ scalar: UInt256) -> Secp256k1AffinePoint? {
    let point = Secp256k1JacobianPoint.combination(
      generator: Secp256k1Scalar(reducing: scalar), point: base, .zero)
    return point.isInfinity ? nil : point.affine
  }

  private var base: Secp256k1AffinePoint { Secp256k1GeneratorTable.oddMultiple(0) }

  private func same(_ a: Secp256k1AffinePoint?, _ b: Secp256k1AffinePoint?) -> Bool {
    a?.x.canonical == b?.x.canonical && a?.y.canonical == b?.y.canonical
  }

  @Test func tablesHoldTheMultiplesTheyName() {
    for index in 0..<64 {
      let point = Secp256k1GeneratorTable.oddMultiple(index)
      #expect(point.isOnCurve)
      // The complete formulas and the comb table know nothing of the other table.
      let scalar = Secp256k1Scalar(reducing: UInt256(UInt64(2 * index + 1)))
      #expect(same(Secp256k1CompletePoint.generatorMultiple(scalar).affine, point))
    }
  }

  @Test func endomorphismIsTheMultiplicationByLambda() throws {
    let lambda = try #require(
      word("5363ad4cc05c30e0a5261c028812645a122e22ea20816678df02967c1b23bd72"))
    #expect(same(multiple(lambda), base.endomorphism))
    let complete = Secp256k1CompletePoint.generatorMultiple(Secp256k1Scalar(reducing: lambda))
    #expect(same(complete.affine, base.endomorphism))
  }

  @Test func additionCoversItsSpecialCases() {
    let point = Secp256k1JacobianPoint(base)
    #expect(same(Secp256k1JacobianPoint.infinity.adding(base).affine, base))
    #expect(same(point.adding(base).affine, multiple(2)))
    #expect(point.adding(base.negated).isInfinity)
    #expect(Secp256k1JacobianPoint.infinity.doubled.isInfinity)
    let scale = Secp256k1Field(UInt256(0x1234_5678_9abc_def0, 5, 6, 7))
    let scaled = Secp256k1JacobianPoint.infinity.adding(base, scale: scale)
    let sum = scaled.adding(base, scale: scale)
    let true2 = Secp256k1JacobianPoint(x: sum.x, y: sum.y, z: sum.z * scale)
    #expect(same(true2.affine, multiple(2)))
    #expect(scaled.adding(base.negated, scale: scale).isInfinity)
  }

  @Test func completeAdditionNeedsNoSpecialCases() {
    let infinity = Secp256k1CompletePoint.infinity
    let one = infinity.adding(base)
    #expect(same(one.affine, base))
    #expect(same(one.adding(base).affine, one.doubled.affine))
    #expect(one.adding(base.negated).z.isZero)
    #expect(infinity.doubled.z.isZero)
    #expect(Secp256k1CompletePoint.generatorMultiple(.zero).z.isZero)
  }

  @Test func scalarsSplitIntoShortParts() throws {
    let lambda = Secp256k1Scalar(
      reducing: try #require(
        word("5363ad4cc05c30e0a5261c028812645a122e22ea20816678df02967c1b23bd72")))
    var scalar = Secp256k1Scalar(reducing: UInt256(3, 5, 7, 11))
    for _ in 0..<1000 {
      let parts = scalar.endomorphismParts
      func value(_ part: SignedMagnitude128) -> Secp256k1Scalar {
        let magnitude = Secp256k1Scalar(
          reducing: UInt256(
            UInt64(truncatingIfNeeded: part.magnitude),
            UInt64(truncatingIfNeeded: part.magnitude >> 64), 0, 0))
        return part.isNegative ? magnitude.negated : magnitude
      }
      #expect((value(parts.low) + value(parts.high) * lambda).value == scalar.value)
      scalar = scalar.squared + .one
    }
  }

  @Test func windowedDigitsSumToTheNumber() {
    let edges: [UInt128] = [0, 1, 2, 255, 256, .max, .max - 1, .max >> 1, 1 << 127, 0xffff << 100]
    var numbers = edges
    var state: UInt128 = 12_345
    for _ in 0..<300 {
      state = state &* 0x2545_f491_4f6c_dd1d_9e37_79b9_7f4a_7c15 &+ 1
      numbers.append(state ^ (state >> 64))
    }
    for number in numbers {
      for width in 2...8 {
        let limbs = (UInt64(truncatingIfNeeded: number), UInt64(truncatingIfNeeded: number >> 64))
        let digits = WindowedDigits(.init(low: limbs.0, high: limbs.1), width: width)
        // Modulo 2^256, from the top.
        var sum = UInt256.zero
        var lastPlace = WindowedDigits.count + width
        for place in (0..<WindowedDigits.count).reversed() {
          let digit = digits.digit(at: place)
          sum = sum &+ sum
          if digit == 0 { continue }
          #expect(abs(digit) < 1 << (width - 1) && digit & 1 != 0)
          #expect(lastPlace - place >= width)
          lastPlace = place
          let magnitude = UInt256(UInt64(abs(digit)))
          sum = digit > 0 ? sum &+ magnitude : sum &- magnitude
        }
        #expect(sum == UInt256(limbs.0, limbs.1, 0, 0), "\(number), width \(width)")
      }
    }
  }
}
