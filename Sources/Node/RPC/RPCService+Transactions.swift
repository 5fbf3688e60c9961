import EVM
import Ethereum
import Execution
import Storage

/// Transactions: found and sent.
extension RPCService {
  private static let signTypedData: Method = { service, parameters, writer in
    let address = try parameters.address(0)
    let hash = try parameters.read(1, TypedData.init(_:)).hash()
    writer.value(hexadecimal: try service.signature(hash, by: address))
  }

  static let transactionMethods: [String: Method] = [
    "eth_getTransactionByHash": { service, parameters, writer in
      let snapshot = try service.chain.snapshot()
      try service.writeTransaction(try parameters.hash(0), snapshot, &writer)
    },
    "eth_getTransactionByBlockNumberAndIndex": { service, parameters, writer in
      try service.writeTransaction(try parameters.block(0), parameters, &writer)
    },
    "eth_getTransactionByBlockHashAndIndex": { service, parameters, writer in
      try service.writeTransaction(
        .hash(try parameters.hash(0), requiresCanonical: false), parameters, &writer)
    },
    "eth_getRawTransactionByHash": { service, parameters, writer in
      try service.writeRawTransaction(try parameters.hash(0), &writer)
    },
    "eth_getTransactionReceipt": { service, parameters, writer in
      let snapshot = try service.chain.snapshot()
      try service.writeReceipt(ofTransaction: try parameters.hash(0), snapshot, &writer)
    },
    "eth_sendRawTransaction": { service, parameters, writer in
      writer.value(try service.send(raw: try parameters.bytes(0)))
    },
    "eth_sendRawTransactionSync": { service, parameters, writer in
      let timeout = parameters[1] == nil ? 2000 : min(try parameters.quantity(1), 60_000)
      if case .relay(let client) = service.intake.destination {
        let raw = try parameters.bytes(0)
        return writer.value(
          try service.waiting { try client.sendSync(raw, milliseconds: timeout).get() })
      }
      let hash = try service.send(raw: try parameters.bytes(0))
      let hasPlace = try service.waiting {
        try service.sequencer?.wait(for: hash, milliseconds: timeout) == true
      }
      guard hasPlace else {
        throw RPCError(
          4, "The transaction was added to the mempool but wasn't processed in \(timeout)ms.",
          data: "\"\(hash)\"")
      }
      try service.writeReceipt(
        ofTransaction: hash, try service.snapshot(having: hash), &writer)
    },
    "eth_sendTransaction": { service, parameters, writer in
      let request = try parameters.read(0, CallRequest.init(_:))
      writer.value(try service.send(request))
    },
    "eth_sign": { service, parameters, writer in
      let address = try parameters.address(0)
      writer.value(hexadecimal: try service.signature(of: try parameters.bytes(1), by: address))
    },
    // The same with the message in front (EIP-191); what else it may take is a password.
    "personal_sign": { service, parameters, writer in
      let address = try parameters.address(1)
      writer.value(hexadecimal: try service.signature(of: try parameters.bytes(0), by: address))
    },
    "eth_signTypedData": signTypedData, "eth_signTypedData_v4": signTypedData,
    "eth_signTransaction": { service, parameters, writer in
      let request = try parameters.read(0, CallRequest.init(_:))
      let signed = try service.sign(request)
      writer.object { writer in
        writer.member("raw", hexadecimal: signed.encoded)
        writer.key("tx")
        writer.transaction(signed, sender: request.from ?? .zero, place: nil)
      }
    },
    "eth_fillTransaction": { service, parameters, writer in
      let request = try parameters.read(0, CallRequest.init(_:))
      let filled = try service.fill(request)
      writer.object { writer in
        writer.member("raw", hexadecimal: filled.encoded)
        writer.key("tx")
        writer.transaction(filled, sender: request.from ?? .zero, place: nil)
      }
    },
  ]

  /// Writes a transaction of the chain, or one that waits; null where there is none.
  func writeTransaction(
    _ hash: Hash256, _ snapshot: Snapshot, _ writer: inout JSONWriter
  ) throws {
    if let place = snapshot.place(ofTransaction: hash) {
      return try writeTransaction(place.number, place.index, snapshot, &writer)
    }
    if let waiting = pool.transaction(hash) {
      return writer.transaction(waiting.transaction, sender: waiting.sender, place: nil)
    }
    // In the block that the sequencer is making.
    guard let told = preconfirmations?.transaction(hash), let sender = try? told.recoverSender()
    else { return writer.null() }
    writer.transaction(told, sender: sender, place: nil)
  }

  private func writeTransaction(
    _ reference: BlockReference, _ parameters: Parameters, _ writer: inout JSONWriter
  ) throws {
    let snapshot = try snapshot(for: reference)
    let index = try parameters.quantity(1)
    guard let number = try number(reference, snapshot), let body = snapshot.body(number),
      index < UInt64(body.count)
    else { return writer.null() }
    try writeTransaction(number, Int(index), snapshot, &writer)
  }

  private func writeTransaction(
    _ number: UInt64, _ index: Int, _ snapshot: Snapshot, _ writer: inout JSONWriter
  ) throws {
    guard let header = try snapshot.header(number), let body = snapshot.body(number),
      index < body.count
    else { return writer.null() }
    writer.transaction(
      try body.transaction(index), sender: body.sender(index),
      place: header.isPending ? nil : (header, index))
  }

  func writeRawTransaction(_ hash: Hash256, _ writer: inout JSONWriter) throws {
    let snapshot = try chain.snapshot()
    if let place = snapshot.place(ofTransaction: hash), let body = snapshot.body(place.number) {
      return writer.value(hexadecimal: body.envelope(place.index))
    }
    writer.value(hexadecimal: pool.transaction(hash)?.transaction.encoded ?? [])
  }

  func writeReceipt(
    ofTransaction hash: Hash256, _ snapshot: Snapshot, _ writer: inout JSONWriter
  ) throws {
    guard let place = snapshot.place(ofTransaction: hash),
      let header = try snapshot.header(place.number), let body = snapshot.body(place.number),
      let receipts = snapshot.receipts(place.number), place.index < receipts.count
    else { return writer.null() }
    try writeReceipt(header, body, receipts, place.index, &writer)
  }

  /// The chain with a transaction that has its place in it, or in the block in the making.
  private func snapshot(having hash: Hash256) throws -> Snapshot {
    while true {
      let snapshot = try chain.snapshot()
      guard let sequencer, snapshot.place(ofTransaction: hash) == nil else { return snapshot }
      let pending = try sequencer.pending(on: snapshot, having: hash)
      if pending.place(ofTransaction: hash) != nil { return pending }
      // Unless it went into a block meanwhile, it is gone: no receipt.
      if try chain.snapshot().version == snapshot.version { return snapshot }
    }
  }

  /// Takes a signed transaction in; gives its hash.
  func send(raw bytes: [UInt8]) throws -> Hash256 {
    guard case .relay = intake.destination else { return try intake.take([bytes])[0].get() }
    return try waiting { try intake.take([bytes])[0].get() }
  }

  /// An account's signature of a message: r, s, and 27 or 28 (EIP-191).
  private func signature(of message: [UInt8], by address: Address) throws -> [UInt8] {
    let prefix = [UInt8]("\u{19}Ethereum Signed Message:\n\(message.count)".utf8)
    return try signature(Keccak256.hash(prefix + message), by: address)
  }

  private func signature(_ hash: Hash256, by address: Address) throws -> [UInt8] {
    guard let signature = Secp256k1.sign(hash: hash, secret: try key(of: address)) else {
      throw RPCError.server("the key can not sign")
    }
    return signature.r.bytes + signature.s.bytes + [UInt8(27 + signature.yParity)]
  }

  /// The secret key of an account of the node's own.
  func key(of address: Address) throws(RPCError) -> UInt256 {
    guard let key = sequencer?.accounts.key(of: address) else { throw .server("unknown account") }
    return key
  }

  /// A transaction with nonce, gas and fees filled in, unsigned.
  func fill(_ request: CallRequest) throws -> Transaction {
    var request = request
    let sender = request.from ?? .zero
    // Before the chain is: what leaves the pool meanwhile is in the chain by then.
    let waiting = pool.nextNonce(of: sender) ?? 0
    let snapshot = try chain.snapshot()
    let source = try snapshot.source(after: snapshot.head.header.number)
    let nonce = max(source.account(sender)?.nonce ?? 0, waiting)
    let baseFee = maker.nextBaseFee(snapshot.head.header)
    if request.gasPrice == nil {
      let tip = request.maxPriorityFeePerGas ?? min(request.maxFeePerGas ?? .max, suggestedTip)
      request.maxPriorityFeePerGas = tip
      request.maxFeePerGas = request.maxFeePerGas ?? (baseFee &* UInt256(2)) &+ tip
    }
    if request.gas == nil {
      var priceless = request
      (priceless.gasPrice, priceless.maxFeePerGas, priceless.maxPriorityFeePerGas) = (nil, nil, nil)
      request.gas = try estimate(priceless, snapshot, mayNeedOthers: waiting > 0)
    }
    try requireChain(request)
    if request.to == nil, request.data.isEmpty {
      throw RPCError.server("contract creation without any data provided")
    }
    return request.transaction(
      chainID: chain.rules.schedule.chainID, nonce: nonce, gas: 0, baseFee: baseFee)
  }

  /// The least gas with which a transaction succeeds on the newest block, or after what waits where it
  /// needs that.
  private func estimate(
    _ request: CallRequest, _ snapshot: Snapshot, mayNeedOthers: Bool
  ) throws -> UInt64 {
    guard mayNeedOthers, let sequencer, !request.data.isEmpty else {
      return try estimate(try trial(request, snapshot.head, snapshot))
    }
    let trial = try trial(request, snapshot.head, snapshot)
    if let to = request.to, trial.state.account(to)?.codeHash ?? .emptyCode != .emptyCode {
      // For most the newest block will do, without another being made.
      do { return try estimate(trial) } catch is RPCError {}
    }
    let pending = try sequencer.pending(on: snapshot)
    return try estimate(try self.trial(request, pending.head, pending))
  }

  /// A filled transaction, signed by an account of the node's own.
  func sign(_ request: CallRequest) throws -> Transaction {
    let key = try key(of: try request.sender())
    var transaction = try fill(request)
    try transaction.sign(secretKey: key)
    return transaction
  }

  /// Sends a transaction of an account of the node's own, or of one that it impersonates. One after the
  /// other: each gets the nonce after the one before.
  func send(_ request: CallRequest) throws -> Hash256 {
    let from = try request.sender()
    let hash = try sending.withLock { _ -> Hash256 in
      guard let sequencer, sequencer.accounts.key(of: from) == nil, sequencer.isImpersonated(from)
      else { return try intake.take([try sign(request).encoded], waits: false)[0].get() }
      var transaction = try fill(request)
      transaction.impersonate(from)
      return try intake.take(PreparedTransaction(transaction, impersonating: from))
    }
    sequencer?.transactionsArrived(waits: true)
    return hash
  }
}
