import EVM
import Ethereum
import Execution
import Storage

/// What a consensus client asks for: the Engine API, as far as importing a chain needs it.
extension RPCService {
  static let engineMethods: [String: Method] = {
    var methods: [String: Method] = [
      "engine_exchangeCapabilities": { _, _, writer in
        writer.array { writer in
          for name in methodNames
          where name.hasPrefix("engine_") && name != "engine_exchangeCapabilities" {
            writer.value(name)
          }
        }
      },
      "engine_getClientVersionV1": { _, _, writer in
        writer.array { writer in
          writer.object { writer in
            writer.member("code", "NT")
            writer.member("name", "needletail")
            writer.member("version", "0.1.0")
            writer.member("commit", "0x00000000")
          }
        }
      },
      "testing_buildBlockV1": { service, parameters, writer in
        try service.buildTestBlock(parameters, &writer)
      },
    ]
    for version in 1...4 {
      methods["engine_newPayloadV\(version)"] = { service, parameters, writer in
        try service.newPayload(parameters, version: version, &writer)
      }
      if version > 3 { continue }
      methods["engine_forkchoiceUpdatedV\(version)"] = { service, parameters, writer in
        try service.updateForkChoice(parameters, &writer)
      }
    }
    return methods
  }()

  private func updateForkChoice(_ parameters: Parameters, _ writer: inout JSONWriter) throws {
    let state = try parameters.required(0)
    guard let head = try state["headBlockHash"]?.hash() else {
      throw RPCError.invalidParameters("headBlockHash is missing")
    }
    let safe = try state["safeBlockHash"]?.hash()
    let finalized = try state["finalizedBlockHash"]?.hash()
    if parameters[1] != nil {
      throw RPCError(
        -38003, "payload attributes: this node does not build blocks for a consensus client")
    }
    let isKnown: Bool
    do {
      isKnown = try chain.setHead(head, safe: safe, finalized: finalized)
    } catch let error as BlockError {
      return writeStatus("INVALID", nil, error.description, inPayload: true, &writer)
    }
    writeStatus(
      isKnown ? "VALID" : "SYNCING", isKnown ? head : nil, nil, inPayload: true, &writer)
  }

  private func writeStatus(
    _ status: String, _ latest: Hash256?, _ error: String?, inPayload: Bool,
    _ writer: inout JSONWriter
  ) {
    func body(_ writer: inout JSONWriter) {
      writer.object { writer in
        writer.member("status", status)
        writer.key("latestValidHash")
        if let latest { writer.value(latest) } else { writer.null() }
        writer.key("validationError")
        if let error { writer.value(error) } else { writer.null() }
      }
    }
    if !inPayload { return body(&writer) }
    writer.object { writer in
      writer.key("payloadStatus")
      body(&writer)
      writer.key("payloadId")
      writer.null()
    }
  }

  private func newPayload(_ parameters: Parameters, version: Int, _ writer: inout JSONWriter)
    throws
  {
    let payload = try parameters.required(0)
    func field(_ name: String) throws(RPCError) -> JSONValue {
      guard let value = payload[name] else {
        throw .invalidParameters("executionPayload: \(name) is missing")
      }
      return value
    }
    var header = BlockHeader()
    header.parentHash = try field("parentHash").hash()
    header.coinbase = try field("feeRecipient").address()
    header.stateRoot = try field("stateRoot").hash()
    header.receiptsRoot = try field("receiptsRoot").hash()
    guard let bloom = Bloom(bytes: try field("logsBloom").bytes()) else {
      throw RPCError.invalidParameters("logsBloom: 256 bytes belong here")
    }
    header.logsBloom = bloom
    header.mixHash = try field("prevRandao").hash()
    header.number = try field("blockNumber").quantity()
    header.gasLimit = try field("gasLimit").quantity()
    header.gasUsed = try field("gasUsed").quantity()
    header.timestamp = try field("timestamp").quantity()
    header.extraData = try field("extraData").bytes()
    header.baseFeePerGas = try field("baseFeePerGas").quantity256()
    let hash = try field("blockHash").hash()
    var block = Block(header: header)
    do throws(FormatError) {
      for item in try mapped({ () throws(RPCError) in try field("transactions").array() }) {
        block.transactions.append(
          try Transaction(decoding: try mapped({ () throws(RPCError) in try item.bytes() })))
      }
    } catch {
      return writeStatus("INVALID", nil, error.description, inPayload: false, &writer)
    }
    header.transactionsRoot = MerklePatriciaTrie.orderedRoot(block.transactions.map(\.encoded))
    if let list = payload["withdrawals"] {
      var withdrawals: [Withdrawal] = []
      for item in try list.array() { withdrawals.append(try Withdrawal(rpc: item)) }
      header.withdrawalsRoot = MerklePatriciaTrie.orderedRoot(withdrawals.map(\.encoded))
      block.withdrawals = withdrawals
    }
    if version >= 3 {
      header.blobGasUsed = try field("blobGasUsed").quantity()
      header.excessBlobGas = try field("excessBlobGas").quantity()
      header.parentBeaconBlockRoot = try parameters.hash(2)
      var hashes: [Hash256] = []
      for item in try parameters.required(1).array() { hashes.append(try item.hash()) }
      guard hashes == block.transactions.flatMap(\.blobVersionedHashes) else {
        return writeStatus(
          "INVALID", nil, "the blob hashes are not those of the transactions", inPayload: false,
          &writer)
      }
    }
    if version >= 4 {
      var outcome = BlockOutcome()
      outcome.requests = []
      for item in try parameters.required(3).array() { outcome.requests!.append(try item.bytes()) }
      header.requestsHash = outcome.requestsHash
    }
    block.header = header
    guard header.hash == hash else {
      return writeStatus(
        "INVALID", nil, "blockhash mismatch: the header gives \(header.hash)", inPayload: false,
        &writer)
    }
    do {
      let isApplied = try chain.offer(block)
      writeStatus(
        isApplied ? "VALID" : "ACCEPTED", isApplied ? hash : nil, nil, inPayload: false, &writer)
    } catch let error as BlockError {
      writeStatus("INVALID", header.parentHash, error.description, inPayload: false, &writer)
    }
  }

  private func mapped<Value>(_ body: () throws(RPCError) -> Value) throws(FormatError) -> Value {
    do throws(RPCError) { return try body() } catch {
      throw FormatError(.malformedHexadecimal, error.message)
    }
  }

  /// Builds a block on the head and shows it, without making it part of the chain.
  private func buildTestBlock(_ parameters: Parameters, _ writer: inout JSONWriter) throws {
    let parent = try parameters.hash(0)
    let options = try parameters.required(1)
    let snapshot = try chain.snapshot()
    guard parent == snapshot.head.hash else {
      throw RPCError.server("the parent \(parent) is not the head")
    }
    guard let time = try options["timestamp"]?.quantity() else {
      throw RPCError.invalidParameters("timestamp is missing")
    }
    var attributes = BlockAttributes(
      timestamp: time,
      gasLimit: GasLimit.next(parent: snapshot.head.header.gasLimit, wanted: 60_000_000))
    attributes.coinbase = try options["suggestedFeeRecipient"]?.address() ?? .zero
    attributes.prevRandao = try options["prevRandao"]?.hash() ?? .zero
    attributes.parentBeaconBlockRoot = try options["parentBeaconBlockRoot"]?.hash() ?? .zero
    for item in try options["withdrawals"]?.array() ?? [] {
      attributes.withdrawals.append(try Withdrawal(rpc: item))
    }
    if parameters[3] != nil { attributes.extraData = try parameters.bytes(3) }
    var transactions: [PreparedTransaction] = []
    if let list = parameters[2] {
      attributes.invalidTransactions = .failBlock
      for item in try list.array() {
        let transaction = try Transaction(decoding: try item.bytes())
        transactions.append(try PreparedTransaction(transaction))
      }
    } else {
      let source = try snapshot.source(after: snapshot.head.header.number)
      transactions = pool.selection(
        baseFee: maker.nextBaseFee(snapshot.head.header), gas: attributes.gasLimit, bytes: 7 << 20,
        limit: 20_000
      ) { source.account($0)?.nonce ?? 0 }
    }
    let built = try withCaller { caller in
      try maker.make(
        on: snapshot, attributes, transactions, executor: SerialExecutor(), codes: caller.codes,
        database: chain.database)
    }
    write(built, &writer)
  }

  private func write(_ built: BuiltBlock, _ writer: inout JSONWriter) {
    let header = built.block.header
    var value = UInt256.zero
    for outcome in built.outcomes {
      value =
        value &+ UInt256(outcome.gasUsed)
        &* (outcome.effectiveGasPrice &- (header.baseFeePerGas ?? .zero))
    }
    writer.object { writer in
      writer.key("executionPayload")
      writer.object { writer in
        writer.member("parentHash", header.parentHash)
        writer.member("feeRecipient", header.coinbase)
        writer.member("stateRoot", header.stateRoot)
        writer.member("receiptsRoot", header.receiptsRoot)
        writer.member("logsBloom", hexadecimal: header.logsBloom.bytes)
        writer.member("prevRandao", header.mixHash)
        writer.member("blockNumber", quantity: header.number)
        writer.member("gasLimit", quantity: header.gasLimit)
        writer.member("gasUsed", quantity: header.gasUsed)
        writer.member("timestamp", quantity: header.timestamp)
        writer.member("extraData", hexadecimal: header.extraData)
        writer.member("baseFeePerGas", quantity: header.baseFeePerGas ?? .zero)
        writer.member("blockHash", header.hash)
        writer.key("transactions")
        writer.array { writer in
          for transaction in built.block.transactions {
            writer.value(hexadecimal: transaction.encoded)
          }
        }
        writer.key("withdrawals")
        writer.array { writer in
          for withdrawal in built.block.withdrawals ?? [] { writer.withdrawal(withdrawal) }
        }
        writer.member("blobGasUsed", quantity: header.blobGasUsed ?? 0)
        writer.member("excessBlobGas", quantity: header.excessBlobGas ?? 0)
      }
      writer.member("blockValue", quantity: value)
      writer.key("blobsBundle")
      writer.object { writer in
        for name in ["commitments", "proofs", "blobs"] {
          writer.key(name)
          writer.array { _ in }
        }
      }
      writer.key("executionRequests")
      writer.array { writer in
        for request in built.requests ?? [] where request.count > 1 {
          writer.value(hexadecimal: request)
        }
      }
      writer.member("shouldOverrideBuilder", false)
    }
  }
}
