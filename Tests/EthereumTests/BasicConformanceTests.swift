import EVM
import Ethereum
import Testing

/// ethereum/tests, `BasicTests`: what of it concerns formats. The difficulty tests belong to
/// `Execution`; `crypto.json` (ECIES) to the network protocol, which is not ours.
@Suite(.enabled(if: !FixtureFolder.isMissing, "\(FixtureFolder.reason)"))
struct BasicConformanceTests {
  private func object(_ name: String) throws -> [[String: String]] {
    let folder = try #require(FixtureFolder.path) + "/ethereum-tests/BasicTests/"
    let file = try FileBytes(path: folder + name)
    var cursor = JSONCursor(file.buffer)
    let read = { (cursor: inout JSONCursor) throws(FormatError) -> [String: String] in
      var members: [String: String] = [:]
      try cursor.forEachKey { (cursor, key) throws(FormatError) in
        switch try cursor.kind() {
        case .string: members[key.text] = try cursor.string().text
        case .number: members[key.text] = try cursor.number().text
        case .object:
          try cursor.forEachKey { (cursor, inner) throws(FormatError) in
            members[key.text + "." + inner.text] =
              try cursor.kind() == .number ? cursor.number().text : cursor.string().text
          }
        default: try cursor.skipValue()
        }
      }
      return members
    }
    let result =
      try cursor.kind() == .array
      ? cursor.array { (cursor) throws(FormatError) in try read(&cursor) } : [read(&cursor)]
    try cursor.finish()
    return result
  }

  /// The file's `sig_of_emptystring` is a signature of none of the hashes of the empty string that
  /// are in use (libsecp256k1 recovers other keys as well), so that it is left out.
  @Test func keysHaveTheirAddresses() throws {
    let tests = try object("keyaddrtest.json")
    #expect(tests.count == 2)
    for test in tests {
      let key = try #require(UInt256(hexadecimal: "0x" + (test["key"] ?? "")))
      #expect(Secp256k1.address(of: key)?.description == "0x" + (test["addr"] ?? ""))
      // The seed's hash is the key.
      #expect(Keccak256.hash(Array((test["seed"] ?? "").utf8)).word == key)
    }
  }

  @Test func transactionsAreSigned() throws {
    let tests = try object("txtest.json")
    #expect(tests.count == 2)
    for test in tests {
      let text = { (name: String) in test[name] ?? "" }
      var transaction = Transaction(
        nonce: try #require(UInt64(text("nonce"))),
        gasLimit: try #require(UInt64(text("startgas"))),
        to: Address(hexadecimal: "0x" + text("to")),
        value: try #require(UInt256(decimal: text("value"))),
        data: try #require(Hexadecimal.bytes(unprefixed: text("data"))))
      transaction.gasPrice = try #require(UInt256(decimal: text("gasprice")))
      let signed = try Transaction(decoding: try #require(Hexadecimal.bytes("0x" + text("signed"))))
      transaction.signature = signed.signature
      #expect(signed == transaction)
      let key = try #require(UInt256(hexadecimal: "0x" + text("key")))
      #expect(try signed.recoverSender(requiresLowS: false) == Secp256k1.address(of: key))
    }
  }

  @Test func theFirstBlocksHashesAreRight() throws {
    let test = try #require(try object("genesishashestest.json").first)
    let bytes = try #require(Hexadecimal.bytes("0x" + (test["genesis_rlp_hex"] ?? "")))
    let block = try Block(decoding: bytes)
    #expect(block.encoded == bytes)
    #expect(Hexadecimal.string(block.hash.bytes) == "0x" + (test["genesis_hash"] ?? ""))
  }

  @Test func pathsHaveTheHexPrefixForm() throws {
    let folder = try #require(FixtureFolder.path) + "/ethereum-tests/BasicTests/"
    let file = try FileBytes(path: folder + "hexencodetest.json")
    var cursor = JSONCursor(file.buffer)
    var count = 0
    try cursor.forEachKey { (cursor, name) throws(FormatError) in
      var nibbles: [UInt8] = []
      var isLeaf = false
      var bytes: [UInt8] = []
      try cursor.forEachKey { (cursor, key) throws(FormatError) in
        switch key {
        case "seq":
          nibbles = try cursor.array { (cursor) throws(FormatError) in UInt8(try cursor.uint64()) }
        case "term": isLeaf = try cursor.boolean()
        default: bytes = Hexadecimal.bytes(unprefixed: try cursor.string().text) ?? []
        }
      }
      count += 1
      let path = try withBytes(bytes) { (buffer) throws(FormatError) in try HexPrefix(buffer) }
      #expect(path.nibbles == nibbles, "\(name.text)")
      #expect(path.isLeaf == isLeaf, "\(name.text)")
    }
    #expect(count == 12)
  }
}
