import Foundation
import Testing

@testable import EVM

/// Every operation against Python's integers: `Tools/vectors/words.py` writes the file.
@Suite struct UInt256VectorTests {
  /// One line of the file.
  private struct Line {
    let text: Substring
    let operation: Substring
    let words: [UInt256]
  }

  private static let lines: [Line] = vectorLines(file: "words.txt").map { text in
    let fields = text.split(separator: " ")
    return Line(text: text, operation: fields[0], words: fields.dropFirst().compactMap(word))
  }

  @Test func everyOperationAgreesWithPython() throws {
    #expect(Self.lines.count > 3000)
    for line in Self.lines {
      let expected = try #require(line.words.last)
      let result = try #require(Self.apply(line.operation, line.words), "\(line.text)")
      #expect(result == expected, "\(line.text)")
    }
  }

  @Test func theFileHasEveryOperation() {
    #expect(Set(Self.lines.map(\.operation)).count == 24)
  }

  /// The shift count, 256 or more for any larger word.
  private static func count(_ word: UInt256) -> UInt64 { word.clampedToUInt64 }

  private static func apply(_ operation: Substring, _ w: [UInt256]) -> UInt256? {
    let a = w[0]
    let b = w[1]
    switch operation {
    case "add": return a &+ b
    case "sub": return a &- b
    case "mul":
      let full = UInt256.multiplyFullWidth(a, b).low
      return full == a &* b ? full : nil
    case "mulhigh": return UInt256.multiplyFullWidth(a, b).high
    case "div": return UInt256.divide(a, b)
    case "mod": return UInt256.remainder(a, b)
    case "sdiv": return UInt256.signedDivide(a, b)
    case "smod": return UInt256.signedRemainder(a, b)
    case "addmod": return UInt256.addModulo(a, b, w[2])
    case "mulmod": return UInt256.multiplyModulo(a, b, w[2])
    case "exp": return UInt256.power(a, b)
    case "signextend": return b.signExtended(fromByte: a)
    case "lt": return UInt256(a < b)
    case "slt": return UInt256(UInt256.signedLess(a, b))
    case "eq": return UInt256(a == b)
    case "and": return a & b
    case "or": return a | b
    case "xor": return a ^ b
    case "not": return ~a
    case "byte": return b.byte(at: a)
    case "shl": return b << count(a)
    case "shr": return b >> count(a)
    case "sar": return b.shiftedRightArithmetic(count(a))
    case "clz": return UInt256(UInt64(a.leadingZeroBitCount))
    default: return nil
    }
  }
}

/// A word from hexadecimal digits without prefix; `nil` for more than 64 of them or others.
func word(_ text: Substring) -> UInt256? {
  guard text.utf8.count <= 64, !text.isEmpty else { return nil }
  var result = UInt256.zero
  for character in text {
    guard let digit = character.hexDigitValue else { return nil }
    result = (result << 4) | UInt256(UInt64(digit))
  }
  return result
}

/// The lines of a file in `Tests/EVMTests/Vectors`; none when it can not be read.
func vectorLines(file: String) -> [Substring] {
  guard
    let folder = Bundle.module.url(forResource: "Vectors", withExtension: nil),
    let text = try? String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
  else { return [] }
  return text.split(separator: "\n")
}
