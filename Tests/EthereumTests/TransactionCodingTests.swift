import EVM
import Ethereum
import Testing

@Suite struct TransactionCodingTests {
  static let key = UInt256(hexadecimal: "0x" + String(repeating: "46", count: 32))!

  static let examples: [Transaction] = {
    let entries = [
      AccessListEntry(address: Address(number: 9), storageKeys: [0, .max]),
      AccessListEntry(address: Address(number: 10)),
    ]
    var authorization = Authorization(chainID: 1, address: Address(number: 7), nonce: 3)
    try! authorization.sign(secretKey: 0x77)
    var list = [
      Transaction(nonce: 9, gasLimit: 21000, to: Address(number: 0x35), value: 1),
      Transaction(chainID: 1, nonce: 9, gasLimit: 21000, data: [0x60, 0x00]),
      Transaction(
        type: .accessList, chainID: 5, nonce: .max - 1, gasLimit: .max, to: .zero, value: .max,
        data: [UInt8](repeating: 1, count: 100), accessList: entries),
      Transaction(type: .dynamicFee, chainID: 1, maxFeePerGas: 7, maxPriorityFeePerGas: 2),
      Transaction(
        type: .blob, chainID: 1, maxFeePerGas: 7, to: Address(number: 1), maxFeePerBlobGas: 3,
        blobVersionedHashes: [Hash256(UInt256(1)), .zero]),
      Transaction(
        type: .setCode, chainID: 1, maxFeePerGas: 7, to: Address(number: 1), accessList: entries,
        authorizationList: [authorization, authorization]),
    ]
    for index in list.indices {
      if list[index].type.rawValue < 2 { list[index].gasPrice = 20_000_000_000 }
      try! list[index].sign(secretKey: key)
    }
    return list
  }()

  /// EIP-155's own example: key 0x46 32 times, nonce 9, 20 gwei, 21000 gas, 1 ether.
  @Test func signsTheExampleOfEIP155() throws {
    var transaction = Transaction(
      chainID: 1, nonce: 9, gasLimit: 21000,
      to: Address(hexadecimal: "0x3535353535353535353535353535353535353535"),
      value: UInt256(1_000_000_000_000_000_000))
    transaction.gasPrice = 20_000_000_000
    #expect(
      Hexadecimal.string(transaction.signingPayload)
        == "0xec098504a817c800825208943535353535353535353535353535353535353535880de0"
        + "b6b3a764000080018080")
    #expect(
      transaction.signingHash.description
        == "0xdaf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53")
    try transaction.sign(secretKey: Self.key)
    #expect(transaction.v == UInt256(37))
    #expect(
      Hexadecimal.string(transaction.encoded)
        == "0xf86c098504a817c800825208943535353535353535353535353535353535353535880de0"
        + "b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276"
        + "a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83")
    #expect(
      try transaction.recoverSender().description == "0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f")
  }

  @Test(arguments: examples)
  func comesBackWithItsSender(_ transaction: Transaction) throws {
    let decoded = try Transaction(decoding: transaction.encoded)
    #expect(decoded == transaction)
    #expect(try decoded.recoverSender() == Secp256k1.address(of: Self.key))
    // Inside a block too.
    let block = Block(header: BlockHeader(), transactions: [transaction, transaction])
    #expect(try Block(decoding: block.encoded) == block)
  }

  @Test(arguments: examples)
  func everyTruncationIsRefused(_ transaction: Transaction) {
    let bytes = transaction.encoded
    for count in 0..<bytes.count {
      #expect(throws: FormatError.self) { try Transaction(decoding: Array(bytes[..<count])) }
    }
    #expect(throws: FormatError.self) { try Transaction(decoding: bytes + [0]) }
  }

  private func code(_ transaction: Transaction) -> FormatError.Code? {
    do throws(FormatError) {
      _ = try Transaction(decoding: transaction.encoded)
      return nil
    } catch { return error.code }
  }

  @Test func creationsByBlobAndSetCodeTransactionsHaveTheirOwnErrors() {
    var blob = Self.examples[4]
    blob.to = nil
    #expect(code(blob) == .blobTransactionWithoutRecipient)
    var setCode = Self.examples[5]
    setCode.to = nil
    #expect(code(setCode) == .setCodeTransactionWithoutRecipient)
  }

  @Test func fieldsBeyondTheirRangeAreNamed() {
    // A legacy transaction of nine strings; one of them is replaced.
    let names = ["nonce", "gasPrice", "gasLimit", "to", "value", "data", "v", "r", "s"]
    func error(_ index: Int, _ bytes: [UInt8]) -> FormatError? {
      var items = [RLP](repeating: .string([1]), count: 9)
      items[3] = .string([])
      items[6] = .string([27])
      items[index] = .string(bytes)
      do throws(FormatError) {
        _ = try Transaction(decoding: RLP.list(items).encoded)
        return nil
      } catch { return error }
    }
    for (index, limit) in [(0, 8), (1, 32), (2, 8), (4, 32), (6, 32), (7, 32), (8, 32)] {
      let found = error(index, [1] + [UInt8](repeating: 0, count: limit))
      #expect(found?.code == .valueOutOfRange, "\(names[index])")
      #expect(found?.field == names[index])
      #expect(error(index, [0, 1])?.code == .leadingZeros, "\(names[index])")
    }
    #expect(error(3, [UInt8](repeating: 1, count: 19))?.code == .tooShort)
    #expect(error(3, [UInt8](repeating: 1, count: 21))?.code == .tooLong)
    for v: UInt8 in [0, 1, 26, 29, 34] {
      #expect(error(6, v == 0 ? [] : [v])?.code == .invalidChainID, "\(v)")
    }
    #expect(error(6, [35]) == nil)
    #expect(error(5, [0, 0]) == nil)
  }

  @Test func otherTypesAreUnknown() {
    for type in UInt8(5)...0x7F {
      #expect(throws: FormatError.self) { try Transaction(decoding: [type, 0xC0]) }
    }
    let error = #expect(throws: FormatError.self) {
      try Transaction(decoding: Self.examples[2].encoded, fork: .istanbul)
    }
    #expect(error?.code == .unsupportedTransactionType)
    #expect(error?.testNames.contains("TYPE_1_TX_PRE_FORK") == true)
  }

  @Test func theHigherSIsRefusedFromHomesteadOn() throws {
    var transaction = Self.examples[0]
    let sender = try transaction.recoverSender()
    transaction.signature.s = Secp256k1.order &- transaction.signature.s
    transaction.signature.yParity.toggle()
    #expect(try transaction.recoverSender(fork: .frontier, chainID: 1) == sender)
    #expect(throws: FormatError.self) {
      try transaction.recoverSender(fork: .homestead, chainID: 1)
    }
  }

  @Test func theChainHasToBeThisOne() throws {
    let legacy = Self.examples[1]
    _ = try legacy.recoverSender(fork: .spuriousDragon, chainID: 1)
    #expect(throws: FormatError.self) {
      try legacy.recoverSender(fork: .tangerineWhistle, chainID: 1)
    }
    #expect(throws: FormatError.self) {
      try legacy.recoverSender(fork: .spuriousDragon, chainID: 2)
    }
    _ = try Self.examples[0].recoverSender(fork: .osaka, chainID: 99)
  }

  @Test func authorizationsRecoverOnlyFromProperSignatures() throws {
    var authorization = Authorization(chainID: 0, address: Address(number: 7), nonce: 1)
    try authorization.sign(secretKey: Self.key)
    #expect(authorization.recoverAuthority() == Secp256k1.address(of: Self.key))
    var high = authorization
    high.s = Secp256k1.order &- high.s
    high.yParity ^= 1
    #expect(high.recoverAuthority() == nil)
    var parity = authorization
    parity.yParity = 2
    #expect(parity.recoverAuthority() == nil)
    var zero = authorization
    zero.r = .zero
    #expect(zero.recoverAuthority() == nil)
  }
}
