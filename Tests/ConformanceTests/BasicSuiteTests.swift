import EVM
import Ethereum
import Execution
import TestSupport
import Testing

/// ethereum/tests, `BasicTests`, whole but for AES. Not run without fixtures.
@Suite(.enabled(if: Fixtures.has("ethereum-tests/BasicTests"), Fixtures.missing))
struct BasicSuiteTests {
  private typealias Members = [String: String]

  private func file(_ name: String) throws -> FileBytes {
    try FileBytes(path: Fixtures.folder.path + "/ethereum-tests/BasicTests/" + name)
  }

  /// The object of a file or the objects of its array, members of members as `outer.inner`.
  private func objects(_ name: String) throws -> [Members] {
    let file = try file(name)
    var cursor = JSONCursor(file.buffer)
    let result =
      try cursor.kind() == .array
      ? cursor.array { (cursor) throws(FormatError) in try Self.members(&cursor) }
      : [Self.members(&cursor)]
    try cursor.finish()
    return result
  }

  /// The cases of a file that is an object of objects.
  private func cases(_ name: String) throws -> [(name: String, members: Members)] {
    let file = try file(name)
    var cursor = JSONCursor(file.buffer)
    var result: [(String, Members)] = []
    try cursor.forEachKey { (cursor, key) throws(FormatError) in
      result.append((key.text, try Self.members(&cursor)))
    }
    try cursor.finish()
    return result
  }

  private static func members(_ cursor: inout JSONCursor) throws(FormatError) -> Members {
    var members: Members = [:]
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

  private func report(_ name: String, _ count: Int, of expected: Int) {
    print("ethereum-tests/BasicTests/\(name): \(count) cases")
    #expect(count == expected, "\(name)")
  }

  /// Each file has the forks of one chain; Ropsten's are those it had when the file was written. The
  /// times are random, so that forks that begin by them are not asked for.
  @Test(
    arguments: [
      ("difficulty.json", .mainnet, 14),
      ("difficultyMainNetwork.json", .mainnet, 2254),
      ("difficultyCustomMainNetwork.json", .mainnet, 360),
      ("difficultyCustomHomestead.json", .always(.homestead), 120),
      (
        "difficultyRopsten.json",
        ForkSchedule([
          (.homestead, .block(0)), (.byzantium, .block(1_700_000)),
          (.constantinople, .block(4_230_000)),
        ]), 2254
      ),
    ] as [(String, ForkSchedule, Int)])
  func difficulties(_ name: String, _ schedule: ForkSchedule, _ count: Int) throws {
    let tests = try cases(name)
    for test in tests {
      let word = { (member: String) throws -> UInt256 in
        let text = try #require(test.members[member], "\(test.name): \(member)")
        let value = text.hasPrefix("0x") ? UInt256(hexadecimal: text) : UInt256(decimal: text)
        return try #require(value, "\(test.name): \(member)")
      }
      let number = { (member: String) throws -> UInt64 in
        let value = try word(member)
        try #require(value == UInt256(value.limb0), "\(test.name): \(member)")
        return value.limb0
      }
      let block = try number("currentBlockNumber")
      let ommers = test.members["parentUncles"].flatMap { Hash256(hexadecimal: $0) }
      let difficulty = Difficulty.next(
        fork: schedule.fork(number: block, timestamp: 0), number: block,
        timestamp: try number("currentTimestamp"), parentTimestamp: try number("parentTimestamp"),
        parentDifficulty: try word("parentDifficulty"),
        parentHasOmmers: (ommers ?? BlockHeader.emptyOmmersHash) != BlockHeader.emptyOmmersHash)
      #expect(try difficulty == word("currentDifficulty"), "\(name): \(test.name)")
    }
    report(name, tests.count, of: count)
  }

  /// The file's `sig_of_emptystring` is a signature of none of the hashes of the empty string that
  /// are in use (libsecp256k1 recovers other keys as well), so that it is left out.
  @Test func keysHaveTheirAddresses() throws {
    let tests = try objects("keyaddrtest.json")
    report("keyaddrtest.json", tests.count, of: 2)
    for test in tests {
      let key = try #require(UInt256(hexadecimal: "0x" + (test["key"] ?? "")))
      #expect(Secp256k1.address(of: key)?.description == "0x" + (test["addr"] ?? ""))
      // The seed's hash is the key.
      #expect(Keccak256.hash(Array((test["seed"] ?? "").utf8)).word == key)
    }
  }

  @Test func transactionsAreSigned() throws {
    let tests = try objects("txtest.json")
    report("txtest.json", tests.count, of: 2)
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
    let test = try #require(try objects("genesishashestest.json").first)
    let bytes = try #require(Hexadecimal.bytes("0x" + (test["genesis_rlp_hex"] ?? "")))
    let block = try Block(decoding: bytes)
    #expect(block.encoded == bytes)
    #expect(block.hash.description == "0x" + (test["genesis_hash"] ?? ""))
    #expect(block.header.stateRoot.description == "0x" + (test["genesis_state_root"] ?? ""))
    report("genesishashestest.json", 1, of: 1)
  }

  @Test func pathsHaveTheHexPrefixForm() throws {
    let file = try file("hexencodetest.json")
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
    report("hexencodetest.json", count, of: 12)
  }

  /// The first block in the form of early 2014: 13 fields in the header, a price of gas among them;
  /// an account is a list in its leaf, and its address is not hashed. It is no block today, but the
  /// hash of no ommers, RLP and the trie's nodes are the same.
  @Test func theFirstBlocksOf2014() throws {
    let tests = try objects("blockgenesistest.json")
    for test in tests {
      let bytes = try #require(Hexadecimal.bytes(unprefixed: test["result"] ?? ""))
      let block = try RLP(decoding: bytes)
      var accounts: [(path: [UInt8], account: RLP)] = []
      for (key, balance) in test where key.hasPrefix("inputs.") {
        let address = try #require(Hexadecimal.bytes(unprefixed: String(key.dropFirst(7))))
        let wei = try #require(UInt256(decimal: balance))
        accounts.append(
          (
            address.flatMap { [$0 >> 4, $0 & 15] },
            .list([.string([]), Self.number(wei), .string([]), .string([])])
          ))
      }
      let header: [RLP] = [
        .string(Hash256.zero.bytes), .string(BlockHeader.emptyOmmersHash.bytes),
        .string([UInt8](repeating: 0, count: 20)),
        .string(try Self.stateRoot2014(accounts)), .string([]),
        Self.number(1 << 22), .string([]), Self.number(1_000_000_000_000_000),
        Self.number(1_000_000), .string([]), .string([]), .string([]),
        .string(Keccak256.hash([42]).bytes),
      ]
      #expect(block == .list([.list(header), .list([]), .list([])]))
      #expect(block.encoded == bytes)
      #expect(throws: FormatError.self) { try Block(decoding: bytes) }
    }
    report("blockgenesistest.json", tests.count, of: 3)
  }

  private static func number(_ value: UInt256) -> RLP {
    .string([UInt8](Hash256(value).bytes.drop { $0 == 0 }))
  }

  /// The root over at most two accounts whose addresses differ in the first nibble.
  private static func stateRoot2014(_ accounts: [(path: [UInt8], account: RLP)]) throws -> [UInt8] {
    let leaf = { (path: ArraySlice<UInt8>, account: RLP) -> RLP in
      // The hex-prefix form of a leaf's path: 2, or 3 before an odd number of nibbles.
      let nibbles = (path.count % 2 == 0 ? [2, 0] : [3]) + path
      let pairs = stride(from: 0, to: nibbles.count, by: 2)
      return .list([.string(pairs.map { nibbles[$0] << 4 | nibbles[$0 + 1] }), account])
    }
    if accounts.isEmpty { return [] }
    if accounts.count == 1 {
      return Keccak256.hash(leaf(accounts[0].path[...], accounts[0].account).encoded).bytes
    }
    var children = [RLP](repeating: .string([]), count: 17)
    for (path, account) in accounts {
      try #require(children[Int(path[0])] == .string([]))
      children[Int(path[0])] = .string(
        Keccak256.hash(leaf(path.dropFirst(), account).encoded).bytes)
    }
    return Keccak256.hash(RLP.list(children).encoded).bytes
  }

  /// What of ECIES is curve and hash: the secret of both sides, and the message's authentication.
  /// The product of a key and a point x is the public key that `recover` gives for the hash zero.
  @Test func secretsOfTheNetworkProtocol() throws {
    let test = try #require(try cases("crypto.json").first { $0.name == "ecies1" }).members
    let cipher = try #require(Hexadecimal.bytes(unprefixed: test["cipher"] ?? ""))
    let key = try #require(UInt256(hexadecimal: "0x" + (test["key"] ?? "")))
    try #require(cipher.count > 65 + 32 && cipher[0] == 4)
    let x = Self.word(cipher[1..<33])
    let secret = try #require(
      Secp256k1.recoverPublicKey(
        hash: .zero, r: x, s: UInt256.multiplyModulo(key, x, Secp256k1.order),
        yParity: cipher[64] & 1)
    ).x
    let derived = Self.sha256([0, 0, 0, 1] + Hash256(secret).bytes)
    let code = Self.authenticate(cipher[65..<cipher.count - 32], Self.sha256(derived[16...]))
    #expect(code == [UInt8](cipher.suffix(32)))
    report("crypto.json, ecies1's secret and authentication", 1, of: 1)
  }

  @Test(
    "crypto.json: aes1, and the payload of ecies1",
    .disabled("AES belongs to the network protocol, which is no rule of an engine"))
  func payloadsOfTheNetworkProtocol() {}

  private static func word(_ bytes: some Sequence<UInt8>) -> UInt256 {
    [UInt8](bytes).withUnsafeBufferPointer { Hash256(bytes: $0.baseAddress!).word }
  }

  private static func sha256(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    [UInt8](bytes).withUnsafeBufferPointer { SHA256.hash($0).bytes }
  }

  /// HMAC with SHA-256 (RFC 2104), for keys of 32 bytes.
  private static func authenticate(_ message: some Sequence<UInt8>, _ key: [UInt8]) -> [UInt8] {
    let pad = { (byte: UInt8) in (key + [UInt8](repeating: 0, count: 32)).map { $0 ^ byte } }
    return sha256(pad(0x5C) + sha256(pad(0x36) + [UInt8](message)))
  }
}
