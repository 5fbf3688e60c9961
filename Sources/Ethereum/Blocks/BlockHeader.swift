public import EVM

/// The header of a block (yellow paper, section 4.4), with the fields of every fork.
///
/// A field that came with a fork is `nil` in headers before it. Fields can only be missing from the
/// end on: the encoding stops at the first one that is `nil`.
public struct BlockHeader: Hashable, Sendable {
  /// The hash of the block before.
  public var parentHash: Hash256
  /// The hash of the list of ommers' headers.
  public var ommersHash: Hash256
  /// Who gets the fees.
  public var coinbase: Address
  /// The root of the world state after the block.
  public var stateRoot: Hash256
  /// The root of the transactions trie.
  public var transactionsRoot: Hash256
  /// The root of the receipts trie.
  public var receiptsRoot: Hash256
  /// The filter of all logs.
  public var logsBloom: Bloom
  /// The difficulty; zero from Paris on.
  public var difficulty: UInt256
  /// Blocks before it.
  public var number: UInt64
  /// Gas that its transactions may use.
  public var gasLimit: UInt64
  /// Gas that its transactions used.
  public var gasUsed: UInt64
  /// Seconds since 1970.
  public var timestamp: UInt64
  /// Up to 32 bytes of the producer's.
  public var extraData: [UInt8]
  /// The proof of work's hash; `prevRandao` from Paris on (EIP-4399).
  public var mixHash: Hash256
  /// The proof of work's nonce: eight bytes, as the number that they write.
  public var nonce: UInt64
  /// Wei burnt for each unit of gas: from London on (EIP-1559).
  public var baseFeePerGas: UInt256?
  /// The root of the withdrawals trie: from Shanghai on (EIP-4895).
  public var withdrawalsRoot: Hash256?
  /// Blob gas that its transactions used: from Cancun on (EIP-4844).
  public var blobGasUsed: UInt64?
  /// Blob gas above the target, over all blocks before: from Cancun on (EIP-4844).
  public var excessBlobGas: UInt64?
  /// The root of the beacon block before: from Cancun on (EIP-4788).
  public var parentBeaconBlockRoot: Hash256?
  /// The hash of the requests to the beacon chain: from Prague on (EIP-7685).
  public var requestsHash: Hash256?
  /// The hash of the block's access list: from Amsterdam on (EIP-7928).
  public var blockAccessListHash: Hash256?
  /// The beacon chain's slot: from Amsterdam on (EIP-7843).
  public var slotNumber: UInt64?

  /// The hash of an empty list of ommers.
  public static var emptyOmmersHash: Hash256 {
    Hash256(
      UInt256(
        0xF0A1_42FD_40D4_9347, 0xD312_451B_948A_7413, 0xAB85_B567_B6CC_D41A,
        0x1DCC_4DE8_DEC7_5D7A))
  }

  /// A header of a block without contents; the fields are then set one by one.
  public init() {
    parentHash = .zero
    ommersHash = Self.emptyOmmersHash
    coinbase = .zero
    stateRoot = .zero
    transactionsRoot = MerklePatriciaTrie.emptyRoot
    receiptsRoot = MerklePatriciaTrie.emptyRoot
    logsBloom = Bloom()
    difficulty = .zero
    number = 0
    gasLimit = 0
    gasUsed = 0
    timestamp = 0
    extraData = []
    mixHash = .zero
    nonce = 0
  }

  /// `mixHash` under its name from Paris on (EIP-4399).
  public var prevRandao: Hash256 { mixHash }

  /// The hash that names the block: Keccak-256 of the RLP.
  public var hash: Hash256 { Keccak256.hash(encoded) }
}

extension BlockHeader {
  /// Reads a header's RLP.
  public init(decoding bytes: [UInt8]) throws(FormatError) {
    self = try withBytes(bytes) { (buffer) throws(FormatError) in
      try BlockHeader(RLPItem(buffer))
    }
  }

  package init(_ item: RLPItem) throws(FormatError) {
    self.init()
    var fields = try item.list("header")
    parentHash = try fields.next("parentHash").hash("parentHash")
    ommersHash = try fields.next("ommersHash").hash("ommersHash")
    coinbase = try fields.next("coinbase").address("coinbase")
    stateRoot = try fields.next("stateRoot").hash("stateRoot")
    transactionsRoot = try fields.next("transactionsRoot").hash("transactionsRoot")
    receiptsRoot = try fields.next("receiptsRoot").hash("receiptsRoot")
    logsBloom = Bloom(loading: try fields.next("logsBloom").fixed("logsBloom", count: 256))
    difficulty = try fields.next("difficulty").uint256("difficulty")
    number = try fields.next("number").uint64("number")
    gasLimit = try fields.next("gasLimit").uint64("gasLimit")
    gasUsed = try fields.next("gasUsed").uint64("gasUsed")
    timestamp = try fields.next("timestamp").uint64("timestamp")
    extraData = [UInt8](try fields.next("extraData").string("extraData"))
    mixHash = try fields.next("mixHash").hash("mixHash")
    let nonceBytes = try fields.next("nonce").fixed("nonce", count: 8)
    nonce = UInt64(bigEndian: UnsafeRawPointer(nonceBytes).loadUnaligned(as: UInt64.self))
    if fields.isAtEnd { return }
    baseFeePerGas = try fields.next("baseFeePerGas").uint256("baseFeePerGas")
    if fields.isAtEnd { return }
    withdrawalsRoot = try fields.next("withdrawalsRoot").hash("withdrawalsRoot")
    if fields.isAtEnd { return }
    blobGasUsed = try fields.next("blobGasUsed").uint64("blobGasUsed")
    if fields.isAtEnd { return }
    excessBlobGas = try fields.next("excessBlobGas").uint64("excessBlobGas")
    if fields.isAtEnd { return }
    parentBeaconBlockRoot = try fields.next("parentBeaconBlockRoot").hash("parentBeaconBlockRoot")
    if fields.isAtEnd { return }
    requestsHash = try fields.next("requestsHash").hash("requestsHash")
    if fields.isAtEnd { return }
    blockAccessListHash = try fields.next("blockAccessListHash").hash("blockAccessListHash")
    if fields.isAtEnd { return }
    slotNumber = try fields.next("slotNumber").uint64("slotNumber")
    try fields.finish()
  }

  /// The header's RLP.
  public var encoded: [UInt8] {
    var encoder = RLPEncoder(capacity: 768)
    encode(into: &encoder)
    return encoder.bytes
  }

  package func encode(into encoder: inout RLPEncoder) {
    encoder.list { encoder in
      encodeFields(into: &encoder)
    }
  }

  private func encodeFields(into encoder: inout RLPEncoder) {
    encodeProofOfWorkFields(into: &encoder, seal: true)
    guard let baseFeePerGas else { return }
    encoder.append(baseFeePerGas)
    guard let withdrawalsRoot else { return }
    encoder.append(withdrawalsRoot)
    guard let blobGasUsed else { return }
    encoder.append(blobGasUsed)
    guard let excessBlobGas else { return }
    encoder.append(excessBlobGas)
    guard let parentBeaconBlockRoot else { return }
    encoder.append(parentBeaconBlockRoot)
    guard let requestsHash else { return }
    encoder.append(requestsHash)
    guard let blockAccessListHash else { return }
    encoder.append(blockAccessListHash)
    guard let slotNumber else { return }
    encoder.append(slotNumber)
  }

  private func encodeProofOfWorkFields(into encoder: inout RLPEncoder, seal: Bool) {
    encoder.append(parentHash)
    encoder.append(ommersHash)
    encoder.append(coinbase)
    encoder.append(stateRoot)
    encoder.append(transactionsRoot)
    encoder.append(receiptsRoot)
    encoder.append(logsBloom.bytes)
    encoder.append(difficulty)
    encoder.append(number)
    encoder.append(gasLimit)
    encoder.append(gasUsed)
    encoder.append(timestamp)
    encoder.append(extraData)
    guard seal else { return }
    encoder.append(mixHash)
    encoder.append((0..<8).map { UInt8(truncatingIfNeeded: nonce >> UInt64(56 - $0 * 8)) })
  }
}
