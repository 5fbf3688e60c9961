import EVM
import Ethereum
import Execution

/// A transaction as a request describes it: what is missing is filled in.
struct CallRequest: Sendable {
  var from: Address?
  var to: Address?
  var gas: UInt64?
  var gasPrice: UInt256?
  var maxFeePerGas: UInt256?
  var maxPriorityFeePerGas: UInt256?
  var maxFeePerBlobGas: UInt256?
  var value: UInt256?
  var nonce: UInt64?
  var data: [UInt8] = []
  var accessList: [AccessListEntry]?
  var chainID: UInt64?
  var blobVersionedHashes: [Hash256]?
  var authorizationList: [Authorization]?

  init(_ value: JSONValue) throws(RPCError) {
    guard case .object = value else {
      throw .invalidParameters("a transaction is an object, not \(value.kind)")
    }
    from = try value.member("from", JSONValue.address)
    to = try value.member("to", JSONValue.address)
    gas = try value.member("gas", JSONValue.quantity)
    gasPrice = try value.member("gasPrice", JSONValue.quantity256)
    maxFeePerGas = try value.member("maxFeePerGas", JSONValue.quantity256)
    maxPriorityFeePerGas = try value.member("maxPriorityFeePerGas", JSONValue.quantity256)
    maxFeePerBlobGas = try value.member("maxFeePerBlobGas", JSONValue.quantity256)
    self.value = try value.member("value", JSONValue.quantity256)
    nonce = try value.member("nonce", JSONValue.quantity)
    let input = try value.member("input", JSONValue.bytes)
    let old = try value.member("data", JSONValue.bytes)
    if let input, let old, input != old {
      throw .server(
        "both \"data\" and \"input\" are set and not equal. Please use \"input\" to pass transaction "
          + "call data")
    }
    data = input ?? old ?? []
    chainID = try value.member("chainId", JSONValue.quantity)
    accessList = try value.member("accessList") { (list) throws(RPCError) in
      try list.items(AccessListEntry.init(rpc:))
    }
    blobVersionedHashes = try value.member("blobVersionedHashes") { (list) throws(RPCError) in
      try list.items { (item) throws(RPCError) in try item.hash() }
    }
    authorizationList = try value.member("authorizationList") { (list) throws(RPCError) in
      try list.items(Authorization.init(rpc:))
    }
    if gasPrice != nil, maxFeePerGas != nil || maxPriorityFeePerGas != nil {
      throw .server("both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified")
    }
    if let blobs = blobVersionedHashes {
      if blobs.isEmpty { throw .server("need at least 1 blob for a blob transaction") }
      if to == nil { throw .server("missing \"to\" in blob transaction") }
    }
    if let maxFeePerGas, let tip = maxPriorityFeePerGas, maxFeePerGas < tip {
      throw .server(
        "maxFeePerGas (\(maxFeePerGas.decimal)) < maxPriorityFeePerGas (\(tip.decimal))")
    }
  }

  /// Who sends it.
  func sender() throws(RPCError) -> Address {
    guard let from else { throw .server("\"from\" is missing") }
    return from
  }

  /// Whether it names a price for gas.
  var hasPrice: Bool {
    !(gasPrice ?? .zero).isZero || !(maxFeePerGas ?? .zero).isZero
      || !(maxPriorityFeePerGas ?? .zero).isZero
  }

  /// The type that its fields make it.
  var type: TransactionType {
    if authorizationList != nil { return .setCode }
    if blobVersionedHashes != nil || maxFeePerBlobGas != nil && !(maxFeePerBlobGas!.isZero) {
      return blobVersionedHashes != nil ? .blob : .dynamicFee
    }
    if gasPrice == nil { return .dynamicFee }
    return accessList != nil ? .accessList : .legacy
  }

  /// The transaction, unsigned. `gas` and `nonce` are used where the request names none.
  func transaction(chainID: UInt64, nonce: UInt64, gas: UInt64, baseFee: UInt256) -> Transaction {
    var transaction = Transaction(type: type, chainID: chainID)
    transaction.nonce = self.nonce ?? nonce
    transaction.gasLimit = self.gas ?? gas
    transaction.to = to
    transaction.value = value ?? .zero
    transaction.data = data
    transaction.accessList = accessList ?? []
    transaction.blobVersionedHashes = blobVersionedHashes ?? []
    transaction.authorizationList = authorizationList ?? []
    transaction.maxFeePerBlobGas = maxFeePerBlobGas ?? .zero
    if let gasPrice {
      transaction.gasPrice = gasPrice
    } else {
      transaction.maxPriorityFeePerGas = maxPriorityFeePerGas ?? .zero
      transaction.maxFeePerGas = maxFeePerGas ?? .zero
      if maxFeePerGas == nil, let tip = maxPriorityFeePerGas, !tip.isZero {
        transaction.maxFeePerGas = tip &+ baseFee
      }
    }
    return transaction
  }
}

extension AccessListEntry {
  fileprivate init(rpc value: JSONValue) throws(RPCError) {
    guard let address = try value.member("address", JSONValue.address) else {
      throw .invalidParameters("an entry of the access list has an address")
    }
    let keys = try value.member("storageKeys") { (keys) throws(RPCError) in
      try keys.items { (key) throws(RPCError) in try key.hash().word }
    }
    self.init(address: address, storageKeys: keys ?? [])
  }
}

extension Authorization {
  fileprivate init(rpc value: JSONValue) throws(RPCError) {
    guard let address = try value.member("address", JSONValue.address),
      let nonce = try value.member("nonce", JSONValue.quantity)
    else { throw .invalidParameters("an authorization has an address and a nonce") }
    self.init(
      chainID: try value.member("chainId", JSONValue.quantity256) ?? .zero, address: address,
      nonce: nonce,
      yParity: UInt8(clamping: try value.member("yParity", JSONValue.quantity) ?? 0),
      r: try value.member("r", JSONValue.quantity256) ?? .zero,
      s: try value.member("s", JSONValue.quantity256) ?? .zero)
  }
}

/// Changes of accounts that a request asks for before its calls.
struct StateOverrides {
  var accounts: [(address: Address, change: WorldState.Override)] = []
  /// Precompiles that answer at other addresses.
  var moves: [(from: Address, to: Address)] = []

  init() {}

  init(_ value: JSONValue?) throws(RPCError) {
    guard let value else { return }
    var seen: Set<Address> = []
    for member in try value.object() {
      let address = try JSONValue.string(member.name).address()
      guard seen.insert(address).inserted else { continue }
      do throws(RPCError) { try add(member.value, to: address) } catch {
        throw error.within(member.name)
      }
    }
  }

  private mutating func add(_ fields: JSONValue, to address: Address) throws(RPCError) {
    var change = WorldState.Override()
    change.nonce = try fields.member("nonce", JSONValue.quantity)
    change.balance = try fields.member("balance", JSONValue.quantity256)
    change.code = try fields.member("code", JSONValue.bytes)
    if fields["state"] != nil, fields["stateDiff"] != nil {
      throw .invalidParameters("account \(address) has both 'state' and 'stateDiff'")
    }
    change.storage = try fields.member("state", Self.slots)
    change.slots = try fields.member("stateDiff", Self.slots) ?? [:]
    if let target = try fields.member("movePrecompileToAddress", JSONValue.address) {
      moves.append((address, target))
    }
    accounts.append((address, change))
  }

  private static func slots(_ value: JSONValue) throws(RPCError) -> [UInt256: UInt256] {
    var slots: [UInt256: UInt256] = [:]
    for member in try value.object() {
      let key = try JSONValue.string(member.name).hash()
      do throws(RPCError) { slots[key.word] = try member.value.hash().word } catch {
        throw error.within(member.name)
      }
    }
    return slots
  }

  /// Changes the accounts; one that has a precompile loses it. `precompiles` are those that are not where
  /// the fork has them.
  func apply(
    _ fork: Fork, to state: inout WorldState, _ precompiles: inout [PrecompileMove]
  ) throws(RPCError) {
    func current(_ address: Address) -> Precompile? {
      if let move = precompiles.last(where: { $0.address == address }) { return move.precompile }
      return Precompile(address, fork)
    }
    func put(_ precompile: Precompile?, at address: Address) {
      precompiles.removeAll { $0.address == address }
      precompiles.append(PrecompileMove(address: address, precompile: precompile))
    }
    var targets: Set<Address> = []
    for (address, change) in accounts {
      if targets.contains(address) {
        throw .server("account \(address) has already been overridden by a precompile")
      }
      let precompile = current(address)
      if let move = moves.first(where: { $0.from == address }) {
        guard let precompile else { throw .server("account \(address) is not a precompile") }
        if accounts.contains(where: { $0.address == move.to }) {
          throw RPCError(-38022, "account \(move.to) is already overridden")
        }
        put(precompile, at: move.to)
        targets.insert(move.to)
      }
      if precompile != nil { put(nil, at: address) }
      state.apply(change, to: address)
    }
  }
}

/// Changes of the block that a request asks for.
struct BlockOverrides {
  var number: UInt64?
  var time: UInt64?
  var gasLimit: UInt64?
  var coinbase: Address?
  var prevRandao: Hash256?
  var difficulty: UInt256?
  var baseFeePerGas: UInt256?
  var blobBaseFee: UInt256?
  var parentBeaconBlockRoot: Hash256?
  var withdrawals: [Withdrawal]?

  init() {}

  init(_ value: JSONValue?) throws(RPCError) {
    guard let value else { return }
    guard case .object = value else { throw .invalidParameters("block overrides are an object") }
    number = try value.member("number", JSONValue.quantity)
    time = try value.member("time", or: "timestamp", JSONValue.quantity)
    gasLimit = try value.member("gasLimit", JSONValue.quantity)
    coinbase = try value.member("feeRecipient", or: "coinbase", JSONValue.address)
    // A hash for go-ethereum, a number for execution-apis.
    prevRandao = try value.member("prevRandao", or: "random", JSONValue.slotKey).map { Hash256($0) }
    difficulty = try value.member("difficulty", JSONValue.quantity256)
    baseFeePerGas = try value.member("baseFeePerGas", or: "baseFee", JSONValue.quantity256)
    blobBaseFee = try value.member("blobBaseFee", JSONValue.quantity256)
    parentBeaconBlockRoot = try value.member(
      "parentBeaconBlockRoot", or: "beaconRoot", JSONValue.hash)
    withdrawals = try value.member("withdrawals") { (list) throws(RPCError) in
      try list.items(Withdrawal.init(rpc:))
    }
  }

  /// Changes what a call sees of its block. A call has neither withdrawals nor system calls around it.
  func apply(to environment: inout BlockEnvironment, _ fork: Fork) throws(RPCError) {
    for (name, isGiven) in [
      ("withdrawals", withdrawals != nil), ("beaconRoot", parentBeaconBlockRoot != nil),
    ] where isGiven {
      throw .invalidParameters(
        "block override \"\(name)\" is not supported for this method; eth_simulateV1 has it")
    }
    if let number { environment.number = number }
    if let time { environment.timestamp = time }
    if let gasLimit { environment.gasLimit = gasLimit }
    if let coinbase { environment.coinbase = coinbase }
    if let prevRandao { environment.prevRandao = prevRandao.word }
    // They share an opcode.
    if let difficulty, fork < .paris { environment.prevRandao = difficulty }
    if let baseFeePerGas { environment.baseFeePerGas = baseFeePerGas }
    if let blobBaseFee { environment.blobBaseFee = blobBaseFee }
  }
}

extension Withdrawal {
  init(rpc value: JSONValue) throws(RPCError) {
    guard let index = try value.member("index", JSONValue.quantity),
      let validator = try value.member("validatorIndex", JSONValue.quantity),
      let address = try value.member("address", JSONValue.address),
      let amount = try value.member("amount", JSONValue.quantity)
    else {
      throw .invalidParameters("a withdrawal has index, validatorIndex, address and amount")
    }
    self.init(index: index, validatorIndex: validator, address: address, amount: amount)
  }
}
