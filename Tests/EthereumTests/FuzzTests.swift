import EVM
import Ethereum
import Testing

/// Random and mutated input for every decoder. None may trap, and what is accepted must encode to
/// the same bytes again: the decoders are strict. Seeds are fixed; a failure prints the input.
@Suite struct FuzzTests {
  /// Inputs of all tests together in release; a fiftieth of them without optimisation.
  static let total = 1_200_000

  private static var scale: Int {
    var isDebug = false
    // The condition is evaluated only where assertions are.
    assert(
      {
        isDebug = true
        return true
      }())
    return isDebug ? 50 : 1
  }

  /// Feeds a share of the inputs, in per cent of `total`, to a decoder that gives the encoding of
  /// what it accepted.
  private func fuzz(
    percent: Int, seed: UInt64, seeds: [[UInt8]],
    _ decode: ([UInt8]) throws(FormatError) -> [UInt8]?
  ) {
    var random = SplitMix64(seed: seed)
    let count = Self.total * percent / 100 / Self.scale
    var accepted = 0
    for index in 0..<count {
      let input =
        index % 8 == 0 ? random.bytes(random.below(80)) : random.mutation(of: seeds)
      do throws(FormatError) {
        if let output = try decode(input) {
          accepted += 1
          if output != input {
            Issue.record("seed \(seed) input \(index): \(Hexadecimal.string(input))")
            return
          }
        }
      } catch {
        // Only an error that says what is wrong will do.
        if error.reason.isEmpty { Issue.record("no reason: \(Hexadecimal.string(input))") }
      }
    }
    #expect(accepted > 0, "the mutations never gave valid input: they test nothing")
    print("fuzz \(seed): \(count) inputs, \(accepted) accepted")
  }

  static let blocks: [[UInt8]] = [
    Block(header: BlockCodingTests.headers[0], transactions: [TransactionCodingTests.examples[0]])
      .encoded,
    Block(
      header: BlockCodingTests.headers[3], transactions: TransactionCodingTests.examples,
      withdrawals: [Withdrawal(index: 1, validatorIndex: 2, address: .zero, amount: 3)]
    ).encoded,
  ]

  @Test func trees() {
    let deep = RLP.list([.list([.list([.string([1, 2, 3])]), .string([])]), .string([0x80])])
    let long = RLP.list([.string([UInt8](repeating: 7, count: 60)), deep])
    fuzz(percent: 20, seed: 101, seeds: [deep.encoded, long.encoded]) {
      (bytes) throws(FormatError) in try RLP(decoding: bytes).encoded
    }
  }

  @Test func transactions() {
    fuzz(percent: 20, seed: 102, seeds: TransactionCodingTests.examples.map(\.encoded)) {
      (bytes) throws(FormatError) in try Transaction(decoding: bytes).encoded
    }
  }

  @Test func headers() {
    fuzz(percent: 8, seed: 103, seeds: BlockCodingTests.headers.map(\.encoded)) {
      (bytes) throws(FormatError) in try BlockHeader(decoding: bytes).encoded
    }
  }

  @Test func blocks() {
    fuzz(percent: 7, seed: 104, seeds: Self.blocks) {
      (bytes) throws(FormatError) in try Block(decoding: bytes).encoded
    }
  }

  @Test func receipts() {
    let log = Log(address: Address(number: 1), topics: [.zero], data: [1, 2, 3])
    let receipts = [
      Receipt(type: .legacy, outcome: .stateRoot(.zero), cumulativeGasUsed: 1, logs: []),
      Receipt(type: .blob, outcome: .status(true), cumulativeGasUsed: 1 << 40, logs: [log, log]),
    ]
    fuzz(percent: 5, seed: 105, seeds: receipts.map(\.encoded)) {
      (bytes) throws(FormatError) in try Receipt(decoding: bytes).encoded
    }
  }

  @Test func texts() {
    let texts = [
      #"{"a": [1, -2.5e3, "x\u00e9\ud834\udd1e\n", true, false, null], "b": {"c": {}, "d": []}}"#,
      #"["é€𝄞", {"k": "0123456789abcdef0123456789abcdef"}, [[[[]]]], 0, 1E-2]"#,
    ]
    fuzz(percent: 15, seed: 106, seeds: texts.map { Array($0.utf8) }) {
      (bytes) throws(FormatError) in
      try withBytes(bytes) { (buffer) throws(FormatError) in
        var cursor = JSONCursor(buffer)
        let value = try cursor.skipValue()
        try cursor.finish()
        // What is accepted is UTF-8: Swift's own decoder has to agree.
        if String(validating: buffer, as: UTF8.self) == nil { return [] }
        // The value without the space around it.
        return value.count <= bytes.count ? bytes : []
      }
    }
  }

  @Test func stateTests() {
    fuzz(percent: 5, seed: 107, seeds: [Array(FixtureReaderTests.stateTest.utf8)]) {
      (bytes) throws(FormatError) in
      var reader = FixtureReader<StateTest>(FileBytes(copying: bytes), options: .init())
      while let test = try reader.next() {
        for (_, posts) in test.post {
          for post in posts { _ = try? test.transaction.transaction(at: post.indexes) }
        }
      }
      return bytes
    }
  }

  @Test func hexadecimalDigits() {
    let seeds = ["0x", "0x00112233445566778899aabbccddeeff01234567", "0xabcdef"]
    fuzz(percent: 10, seed: 108, seeds: seeds.map { Array($0.utf8) }) {
      (bytes) throws(FormatError) in
      try withBytes(bytes) { (buffer) throws(FormatError) in
        _ = UInt256(hexadecimalDigits: buffer)
        _ = UInt256(decimalDigits: buffer)
        _ = Address(text: buffer)
        _ = Hash256(text: buffer)
        guard let value = Hexadecimal.bytes(text: buffer) else { return nil }
        // Only the case of digits and prefix can differ.
        return Hexadecimal.string(value) == String(decoding: bytes, as: UTF8.self).lowercased()
          ? bytes : []
      }
    }
  }

  @Test func proofs() {
    var trie = MerklePatriciaTrie()
    for index in UInt8(0)..<60 { trie.insert(key: [index & 7, index], value: [index, 1, 2]) }
    let root = trie.root
    let key: [UInt8] = [5, 13]
    let proof = trie.proof(for: key)
    var random = SplitMix64(seed: 109)
    var kept = 0
    let count = Self.total / 10 / Self.scale
    for index in 0..<count {
      var changed = proof
      let node = random.below(proof.count)
      changed[node] = random.mutation(of: [proof[node]])
      // A node that is read is a node that its parent names: the last one may also be checked alone.
      let alone = index % 2 == 0
      do throws(FormatError) {
        let value = try MerklePatriciaTrie.verify(
          proof: alone ? [changed[node]] : changed, of: key,
          root: alone ? Keccak256.hash(changed[node]) : root)
        if !alone {
          #expect(changed == proof && value == [13, 1, 2], "\(changed)")
          kept += 1
        }
      } catch {}
    }
    print("fuzz 109: \(count) inputs, \(kept) unchanged")
  }
}
