import EVM
import Ethereum
import Testing

@Suite struct RLPCodingTests {
  @Test(
    arguments: [
      ("0x", FormatError.Code.tooFewItems), ("0x00", nil), ("0x7f", nil), ("0x80", nil),
      ("0x8100", .nonCanonicalByte), ("0x817f", .nonCanonicalByte), ("0x8180", nil),
      ("0x81", .truncated), ("0x820000", nil), ("0x8200", .truncated), ("0x0000", .trailingBytes),
      ("0xb800", .nonCanonicalLength), ("0xb801ff", .nonCanonicalLength), ("0xb8", .truncated),
      ("0xb900ff", .nonCanonicalLength), ("0xbfffffffffffffffff", .truncated),
      ("0xc0", nil), ("0xc100", nil), ("0xc28000", nil), ("0xc28100", .nonCanonicalByte),
      ("0xc1", .truncated), ("0xc181", .truncated), ("0xf800", .nonCanonicalLength),
      ("0xf90000", .nonCanonicalLength), ("0xffffffffffffffffff", .truncated),
      ("0xff7fffffffffffffff", .truncated), ("0xff8000000000000000", .truncated),
      ("0xc0c0", .trailingBytes), ("0xc3c0c0c0", nil),
    ] as [(String, FormatError.Code?)])
  func readsOnlyTheOneEncoding(_ text: String, _ code: FormatError.Code?) throws {
    let bytes = try #require(Hexadecimal.bytes(text))
    do throws(FormatError) {
      let tree = try RLP(decoding: bytes)
      #expect(code == nil)
      #expect(tree.encoded == bytes)
    } catch { #expect(error.code == code) }
  }

  @Test(arguments: [0, 1, 55, 56, 255, 256, 65535, 65536, 100_000])
  func lengthsComeBack(_ count: Int) throws {
    let string = RLP.string([UInt8](repeating: 0xAA, count: count))
    #expect(try RLP(decoding: string.encoded) == string)
    let list = RLP.list([string, .list([]), string])
    #expect(try RLP(decoding: list.encoded) == list)
  }

  @Test func integersHaveNoZerosInFront() {
    for (value, expected) in [
      (UInt64(0), "0x80"), (1, "0x01"), (0x7F, "0x7f"), (0x80, "0x8180"), (0x100, "0x820100"),
      (.max, "0x88ffffffffffffffff"),
    ] {
      var first = RLPEncoder()
      first.append(value)
      var second = RLPEncoder()
      second.append(UInt256(value))
      #expect(Hexadecimal.string(first.bytes) == expected)
      #expect(first.bytes == second.bytes)
    }
    var encoder = RLPEncoder()
    encoder.append(UInt256.max)
    #expect(encoder.bytes == [0xA0] + [UInt8](repeating: 0xFF, count: 32))
    let error = #expect(throws: FormatError.self) {
      try withBytes([0x82, 0, 1]) { (bytes) throws(FormatError) in
        try RLPItem(bytes).uint64("nonce")
      }
    }
    #expect(error?.code == .leadingZeros)
    #expect(error?.field == "nonce")
  }

  @Test func boundsTheNesting() throws {
    var bytes: [UInt8] = [0xC0]
    for _ in 1..<RLP.maximumDepth {
      var encoder = RLPEncoder()
      encoder.list { $0.append(encoded: bytes) }
      bytes = encoder.bytes
    }
    _ = try RLP(decoding: bytes)
    var encoder = RLPEncoder()
    encoder.list { $0.append(encoded: bytes) }
    let error = #expect(throws: FormatError.self) { try RLP(decoding: encoder.bytes) }
    #expect(error?.code == .tooDeep)
  }
}
