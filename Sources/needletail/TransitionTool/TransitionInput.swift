import EVM
import Ethereum

/// What the transition tool reads.
struct TransitionInput {
  var environment: TransitionEnvironment
  var transactions: [TransitionTransactions.Item]
  var blobParameters: BlobParameters?
  private var alloc: Allocation

  /// The parts of the JSON object on standard input.
  private struct Parts {
    var alloc: Allocation?
    var environment: TransitionEnvironment?
    var transactions: TransactionText?
    var blobParameters: BlobParameters?
  }

  /// Transactions before their RLP is looked at.
  private enum TransactionText {
    case items([TransitionTransactions.Item])
    case rlp([UInt8])
  }

  /// Reads the files that the options name.
  init(_ options: TransitionTool) throws(ToolFailure) {
    let standard = ToolFiles.standardInput
    var parts = Parts()
    let names = [
      options.inputAlloc, options.inputEnv, options.inputTxs, options.inputBlobParameters ?? "",
    ]
    if names.contains(standard) {
      parts = try ToolFiles.readJSON(standard) { (cursor) throws(FormatError) in
        try Self.parts(from: &cursor)
      }
    }
    if options.inputAlloc != standard {
      parts.alloc = try ToolFiles.readJSON(options.inputAlloc) { (cursor) throws(FormatError) in
        try cursor.allocation()
      }
    }
    if options.inputEnv != standard {
      parts.environment = try ToolFiles.readJSON(options.inputEnv) {
        (cursor) throws(FormatError) in try TransitionEnvironment(from: &cursor)
      }
    }
    if options.inputTxs != standard {
      parts.transactions = try ToolFiles.readJSON(options.inputTxs) {
        (cursor) throws(FormatError) in try Self.transactions(from: &cursor)
      }
    }
    if let path = options.inputBlobParameters, path != standard {
      parts.blobParameters = try ToolFiles.readJSON(path) { (cursor) throws(FormatError) in
        try Self.blobParameters(from: &cursor)
      }
    }
    guard let alloc = parts.alloc else { throw Self.missing("alloc") }
    guard let environment = parts.environment else { throw Self.missing("env") }
    self.alloc = alloc
    self.environment = environment
    blobParameters = parts.blobParameters
    switch parts.transactions {
    case nil: throw Self.missing("txs")
    case .items(let items): transactions = items
    case .rlp(let bytes): transactions = try TransitionTransactions.items(rlp: bytes)
    }
  }

  /// The accounts; empty afterwards, so that nobody else keeps them.
  mutating func takeState() -> Allocation {
    defer { alloc = Allocation() }
    return alloc
  }

  private static func missing(_ name: String) -> ToolFailure {
    ToolFailure(.json, "stdin: the field \(name) is missing")
  }

  private static func parts(from cursor: inout JSONCursor) throws(FormatError) -> Parts {
    var parts = Parts()
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key {
      case "alloc": parts.alloc = try cursor.allocation()
      case "env": parts.environment = try TransitionEnvironment(from: &cursor)
      case "txs":
        let found = try transactions(from: &cursor)
        // `txsRlp` beside an empty `txs` is how go-ethereum takes RLP from standard input.
        if parts.transactions == nil { parts.transactions = found }
      case "txsRlp":
        let bytes = try cursor.hexBytes()
        if !bytes.isEmpty { parts.transactions = .rlp(bytes) }
      case "blobParams": parts.blobParameters = try blobParameters(from: &cursor)
      default: try cursor.skipValue()
      }
    }
    return parts
  }

  private static func transactions(
    from cursor: inout JSONCursor
  ) throws(FormatError) -> TransactionText {
    if try cursor.skipNull() { return .items([]) }
    if try cursor.kind() == .string {
      let bytes = try cursor.hexBytes()
      return bytes.isEmpty ? .items([]) : .rlp(bytes)
    }
    return .items(
      try cursor.array { (cursor) throws(FormatError) in
        .transaction(try cursor.describedTransaction())
      })
  }

  private static func blobParameters(
    from cursor: inout JSONCursor
  ) throws(FormatError) -> BlobParameters {
    var target: UInt64?
    var max: UInt64?
    var fraction: UInt64?
    try cursor.beginObject()
    while let key = try cursor.nextKey() {
      switch key {
      case "target": target = try cursor.uint64()
      case "max": max = try cursor.uint64()
      case "baseFeeUpdateFraction": fraction = try cursor.uint64()
      default: try cursor.skipValue()
      }
    }
    return BlobParameters(
      target: try cursor.required(target, "target"), max: try cursor.required(max, "max"),
      baseFeeUpdateFraction: try cursor.required(fraction, "baseFeeUpdateFraction"))
  }
}
