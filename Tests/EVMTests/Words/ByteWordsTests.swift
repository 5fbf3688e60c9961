import Testing

@testable import EVM

/// Words at any address.
@Suite struct ByteWordsTests {
  private let bytes = (0..<96).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }

  @Test func halvesGiveTheWord() {
    bytes.withUnsafeBytes { raw in
      for offset in stride(from: 0, through: 64, by: 4) {
        let word = raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        #expect(ByteWords.loadHalves(raw.baseAddress!, offset) == word)
        #expect(ByteWords.load(raw.baseAddress!, offset) == word)
        #expect(ByteWords.loadAnywhere(raw.baseAddress!, offset) == word)
        #expect(ByteWords.loadBytes(raw.baseAddress!, offset) == word)
      }
    }
  }

  @Test func halvesWriteTheWord() {
    var target = [UInt8](repeating: 0, count: 24)
    target.withUnsafeMutableBytes {
      ByteWords.storeHalves(0x0807_0605_0403_0201, $0.baseAddress!, 4)
      ByteWords.store(0x1817_1615_1413_1211, $0.baseAddress!, 12)
    }
    #expect(
      target == [0, 0, 0, 0] + (1...8).map { $0 } + (0x11...0x18).map { $0 } + [0, 0, 0, 0])
  }

  @Test func wordsAtOddAddresses() {
    bytes.withUnsafeBufferPointer { bytes in
      for offset in 0..<40 {
        let word = UInt256(bigEndian: bytes.baseAddress! + offset)
        #expect(word == UInt256(bigEndianUnaligned: UnsafeRawPointer(bytes.baseAddress! + offset)))
        #expect(word == UInt256(bigEndian: bytes.baseAddress! + offset, count: 32))
        var first = [UInt8](repeating: 0, count: 72)
        var second = first
        first.withUnsafeMutableBufferPointer { word.store(bigEndian: $0.baseAddress! + offset) }
        second.withUnsafeMutableBytes { word.storeUnaligned(bigEndian: $0.baseAddress! + offset) }
        #expect(first == second)
        #expect(Array(first[offset..<(offset + 32)]) == Array(bytes[offset..<(offset + 32)]))
      }
    }
  }

  @Test func theMemoKnowsTheHashOfZeros() {
    let entries = UnsafeMutablePointer<HashMemo.Entry>.allocate(capacity: 4)
    defer { entries.deallocate() }
    let memo = HashMemo(entries, count: 4)
    memo.clear()
    var hash = UInt256.zero
    let zeros = [UInt8](repeating: 0, count: 64)
    zeros.withUnsafeBufferPointer { memo.hash($0.baseAddress!, into: &hash) }
    #expect(hash == Keccak256.hash(UInt256.zero, UInt256.zero).word)
  }
}
