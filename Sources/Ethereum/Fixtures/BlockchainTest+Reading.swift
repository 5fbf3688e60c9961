package import EVM

extension BlockchainTest: FixtureCase {
  /// Reads the test whose value comes next.
  public static func read(
    name: String, from cursor: inout FixtureCursor, options: Void
  ) throws(FormatError) -> BlockchainTest {
    try BlockchainTest(name: name, from: &cursor.json)
  }

  package init(name: String, from cursor: inout JSONCursor) throws(FormatError) {
    var network: String?
    var header: (BlockHeader, Hash256?)?
    var pre: Allocation?
    var blocks: [TestBlock]?
    var last: Hash256?
    var chainID: UInt64 = 1
    blobSchedule = .testNetworks
    sealEngine = ""
    comment = ""
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key {
      case "network": network = try cursor.string().text
      case "genesisBlockHeader": header = try cursor.blockHeader()
      case "genesisRLP": genesisRLP = try cursor.hexBytes()
      case "pre": pre = try cursor.allocation()
      case "postState":
        if try !cursor.skipNull() { postState = .accounts(try cursor.allocation()) }
      case "postStateHash":
        let root = try cursor.hash()
        postState = postState ?? .root(root)
      case "lastblockhash": last = try cursor.hash()
      case "sealEngine": sealEngine = try cursor.string().text
      case "blocks":
        blocks = try cursor.array { (cursor) throws(FormatError) in
          try TestBlock(from: &cursor)
        }
      case "config": try cursor.chainConfiguration(&chainID, &blobSchedule)
      case "_info": comment = try cursor.fixtureComment()
      default: try cursor.skipValue()
      }
    }
    self.name = name
    self.network = try cursor.required(network, "network")
    schedule = ForkSchedule(network: self.network, chainID: chainID)
    (genesisHeader, genesisHash) = try cursor.required(header, "genesisBlockHeader")
    self.pre = try cursor.required(pre, "pre")
    self.blocks = try cursor.required(blocks, "blocks")
    lastBlockHash = try cursor.required(last, "lastblockhash")
  }
}

extension BlockchainTest.TestBlock {
  fileprivate init(from cursor: inout JSONCursor) throws(FormatError) {
    var rlp: [UInt8]?
    var isDescribed = false
    expectedExceptions = []
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key {
      case "rlp": rlp = try cursor.hexBytes()
      case "blockHeader":
        isDescribed = true
        hash = try cursor.blockHash()
      case "rlp_decoded":
        try cursor.beginObject()
        while let key = try cursor.nextKey() {
          if key == "blockHeader" {
            hash = try cursor.blockHash()
          } else if key == "blockAccessList" {
            if try !cursor.skipNull() { accessList = try cursor.blockAccessList() }
          } else {
            try cursor.skipValue()
          }
        }
      case "blockAccessList":
        if try !cursor.skipNull() { accessList = try cursor.blockAccessList() }
      case "blocknumber": number = try cursor.uint64()
      case "chainname": chainName = try cursor.string().text
      case "transactionSequence":
        transactionSequence = try cursor.array { (cursor) throws(FormatError) in
          var item = BlockchainTest.SequencedTransaction()
          try cursor.beginObject()
          while let key = try cursor.nextKey() {
            switch key {
            case "rawBytes": item.bytes = try cursor.hexBytes()
            case "valid":
              if try cursor.kind() == .boolean {
                item.isValid = try cursor.boolean()
              } else {
                item.isValid = try cursor.string() == "true"
              }
            case "exception": item.exception = try cursor.string().text
            default: try cursor.skipValue()
            }
          }
          return item
        }
      default:
        // The older form has an exception for each network: `expectExceptionBerlin`, or for all.
        if key.rawBytes.starts(with: "expectException".utf8) {
          if try cursor.skipNull() { continue }
          expectedExceptions += try cursor.exceptions()
        } else {
          try cursor.skipValue()
        }
      }
    }
    self.rlp = try cursor.required(rlp, "rlp")
    isValid = expectedExceptions.isEmpty && isDescribed
  }
}

extension JSONCursor {
  /// Names of exceptions, joined by `|`; none for the empty string.
  package mutating func exceptions() throws(FormatError) -> [String] {
    try string().text.split(separator: "|").map { String($0) }
  }

  /// `description` of an `_info` object, else its `comment`.
  package mutating func fixtureComment() throws(FormatError) -> String {
    var comment = ""
    try beginObject()
    while let key = try nextKey() {
      if key == "description" || key == "comment", try kind() == .string {
        let text = try string().text
        if key == "description" || comment.isEmpty { comment = text }
      } else {
        try skipValue()
      }
    }
    return comment
  }

  /// The `hash` of a described header.
  fileprivate mutating func blockHash() throws(FormatError) -> Hash256? {
    var hash: Hash256?
    try beginObject()
    while let key = try nextKey() {
      if key == "hash" { hash = try self.hash() } else { try skipValue() }
    }
    return hash
  }

  /// A header in the names of the tests or of the JSON-RPC interface, and its `hash`.
  package mutating func blockHeader() throws(FormatError) -> (BlockHeader, Hash256?) {
    var header = BlockHeader()
    var hash: Hash256?
    try beginObject()
    while let key = try nextKey() {
      if key == "hash" {
        hash = try self.hash()
      } else if try !readHeaderField(key, into: &header) {
        try skipValue()
      }
    }
    return (header, hash)
  }

  /// Reads the value of `key` when it is a header's; says whether it was.
  package mutating func readHeaderField(
    _ key: JSONString, into header: inout BlockHeader
  ) throws(FormatError) -> Bool {
    switch key {
    case "parentHash": header.parentHash = try hash()
    case "uncleHash", "sha3Uncles": header.ommersHash = try hash()
    case "coinbase", "miner": header.coinbase = try address()
    case "stateRoot": header.stateRoot = try hash()
    case "transactionsTrie", "transactionsRoot": header.transactionsRoot = try hash()
    case "receiptTrie", "receiptsRoot": header.receiptsRoot = try hash()
    case "bloom", "logsBloom":
      let place = position
      guard let bloom = Bloom(bytes: try hexBytes()) else {
        throw failure(.malformedHexadecimal, "a bloom should be 256 bytes", at: place)
      }
      header.logsBloom = bloom
    case "difficulty": header.difficulty = try uint256()
    case "number": header.number = try uint64()
    case "gasLimit": header.gasLimit = try uint64()
    case "gasUsed": header.gasUsed = try uint64()
    case "timestamp": header.timestamp = try uint64()
    case "extraData": header.extraData = try hexBytes()
    case "mixHash", "mixhash": header.mixHash = try hash()
    case "nonce":
      if try skipNull() { return true }
      header.nonce = try uint64()
    case "baseFeePerGas":
      if try skipNull() { return true }
      header.baseFeePerGas = try uint256()
    case "withdrawalsRoot":
      if try skipNull() { return true }
      header.withdrawalsRoot = try hash()
    case "blobGasUsed":
      if try skipNull() { return true }
      header.blobGasUsed = try uint64()
    case "excessBlobGas":
      if try skipNull() { return true }
      header.excessBlobGas = try uint64()
    case "parentBeaconBlockRoot":
      if try skipNull() { return true }
      header.parentBeaconBlockRoot = try hash()
    case "requestsHash":
      if try skipNull() { return true }
      header.requestsHash = try hash()
    case "blockAccessListHash":
      if try skipNull() { return true }
      header.blockAccessListHash = try hash()
    case "slotNumber":
      if try skipNull() { return true }
      header.slotNumber = try uint64()
    default: return false
    }
    return true
  }
}
