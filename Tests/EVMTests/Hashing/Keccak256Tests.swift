import Testing

@testable import EVM

@Suite struct Keccak256Tests {
  private func hash(_ message: [UInt8]) -> String {
    message.withUnsafeBufferPointer { hexadecimal(bytes(Keccak256.hash($0))) }
  }

  /// The hash of no bytes and of an empty RLP string and list: the empty code, trie and uncle
  /// hashes of every Ethereum block.
  @Test func knownAnswers() {
    let empty = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    #expect(hash([]) == empty)
    #expect(hexadecimal(bytes(Keccak256.empty)) == empty)
    #expect(
      bytes(Keccak256.hash(UnsafeBufferPointer(start: nil, count: 0)))
        == bytes(.init(Keccak256.empty.word)))
    #expect(hash([0x80]) == "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")
    #expect(hash([0xC0]) == "1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347")
    // The selector of ERC-20's transfer is a9059cbb.
    #expect(hash(Array("transfer(address,uint256)".utf8)).hasPrefix("a9059cbb"))
  }

  @Test func piecesGiveTheSameAsOneCall() {
    for count in [0, 1, 7, 8, 31, 32, 64, 135, 136, 137, 271, 272, 273, 408, 1000] {
      let message = HashVectorTests.message(count)
      let expected = message.withUnsafeBufferPointer { Keccak256.hash($0) }
      for piece in [1, 3, 8, 17, 64, 100, 135, 136, 137, 272, 500] {
        var hasher = Keccak256()
        var rest = message[...]
        while !rest.isEmpty {
          Array(rest.prefix(piece)).withUnsafeBufferPointer { hasher.absorb($0) }
          rest = rest.dropFirst(piece)
        }
        #expect(hasher.finalize() == expected, "\(count) bytes in pieces of \(piece)")
        #expect(hasher.finalize() == expected, "finalize changes nothing")
      }
    }
  }

  @Test func moreMayFollowAfterFinalize() {
    var hasher = Keccak256()
    [1, 2, 3].withUnsafeBufferPointer { hasher.absorb($0) }
    _ = hasher.finalize()
    [4, 5].withUnsafeBufferPointer { hasher.absorb($0) }
    #expect(hexadecimal(bytes(hasher.finalize())) == hash([1, 2, 3, 4, 5]))
  }

  @Test func wordsAndAddressesHashAsTheirBytes() {
    for a in UInt256IdentityTests.edges {
      let first = bytes(Hash256(a))
      #expect(hexadecimal(bytes(Keccak256.hash(a))) == hash(first))
      let address = Address(a)
      #expect(hexadecimal(bytes(Keccak256.hash(address))) == hash(Array(first[12...])))
      let b = a.negated ^ UInt256(5)
      #expect(hexadecimal(bytes(Keccak256.hash(a, b))) == hash(first + bytes(Hash256(b))))
    }
  }

  @Test func anyAlignment() {
    let memory = [UInt8](repeating: 0, count: 8) + HashVectorTests.message(300)
    for offset in 0..<8 {
      for count in [5, 32, 64, 136, 290] {
        let part = Array(memory[offset..<offset + count])
        let inPlace = memory.withUnsafeBytes {
          Keccak256.hash($0.baseAddress! + offset, count: count)
        }
        #expect(hexadecimal(bytes(inPlace)) == hash(part))
      }
    }
  }
}
