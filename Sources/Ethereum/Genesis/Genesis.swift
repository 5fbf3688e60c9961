public import EVM

/// A genesis file as geth reads it: the chain's forks, the first block's header fields and the
/// accounts.
public struct Genesis: Sendable {
  /// When the forks begin.
  public var schedule: ForkSchedule
  /// The blob limits.
  public var blobSchedule: BlobSchedule
  /// `config.depositContractAddress`, whose logs are deposit requests (EIP-6110).
  public var depositContract: Address?
  /// The first block's header, with the state root of the accounts.
  public var header: BlockHeader
  /// The accounts.
  public var allocation: Allocation

  /// The first block.
  public var block: Block {
    Block(header: header, withdrawals: header.withdrawalsRoot == nil ? nil : [])
  }

  /// The first block's hash.
  public var hash: Hash256 { header.hash }

  /// Reads a genesis file.
  public init(path: String) throws(FormatError) {
    try self.init(FileBytes(path: path))
  }

  /// Reads a genesis file that is open already.
  public init(_ file: consuming FileBytes) throws(FormatError) {
    do throws(FormatError) {
      var cursor = JSONCursor(file.buffer)
      try self.init(from: &cursor)
      try cursor.finish()
    } catch { throw error.inFile(file.path) }
  }

  package init(from cursor: inout JSONCursor) throws(FormatError) {
    var configuration = Configuration()
    var fields = BlockHeader()
    var allocation: Allocation?
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key {
      case "config": configuration = try Configuration(from: &cursor)
      case "alloc": allocation = try cursor.allocation()
      case "stateRoot", "hash", "transactionsRoot", "receiptsRoot", "logsBloom", "sha3Uncles":
        // These follow from the rest.
        try cursor.skipValue()
      default:
        if try !cursor.readHeaderField(key, into: &fields) { try cursor.skipValue() }
      }
    }
    self.allocation = try cursor.required(allocation, "alloc")
    schedule = ForkSchedule(
      chainID: configuration.chainID, configuration.activations(difficulty: fields.difficulty))
    blobSchedule = configuration.blobSchedule
    depositContract = configuration.depositContract
    header = fields
    header.stateRoot = self.allocation.stateRoot
    let fork = schedule.fork(
      number: header.number, timestamp: header.timestamp, totalDifficulty: header.difficulty)
    if fork >= .london { header.baseFeePerGas = header.baseFeePerGas ?? UInt256(1_000_000_000) }
    if fork >= .shanghai { header.withdrawalsRoot = MerklePatriciaTrie.emptyRoot }
    if fork >= .cancun {
      header.blobGasUsed = header.blobGasUsed ?? 0
      header.excessBlobGas = header.excessBlobGas ?? 0
      header.parentBeaconBlockRoot = header.parentBeaconBlockRoot ?? .zero
    }
    if fork >= .prague { header.requestsHash = header.requestsHash ?? Self.emptyRequestsHash }
    if fork >= .amsterdam {
      header.blockAccessListHash = header.blockAccessListHash ?? BlockHeader.emptyOmmersHash
      header.slotNumber = header.slotNumber ?? 0
    }
  }

  /// The hash of no requests: SHA-256 of nothing (EIP-7685).
  public static var emptyRequestsHash: Hash256 {
    Hash256(
      UInt256(
        0xA495_991B_7852_B855, 0x27AE_41E4_649B_934C, 0x9AFB_F4C8_996F_B924,
        0xE3B0_C442_98FC_1C14))
  }
}

extension Genesis {
  /// The `config` object.
  private struct Configuration {
    var chainID: UInt64 = 1
    var blobSchedule = BlobSchedule.mainnet
    var depositContract: Address?
    var blocks: [Fork: UInt64] = [:]
    var times: [Fork: UInt64] = [:]
    var terminalDifficulty: UInt256?
    var isTerminalPassed = false
    var mergeBlock: UInt64?

    init() {}

    init(from cursor: inout JSONCursor) throws(FormatError) {
      try cursor.beginObject()
      while let key = try cursor.nextKey() {
        if try cursor.skipNull() { continue }
        switch key {
        case "chainId", "chainid": chainID = try cursor.uint64()
        case "homesteadBlock": blocks[.homestead] = try cursor.uint64()
        case "daoForkBlock": blocks[.daoFork] = try cursor.uint64()
        case "eip150Block": blocks[.tangerineWhistle] = try cursor.uint64()
        case "eip155Block", "eip158Block": blocks[.spuriousDragon] = try cursor.uint64()
        case "byzantiumBlock": blocks[.byzantium] = try cursor.uint64()
        case "constantinopleBlock": blocks[.constantinople] = try cursor.uint64()
        case "petersburgBlock": blocks[.petersburg] = try cursor.uint64()
        case "istanbulBlock": blocks[.istanbul] = try cursor.uint64()
        case "muirGlacierBlock": blocks[.muirGlacier] = try cursor.uint64()
        case "berlinBlock": blocks[.berlin] = try cursor.uint64()
        case "londonBlock": blocks[.london] = try cursor.uint64()
        case "arrowGlacierBlock": blocks[.arrowGlacier] = try cursor.uint64()
        case "grayGlacierBlock": blocks[.grayGlacier] = try cursor.uint64()
        case "mergeNetsplitBlock", "mergeForkBlock": mergeBlock = try cursor.uint64()
        case "terminalTotalDifficulty": terminalDifficulty = try cursor.uint256()
        case "terminalTotalDifficultyPassed": isTerminalPassed = try cursor.boolean()
        case "shanghaiTime": times[.shanghai] = try cursor.uint64()
        case "cancunTime": times[.cancun] = try cursor.uint64()
        case "pragueTime": times[.prague] = try cursor.uint64()
        case "osakaTime": times[.osaka] = try cursor.uint64()
        case "bpo1Time": times[.bpo1] = try cursor.uint64()
        case "bpo2Time": times[.bpo2] = try cursor.uint64()
        case "bpo3Time": times[.bpo3] = try cursor.uint64()
        case "bpo4Time": times[.bpo4] = try cursor.uint64()
        case "bpo5Time": times[.bpo5] = try cursor.uint64()
        case "amsterdamTime": times[.amsterdam] = try cursor.uint64()
        case "blobSchedule": blobSchedule = try cursor.blobSchedule()
        case "depositContractAddress": depositContract = try cursor.address()
        default: try cursor.skipValue()
        }
      }
    }

    /// The beginnings of the forks. A chain whose first block has the terminal difficulty is past
    /// the merge from the start.
    func activations(difficulty: UInt256) -> [(fork: Fork, activation: ForkSchedule.Activation)] {
      var list: [(fork: Fork, activation: ForkSchedule.Activation)] = [(.frontier, .block(0))]
      for (fork, number) in blocks { list.append((fork, .block(number))) }
      for (fork, time) in times { list.append((fork, .timestamp(time))) }
      if isTerminalPassed || terminalDifficulty.map({ $0 <= difficulty }) == true {
        list.append((.paris, .block(0)))
      } else if let mergeBlock {
        list.append((.paris, .block(mergeBlock)))
      } else if let terminalDifficulty {
        list.append((.paris, .totalDifficulty(terminalDifficulty)))
      }
      return list
    }
  }
}
