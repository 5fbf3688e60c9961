import Testing

@testable import EVM

/// Every line of the files that `Tools/vectors/ecdsa.py` writes with Python's integers (and checks
/// with OpenSSL).
@Suite struct ECDSAVectorTests {
  /// One line of a file: an operation, then words; `-` is a result that does not exist.
  private struct Line {
    let text: Substring
    let operation: Substring
    let words: [UInt256?]

    /// Operand number `index`.
    func operand(_ index: Int) throws -> UInt256 {
      try #require(index < words.count ? words[index] : nil, "\(text)")
    }
  }

  private static func lines(_ file: String) -> [Line] {
    vectorLines(file: file).map { text in
      let fields = text.split(separator: " ")
      return Line(text: text, operation: fields[0], words: fields.dropFirst().map(word))
    }
  }

  @Test func secp256k1AgreesWithPython() throws {
    let lines = Self.lines("secp256k1.txt")
    #expect(Set(lines.map(\.operation)).count == 15)
    for line in lines {
      let a = try line.operand(0)
      let last = line.words.last ?? nil
      switch line.operation {
      case "recover":
        let key = Secp256k1.recoverPublicKey(
          hash: Hash256(a), r: try line.operand(1), s: try line.operand(2),
          yParity: UInt8(try line.operand(3).limb0))
        #expect(key?.x == line.words[4] && key?.y == line.words[5], "\(line.text)")
      case "verify":
        let isValid = Secp256k1.verify(
          hash: Hash256(a), r: try line.operand(1), s: try line.operand(2),
          x: try line.operand(3), y: try line.operand(4))
        #expect(UInt256(isValid) == last, "\(line.text)")
      case "key":
        let key = Secp256k1.publicKey(of: a)
        #expect(key?.x == line.words[1] && key?.y == line.words[2], "\(line.text)")
      case "sign":
        let signature = Secp256k1.sign(hash: Hash256(try line.operand(1)), secret: a)
        #expect(signature?.r == line.words[2] && signature?.s == line.words[3], "\(line.text)")
        #expect(signature.map { UInt256(UInt64($0.yParity)) } == last, "\(line.text)")
      default:
        let b = line.words.count > 2 ? try line.operand(1) : .zero
        let result = try #require(Self.apply(line.operation, a, b), "\(line.text)")
        #expect(result == last, "\(line.text)")
      }
    }
  }

  @Test func batchesRecoverWhatSinglesDo() throws {
    let rows = Self.lines("secp256k1.txt").filter { $0.operation == "recover" }
    #expect(rows.count == 400)
    let hashes = try rows.map { Hash256(try $0.operand(0)) }
    let r = try rows.map { try $0.operand(1) }
    let s = try rows.map { try $0.operand(2) }
    let parities = try rows.map { UInt8(try $0.operand(3).limb0) }
    let singles = rows.indices.map { row in
      Secp256k1.recover(hash: hashes[row], r: r[row], s: s[row], yParity: parities[row])
    }
    // Groups of 32 with none, one and some rows left over.
    for count in [0, 1, 32, 33, 400] {
      let untouched = Address(number: 99)
      var signers = [Address](repeating: untouched, count: rows.count + 1)
      var isSigned = [Bool](repeating: false, count: rows.count + 1)
      Secp256k1.recoverBatch(
        count: count, hashes: hashes, r: r, s: s, yParities: parities, signers: &signers,
        isSigned: &isSigned)
      for row in 0..<count {
        #expect(isSigned[row] == (singles[row] != nil), "\(rows[row].text)")
        #expect(signers[row] == singles[row] ?? .zero, "\(rows[row].text)")
      }
      #expect(signers[count...].allSatisfy { $0 == untouched })
    }
  }

  private static func apply(_ operation: Substring, _ a: UInt256, _ b: UInt256) -> UInt256? {
    let (x, y) = (Secp256k1Field(a), Secp256k1Field(b))
    let (k, l) = (Secp256k1Scalar(reducing: a), Secp256k1Scalar(reducing: b))
    switch operation {
    case "fieldProduct": return (x * y).canonical
    case "fieldSquare": return x.squared.canonical
    case "fieldSum": return (x + y).canonical
    case "fieldDifference": return (x - y).canonical
    case "fieldHalf": return x.halved.canonical
    case "fieldInverse":
      let inverse = x.inverse.canonical
      return x.inverseInVariableTime.canonical == inverse ? inverse : nil
    case "scalarProduct": return (k * l).value
    case "scalarSquare": return k.squared.value
    case "scalarSum": return (k + l).value
    case "scalarNegated": return k.negated.value
    case "scalarInverse":
      let inverse = k.inverse.value
      return k.inverseInVariableTime.value == inverse ? inverse : nil
    default: return nil
    }
  }

  @Test func p256AgreesWithPython() throws {
    let lines = Self.lines("p256.txt")
    #expect(Set(lines.map(\.operation)).count == 7)
    for line in lines {
      let last = try line.operand(line.words.count - 1)
      if line.operation == "verify" {
        let isValid = P256.verify(
          hash: Hash256(try line.operand(0)), r: try line.operand(1), s: try line.operand(2),
          x: try line.operand(3), y: try line.operand(4))
        #expect(UInt256(isValid) == last, "\(line.text)")
        continue
      }
      let x = P256Field(reducing: try line.operand(0))
      let y = P256Field(reducing: try line.operand(1))
      let expected = try #require(P256Field(last), "\(line.text)")
      switch line.operation {
      case "fieldProduct": #expect(x * y == expected, "\(line.text)")
      case "fieldSquare": #expect(x.squared == expected, "\(line.text)")
      case "fieldSum": #expect(x + y == expected, "\(line.text)")
      case "fieldDifference": #expect(x - y == expected, "\(line.text)")
      case "fieldHalf": #expect(expected.doubled == x, "\(line.text)")
      case "fieldInverse": #expect(x.inverse == expected, "\(line.text)")
      default: Issue.record("\(line.text)")
      }
    }
  }
}
