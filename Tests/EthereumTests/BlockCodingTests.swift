import EVM
import Ethereum
import Testing

@Suite struct BlockCodingTests {
  /// Headers of every length that a fork has.
  static let headers: [BlockHeader] = {
    var header = BlockHeader()
    header.parentHash = Hash256(UInt256(1))
    header.coinbase = Address(number: 2)
    header.logsBloom.insert(hash: Keccak256.hash([1]))
    header.difficulty = 131_072
    header.number = 5
    header.gasLimit = .max
    header.timestamp = 1000
    header.extraData = [1, 2, 3]
    header.nonce = 0x0102_0304_0506_0708
    var headers = [header]
    header.baseFeePerGas = 7
    headers.append(header)
    header.withdrawalsRoot = MerklePatriciaTrie.emptyRoot
    headers.append(header)
    header.blobGasUsed = 131_072
    header.excessBlobGas = 0
    header.parentBeaconBlockRoot = .zero
    headers.append(header)
    header.requestsHash = Genesis.emptyRequestsHash
    headers.append(header)
    header.blockAccessListHash = BlockHeader.emptyOmmersHash
    header.slotNumber = 3
    headers.append(header)
    return headers
  }()

  @Test(arguments: headers)
  func headersOfEveryForkComeBack(_ header: BlockHeader) throws {
    let bytes = header.encoded
    #expect(try BlockHeader(decoding: bytes) == header)
    for count in 0..<bytes.count {
      #expect(throws: FormatError.self) { try BlockHeader(decoding: Array(bytes[..<count])) }
    }
  }

  @Test func blocksComeBack() throws {
    let block = Block(
      header: Self.headers[3], transactions: TransactionCodingTests.examples,
      ommers: [Self.headers[0], Self.headers[1]],
      withdrawals: [Withdrawal(index: 1, validatorIndex: 2, address: .zero, amount: .max)])
    #expect(try Block(decoding: block.encoded) == block)
    var early = block
    early.withdrawals = nil
    #expect(try Block(decoding: early.encoded) == early)
  }

  @Test func errorsNameThePlaceInTheBlock() throws {
    var block = Block(header: Self.headers[0], transactions: TransactionCodingTests.examples)
    block.transactions[4].to = nil
    let error = #expect(throws: FormatError.self) { try Block(decoding: block.encoded) }
    #expect(error?.path == "transactions[4]")
    #expect(error?.field == "to")
    #expect(error?.code == .blobTransactionWithoutRecipient)
  }

  @Test func theEmptyHashesAreWhatTheySay() {
    #expect(BlockHeader.ommersHash(of: []) == BlockHeader.emptyOmmersHash)
    #expect(Keccak256.hash([0x80]) == MerklePatriciaTrie.emptyRoot)
    #expect(Keccak256.hash([UInt8]()) == Hash256.emptyCode)
    #expect(Log.hash(of: []) == BlockHeader.emptyOmmersHash)
    #expect(
      Genesis.emptyRequestsHash.description
        == "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
  }

  @Test func receiptsComeBack() throws {
    let logs = [
      Log(address: Address(number: 1), topics: [.zero, Hash256(.max)], data: [1, 2, 3]),
      Log(address: Address(number: 2)),
    ]
    for type in TransactionType.allCases {
      for outcome in [Receipt.Outcome.status(true), .status(false), .stateRoot(Hash256(1))] {
        let receipt = Receipt(type: type, outcome: outcome, cumulativeGasUsed: 21000, logs: logs)
        #expect(try Receipt(decoding: receipt.encoded) == receipt)
      }
    }
  }

  /// The yellow paper's rule (section 4.4.1) on bytes: the low 11 bits of the first three pairs of a
  /// hash's bytes number bits from the end of the filter.
  @Test func aBloomSetsThreeBitsForEachValue() {
    var bloom = Bloom()
    let hash = Keccak256.hash(Address(number: 0x1234))
    bloom.insert(hash: hash)
    let bytes = bloom.bytes
    let digest = hash.bytes
    var expected = [UInt8](repeating: 0, count: 256)
    for index in [0, 2, 4] {
      let bit = (Int(digest[index]) << 8 | Int(digest[index + 1])) & 2047
      expected[255 - bit / 8] |= 1 << UInt8(bit % 8)
    }
    #expect(bytes == expected)
    #expect(bloom.mayContain(hash: hash))
    #expect(!bloom.mayContain(hash: Keccak256.hash([9])))
    #expect(Bloom(bytes: bytes) == bloom)
    #expect(Bloom(bytes: Array(bytes.dropLast())) == nil)
    var union = Bloom()
    union.formUnion(bloom)
    #expect(union == bloom)
  }
}
