import Testing

@testable import EVM

/// All pairs (and for modular operations triples) of edge words against identities that bind the
/// operations to each other.
@Suite struct UInt256IdentityTests {
  /// Words around every limb border, of all ones, of one bit, and small ones of both signs.
  static let edges: [UInt256] = {
    var words: [UInt256] = [
      .zero, .max, UInt256(2), UInt256(3), UInt256(2).negated, UInt256(127), UInt256(128).negated,
      UInt256(~0, 0, ~0, 0), UInt256(0, ~0, 0, ~0),
      UInt256(0x0123_4567_89AB_CDEF, 0xFEDC_BA98_7654_3210, 1, 0x8000_0000_0000_0000),
    ]
    for exponent: UInt64 in [0, 8, 31, 32, 63, 64, 65, 127, 128, 129, 191, 192, 193, 254, 255] {
      let power = UInt256.one << exponent
      words += [power &- .one, power, power &+ .one]
    }
    return words
  }()

  @Test func sumsAndDifferences() {
    for a in Self.edges {
      #expect(a &+ a.negated == .zero)
      #expect(~a &+ .one == a.negated)
      for b in Self.edges {
        #expect((a &+ b) &- b == a)
        #expect(a &+ b == b &+ a)
        let difference = UInt256.subtractingReportingBorrow(a, b)
        #expect(difference.borrow == (a < b))
        #expect(difference.value == a &+ b.negated)
        #expect(UInt256.addingReportingCarry(a, b).carry == (a > ~b))
        // a + b = (a ^ b) + 2 (a & b)
        #expect((a ^ b) &+ ((a & b) << 1) == a &+ b)
        #expect((a | b) == (a ^ b ^ (a & b)))
      }
    }
  }

  @Test func products() {
    for a in Self.edges {
      for b in Self.edges {
        let product = UInt256.multiplyFullWidth(a, b)
        #expect(product.low == a &* b)
        #expect(UInt256.multiplyFullWidth(b, a) == product)
        // (a + 1) b = a b + b, over 512 bits.
        if a != .max {
          let next = UInt256.multiplyFullWidth(a &+ .one, b)
          let (low, carry) = UInt256.addingReportingCarry(product.low, b)
          #expect(next == (low, carry ? product.high &+ .one : product.high))
        }
      }
    }
  }

  @Test func quotientsAndRemainders() {
    for a in Self.edges {
      for b in Self.edges {
        let (quotient, remainder) = UInt256.divideWithRemainder(a, b)
        #expect(UInt256.divide(a, b) == quotient)
        #expect(UInt256.remainder(a, b) == remainder)
        if b.isZero {
          #expect(quotient.isZero && remainder.isZero)
          #expect(UInt256.signedDivide(a, b).isZero && UInt256.signedRemainder(a, b).isZero)
          continue
        }
        #expect(remainder < b)
        let product = UInt256.multiplyFullWidth(quotient, b)
        #expect(product.high.isZero)
        #expect(UInt256.addingReportingCarry(product.low, remainder) == (a, false))
        let signedQuotient = UInt256.signedDivide(a, b)
        let signedRemainder = UInt256.signedRemainder(a, b)
        #expect(signedQuotient &* b &+ signedRemainder == a)
        #expect(signedRemainder.magnitude < b.magnitude)
        #expect(signedRemainder.isZero || signedRemainder.isNegative == a.isNegative)
      }
    }
  }

  /// Yellow paper, appendix H.2: the one overflow of SDIV.
  @Test func theSmallestNumberByMinusOne() {
    let smallest = UInt256.one << 255
    #expect(UInt256.signedDivide(smallest, .max) == smallest)
    #expect(UInt256.signedRemainder(smallest, .max) == .zero)
    #expect(smallest.magnitude == smallest)
  }

  @Test func modularSumsAndProducts() {
    for (index, a) in Self.edges.enumerated() {
      for b in Self.edges[index...] {
        #expect(UInt256.addModulo(a, b, .zero) == .zero)
        #expect(UInt256.multiplyModulo(a, b, .zero) == .zero)
        for modulus in Self.edges where !modulus.isZero {
          let sum = UInt256.addModulo(a, b, modulus)
          #expect(sum < modulus)
          #expect(sum == UInt256.addModulo(b, a, modulus))
          // sum - b is congruent to a.
          let back = UInt256.addModulo(
            sum, modulus &- UInt256.remainder(b, modulus), modulus)
          #expect(back == UInt256.remainder(a, modulus))
          let product = UInt256.multiplyModulo(a, b, modulus)
          #expect(product < modulus)
          // a (b + 1) = a b + a
          if b != .max {
            #expect(
              UInt256.multiplyModulo(a, b &+ .one, modulus)
                == UInt256.addModulo(product, a, modulus))
          }
        }
        // A modulus of 2^256 - 1: the two halves of the product add up, casting out.
        let full = UInt256.multiplyFullWidth(a, b)
        #expect(
          UInt256.multiplyModulo(a, b, .max) == UInt256.addModulo(full.low, full.high, .max))
      }
    }
  }

  @Test func shifts() {
    for a in Self.edges {
      for count: UInt64 in [0, 1, 7, 63, 64, 65, 127, 128, 129, 191, 192, 193, 254, 255] {
        let power = UInt256.one << count
        #expect(a << count == a &* power)
        #expect(a >> count == UInt256.divide(a, power))
        // Rounds towards minus infinity: -((-a - 1) / power) - 1.
        let arithmetic = a.isNegative ? ~UInt256.divide(~a, power) : UInt256.divide(a, power)
        #expect(a.shiftedRightArithmetic(count) == arithmetic)
      }
      for count: UInt64 in [256, 257, 1 << 32, .max] {
        #expect(a << count == .zero)
        #expect(a >> count == .zero)
        #expect(a.shiftedRightArithmetic(count) == (a.isNegative ? .max : .zero))
      }
    }
  }

  @Test func ordersAgree() {
    for a in Self.edges {
      #expect(!(a < a) && !UInt256.signedLess(a, a))
      for b in Self.edges where a != b {
        #expect((a < b) != (b < a))
        #expect(UInt256.signedLess(a, b) != UInt256.signedLess(b, a))
        #expect(UInt256.signedLess(a, b) == ((a < b) != (a.isNegative != b.isNegative)))
      }
    }
  }

  @Test func bytesAndWidths() {
    for a in Self.edges {
      var stored = [UInt8](repeating: 0, count: 33)
      stored.withUnsafeMutableBufferPointer { a.store(bigEndian: $0.baseAddress! + 1) }
      stored.withUnsafeBufferPointer { bytes in
        let start = bytes.baseAddress! + 1
        #expect(UInt256(bigEndian: start) == a)
        #expect(UInt256(bigEndian: start, count: 32) == a)
        for count in 0...31 {
          let tail = start + (32 - count)
          let low = a & ((UInt256.one << UInt64(8 * count)) &- .one)
          #expect(UInt256(bigEndian: tail, count: count) == low)
        }
      }
      for index in 0..<32 {
        #expect(a.bigEndianByte(index) == stored[index + 1])
        #expect(a.byte(at: UInt256(UInt64(index))) == UInt256(UInt64(stored[index + 1])))
      }
      #expect(a.byte(at: UInt256(32)) == .zero)
      #expect(a.byte(at: UInt256(0, 1, 0, 0)) == .zero)
      #expect(a.bitWidth + a.leadingZeroBitCount == 256)
      #expect(a.isZero || a.bit(a.bitWidth - 1))
      #expect(a >> UInt64(a.bitWidth) == .zero)
    }
  }

  @Test func signExtension() {
    for a in Self.edges {
      for index: UInt64 in 0..<31 {
        let shift = 248 - 8 * index
        #expect(
          a.signExtended(fromByte: UInt256(index)) == (a << shift).shiftedRightArithmetic(shift))
      }
      for index in [UInt256(31), UInt256(32), UInt256(0, 1, 0, 0), .max] {
        #expect(a.signExtended(fromByte: index) == a)
      }
    }
  }

  @Test func powers() {
    for a in Self.edges {
      #expect(UInt256.power(a, .zero) == .one)
      #expect(UInt256.power(a, .one) == a)
      #expect(UInt256.power(a, UInt256(5)) == a &* a &* a &* a &* a)
    }
    #expect(UInt256.power(UInt256(2), UInt256(255)) == UInt256.one << 255)
    #expect(UInt256.power(UInt256(2), UInt256(256)) == .zero)
    #expect(UInt256.power(UInt256(3), .max) &* UInt256(3) == UInt256.power(UInt256(3), .zero))
  }
}
