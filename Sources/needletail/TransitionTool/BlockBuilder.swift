import ArgumentParser
import EVM
import Ethereum
import Foundation

/// `needletail b11r`: assembles a block's RLP from a header's fields and a body, as go-ethereum's
/// block builder does.
struct BlockBuilder: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "b11r",
    abstract: "Assemble a block from a header, transactions, ommers and withdrawals.",
    discussion: """
      Reads the header's fields (JSON in the names of the JSON-RPC interface), the RLP list of \
      transactions as a hexadecimal string, and optionally ommers (a JSON array of RLP blocks) and \
      withdrawals (JSON). Writes {"rlp", "hash"}. Nothing is executed or checked.

      Exit status: 0 fine, 3 an option that is not supported, 10 malformed JSON, 11 a file can not \
      be read or written, 12 malformed RLP.

      Example: needletail b11r --input.header header.json --input.txs txs.rlp --output.block stdout
      """)

  @Option(name: .customLong("input.header"), help: "The header's fields, or `stdin`.")
  var inputHeader = "header.json"

  @Option(name: .customLong("input.ommers"), help: "Ommers as RLP, or `stdin`.")
  var inputOmmers: String?

  @Option(name: .customLong("input.txs"), help: "The RLP of the transactions, or `stdin`.")
  var inputTxs = "txs.rlp"

  @Option(name: .customLong("input.withdrawals"), help: "The withdrawals, or `stdin`.")
  var inputWithdrawals: String?

  @Option(
    name: .customLong("output.basedir"),
    help: "The folder for the output file; created when missing.")
  var outputFolder = ""

  @Option(
    name: .customLong("output.block"),
    help: "Where the block goes: a file, `stdout` or `stderr`.")
  var outputBlock = "block.json"

  @Option(name: .customLong("seal.clique"), help: "Not supported: no network seals so any more.")
  var sealClique: String?

  @Flag(name: .customLong("seal.ethash"), help: "Not supported: mine the block elsewhere.")
  var sealEthash = false

  @Option(name: .customLong("seal.ethash.dir"), help: .hidden)
  var sealEthashFolder: String?

  @Option(name: .customLong("seal.ethash.mode"), help: .hidden)
  var sealEthashMode: String?

  @Option(name: .customLong("verbosity"), help: .hidden)
  var verbosity = 3

  func run() throws {
    try ToolFiles.exiting { () throws(ToolFailure) in try build() }
  }

  private func build() throws(ToolFailure) {
    if sealClique != nil || sealEthash {
      throw ToolFailure(
        .configuration,
        "sealing is not supported: leave out --seal.clique and --seal.ethash, and give mixHash, "
          + "nonce and extraData in the header")
    }
    let block = try BlockParts(self).block()
    try ToolFiles.createFolder(outputFolder)
    var writer = JSONWriter(isPretty: true)
    writer.object { writer in
      writer.member("rlp", hexadecimal: block.encoded)
      writer.member("hash", block.hash)
    }
    switch outputBlock {
    case "stdout": try ToolFiles.write(writer.takeBytes(), to: FileHandle.standardOutput)
    case "stderr": try ToolFiles.write(writer.takeBytes(), to: FileHandle.standardError)
    default: try ToolFiles.write(writer.takeBytes(), to: outputBlock, in: outputFolder)
    }
  }
}

/// What the block builder reads.
private struct BlockParts {
  var header: BlockHeader?
  var hasOmmersHash = false
  var transactions: [UInt8] = []
  var ommers: [[UInt8]] = []
  var withdrawals: [Withdrawal]?

  init(_ options: BlockBuilder) throws(ToolFailure) {
    let standard = ToolFiles.standardInput
    var parts: BlockParts?
    let names = [
      options.inputHeader, options.inputTxs, options.inputOmmers, options.inputWithdrawals,
    ]
    if names.contains(standard) {
      parts = try ToolFiles.readJSON(standard) { (cursor) throws(FormatError) in
        try BlockParts(from: &cursor)
      }
    }
    var result = parts ?? BlockParts()
    if options.inputHeader != standard {
      (result.header, result.hasOmmersHash) = try ToolFiles.readJSON(options.inputHeader) {
        (cursor) throws(FormatError) in try Self.header(from: &cursor)
      }
    }
    if options.inputTxs != standard {
      result.transactions = try ToolFiles.readJSON(options.inputTxs) {
        (cursor) throws(FormatError) in try cursor.hexBytes()
      }
    }
    if let path = options.inputOmmers, path != standard {
      result.ommers = try ToolFiles.readJSON(path) { (cursor) throws(FormatError) in
        try cursor.array { (cursor) throws(FormatError) in try cursor.hexBytes() }
      }
    }
    if let path = options.inputWithdrawals, path != standard {
      result.withdrawals = try ToolFiles.readJSON(path) { (cursor) throws(FormatError) in
        try cursor.withdrawals()
      }
    }
    guard result.header != nil else {
      throw ToolFailure(.json, "stdin: the field header is missing")
    }
    self = result
  }

  private init() {}

  private init(from cursor: inout JSONCursor) throws(FormatError) {
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      if try cursor.skipNull() { continue }
      switch key {
      case "header": (header, hasOmmersHash) = try Self.header(from: &cursor)
      case "txs": transactions = try cursor.hexBytes()
      case "ommers", "uncles":
        ommers = try cursor.array { (cursor) throws(FormatError) in try cursor.hexBytes() }
      case "withdrawals": withdrawals = try cursor.withdrawals()
      default: try cursor.skipValue()
      }
    }
  }

  /// The fields of a header, and whether its ommers' hash is among them.
  private static func header(
    from cursor: inout JSONCursor
  ) throws(FormatError) -> (BlockHeader, Bool) {
    var header = BlockHeader()
    var hasOmmersHash = false
    var found: Set<String> = []
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      if try cursor.skipNull() { continue }
      switch key {
      case "parentHash": header.parentHash = try cursor.hash()
      case "sha3Uncles", "ommersHash":
        header.ommersHash = try cursor.hash()
        hasOmmersHash = true
      case "miner", "coinbase": header.coinbase = try cursor.address()
      case "stateRoot": header.stateRoot = try cursor.hash()
      case "transactionsRoot": header.transactionsRoot = try cursor.hash()
      case "receiptsRoot": header.receiptsRoot = try cursor.hash()
      case "logsBloom":
        let place = cursor.position
        guard let bloom = Bloom(bytes: try cursor.hexBytes()) else {
          throw cursor.failure(.tooShort, "a bloom has 256 bytes", at: place)
        }
        header.logsBloom = bloom
      case "difficulty": header.difficulty = try cursor.uint256()
      case "number": header.number = try cursor.uint64()
      case "gasLimit": header.gasLimit = try cursor.uint64()
      case "gasUsed": header.gasUsed = try cursor.uint64()
      case "timestamp": header.timestamp = try cursor.uint64()
      case "extraData": header.extraData = try cursor.hexBytes()
      case "mixHash": header.mixHash = try cursor.hash()
      case "nonce":
        let place = cursor.position
        let bytes = try cursor.hexBytes()
        guard bytes.count == 8 else {
          throw cursor.failure(.tooShort, "a header's nonce has eight bytes", at: place)
        }
        header.nonce = bytes.reduce(0) { $0 << 8 | UInt64($1) }
      case "baseFeePerGas": header.baseFeePerGas = try cursor.uint256()
      case "withdrawalsRoot": header.withdrawalsRoot = try cursor.hash()
      case "blobGasUsed": header.blobGasUsed = try cursor.uint64()
      case "excessBlobGas": header.excessBlobGas = try cursor.uint64()
      case "parentBeaconBlockRoot": header.parentBeaconBlockRoot = try cursor.hash()
      case "requestsHash": header.requestsHash = try cursor.hash()
      case "blockAccessListHash": header.blockAccessListHash = try cursor.hash()
      case "slotNumber": header.slotNumber = try cursor.uint64()
      default: try cursor.skipValue()
      }
      found.insert(key.text)
    }
    for name in ["stateRoot", "number", "gasLimit", "timestamp"] where !found.contains(name) {
      _ = try cursor.required(Int?.none, name)
    }
    return (header, hasOmmersHash)
  }

  /// The block.
  func block() throws(ToolFailure) -> Block {
    var block = Block(header: header ?? BlockHeader(), withdrawals: withdrawals)
    do throws(FormatError) {
      if !transactions.isEmpty {
        block.transactions = try withBytes(transactions) { (buffer) throws(FormatError) in
          var list: [Transaction] = []
          var reader = try RLPItem(buffer).list("txs")
          while !reader.isAtEnd {
            list.append(try Transaction(blockItem: reader.next("txs[\(list.count)]")))
          }
          return list
        }
      }
      // An ommer comes as a block, of which only the header is of interest.
      for (index, bytes) in ommers.enumerated() {
        block.ommers.append(
          try withBytes(bytes) { (buffer) throws(FormatError) in
            var fields = try RLPItem(buffer).list("ommers[\(index)]")
            return try BlockHeader(fields.next("ommers[\(index)].header"))
          })
      }
    } catch {
      throw ToolFailure(.rlp, error.description)
    }
    if !hasOmmersHash { block.header.ommersHash = BlockHeader.ommersHash(of: block.ommers) }
    return block
  }
}
