import Testing

@testable import EVM

/// The interpreter's operations from memory to memory give what those on values give.
@Suite struct UInt256InPlaceTests {
  private typealias Operation = (UInt256.Place, UInt256.Place, UInt256.Place) -> Void

  /// Runs an operation with its result in a place of its own, and in each operand's.
  private func expect(
    _ a: UInt256, _ b: UInt256, is expected: UInt256, _ operation: Operation,
    _ name: String
  ) {
    for target in 0..<3 {
      var words = [a, b, UInt256.max]
      words.withUnsafeMutableBufferPointer {
        let base = $0.baseAddress!
        operation(base, base + 1, base + target)
      }
      #expect(words[target] == expected, "\(name) of \(a) and \(b)")
    }
  }

  private static let words: [UInt256] = {
    var generator = SplitMixGenerator(seed: 7)
    return UInt256IdentityTests.edges
      + (0..<40).map { index in
        UInt256(generator.next(), generator.next(), generator.next(), generator.next())
          >> UInt64(index * 6)
      }
  }()

  @Test func pairs() {
    for a in Self.words {
      for b in Self.words {
        expect(a, b, is: UInt256.divide(a, b), { UInt256.divide($0, $1, into: $2) }, "DIV")
        expect(
          a, b, is: UInt256.remainder(a, b), { UInt256.remainder($0, $1, into: $2) }, "MOD")
        expect(
          a, b, is: UInt256.signedDivide(a, b), { UInt256.signedDivide($0, $1, into: $2) },
          "SDIV")
        expect(
          a, b, is: UInt256.signedRemainder(a, b),
          { UInt256.signedRemainder($0, $1, into: $2) }, "SMOD")
        expect(
          a, b, is: a << b.clampedToUInt64, { UInt256.shiftLeft($0, $1, into: $2) }, "SHL")
        expect(
          a, b, is: a >> b.clampedToUInt64, { UInt256.shiftRight($0, $1, into: $2) }, "SHR")
        expect(
          a, b, is: a.shiftedRightArithmetic(b.clampedToUInt64),
          { UInt256.shiftRightArithmetic($0, $1, into: $2) }, "SAR")
        expect(
          a, b, is: a.signExtended(fromByte: b),
          { $0.pointee.signExtend(fromByte: $1.pointee, into: $2) }, "SIGNEXTEND")
        // The divisions above share code; the definition binds them.
        if !b.isZero {
          #expect(UInt256.divide(a, b) &* b &+ UInt256.remainder(a, b) == a)
          #expect(UInt256.remainder(a, b) < b)
        }
      }
    }
  }

  @Test func signExtensionsOfEveryByte() {
    for a in Self.words {
      for byte in 0..<UInt64(34) {
        expect(
          a, UInt256(byte), is: a.signExtended(fromByte: UInt256(byte)),
          { $0.pointee.signExtend(fromByte: $1.pointee, into: $2) }, "SIGNEXTEND")
      }
    }
  }

  @Test func shortDivisors() {
    for a in Self.words {
      for b in Self.words where !b.isZero && b.fitsUInt64 {
        let word = ShortDivisor(b.limb0).word
        let limbs = [word.limb0, word.limb1, word.limb2, word.limb3]
        limbs.withUnsafeBufferPointer { divisor in
          let divisor = divisor.baseAddress!
          expect(
            a, b, is: UInt256.divide(a, b), { p, _, r in UInt256.divide(p, divisor, into: r) },
            "DIV")
          expect(
            a, b, is: UInt256.remainder(a, b),
            { p, _, r in UInt256.remainder(p, divisor, into: r) }, "MOD")
          if b.limb0 >> 63 == 0 {
            expect(
              a, b, is: UInt256.signedDivide(a, b),
              { p, _, r in UInt256.signedDivide(p, divisor, into: r) }, "SDIV")
          }
        }
      }
    }
  }

  /// Against the same product reduced without a kept modulus, each modulus twice in a row, among
  /// them those just below 2^256.
  @Test func productsByTheSameModulus() {
    let near: [UInt256] = [1, 2, 38, 0x1_0000_03d1, UInt256(UInt64.max), UInt256(0, 1, 0, 0)]
    for modulus in Self.words + near.map(\.negated) {
      let last = UnsafeMutablePointer<LastModulus>.allocate(capacity: 1)
      last.initialize(to: LastModulus())
      defer { last.deallocate() }
      for (index, a) in Self.words.enumerated() {
        for b in [Self.words[(index * 7 + 3) % Self.words.count], a, .max] {
          var words = [a, b, modulus, UInt256.zero]
          words.withUnsafeMutableBufferPointer {
            let base = $0.baseAddress!
            UInt256.multiplyModulo(base, base + 1, base + 2, last, into: base + 3)
          }
          #expect(
            words[3] == UInt256.multiplyModulo(a, b, modulus),
            "MULMOD of \(a), \(b), \(modulus)")
        }
      }
    }
  }
}
