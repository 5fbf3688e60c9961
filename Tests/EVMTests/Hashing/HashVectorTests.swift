import Testing

@testable import EVM

/// Every hash of the core at every length from 0 to 300 bytes, against digests that
/// `Tools/vectors/hashes.py` wrote.
@Suite struct HashVectorTests {
  /// The digests in order of length.
  private static func digests(_ name: String) -> [String] {
    vectorLines(file: "hashes.txt").filter { $0.hasPrefix(name + " ") }
      .map { String($0.split(separator: " ")[2]) }
  }

  /// The message of a length, as the generator makes it.
  static func message(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: 7 * $0 + 13 * count + $0 * $0 / 11) }
  }

  private func check(_ name: String, _ hash: ([UInt8]) -> [UInt8]) {
    let digests = Self.digests(name)
    #expect(digests.count == 301)
    for (count, digest) in digests.enumerated() {
      #expect(hexadecimal(hash(Self.message(count))) == digest, "\(name), \(count) bytes")
    }
  }

  @Test func keccak256() {
    check("keccak256") { message in
      message.withUnsafeBufferPointer { bytes(Keccak256.hash($0)) }
    }
  }

  @Test func sha256() {
    check("sha256") { message in message.withUnsafeBufferPointer { bytes(SHA256.hash($0)) } }
  }

  @Test func ripemd160() {
    check("ripemd160") { message in
      var digest = [UInt8](repeating: 0, count: 20)
      message.withUnsafeBufferPointer { input in
        digest.withUnsafeMutableBufferPointer {
          RIPEMD160.hash(input).store(bytes: $0.baseAddress!)
        }
      }
      return digest
    }
  }

  /// The whole hash around F (RFC 7693, section 3.3): digest of 64 bytes, no key.
  @Test func blake2b() {
    check("blake2b") { message in
      var state: BLAKE2.State = [
        0x6A09_E667_F3BC_C908 ^ 0x0101_0040, 0xBB67_AE85_84CA_A73B, 0x3C6E_F372_FE94_F82B,
        0xA54F_F53A_5F1D_36F1, 0x510E_527F_ADE6_82D1, 0x9B05_688C_2B3E_6C1F,
        0x1F83_D9AB_FB41_BD6B, 0x5BE0_CD19_137E_2179,
      ]
      let blocks = max(1, (message.count + 127) / 128)
      for index in 0..<blocks {
        let part = message.dropFirst(128 * index).prefix(128)
        var block = BLAKE2.Block(repeating: 0)
        for (position, byte) in part.enumerated() {
          block[position / 8] |= UInt64(byte) << UInt64(8 * (position % 8))
        }
        BLAKE2.compress(
          &state, block, rounds: 12, offset: (UInt64(128 * index + part.count), 0),
          isLast: index == blocks - 1)
      }
      return (0..<64).map { UInt8(truncatingIfNeeded: state[$0 / 8] >> UInt64(8 * ($0 % 8))) }
    }
  }
}

/// The 32 bytes of a hash.
func bytes(_ hash: Hash256) -> [UInt8] {
  (0..<32).map { hash.word.bigEndianByte($0) }
}
