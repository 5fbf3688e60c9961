import EVM
import Testing

@testable import Ethereum

/// Bytes in place and bytes elsewhere are the same to everybody.
@Suite struct ShortBytesTests {
  @Test func bytesComeBackAsTheyWere() {
    for count in [0, 1, 7, 31, 32, 33, 100] {
      let bytes = (0..<count).map { UInt8($0 + 1) }
      #expect(ShortBytes(bytes).array == bytes)
      #expect(ShortBytes(bytes) == ShortBytes(bytes))
      #expect(ShortBytes(bytes) != ShortBytes(bytes + [0]))
    }
    // Zeros count, in front and behind.
    #expect(ShortBytes([0, 0]) != ShortBytes([0]))
    #expect(ShortBytes([0]) != ShortBytes([]))
    #expect(ShortBytes([0, 0]).array == [0, 0])
  }

  @Test func logsKeepTheirParts() {
    var log = Log(address: Address(number: 1), topics: [Hash256(2), Hash256(3)], data: [4])
    #expect(log.topics == [Hash256(2), Hash256(3)])
    #expect(log.data == [4])
    log.data = [UInt8](repeating: 5, count: 70)
    log.topics = [Hash256(6)]
    #expect(log.data == [UInt8](repeating: 5, count: 70))
    #expect(log == Log(address: Address(number: 1), topics: [Hash256(6)], data: log.data))
    for count in 0...4 {
      let topics = (0..<count).map { Hash256(UInt256(UInt64($0 + 1))) }
      #expect(Log(address: .zero, topics: topics).topics == topics)
    }
  }

  @Test func aBloomThatIsNotThatOfTheLogsIsKept() throws {
    let log = Log(address: Address(number: 1), topics: [Hash256(2)])
    var receipt = Receipt(
      type: .legacy, outcome: .status(true), cumulativeGasUsed: 1, logs: [log])
    #expect(receipt.bloom == Bloom(logs: [log]))
    var hashes = BloomHashes()
    #expect(receipt.bloom(&hashes) == receipt.bloom)
    #expect(receipt.bloom(&hashes) == receipt.bloom)
    let same = try Receipt(decoding: receipt.encoded)
    #expect(same == receipt)
    receipt.bloom.insert(hash: Keccak256.hash([9]))
    #expect(receipt.bloom != Bloom(logs: [log]))
    #expect(receipt.bloom(&hashes) == receipt.bloom)
    #expect(try Receipt(decoding: receipt.encoded) == receipt)
    #expect(receipt != same)
  }

  @Test func aLogOfFiveTopicsIsMalformed() throws {
    var encoder = RLPEncoder()
    encoder.list { encoder in
      encoder.append(Address.zero)
      encoder.list { encoder in
        for number in 1...5 as ClosedRange<UInt64> { encoder.append(Hash256(UInt256(number))) }
      }
      encoder.append([UInt8]())
    }
    _ = encoder.bytes.withUnsafeBufferPointer { bytes in
      #expect(throws: FormatError.self) { try Log(RLPItem(bytes)) }
    }
  }
}
